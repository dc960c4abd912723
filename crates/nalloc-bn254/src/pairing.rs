//! The pairing check of verification, done by arkworks: off the hot path, and well kept there.
//!
//! Both libraries store coordinates as the same limbs, so a conversion is a copy.

use core::fmt;

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_ec::pairing::{MillerLoopOutput, Pairing};
use ark_ff::{BigInt, One, Zero};

use crate::curve::{G1Affine, G2Affine};
use crate::field::{Field, Fq, Fq2};

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

/// e(P, Q) by its coordinates over Fq2, from the tower `Fq2[v] / (v^3 - 9 - u)`, then
/// `[w] / (w^2 - v)`: those of 1, v, v^2, and those of w, vw, v^2 w. Points as in
/// [`pairing_product_is_one`].
///
/// Pairings of BN254 differ by a power from one library to the next, because the last step may
/// raise to any multiple of (q^12 - 1) / r. This is that of the optimal ate pairing with the
/// multiple of Fuentes-Castaneda, Knapp and Rodriguez-Henriquez (Faster Hashing to G2, 2011,
/// section 5).
///
/// ```
/// use nalloc_bn254::{Field, Fq2, G1Affine, G2Affine, pairing::pairing};
///
/// let one = pairing(G1Affine::INFINITY, G2Affine::GENERATOR);
/// assert_eq!(one[0][0], Fq2::ONE);
/// assert_ne!(pairing(G1Affine::GENERATOR, G2Affine::GENERATOR), one);
/// ```
#[must_use]
pub fn pairing(point: G1Affine, other: G2Affine) -> [[Fq2; 3]; 2] {
    let value = Bn254::pairing(ark_g1(&point), ark_g2(&other)).0;
    [value.c0, value.c1].map(|half| [half.c0, half.c1, half.c2].map(fq2_of_ark))
}

/// A point of G2 with the lines of its Miller loop, which take half of the loop's time: for a point
/// that is paired often. About 20 KiB.
pub struct Lines(<Bn254 as Pairing>::G2Prepared);

impl Lines {
    /// The lines of `point`, a point of the group of order r.
    #[must_use]
    pub fn new(point: &G2Affine) -> Self {
        Self(ark_g2(point).into())
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

/// A product of pairings before the final exponentiation: factors may be made apart, on several
/// threads or long before.
///
/// ```
/// use nalloc_bn254::{G1Affine, G2Affine, pairing::{Lines, MillerLoops}};
///
/// let (p, lines) = (G1Affine::GENERATOR, Lines::new(&G2Affine::GENERATOR));
/// let [plus, minus] = [p, -p].map(|p| MillerLoops::of(&[(p, &lines)]));
/// assert!(plus.times(&minus).is_one());
/// assert!(!plus.times(&plus).is_one());
/// ```
#[derive(Clone, Copy)]
pub struct MillerLoops(<Bn254 as Pairing>::TargetField);

impl MillerLoops {
    /// The product of the loops of all pairs; points as in [`pairing_product_is_one`].
    #[must_use]
    pub fn of(pairs: &[(G1Affine, &Lines)]) -> Self {
        let left = pairs.iter().map(|(point, _)| ark_g1(point));
        let right = pairs.iter().map(|(_, lines)| lines.0.clone());
        Self(Bn254::multi_miller_loop(left, right).0)
    }

    /// The product of both.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self(self.0 * other.0)
    }

    /// Whether the product of the pairings is one: the final exponentiation.
    #[must_use]
    pub fn is_one(&self) -> bool {
        let product = Bn254::final_exponentiation(MillerLoopOutput(self.0));
        product.is_some_and(|product| product.0.is_one())
    }
}

impl fmt::Debug for MillerLoops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MillerLoops")
    }
}

fn ark_fq(x: Fq) -> ark_bn254::Fq {
    ark_bn254::Fq::new_unchecked(BigInt(x.to_montgomery()))
}

fn ark_fq2(x: Fq2) -> ark_bn254::Fq2 {
    ark_bn254::Fq2::new(ark_fq(x.c0), ark_fq(x.c1))
}

fn fq2_of_ark(x: ark_bn254::Fq2) -> Fq2 {
    // Both keep canonical Montgomery words.
    let [c0, c1] = [x.c0, x.c1].map(|part| Fq::from_montgomery(part.0.0).unwrap_or(Fq::ZERO));
    Fq2 { c0, c1 }
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
