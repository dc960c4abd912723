//! What checks openings.
//!
//! Everything ends in one product of two pairings with lines that were made in advance:
//!
//! ```text
//! e(A, G2) * e(-B, tau G2) = 1
//! one opening        A = C - y G + z P,  B = P
//! at one point       A = sum of gamma^i C_i - (sum of gamma^i y_i) G + z P,  B = P
//! at several points  A = F + z W', B = W' of kzg/points.rs
//! many openings      A = sum of w_i (C_i - y_i G + z_i P_i),  B = sum of w_i P_i
//! ```
//!
//! The weights w of many independent openings are 128 bits each from the operating system, after all
//! of them are known: where one opening is wrong, the product is one for one in 2^128 choices at
//! most (Bellare, Garay and Rabin, Fast Batch Verification for Modular Exponentiation and Digital
//! Signatures, 1998, the small exponents test). All points are of groups of prime order r: G1 has no
//! others, and tau G2 was checked.
//!
//! Nothing here is secret: time and memory accesses depend on everything.

use core::fmt;

use nalloc::Arena;

use crate::curve::{G1Affine, G2Affine, Jacobian};
use crate::error::Error;
use crate::field::{Field, Fq, Fr};
use crate::msm::{msm, msm_scratch_bytes};
use crate::pairing::{Lines, MillerLoops};
use crate::pool::Pool;

use super::points;
use super::prover::{at_point_challenge, at_points_challenge, powers};
use super::random;
use super::types::{Commitment, Opening, OpeningAtPoint, OpeningAtPoints, VerifyError};

/// All that is needed to check openings: tau G2, with its lines and the generator's. About 40 KiB.
///
/// ```
/// use nalloc_bn254::kzg::{Prover, ProverOptions, Srs, Verifier, VerifyError};
/// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
///
/// # let pool = Pool::new(Some(1))?;
/// # let srs = Srs::unsafe_for_tests(Fr::from_u64(5), 16, &pool)?;
/// # let mut prover = Prover::new(&srs, ProverOptions::new(&pool))?;
/// # let polynomial = Polynomial::from_coefficients(&[Fr::ONE, Fr::ONE])?;
/// # let commitment = prover.commit(&polynomial)?;
/// # let mut opening = prover.open(&polynomial, Fr::from_u64(3))?;
/// // Somewhere else, where nothing of the SRS is known but tau G2:
/// let verifier = Verifier::new(srs.verifier().tau_g2())?;
/// assert_eq!(verifier.verify(commitment, &opening), Ok(()));
/// opening.value += Fr::ONE;
/// assert_eq!(verifier.verify(commitment, &opening), Err(VerifyError::Rejected));
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Verifier {
    tau_g2: G2Affine,
    pub(super) generator: Lines,
    pub(super) tau: Lines,
}

/// A commitment, and where it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The commitment.
    pub commitment: Commitment,
    /// Where; each point once.
    pub points: &'a [Fr],
}

impl Verifier {
    /// Of the tau G2 of an SRS. It is checked to be a point of G2, not to be that of a ceremony.
    ///
    /// # Errors
    /// [`Error::SrsRefused`] for infinity, and for what is no point of the group of order r.
    pub fn new(tau_g2: G2Affine) -> Result<Self, Error> {
        let expected = "tau G2 to be a point of G2";
        let refused = |got| Err(Error::SrsRefused { expected, got });
        if tau_g2.is_infinity() {
            return refused("infinity");
        }
        if tau_g2.validate().is_err() {
            return refused("a point off the curve");
        }
        if !tau_g2.is_in_subgroup() {
            return refused("a point of the curve outside of the group of order r");
        }
        let [generator, tau] = [&G2Affine::GENERATOR, &tau_g2].map(Lines::new);
        Ok(Self { tau_g2, generator, tau })
    }

    /// tau G2.
    #[must_use]
    pub fn tau_g2(&self) -> G2Affine {
        self.tau_g2
    }

    /// Whether the polynomial of a commitment has this value at this point.
    ///
    /// # Errors
    /// [`VerifyError::Rejected`].
    pub fn verify(&self, commitment: Commitment, opening: &Opening) -> Result<(), VerifyError> {
        let Opening { point, value, proof } = *opening;
        let sum = sum_of_two([(proof.0, point), (G1Affine::GENERATOR, -value)]);
        self.accept(sum.add_affine(&commitment.0).to_affine(), proof.0)
    }

    /// Whether every one of many independent openings is accepted by [`verify`](Self::verify),
    /// which tells which one is not. No openings are. One that is not escapes with a probability
    /// of at most 2^-128, whoever chose them.
    ///
    /// # Errors
    /// [`VerifyError::Rejected`]; [`VerifyError::Undecided`] where the system has no random numbers
    /// or no memory.
    pub fn verify_each(
        &self,
        openings: &[(Commitment, Opening)],
        pool: &Pool,
    ) -> Result<(), VerifyError> {
        let weights = random::weights(openings.len())?;
        let mut left = Vec::with_capacity(2 * openings.len() + 1);
        let mut right = Vec::with_capacity(openings.len());
        let mut value = Fr::ZERO;
        for ((commitment, opening), &weight) in openings.iter().zip(&weights) {
            left.push((commitment.0, weight));
            left.push((opening.proof.0, weight * opening.point));
            right.push((opening.proof.0, weight));
            value += weight * opening.value;
        }
        left.push((G1Affine::GENERATOR, -value));
        self.accept(sum_of_many(&left, pool)?, sum_of_many(&right, pool)?)
    }

    /// Whether the polynomials of commitments have these values at one point, within the `context`
    /// that the prover gave.
    ///
    /// # Errors
    /// [`VerifyError::Length`] for no commitments, and where there are not as many values;
    /// [`VerifyError::Rejected`]; [`VerifyError::Undecided`] for memory.
    pub fn verify_at_point(
        &self,
        commitments: &[Commitment],
        opening: &OpeningAtPoint,
        context: &[u8],
        pool: &Pool,
    ) -> Result<(), VerifyError> {
        let OpeningAtPoint { point, values, proof } = opening;
        check_length("commitments", commitments.len().max(1), commitments.len())?;
        check_length("values", commitments.len(), values.len())?;
        let all = commitments.iter().copied();
        let gamma = at_point_challenge(&self.tau_g2, context, *point, all, values);
        let mut terms = Vec::with_capacity(commitments.len() + 2);
        let mut value = Fr::ZERO;
        for ((commitment, &one), power) in
            commitments.iter().zip(values).zip(powers(Fr::ONE, gamma))
        {
            terms.push((commitment.0, power));
            value += power * one;
        }
        terms.push((G1Affine::GENERATOR, -value));
        terms.push((proof.0, *point));
        self.accept(sum_of_many(&terms, pool)?, proof.0)
    }

    /// Whether the polynomials of commitments have these values at points of their own, within the
    /// `context` that the prover gave.
    ///
    /// # Errors
    /// [`VerifyError::Length`] for no points at all, and where there are not as many values;
    /// [`VerifyError::RepeatedPoint`], [`VerifyError::Rejected`], [`VerifyError::Undecided`] for
    /// memory.
    pub fn verify_at_points(
        &self,
        claims: &[Claim<'_>],
        opening: &OpeningAtPoints,
        context: &[u8],
        pool: &Pool,
    ) -> Result<(), VerifyError> {
        let OpeningAtPoints { values, quotient, proof } = opening;
        check_length("lists of values", claims.len(), values.len())?;
        for (commitment, (claim, values)) in claims.iter().zip(values).enumerate() {
            check_length("values of a commitment", claim.points.len(), values.len())?;
            if points::has_repeated(claim.points) {
                return Err(VerifyError::RepeatedPoint { commitment });
            }
        }
        let all = points::union(claims.iter().map(|claim| claim.points));
        check_length("points", all.len().max(1), all.len())?;
        let said = claims.iter().zip(values);
        let said = said.map(|(claim, values)| (claim.commitment, claim.points, &values[..]));
        let first = at_points_challenge(&self.tau_g2, context, said);
        let z = first.then(&quotient.0).scalar();
        let mut terms = Vec::with_capacity(claims.len() + 3);
        let mut value = Fr::ZERO;
        let powers = powers(Fr::ONE, first.scalar());
        for ((claim, values), power) in claims.iter().zip(values).zip(powers) {
            let factor = power * points::share(&all, claim.points, z);
            terms.push((claim.commitment.0, factor));
            value += factor * points::interpolate(claim.points, values, z);
        }
        terms.push((G1Affine::GENERATOR, -value));
        terms.push((quotient.0, -points::vanishing(&all, z)));
        terms.push((proof.0, z));
        self.accept(sum_of_many(&terms, pool)?, proof.0)
    }

    /// Whether e(`left`, G2) = e(`right`, tau G2).
    fn accept(&self, left: G1Affine, right: G1Affine) -> Result<(), VerifyError> {
        let pairs = [(left, &self.generator), (-right, &self.tau)];
        if MillerLoops::of(&pairs).is_one() { Ok(()) } else { Err(VerifyError::Rejected) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.tau_g2)
    }
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), VerifyError> {
    if expected == got { Ok(()) } else { Err(VerifyError::Length { what, expected, got }) }
}

/// The sum of two points, each times a scalar; both share the doublings.
fn sum_of_two(terms: [(G1Affine, Fr); 2]) -> Jacobian<Fq> {
    let [(p, a), (q, b)] = terms.map(|(point, scalar)| (point, scalar.to_plain()));
    let both = Jacobian::from(p).add_affine(&q);
    let mut sum = Jacobian::INFINITY;
    for (a, b) in a.into_iter().zip(b).rev() {
        for bit in (0..u64::BITS).rev() {
            sum = sum.double();
            sum = match (a >> bit & 1, b >> bit & 1) {
                (1, 1) => sum.add(&both),
                (1, 0) => sum.add_affine(&p),
                (0, 1) => sum.add_affine(&q),
                _ => sum,
            };
        }
    }
    sum
}

/// The sum of points, each times a scalar.
fn sum_of_many(terms: &[(G1Affine, Fr)], pool: &Pool) -> Result<G1Affine, Error> {
    let (points, scalars): (Vec<_>, Vec<_>) =
        terms.iter().map(|(point, scalar)| (*point, scalar.to_plain())).unzip();
    let bytes = msm_scratch_bytes::<Fq>(points.len(), pool.thread_count());
    let arena = Arena::with_capacity(bytes)?;
    Ok(msm(&points, &scalars, pool, &arena, &())?.to_affine())
}
