//! The structured reference string: what a ceremony leaves, checked once.
//!
//! Owns the points; whoever reads files builds it by [`Srs::from_points`], so that there is no
//! `Srs` that was not checked:
//!
//! * coordinates and the curve, by the reader, which knows where in its file a point stands;
//! * tau G2 is a point of G2 and not infinity;
//! * the powers begin with the generator and are a geometric sequence with the tau of tau G2:
//!
//! ```text
//! e(sum over j of x^j P_(j+1), G2) = e(sum over j of x^j P_j, tau G2)    for a random x
//! ```
//!
//!   Both sides are polynomials in x, which differ where one power is wrong: at most as many x as
//!   there are points hide it, of 2^254;
//! * Lagrange points, which are commitments to polynomials that are 1 at one root of unity and 0 at
//!   the others, give the same commitment to the values x^i as the powers give to the coefficients
//!   of the polynomial with these values.
//!
//! Where a check fails, it is made again of parts of the points, to find the first one that is
//! wrong.
//!
//! Cost: two sums of all powers, one of each kind for Lagrange points, a transform, two pairings.
//! Nothing here tells whether somebody knows tau: that is what a ceremony is for.

use core::fmt;

use nalloc::Arena;

use crate::buffer::HeapBuffer;
use crate::curve::{G1Affine, G2Affine};
use crate::error::Error;
use crate::field::{Field, Fq, Fr};
use crate::msm::msm_scratch_bytes;
use crate::msm::multiples::write_multiples;
use crate::ntt::{Ntt, scratch_bytes};
use crate::observer::Observer;
use crate::pairing::MillerLoops;
use crate::pool::Pool;
use crate::vector::Vectors;

use super::plain::{sum_of, to_plain};
use super::random;
use super::verify::Verifier;

/// Powers of an SRS at least: the generator, and one that says what tau is.
const POWERS_MIN: usize = 2;

/// Powers of a secret tau: tau^j G for j = 0, 1, .., and tau G2. Immutable and checked.
///
/// ```
/// use nalloc_bn254::{Fr, Field, Pool, kzg::Srs};
///
/// let pool = Pool::new(Some(1))?;
/// let srs = Srs::unsafe_for_tests(Fr::from_u64(5), 16, &pool)?;
/// assert_eq!(srs.degree_max(), 15);
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Srs {
    powers: HeapBuffer<G1Affine>,
    lagrange: Option<HeapBuffer<G1Affine>>,
    verifier: Verifier,
}

/// What an [`Srs`] is made of: canonical points of their curves, infinity not excluded.
pub(crate) struct SrsPoints {
    /// tau^j G.
    pub(crate) powers: HeapBuffer<G1Affine>,
    /// Of one domain, in natural order: the commitments to its Lagrange polynomials.
    pub(crate) lagrange: Option<HeapBuffer<G1Affine>>,
    pub(crate) tau_g2: G2Affine,
}

impl Srs {
    /// Takes points that a reader has found canonical and on their curves, and checks the rest; see
    /// the head of this file. The observer sees the phase "msm".
    ///
    /// # Errors
    /// [`Error::SrsRefused`], [`Error::SrsPointRefused`] with the first point that does not fit
    /// those before it, [`Error::LengthMismatch`] where the number of Lagrange points is no power
    /// of two or above that of powers, [`Error::Memory`], [`Error::Random`],
    /// [`Error::Cancelled`].
    pub(crate) fn from_points(
        points: SrsPoints,
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let SrsPoints { powers, lagrange, tau_g2 } = points;
        let srs = Self { powers, lagrange, verifier: Verifier::new(tau_g2)? };
        let check = Check { srs: &srs, pool, observer, x: random::scalar()? };
        check.powers()?;
        check.lagrange()?;
        Ok(srs)
    }

    /// Powers of a tau that the caller knows: `len` of them, 2 at least. Whoever knows tau can open
    /// a commitment to any value, so nothing that is proved with it is worth anything.
    ///
    /// Time depends on tau. 2^16 powers take some 20 ms.
    ///
    /// # Errors
    /// [`Error::SrsRefused`] for a tau of zero or fewer than 2 powers, [`Error::Memory`].
    pub fn unsafe_for_tests(tau: Fr, len: usize, pool: &Pool) -> Result<Self, Error> {
        if len < POWERS_MIN {
            return Err(TOO_FEW);
        }
        let tau_g2 = G2Affine::GENERATOR.mul_scalar_vartime(tau).to_affine();
        // First, for a tau of zero is refused by it.
        let verifier = Verifier::new(tau_g2)?;
        let mut scalars = HeapBuffer::zeroed(len)?;
        scalars.fill(Fr::ONE);
        Vectors::new(pool).scale_by_powers(&mut scalars, tau);
        let mut powers = HeapBuffer::zeroed(len)?;
        write_multiples(&scalars, &mut powers, pool)?;
        Ok(Self { powers, lagrange: None, verifier })
    }

    /// As [`unsafe_for_tests`](Self::unsafe_for_tests), of 2^`log2` powers, and with the Lagrange
    /// points of the domain of that size.
    ///
    /// # Errors
    /// As `unsafe_for_tests`, and [`Error::DomainTooLarge`].
    pub fn unsafe_for_tests_with_lagrange(tau: Fr, log2: u32, pool: &Pool) -> Result<Self, Error> {
        let too_large = Error::DomainTooLarge { log2, log2_max: Fr::TWO_ADICITY };
        let root = Fr::root_of_unity(log2).ok_or(too_large)?;
        let mut srs = Self::unsafe_for_tests(tau, 1 << log2, pool)?;
        let scalars = lagrange_at(tau, root, 1 << log2, pool)?;
        let mut points = HeapBuffer::zeroed(scalars.len())?;
        write_multiples(&scalars, &mut points, pool)?;
        srs.lagrange = Some(points);
        Ok(srs)
    }

    /// The highest degree of a polynomial that can be committed to.
    #[must_use]
    pub fn degree_max(&self) -> usize {
        self.powers.len() - 1
    }

    /// tau^j G for j up to [`degree_max`](Self::degree_max).
    #[must_use]
    pub fn powers(&self) -> &[G1Affine] {
        &self.powers
    }

    /// The commitments to the Lagrange polynomials of one domain, in natural order, where there
    /// are some.
    #[must_use]
    pub fn lagrange(&self) -> Option<&[G1Affine]> {
        self.lagrange.as_deref()
    }

    /// What checks openings: all that a verifier needs of this.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Bytes of the points, but for what rounding to pages adds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let points = self.powers.len() + self.lagrange.as_ref().map_or(0, |points| points.len());
        points * size_of::<G1Affine>()
    }
}

/// The number of points alone.
impl fmt::Debug for Srs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lagrange = self.lagrange.as_ref().map_or(0, |points| points.len());
        write!(f, "Srs({} powers, {lagrange} Lagrange points)", self.powers.len())
    }
}

/// What messages call a point of an SRS.
pub(super) const POWER: &str = "power";
pub(super) const LAGRANGE_POINT: &str = "Lagrange point";

const TOO_FEW: Error =
    Error::SrsRefused { expected: "2 powers of tau at least", got: "fewer of them" };

/// What the Lagrange polynomials of the domain of `root` are at tau: for the one of w^i that is
/// (tau^n - 1) / n * w^i / (tau - w^i), or 1 where tau is w^i.
fn lagrange_at(tau: Fr, root: Fr, n: usize, pool: &Pool) -> Result<HeapBuffer<Fr>, Error> {
    let vectors = Vectors::new(pool);
    let mut roots = HeapBuffer::zeroed(n)?;
    roots.fill(Fr::ONE);
    vectors.scale_by_powers(&mut roots, root);
    let mut values = HeapBuffer::zeroed(n)?;
    let vanishing = tau.pow(&[n as u64]) - Fr::ONE;
    if vanishing.is_zero() {
        for (value, &root) in values.iter_mut().zip(roots.iter()) {
            *value = if root == tau { Fr::ONE } else { Fr::ZERO };
        }
        return Ok(values);
    }
    for (value, &root) in values.iter_mut().zip(roots.iter()) {
        *value = tau - root;
    }
    vectors.invert(&mut values);
    vectors.mul(&mut values, &roots)?;
    let count = Fr::from_u64(n as u64).invert_vartime().unwrap_or(Fr::ZERO);
    vectors.scale(&mut values, vanishing * count);
    Ok(values)
}

/// The least count above `right` for which `fits` does not hold, where it does for `right` and all
/// below some count, and not for `wrong` and all above: one question for each bit of `wrong`.
fn least_wrong(
    mut right: usize,
    mut wrong: usize,
    fits: impl Fn(usize) -> Result<bool, Error>,
) -> Result<usize, Error> {
    while wrong - right > 1 {
        let middle = right.midpoint(wrong);
        if fits(middle)? {
            right = middle;
        } else {
            wrong = middle;
        }
    }
    Ok(wrong)
}

/// The checks of a sequence of points, with one random number for all.
struct Check<'a> {
    srs: &'a Srs,
    pool: &'a Pool,
    observer: &'a dyn Observer,
    x: Fr,
}

impl Check<'_> {
    fn powers(&self) -> Result<(), Error> {
        let powers = self.srs.powers();
        if powers.len() < POWERS_MIN {
            return Err(TOO_FEW);
        }
        if powers[0] != G1Affine::GENERATOR {
            return Err(Error::SrsPointRefused { what: POWER, index: 0 });
        }
        if self.are_powers(powers)? {
            return Ok(());
        }
        // The generator alone is right.
        let count = least_wrong(1, powers.len(), |count| self.are_powers(&powers[..count]))?;
        Err(Error::SrsPointRefused { what: POWER, index: count - 1 })
    }

    /// Whether so many points, of which the first is the generator, are powers of tau.
    fn are_powers(&self, powers: &[G1Affine]) -> Result<bool, Error> {
        let (low, high) = (&powers[..powers.len() - 1], &powers[1..]);
        let mut weights = self.weights(low.len())?;
        to_plain(&mut weights, self.pool);
        let [low, high] = [low, high].map(|points| self.sum(points, &weights));
        let verifier = &self.srs.verifier;
        let pairs = [(high?, &verifier.generator), (-low?, &verifier.tau)];
        Ok(MillerLoops::of(&pairs).is_one())
    }

    fn lagrange(&self) -> Result<(), Error> {
        let (powers, Some(points)) = (self.srs.powers(), self.srs.lagrange()) else {
            return Ok(());
        };
        let got = points.len();
        if !got.is_power_of_two() || got > powers.len() {
            let expected = 1 << powers.len().ilog2();
            return Err(Error::LengthMismatch { what: "Lagrange points", expected, got });
        }
        if self.are_lagrange(points, got)? {
            return Ok(());
        }
        let count = least_wrong(0, got, |count| self.are_lagrange(points, count))?;
        Err(Error::SrsPointRefused { what: LAGRANGE_POINT, index: count - 1 })
    }

    /// Whether the first `count` of the Lagrange points fit the powers.
    fn are_lagrange(&self, points: &[G1Affine], count: usize) -> Result<bool, Error> {
        let mut values = self.weights(points.len())?;
        values[count..].fill(Fr::ZERO);
        let ntt = Ntt::new(points.len().ilog2())?;
        let arena = Arena::with_capacity(scratch_bytes(ntt.log2(), self.pool.thread_count()))?;
        let mut coefficients = HeapBuffer::from_slice(&values)?;
        ntt.inverse(&mut coefficients, &mut ntt.work(self.pool, &arena, self.observer)?)?;
        drop(arena);
        to_plain(&mut values, self.pool);
        to_plain(&mut coefficients, self.pool);
        let powers = &self.srs.powers()[..points.len()];
        Ok(self.sum(points, &values)? == self.sum(powers, &coefficients)?)
    }

    /// 1, x, x^2, ..
    fn weights(&self, count: usize) -> Result<HeapBuffer<Fr>, Error> {
        let mut weights = HeapBuffer::zeroed(count)?;
        weights.fill(Fr::ONE);
        Vectors::new(self.pool).scale_by_powers(&mut weights, self.x);
        Ok(weights)
    }

    fn sum(&self, points: &[G1Affine], scalars: &[Fr]) -> Result<G1Affine, Error> {
        let bytes = msm_scratch_bytes::<Fq>(points.len(), self.pool.thread_count());
        let arena = Arena::with_capacity(bytes)?;
        Ok(sum_of(points, scalars, self.pool, &arena, self.observer)?.to_affine())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Jacobian;

    const LEN: usize = 40;

    /// Good points of one tau, with the Lagrange points of 32.
    fn points(pool: &Pool) -> SrsPoints {
        let tau = Fr::from_u64(7).pow(&[1000]);
        let Srs { powers, verifier, .. } =
            Srs::unsafe_for_tests(tau, LEN, pool).expect("a good tau");
        let smaller = Srs::unsafe_for_tests_with_lagrange(tau, 5, pool).expect("a good tau");
        SrsPoints { powers, lagrange: smaller.lagrange, tau_g2: verifier.tau_g2() }
    }

    #[test]
    fn points_of_one_tau_are_an_srs() {
        for threads in [1, 2, 5] {
            let pool = Pool::new(Some(threads)).expect("threads");
            let srs = Srs::from_points(points(&pool), &pool, &()).expect("good points");

            assert_eq!(srs.degree_max(), LEN - 1);
            assert_eq!(srs.lagrange().map(<[_]>::len), Some(32));
        }
    }

    /// What is said of points that `spoil` has spoiled.
    fn refusal(spoil: impl FnOnce(&mut SrsPoints)) -> String {
        let pool = Pool::new(Some(2)).expect("threads");
        let mut points = points(&pool);
        spoil(&mut points);
        Srs::from_points(points, &pool, &()).expect_err("spoiled points").to_string()
    }

    #[test]
    fn one_wrong_point_anywhere_is_refused() {
        let double = |point: &G1Affine| Jacobian::from(*point).double().to_affine();
        for index in [1, 2, 17, LEN - 1] {
            let expected = format!(
                "SRS: power {index}: expected that of the tau of tau G2, got another point"
            );
            let said = refusal(|points| points.powers[index] = double(&points.powers[index]));
            assert_eq!(said, expected);
            let said = refusal(|points| points.powers[index] = G1Affine::INFINITY);
            assert_eq!(said, expected);
        }
        for index in [0, 13, 31] {
            let said = refusal(|points| {
                let lagrange = points.lagrange.as_mut().expect("Lagrange points");
                lagrange[index] = double(&lagrange[index]);
            });
            assert!(said.starts_with(&format!("SRS: Lagrange point {index}: ")), "{said}");
        }
        let said = refusal(|points| points.powers[0] = double(&points.powers[0]));
        assert!(said.starts_with("SRS: power 0: "), "{said}");
        let said = refusal(|points| points.tau_g2 = G2Affine::GENERATOR);
        assert!(said.starts_with("SRS: power 1: "), "{said}");
        let said = refusal(|points| points.tau_g2 = G2Affine::INFINITY);
        assert!(said.ends_with("got infinity"), "{said}");
    }

    #[test]
    fn numbers_of_points_that_fit_nothing_are_refused() {
        let some = |points: &[G1Affine]| HeapBuffer::from_slice(points).expect("memory");

        let said = refusal(|points| points.powers = some(&points.powers[..1]));
        assert_eq!(said, "SRS: expected 2 powers of tau at least, got fewer of them");
        let said = refusal(|points| points.lagrange = Some(some(&points.powers[..31])));
        assert_eq!(said, "Lagrange points: expected 32 elements, got 31");
        let said = refusal(|points| points.lagrange = Some(some(&[])));
        assert_eq!(said, "Lagrange points: expected 32 elements, got 0");
        let said = refusal(|points| points.powers = some(&points.powers[..31]));
        assert_eq!(said, "Lagrange points: expected 16 elements, got 32");
    }

    #[test]
    fn a_check_can_be_cancelled() {
        struct Never;
        impl Observer for Never {
            fn is_cancelled(&self) -> bool {
                true
            }
        }
        let pool = Pool::new(Some(1)).expect("a thread");

        assert_eq!(Srs::from_points(points(&pool), &pool, &Never).err(), Some(Error::Cancelled));
    }
}
