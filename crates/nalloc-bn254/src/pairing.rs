//! The pairing check of verification, done by arkworks: off the hot path, and well kept there.
//!
//! Both libraries store coordinates as the same limbs, so a conversion is a copy.

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::{BigInt, Zero};

use crate::curve::{G1Affine, G2Affine};
use crate::field::{Fq, Fq2};

/// Whether e(P1, Q1) * .. * e(Pn, Qn) is one. An empty product is one.
///
/// Every point must be in the group of order r: [`Affine::read_montgomery`] checks the curve, and
/// [`Affine::is_in_subgroup`] what is left to check in G2. Pairs with infinity count as one. One
/// Miller loop for each pair and one final exponentiation for all.
///
/// [`Affine::read_montgomery`]: crate::Affine::read_montgomery
/// [`Affine::is_in_subgroup`]: crate::Affine::is_in_subgroup
///
/// ```
/// use nalloc_bn254::{G1Affine, G2Affine, pairing::pairing_product_is_one};
///
/// let (p, q) = (G1Affine::GENERATOR, G2Affine::GENERATOR);
/// assert!(pairing_product_is_one(&[(p, q), (-p, q)]));
/// assert!(!pairing_product_is_one(&[(p, q), (p, q)]));
/// ```
#[must_use]
pub fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool {
    let left = pairs.iter().map(|(point, _)| ark_g1(point));
    let right = pairs.iter().map(|(_, point)| ark_g2(point));
    Bn254::multi_pairing(left, right).is_zero()
}

fn ark_fq(x: Fq) -> ark_bn254::Fq {
    ark_bn254::Fq::new_unchecked(BigInt(x.to_montgomery()))
}

fn ark_fq2(x: Fq2) -> ark_bn254::Fq2 {
    ark_bn254::Fq2::new(ark_fq(x.c0), ark_fq(x.c1))
}

fn ark_g1(point: &G1Affine) -> ark_bn254::G1Affine {
    if point.is_infinity() {
        return ark_bn254::G1Affine::zero();
    }
    ark_bn254::G1Affine::new_unchecked(ark_fq(point.x), ark_fq(point.y))
}

fn ark_g2(point: &G2Affine) -> ark_bn254::G2Affine {
    if point.is_infinity() {
        return ark_bn254::G2Affine::zero();
    }
    ark_bn254::G2Affine::new_unchecked(ark_fq2(point.x), ark_fq2(point.y))
}
