//! The scalar field: integers modulo the order r of both groups.

use super::mont::{Modulus, Montgomery};

/// r = 21888242871839275222246405745257275088548364400416034343698204186575808495617.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FrModulus;

impl Modulus for FrModulus {
    const NAME: &'static str = "Fr";
    const LIMBS: [u64; 4] = [
        0x43e1_f593_f000_0001,
        0x2833_e848_79b9_7091,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];
    // The least one. It makes 5^((r-1)/2^28) the root that snarkjs, arkworks and gnark use.
    const NON_RESIDUE: u64 = 5;
}

/// A scalar: an integer modulo r, the order of G1 and G2.
pub type Fr = Montgomery<FrModulus>;

/// The field in which circuits, witnesses and polynomials live.
pub type FieldElement = Fr;
