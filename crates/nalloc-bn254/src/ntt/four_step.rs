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
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nalloc::Arena;

use crate::arch::constants::{Factor, times_2_to_260};
use crate::arch::lanes::{Elements, LANES, Lanes};
use crate::arch::sweep::{ColumnBlock, Pieces, RUN_GAP, RowBlock};
use crate::arch::tile::{self, Roots};
use crate::arch::value::Stored;
use crate::arch::vector::PowerRows;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::{Field, Modulus, Montgomery};
use crate::observer::Observer;
use crate::pool::Pool;

/// log2 of the smallest and of the largest transform in two sweeps.
pub(crate) const LOG2_MIN: u32 = 2 * tile::LOG2_MIN;
/// See [`LOG2_MIN`].
pub(crate) const LOG2_MAX: u32 = 2 * tile::LOG2_MAX;
/// From here on the output goes past the caches, which it does not fit: 2 to 6 % (Zen 5).
const STREAMED_LOG2_MIN: u32 = 18;
/// Shares of the blocks that each thread takes one after the other.
const SHARES_PER_THREAD: usize = 16;

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

/// Memory and threads of transforms.
pub struct Work<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) scratch: &'a mut [Elements],
    pub(crate) tiles: &'a mut [Stored],
}

impl<'a> Work<'a> {
    /// Takes [`scratch_bytes`] from `arena`: room for transforms of up to 2^`log2` elements.
    pub(crate) fn new(
        log2: u32,
        pool: &'a Pool,
        arena: &'a Arena,
        observer: &'a dyn Observer,
    ) -> Result<Self, Error> {
        let (scratch_len, tile_len) = lengths(log2);
        let scratch = arena.try_alloc_array_aligned::<Elements>(scratch_len, 64)?;
        let tiles = arena.try_alloc_array::<Stored>(tile_len * pool.thread_count())?;
        Ok(Self { pool, observer, scratch, tiles })
    }
}

/// Pieces of scratch, and vectors of one thread's tile.
fn lengths(log2: u32) -> (usize, usize) {
    if !(LOG2_MIN..=LOG2_MAX).contains(&log2) {
        return (0, 0);
    }
    let runs = (1 << (log2 / 2)) / LANES;
    ((1 << log2) / LANES + runs * RUN_GAP, 1 << log2.div_ceil(2))
}

/// Bytes that the transforms of 2^`log2` elements take from an arena, on `threads` threads.
#[must_use]
pub fn scratch_bytes(log2: u32, threads: usize) -> usize {
    let (scratch_len, tile_len) = lengths(log2);
    let tiles = threads.saturating_mul(tile_len * size_of::<Stored>());
    // An array may start up to three pages behind the one before.
    tiles.saturating_add(scratch_len * size_of::<Elements>()).saturating_add(6 * 4096)
}

/// A transform of one size and direction.
pub trait FourStep<F>: Send + Sync {
    /// Transforms `values` in place, natural order on both sides.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; the values are then of no use.
    fn run(&self, values: &mut [F], work: &mut Work<'_>) -> Result<(), Error>;
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
        let twists = twists(lanes, n1, n2, direction)?;
        let modulus = PhantomData;
        Ok(Self { lanes, log2_columns, log2_rows, roots, coset_roots, twists, modulus })
    }
}

/// Entry b: `root`^(b backwards), for half as many b as `root`'s order 2^`log2`.
fn bit_reversed_roots<M: Modulus>(
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
fn coset_roots<M: Modulus>(
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
    n1: usize,
    n2: usize,
    direction: &Direction<Montgomery<M>>,
) -> Result<HeapBuffer<Elements>, Error> {
    let mut table = HeapBuffer::<Elements>::zeroed(n1 * n2 / LANES)?;
    let stored = |x: Montgomery<M>| times_2_to_260(x).to_plain();
    let (mut ratio, mut start) = (Montgomery::ONE, direction.scale);
    for rows in table.chunks_exact_mut(n1) {
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
        // Both sweeps are begun by a thread of the pool: one wake-up less.
        work.pool.install(|| self.sweeps(values, work))
    }
}

impl<L: Lanes, M: Modulus> Plan<L, M> {
    fn sweeps(&self, values: &mut [Montgomery<M>], work: &mut Work<'_>) -> Result<(), Error> {
        let log2 = self.log2_columns + self.log2_rows;
        let values = Montgomery::as_elements_mut(values);
        debug_assert_eq!(values.len() * LANES, 1 << log2, "a transform of another length");
        let (n1, n2) = (1usize << self.log2_columns, 1usize << self.log2_rows);
        let (pool, observer) = (work.pool, work.observer);
        let scratch = &mut work.scratch[..values.len() + n1 / LANES * RUN_GAP];
        let plain = Roots::Plain(&self.roots);
        let modulus = PhantomData;

        let input = &*values;
        let pieces = Pieces::new(scratch);
        let column_roots = self.coset_roots.as_ref().map_or(plain, |roots| Roots::Coset(roots));
        for_each_block(n2 / LANES, work.tiles, n1, pool, observer, |block, next_block, tile| {
            let twists = &self.twists[block * n1..][..n1];
            let (roots, scratch) = (column_roots, pieces);
            let work = ColumnBlock::<M> {
                input,
                block,
                tile,
                roots,
                twists,
                scratch,
                next_block,
                modulus,
            };
            self.lanes.call(work);
        })?;

        let scratch = &*scratch;
        let streams = log2 >= STREAMED_LOG2_MIN && values.as_ptr().addr().is_multiple_of(64);
        let output = Pieces::new(values);
        for_each_block(n1 / LANES, work.tiles, n2, pool, observer, |block, next_block, tile| {
            let roots = plain;
            let work =
                RowBlock::<M> { scratch, block, tile, roots, output, streams, next_block, modulus };
            self.lanes.call(work);
        })
    }
}

/// Runs `work` on every block, with the next one of the same thread and a tile of its own.
fn for_each_block(
    count: usize,
    tiles: &mut [Stored],
    tile_len: usize,
    pool: &Pool,
    observer: &dyn Observer,
    work: impl Fn(usize, Option<usize>, &mut [Stored]) + Sync,
) -> Result<(), Error> {
    let workers = pool.thread_count().min(count);
    let share = (count / (SHARES_PER_THREAD * workers)).max(1);
    let taken = AtomicUsize::new(0);
    let is_cancelled = AtomicBool::new(false);
    let run = |tile: &mut [Stored]| {
        // Relaxed: the counter only hands out blocks; the scope's end orders what they wrote.
        while !is_cancelled.load(Ordering::Relaxed) {
            let first = taken.fetch_add(share, Ordering::Relaxed);
            if first >= count {
                return;
            }
            let end = (first + share).min(count);
            for block in first..end {
                work(block, Some(block + 1).filter(|&next| next < end), tile);
            }
            if observer.is_cancelled() {
                is_cancelled.store(true, Ordering::Relaxed);
            }
        }
    };
    let run = &run;
    pool.scope(|scope| {
        for tile in tiles.chunks_exact_mut(tile_len).take(workers) {
            scope.spawn(move |_| run(tile));
        }
    });
    if is_cancelled.into_inner() { Err(Error::Cancelled) } else { Ok(()) }
}
