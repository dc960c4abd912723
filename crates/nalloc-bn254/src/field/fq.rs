//! The base field: coordinates of G1.

use super::mont::{Modulus, Montgomery};

/// q = 21888242871839275222246405745257275088696311157297823662689037894645226208583.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FqModulus;

impl Modulus for FqModulus {
    const NAME: &'static str = "Fq";
    const LIMBS: [u64; 4] = [
        0x3c20_8c16_d87c_fd47,
        0x9781_6a91_6871_ca8d,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];
    const NON_RESIDUE: u64 = 3;
}

/// A coordinate of G1: an integer modulo q.
pub type Fq = Montgomery<FqModulus>;
