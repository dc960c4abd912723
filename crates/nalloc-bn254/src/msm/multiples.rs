//! Multiples of the generator of G1 by many scalars, from a table that is made for them.
//!
//! Of each window of c bits the table holds d 2^(c w) G for every digit d but zero, so that a
//! multiple is the sum of one point for each window: no doubling, and many rows share an inversion
//! (msm/adder.rs). What was summed up to a window is below 2^(c w), the next point is not, and both
//! together are below r: no row meets an equal or opposite point.
//!
//! Width: a table of ceil(254/c) 2^c points against so many additions for each multiple, of which
//! one costs a sixteenth of a table's point. Scalars are public: time and memory accesses depend on
//! them.

use core::iter;

use nalloc::Arena;

use super::adder::{BLOCK, Entry, Points, Source, settled};
use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::curve::{CurveField, G1Affine, Jacobian, batch_to_affine};
use crate::error::Error;
use crate::field::{Fq, Fr};
use crate::pool::Pool;

/// Widths of windows. A table of 12 bits takes 8.6 MB.
const BITS_MIN: usize = 2;
const BITS_MAX: usize = 12;
const SCALAR_BITS: usize = 254;
/// Additions to rows in the time of one point of the table, which is made affine.
const POINT_IN_ADDITIONS: usize = 16;

/// `out[i] = scalars[i]` G, for slices of equal length.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn write_multiples(
    scalars: &[Fr],
    out: &mut [G1Affine],
    pool: &Pool,
) -> Result<(), Error> {
    debug_assert_eq!(scalars.len(), out.len(), "a place for each multiple");
    if out.is_empty() {
        return Ok(());
    }
    let table = Multiples::new(out.len(), pool)?;
    let share = out.len().div_ceil(pool.thread_count()).next_multiple_of(BLOCK);
    let mut results = vec![Ok(()); out.len().div_ceil(share)];
    pool.scope(|scope| {
        let shares = scalars.chunks(share).zip(out.chunks_mut(share));
        for (result, (scalars, out)) in results.iter_mut().zip(shares) {
            scope.spawn(|_| *result = table.write(scalars, out));
        }
    });
    results.into_iter().collect()
}

/// The table.
struct Multiples {
    bits: usize,
    /// Point `digits * w + d - 1` is d 2^(bits w) G.
    points: HeapBuffer<G1Affine>,
    /// What adders ask for beside points; no entry here uses them.
    images: HeapBuffer<Fq>,
}

impl Multiples {
    /// The table for so many multiples.
    fn new(count: usize, pool: &Pool) -> Result<Self, Error> {
        let cost = |bits: usize| windows(bits) * ((POINT_IN_ADDITIONS << bits) + count);
        let bits = (BITS_MIN..=BITS_MAX).min_by_key(|&bits| cost(bits)).unwrap_or(BITS_MAX);
        let digits = (1 << bits) - 1;
        let mut points = HeapBuffer::<G1Affine>::zeroed(digits * windows(bits))?;
        pool.for_each_chunk_mut(&mut points, digits, |start, window| {
            let doublings = start / digits * bits;
            let generator = Jacobian::from(G1Affine::GENERATOR);
            let base = (0..doublings).fold(generator, |base, _| base.double());
            let multiples = iter::successors(Some(base), |multiple| Some(multiple.add(&base)));
            let multiples: Vec<_> = multiples.take(window.len()).collect();
            // Both have the same length.
            let _ = batch_to_affine(&multiples, window);
        });
        let images = HeapBuffer::zeroed(points.len())?;
        Ok(Self { bits, points, images })
    }

    fn write(&self, scalars: &[Fr], out: &mut [G1Affine]) -> Result<(), Error> {
        let kernels = Kernels::host();
        let scratch = Arena::with_capacity(Fq::adder_bytes(kernels))?;
        let mut adder = Fq::adder(kernels, &scratch)?;
        let source = Source::Points(Points { bases: &self.points, images: &self.images });
        let digits = (1 << self.bits) - 1;
        let (mut plain, mut entries) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        for (scalars, rows) in scalars.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
            plain.clear();
            plain.extend(scalars.iter().map(|scalar| scalar.to_plain()));
            rows.fill(G1Affine::INFINITY);
            for window in 0..windows(self.bits) {
                entries.clear();
                for (row, limbs) in plain.iter().enumerate() {
                    let digit = digit(limbs, window * self.bits, digits);
                    let Some(entry) = digit.checked_sub(1) else { continue };
                    let point = digits * window + entry;
                    if rows[row].is_infinity() {
                        rows[row] = self.points[point];
                    } else {
                        entries.push(Entry::rows(row, point));
                    }
                }
                adder.add(rows, source, &entries);
            }
            for row in rows {
                *row = settled(row);
            }
        }
        Ok(())
    }
}

/// Windows of a scalar.
fn windows(bits: usize) -> usize {
    SCALAR_BITS.div_ceil(bits)
}

/// The digit that begins at `bit`; `mask` is the greatest one.
fn digit(limbs: &[u64; 4], bit: usize, mask: usize) -> usize {
    let next = limbs.get(bit / 64 + 1).copied().unwrap_or(0);
    let both = u128::from(next) << 64 | u128::from(limbs[bit / 64]);
    // Below 2^12.
    usize::try_from(both >> (bit % 64) & mask as u128).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    #[test]
    fn multiples_are_those_of_doubling_and_adding_for_every_bit_and_every_width() {
        let two = Fr::from_u64(2);
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE];
        for bit in 0..254 {
            scalars.extend([two.pow(&[bit]), -two.pow(&[bit]), two.pow(&[bit]) - Fr::ONE]);
        }
        let expected: Vec<G1Affine> = scalars
            .iter()
            .map(|&scalar| G1Affine::GENERATOR.mul_scalar_vartime(scalar).to_affine())
            .collect();
        for threads in [1, 3] {
            let pool = Pool::new(Some(threads)).expect("threads");
            // Lengths of several widths, and of more than one block.
            for count in [1, 2, 50, scalars.len(), 5 * scalars.len()] {
                let some: Vec<Fr> = scalars.iter().copied().cycle().take(count).collect();
                let mut out = vec![G1Affine::GENERATOR; count];

                write_multiples(&some, &mut out, &pool).expect("memory");

                assert!(out.iter().eq(expected.iter().cycle().take(count)), "{count}");
            }
        }
    }
}
