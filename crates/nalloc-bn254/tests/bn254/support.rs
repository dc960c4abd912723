//! Random values from a fixed seed, edge values, and the way to arkworks and back.

use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};
use nalloc_bn254::field::{Modulus, Montgomery};
use nalloc_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, Kernels};
use num_bigint::BigUint;

/// The seed of every random test.
pub const SEED: u64 = 0x6e61_6c6c_6f63_0254;

/// Every way to compute that this CPU has, each of which must pass every test.
pub fn all_kernels() -> Vec<Kernels> {
    let ifma = Kernels::ifma();
    if ifma.is_none() {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
    }
    let avx2 = Kernels::avx2();
    if avx2.is_none() {
        println!("skipped with avx2: this CPU has no AVX2");
    }
    ifma.into_iter().chain(avx2).chain([Kernels::PORTABLE]).collect()
}

/// splitmix64: small, and the same numbers everywhere.
pub struct Rng(u64);

impl Rng {
    /// The numbers of the fixed seed, which is printed when the test fails.
    pub fn new() -> Self {
        println!("seed {SEED:#x}");
        Self(SEED)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.word().to_le_bytes()[3])
    }

    pub fn fr(&mut self) -> Fr {
        Fr::from_uniform_bytes(&self.bytes())
    }

    pub fn fq(&mut self) -> Fq {
        Fq::from_uniform_bytes(&self.bytes())
    }

    pub fn fq2(&mut self) -> Fq2 {
        Fq2::new(self.fq(), self.fq())
    }

    pub fn g1(&mut self) -> G1Affine {
        G1Affine::GENERATOR.mul_scalar_vartime(self.fr()).to_affine()
    }

    pub fn g2(&mut self) -> G2Affine {
        G2Affine::GENERATOR.mul_scalar_vartime(self.fr()).to_affine()
    }
}

/// 0, 1, 2, p-1, p-2, and every power of two below p with its two neighbours.
pub fn edge_numbers(p: [u64; 4]) -> Vec<[u64; 4]> {
    let mut numbers = vec![[0; 4], minus(p, 1), minus(p, 2)];
    for bit in 0..254 {
        let mut power = [0; 4];
        power[bit / 64] = 1 << (bit % 64);
        let mut next = power;
        next[0] |= 1;
        numbers.extend([power, minus(power, 1), next].into_iter().filter(|n| is_below(*n, p)));
    }
    numbers
}

/// `number` - `small`, which must not be negative.
pub fn minus(number: [u64; 4], small: u64) -> [u64; 4] {
    let mut borrow = small;
    number.map(|limb| {
        let (rest, is_short) = limb.overflowing_sub(borrow);
        borrow = u64::from(is_short);
        rest
    })
}

pub fn is_below(a: [u64; 4], b: [u64; 4]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The number that the limbs stand for.
pub fn integer(limbs: [u64; 4]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |number, &limb| (number << 64) + limb)
}

/// The element for any integer.
pub fn element<M: Modulus>(number: &BigUint) -> Montgomery<M> {
    let digits = (number % integer(M::LIMBS)).to_u64_digits();
    let limbs = core::array::from_fn(|i| digits.get(i).copied().unwrap_or(0));
    Montgomery::from_plain(limbs).unwrap()
}

pub fn ark_fr(x: Fr) -> ark_bn254::Fr {
    ark_bn254::Fr::from_bigint(BigInt(x.to_plain())).unwrap()
}

pub fn our_fr(x: ark_bn254::Fr) -> Fr {
    Fr::from_plain(x.into_bigint().0).unwrap()
}

pub fn ark_fq(x: Fq) -> ark_bn254::Fq {
    ark_bn254::Fq::from_bigint(BigInt(x.to_plain())).unwrap()
}

pub fn our_fq(x: ark_bn254::Fq) -> Fq {
    Fq::from_plain(x.into_bigint().0).unwrap()
}

pub fn ark_fq2(x: Fq2) -> ark_bn254::Fq2 {
    ark_bn254::Fq2::new(ark_fq(x.c0), ark_fq(x.c1))
}

pub fn our_fq2(x: ark_bn254::Fq2) -> Fq2 {
    Fq2::new(our_fq(x.c0), our_fq(x.c1))
}

pub fn ark_g1(point: G1Affine) -> ark_bn254::G1Affine {
    if point.is_infinity() {
        return ark_bn254::G1Affine::zero();
    }
    ark_bn254::G1Affine::new_unchecked(ark_fq(point.x), ark_fq(point.y))
}

pub fn our_g1(point: ark_bn254::G1Affine) -> G1Affine {
    point.xy().map_or(G1Affine::INFINITY, |(x, y)| G1Affine { x: our_fq(x), y: our_fq(y) })
}

pub fn ark_g2(point: G2Affine) -> ark_bn254::G2Affine {
    if point.is_infinity() {
        return ark_bn254::G2Affine::zero();
    }
    ark_bn254::G2Affine::new_unchecked(ark_fq2(point.x), ark_fq2(point.y))
}

pub fn our_g2(point: ark_bn254::G2Affine) -> G2Affine {
    point.xy().map_or(G2Affine::INFINITY, |(x, y)| G2Affine { x: our_fq2(x), y: our_fq2(y) })
}
