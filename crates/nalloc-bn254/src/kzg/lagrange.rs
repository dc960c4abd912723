//! Lagrange points from powers of tau: an inverse transform whose values are points.
//!
//! The Lagrange polynomial of w^i has the coefficients w^(-ij) / n, so its commitment is the sum of
//! w^(-ij) / n * tau^j G over j. The steps:
//!
//! 1. Powers are put in bit-reversed order and multiplied by 1/n.
//! 2. Level by level, (l, h) becomes (l + w h, l - w h): the usual butterflies, with the inverse
//!    roots. n/2 log n multiplications of points by scalars are nearly all of the time.
//! 3. The sums become affine, with shared inversions.
//!
//! A multiplication halves the scalar (msm/glv.rs) and takes 126 doublings and 95 additions on
//! average, some 2400 M. A prepared file has the result already: this is for those that are not.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::buffer::HeapBuffer;
use crate::curve::{CurveField, G1Affine, Jacobian, batch_to_affine};
use crate::error::Error;
use crate::field::{Field, Fq, Fr};
use crate::file::wide;
use crate::msm::glv::{HALF_BITS, halves};
use crate::observer::Observer;
use crate::pool::Pool;
use crate::vector::Vectors;

/// What the observer sees.
const PHASE: &str = "lagrange";
/// Points of one task, half as many butterflies: about a millisecond.
const POINTS_PER_TASK: usize = 64;
/// Points whose conversion is one task.
const CONVERTED_PER_TASK: usize = 1024;

/// Bytes that computing so many points takes, beside the points.
pub(super) fn computing_bytes(len: usize) -> usize {
    len.saturating_mul(size_of::<Jacobian<Fq>>() + size_of::<Fr>() / 2)
}

/// The commitments to the Lagrange polynomials of the domain of as many points as there are powers,
/// a power of two of at most 2^28, in natural order.
///
/// # Errors
/// [`Error::Memory`], [`Error::Cancelled`].
pub(super) fn lagrange_points(
    powers: &[G1Affine],
    pool: &Pool,
    observer: &dyn Observer,
) -> Result<HeapBuffer<G1Affine>, Error> {
    let n = powers.len();
    debug_assert!(n.is_power_of_two(), "a domain has 2^k points, got {n}");
    let log2 = n.ilog2();
    let roots = inverse_roots(log2, pool)?;
    let total = wide(n) * (u64::from(log2) + 2) / 2;
    let work = Work { observer, total, done: AtomicU64::new(0) };
    let mut values = HeapBuffer::<Jacobian<Fq>>::zeroed(n)?;
    let share = Fr::from_u64(wide(n)).invert_vartime().unwrap_or(Fr::ZERO);
    pool.for_each_chunk_mut(&mut values, POINTS_PER_TASK, |start, values| {
        if work.goes_on(values.len()) {
            for (index, value) in (start..).zip(values) {
                let power = powers[reversed(index, log2)];
                *value = multiple(&Jacobian::from(power), share);
            }
        }
    });
    for level in 0..log2 {
        let half = 1 << level;
        let step = n / (2 * half);
        if 2 * half <= POINTS_PER_TASK {
            pool.for_each_chunk_mut(&mut values, POINTS_PER_TASK, |_, values| {
                for block in values.chunks_exact_mut(2 * half) {
                    let (low, high) = block.split_at_mut(half);
                    work.butterflies(low, high, roots.iter().step_by(step));
                }
            });
        } else {
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                pool.for_each_chunk_pair_mut(low, high, POINTS_PER_TASK / 2, |start, low, high| {
                    work.butterflies(low, high, roots[start * step..].iter().step_by(step));
                });
            }
        }
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
    }
    let mut points = HeapBuffer::zeroed(n)?;
    pool.for_each_chunk_mut(&mut points, CONVERTED_PER_TASK, |start, points| {
        // Both have the same length.
        let _ = batch_to_affine(&values[start..start + points.len()], points);
    });
    Ok(points)
}

/// w^-i for i below n/2.
fn inverse_roots(log2: u32, pool: &Pool) -> Result<HeapBuffer<Fr>, Error> {
    let too_large = Error::DomainTooLarge { log2, log2_max: Fr::TWO_ADICITY };
    let root = Fr::root_of_unity(log2).and_then(Field::invert_vartime).ok_or(too_large)?;
    let mut roots = HeapBuffer::zeroed((1 << log2) / 2)?;
    roots.fill(Fr::ONE);
    Vectors::new(pool).scale_by_powers(&mut roots, root);
    Ok(roots)
}

/// The lowest `bits` bits of `index` in reverse.
fn reversed(index: usize, bits: u32) -> usize {
    index.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0)
}

/// Counts what is done, and asks whether to go on.
struct Work<'a> {
    observer: &'a dyn Observer,
    /// Multiplications.
    total: u64,
    done: AtomicU64,
}

impl Work<'_> {
    /// Whether to do `count` multiplications more. Where not, values are of no use any more, and
    /// the observer is asked again after each level.
    fn goes_on(&self, count: usize) -> bool {
        // Relaxed: a count for people.
        let before = self.done.fetch_add(wide(count), Ordering::Relaxed);
        self.observer.progress(PHASE, before, self.total);
        !self.observer.is_cancelled()
    }

    fn butterflies<'r>(
        &self,
        low: &mut [Jacobian<Fq>],
        high: &mut [Jacobian<Fq>],
        roots: impl Iterator<Item = &'r Fr>,
    ) {
        if !self.goes_on(low.len()) {
            return;
        }
        for ((low, high), &root) in low.iter_mut().zip(high).zip(roots) {
            let turned = multiple(high, root);
            (*low, *high) = (low.add(&turned), low.add(&-turned));
        }
    }
}

/// `scalar` times `point`, by halves of the scalar.
fn multiple(point: &Jacobian<Fq>, scalar: Fr) -> Jacobian<Fq> {
    if scalar == Fr::ONE {
        return *point;
    }
    let image = Jacobian { x: point.x * Fq::BETA, ..*point };
    let [first, second] = halves(&scalar.to_plain());
    let signed = |half: i128, point: Jacobian<Fq>| if half < 0 { -point } else { point };
    let (p, q) = (signed(first, *point), signed(second, image));
    let both = p.add(&q);
    let [first, second] = [first, second].map(i128::unsigned_abs);
    let mut product = Jacobian::INFINITY;
    for bit in (0..HALF_BITS).rev() {
        product = product.double();
        match (first >> bit & 1, second >> bit & 1) {
            (0, 0) => {}
            (1, 0) => product = product.add(&p),
            (0, _) => product = product.add(&q),
            _ => product = product.add(&both),
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kzg::Srs;

    #[test]
    fn lagrange_points_are_those_of_the_known_tau_for_every_log_size_to_9() {
        let tau = Fr::from_u64(11).pow(&[77]);
        for (threads, log2) in (0..10).map(|log2| (1 + log2 as usize % 3, log2)) {
            let pool = Pool::new(Some(threads)).expect("threads");
            let powers = Srs::unsafe_for_tests(tau, 1 << log2.max(1), &pool).expect("powers");
            let powers = &powers.powers()[..1 << log2];

            let points = lagrange_points(powers, &pool, &()).expect("memory");

            if log2 == 0 {
                assert_eq!(*points, [G1Affine::GENERATOR]);
                continue;
            }
            let known = Srs::unsafe_for_tests_with_lagrange(tau, log2, &pool).expect("points");
            assert!(Some(&*points) == known.lagrange(), "2^{log2}");
        }
    }
}
