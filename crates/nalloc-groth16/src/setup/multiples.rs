//! Multiples of the generator of a group, by any number of scalars.
//!
//! A table holds d 2^(10 w) G for each of 26 windows and each digit d, so that a multiple is a sum
//! of at most 26 of its points: 11M each, and 3M + 1S with the share of an inversion to make it
//! affine. A table of G1 takes 1.7 MB, which second-level caches nearly hold; it is made in some
//! milliseconds. Scalars are public: time and memory accesses depend on them.

use nalloc_bn254::curve::{CurveField, batch_to_affine};
use nalloc_bn254::file::{index, wide};
use nalloc_bn254::{Affine, Fr, HeapBuffer, Jacobian, Pool};

use crate::error::Error;

const WINDOW_BITS: u32 = 10;
/// Digits of a window but zero.
const DIGITS: usize = (1 << WINDOW_BITS) - 1;
/// Windows of a scalar.
const WINDOWS: usize = 254_usize.div_ceil(WINDOW_BITS as usize);
/// Multiples that one task makes.
const PER_TASK: usize = 128;

/// The table of a group's generator.
pub(super) struct Multiples<F> {
    /// Entry `DIGITS * w + d - 1` is d 2^(10 w) G.
    table: HeapBuffer<Affine<F>>,
}

impl<F: CurveField> Multiples<F> {
    /// Makes the table.
    pub(super) fn new(pool: &Pool) -> Result<Self, Error> {
        let mut table = HeapBuffer::<Affine<F>>::zeroed(DIGITS * WINDOWS)?;
        pool.for_each_chunk_mut(&mut table, DIGITS, |start, window| {
            let mut base = Jacobian::from(Affine::<F>::GENERATOR);
            for _ in 0..index(WINDOW_BITS) * (start / DIGITS) {
                base = base.double();
            }
            let multiples =
                core::iter::successors(Some(base), |multiple| Some(multiple.add(&base)));
            let multiples: Vec<_> = multiples.take(window.len()).collect();
            // Both have the same length.
            let _ = batch_to_affine(&multiples, window);
        });
        Ok(Self { table })
    }

    /// Bytes of a table.
    pub(super) fn table_bytes() -> u64 {
        wide(DIGITS * WINDOWS * size_of::<Affine<F>>())
    }

    /// One multiple.
    pub(super) fn of(&self, scalar: Fr) -> Affine<F> {
        self.sum(scalar).to_affine()
    }

    /// Writes the multiples by `scalar(0)`, `scalar(1)`, .. to `out`, as key files hold them.
    pub(super) fn write(&self, out: &mut [u8], pool: &Pool, scalars: impl Fn(usize) -> Fr + Sync) {
        let bytes = Affine::<F>::BYTES;
        pool.for_each_chunk_mut(out, PER_TASK * bytes, |start, out| {
            let first = start / bytes;
            let sums = (first..).take(out.len() / bytes).map(|index| self.sum(scalars(index)));
            let sums: Vec<Jacobian<F>> = sums.collect();
            let mut affine = vec![Affine::INFINITY; sums.len()];
            // Both have the same length, and each point has room for its bytes.
            let _ = batch_to_affine(&sums, &mut affine);
            for (point, out) in affine.iter().zip(out.chunks_exact_mut(bytes)) {
                let _ = point.write_montgomery(out);
            }
        });
    }

    fn sum(&self, scalar: Fr) -> Jacobian<F> {
        let limbs = scalar.to_plain();
        let mut sum = Jacobian::INFINITY;
        for window in 0..WINDOWS {
            let digit = digit(&limbs, window);
            if let Some(entry) = digit.checked_sub(1) {
                sum = sum.add_affine(&self.table[DIGITS * window + entry]);
            }
        }
        sum
    }
}

/// The digit of a window.
fn digit(limbs: &[u64; 4], window: usize) -> usize {
    let bit = index(WINDOW_BITS) * window;
    let (limb, shift) = (bit / 64, bit % 64);
    let next = limbs.get(limb + 1).copied().unwrap_or(0);
    let both = u128::from(next) << 64 | u128::from(limbs[limb]);
    // Ten bits.
    usize::try_from(both >> shift & u128::from((1_u64 << WINDOW_BITS) - 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use nalloc_bn254::{Field, Fq, Fq2};

    use super::*;

    fn check<F: CurveField>() {
        let pool = Pool::new(Some(2)).expect("two threads");
        let multiples = Multiples::<F>::new(&pool).expect("memory for a table");
        let two = Fr::from_u64(2);
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE];
        for bit in 0..254 {
            scalars.extend([two.pow(&[bit]), -two.pow(&[bit]), two.pow(&[bit]) - Fr::ONE]);
        }
        let mut bytes = vec![0; scalars.len() * Affine::<F>::BYTES];

        multiples.write(&mut bytes, &pool, |index| scalars[index]);

        for (scalar, bytes) in scalars.into_iter().zip(bytes.chunks(Affine::<F>::BYTES)) {
            let expected = Affine::<F>::GENERATOR.mul_scalar_vartime(scalar).to_affine();
            assert_eq!(Affine::<F>::read_montgomery(bytes), Ok(expected));
            assert_eq!(multiples.of(scalar), expected);
        }
    }

    #[test]
    fn multiples_are_those_of_doubling_and_adding_in_both_groups() {
        check::<Fq>();
        check::<Fq2>();
    }
}
