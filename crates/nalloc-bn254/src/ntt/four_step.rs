//! A transform in two sweeps over memory, for kernels with lanes.
//!
//! N = n1 * n2, i = i1 n2 + i2, k = k1 + n1 k2. Columns: n1-point transforms over i1, for eight i2
//! at once, then times w^(i2 k1). Rows: n2-point transforms over i2, for eight k1 at once, written
//! in natural order. What else multiplies every value goes into the table of twists, so that 1/N
//! and a coset cost nothing; on a coset of shift e the columns use roots for the shift e^n2.
//!
//! Cost for 2^20: 20 layers of 37.5 cycles per 8 butterflies, 52.5 cycles per 8 elements for
//! the twists, reads and writes of 2 * 64 MiB, 32 MiB of twists, and two barriers.

use core::marker::PhantomData;
use core::ops::RangeInclusive;

use super::three_sweeps::{self, ThreeSweeps};
use super::work::{Desk, Lengths, Sweep, Work};
use crate::arch::constants::{Factor, times_2_to_260};
use crate::arch::lanes::{Elements, LANES, Lanes};
use crate::arch::sweep::{ColumnBlock, Pieces, RUN_GAP, RowBlock};
use crate::arch::tile::{self, Roots};
use crate::arch::vector::PowerRows;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::{Field, Modulus, Montgomery};
use crate::observer::Observer;

/// log2 of the sizes that two sweeps do.
pub(crate) const LOG2: RangeInclusive<u32> = 2 * tile::LOG2_MIN..=2 * tile::LOG2_MAX;
/// From here on the output goes past the caches, which it does not fit: 2 to 6 % (Zen 5).
const STREAMED_LOG2_MIN: u32 = 18;

/// From here on the next block is asked for while one is worked on: below, its values are near, and
/// asking costs 2 % (Zen 5, 2026-11-21).
const PREFETCHED_LOG2_MIN: u32 = 17;

/// The transform of 2^`log2` points; none where lanes have no way to do it. The observer is asked
/// while long tables are made.
pub(crate) fn make<L: Lanes, M: Modulus>(
    lanes: L,
    log2: u32,
    direction: &Direction<Montgomery<M>>,
    observer: &dyn Observer,
) -> Result<Option<Box<dyn FourStep<Montgomery<M>>>>, Error> {
    if LOG2.contains(&log2) {
        Ok(Some(Box::new(Plan::new(lanes, log2, direction, observer)?)))
    } else if three_sweeps::LOG2.contains(&log2) {
        Ok(Some(Box::new(ThreeSweeps::new(lanes, log2, direction)?)))
    } else {
        Ok(None)
    }
}

/// Bytes of the tables of both directions, one of them on a coset; none where [`make`] has none.
pub(super) fn table_bytes(log2: u32) -> Option<usize> {
    let factors = |log2: u32| size_of::<Factor>() << log2;
    if LOG2.contains(&log2) {
        let twists = size_of::<[u64; 4]>() << log2;
        Some(2 * (twists + factors(log2.div_ceil(2) - 1)) + factors(log2 / 2))
    } else if three_sweeps::LOG2.contains(&log2) {
        Some(three_sweeps::table_bytes(log2))
    } else {
        None
    }
}

pub(crate) fn lengths(log2: u32) -> Lengths {
    let (n1, n2) = (1usize << (log2 / 2), 1usize << log2.div_ceil(2));
    Lengths { scratch: n1 / LANES * (n2 + RUN_GAP), tile: n2, factors: 0 }
}

/// Whether a transform's output goes past the caches, which needs whole lines.
pub(super) fn streams_past_caches(log2: u32, output: &[Elements]) -> bool {
    log2 >= STREAMED_LOG2_MIN && output.as_ptr().addr().is_multiple_of(64)
}

/// What is transformed to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direction<F> {
    /// The root of unity of the columns and rows.
    pub root: F,
    /// Multiplies every value.
    pub scale: F,
    /// Where not one, coefficients become values on its coset.
    pub shift: F,
}

/// A transform of one size and direction.
pub trait FourStep<F>: Send + Sync {
    /// Transforms `values` in place, natural order on both sides.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; the values are then of no use.
    fn run(&self, values: &mut [F], work: &mut Work<'_>) -> Result<(), Error>;

    /// Bytes of its tables.
    fn table_bytes(&self) -> usize;
}

pub(crate) struct Plan<L, M> {
    lanes: L,
    log2_columns: u32,
    log2_rows: u32,
    roots: HeapBuffer<Factor>,
    /// The columns' own, where they are on a coset.
    coset_roots: Option<HeapBuffer<Factor>>,
    /// For each eight i2 and each k1: scale * shift^i2 * w^(i2 k1) * 2^260.
    twists: HeapBuffer<Elements>,
    modulus: PhantomData<M>,
}

impl<L: Lanes, M: Modulus> Plan<L, M> {
    /// The tables of 2^`log2` points, `LOG2_MIN` to `LOG2_MAX`.
    pub(crate) fn new(
        lanes: L,
        log2: u32,
        direction: &Direction<Montgomery<M>>,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let (log2_columns, log2_rows) = (log2 / 2, log2 - log2 / 2);
        let (n1, n2) = (1usize << log2_columns, 1usize << log2_rows);
        let roots = bit_reversed_roots(log2_rows, direction.root.pow(&[n1 as u64]))?;
        let coset_roots = if direction.shift == Montgomery::ONE {
            None
        } else {
            let shift = direction.shift.pow(&[n2 as u64]);
            Some(coset_roots(log2_columns, direction.root.pow(&[n2 as u64]), shift)?)
        };
        let twists = twists(lanes, (n1, n2), direction, observer)?;
        let modulus = PhantomData;
        Ok(Self { lanes, log2_columns, log2_rows, roots, coset_roots, twists, modulus })
    }
}

/// Entry b: `root`^(b backwards), for half as many b as `root`'s order 2^`log2`.
pub(super) fn bit_reversed_roots<M: Modulus>(
    log2: u32,
    root: Montgomery<M>,
) -> Result<HeapBuffer<Factor>, Error> {
    let len = 1usize << (log2 - 1);
    let mut table = HeapBuffer::zeroed(len)?;
    let mut power = Montgomery::ONE;
    for index in 0..len {
        table[reversed(index, log2 - 1)] = Factor::new(power);
        power *= root;
    }
    Ok(table)
}

/// Entry 2^s + b: layer s, block b, of a transform of 2^`log2` points `shift` * `root`^k.
pub(super) fn coset_roots<M: Modulus>(
    log2: u32,
    root: Montgomery<M>,
    shift: Montgomery<M>,
) -> Result<HeapBuffer<Factor>, Error> {
    let mut table = HeapBuffer::zeroed(1 << log2)?;
    for s in 0..log2 {
        let first = shift.pow(&[1 << (log2 - 1 - s)]);
        let step = root.pow(&[1 << (log2 - 1 - s)]);
        let mut power = first;
        for index in 0..1usize << s {
            table[(1 << s) + reversed(index, s)] = Factor::new(power);
            power *= step;
        }
    }
    Ok(table)
}

fn reversed(index: usize, log2: u32) -> usize {
    if log2 == 0 { 0 } else { index.reverse_bits() >> (usize::BITS - log2) }
}

fn twists<L: Lanes, M: Modulus>(
    lanes: L,
    (n1, n2): (usize, usize),
    direction: &Direction<Montgomery<M>>,
    observer: &dyn Observer,
) -> Result<HeapBuffer<Elements>, Error> {
    let mut table = HeapBuffer::<Elements>::zeroed(n1 * n2 / LANES)?;
    let stored = |x: Montgomery<M>| times_2_to_260(x).to_plain();
    let (mut ratio, mut start) = (Montgomery::ONE, direction.scale);
    for rows in table.chunks_exact_mut(n1) {
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let mut starts = [[[0; 4]; LANES]; 4];
        let mut step = [[0; 4]; LANES];
        for column in 0..LANES {
            let mut power = start;
            for row in &mut starts {
                row[column] = stored(power);
                power *= ratio;
            }
            step[column] = stored(ratio.square().square());
            ratio *= direction.root;
            start *= direction.shift;
        }
        lanes.call(PowerRows::<M> { starts, step, rows, modulus: PhantomData });
    }
    Ok(table)
}

impl<L: Lanes, M: Modulus> FourStep<Montgomery<M>> for Plan<L, M> {
    fn run(&self, values: &mut [Montgomery<M>], work: &mut Work<'_>) -> Result<(), Error> {
        self.sweeps(values, work)
    }

    fn table_bytes(&self) -> usize {
        let coset_roots = self.coset_roots.as_ref().map_or(0, |roots| size_of_val::<[_]>(roots));
        size_of_val::<[_]>(&self.roots) + coset_roots + size_of_val::<[_]>(&self.twists)
    }
}

impl<L: Lanes, M: Modulus> Plan<L, M> {
    fn sweeps(&self, values: &mut [Montgomery<M>], work: &mut Work<'_>) -> Result<(), Error> {
        let log2 = self.log2_columns + self.log2_rows;
        let values = Montgomery::as_elements_mut(values);
        debug_assert_eq!(values.len() * LANES, 1 << log2, "a transform of another length");
        let streams = streams_past_caches(log2, values);
        let (n1, n2) = (1usize << self.log2_columns, 1usize << self.log2_rows);
        let run = n2 + RUN_GAP;
        let prefetches = log2 >= PREFETCHED_LOG2_MIN;
        let scratch = Pieces::new(&mut work.scratch[..n1 / LANES * run]);
        let values = Pieces::new(values);
        let plain = Roots::Plain(&self.roots);
        let column_roots = self.coset_roots.as_ref().map_or(plain, |roots| Roots::Coset(roots));
        let columns = |block: usize, next_block: Option<usize>, desk: &mut Desk<'_>| {
            let twists = &self.twists[block * n1..][..n1];
            self.lanes.call(ColumnBlock::<M> {
                input: values,
                block,
                tile: desk.tile,
                roots: column_roots,
                twists,
                scratch,
                next_block: next_block.filter(|_| prefetches),
                modulus: PhantomData,
            });
        };
        let rows = |block: usize, next_block: Option<usize>, desk: &mut Desk<'_>| {
            self.lanes.call(RowBlock::<M> {
                scratch,
                run,
                block,
                tile: desk.tile,
                roots: plain,
                output: values,
                streams,
                next_block: next_block.filter(|_| prefetches),
                modulus: PhantomData,
            });
        };
        work.desks.run(&[
            Sweep { count: n2 / LANES, tile_len: n1, work: &columns },
            Sweep { count: n1 / LANES, tile_len: n2, work: &rows },
        ])
    }
}
