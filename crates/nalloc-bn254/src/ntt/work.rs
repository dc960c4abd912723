//! Memory and threads of transforms in lanes.
//!
//! Everything is taken from the caller's arena at once. Each thread works on a tile of its own, so
//! that no two threads write one cache line, and takes blocks from a shared counter until none is
//! left; between two takes it asks whether to stop.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nalloc::Arena;

use super::{four_step, three_sweeps};
use crate::arch::lanes::Elements;
use crate::arch::value::Stored;
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::Pool;

/// Shares of the blocks that each thread takes one after the other.
const SHARES_PER_THREAD: usize = 16;
/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;

/// How much of each kind of memory a transform needs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths {
    /// Pieces of eight elements, for all threads.
    pub(crate) scratch: usize,
    /// Vectors of one thread's tile.
    pub(crate) tile: usize,
    /// Pieces of factors that one thread computes as it goes.
    pub(crate) factors: usize,
}

impl Lengths {
    fn of(log2: u32) -> Self {
        if four_step::LOG2.contains(&log2) {
            four_step::lengths(log2)
        } else if three_sweeps::LOG2.contains(&log2) {
            three_sweeps::lengths(log2)
        } else {
            Self::default()
        }
    }
}

/// Bytes that the transforms of 2^`log2` elements take from an arena, on `threads` threads.
#[must_use]
pub fn scratch_bytes(log2: u32, threads: usize) -> usize {
    let Lengths { scratch, tile, factors } = Lengths::of(log2);
    let of_thread = tile * size_of::<Stored>() + factors * size_of::<Elements>();
    let scratch = scratch * size_of::<Elements>();
    threads.saturating_mul(of_thread).saturating_add(scratch + 3 * ARRAY_SLACK_BYTES)
}

/// Memory and threads of transforms.
pub struct Work<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) scratch: &'a mut [Elements],
    pub(crate) desks: Desks<'a>,
}

impl<'a> Work<'a> {
    /// Takes [`scratch_bytes`] from `arena`: room for transforms of 2^`log2` elements.
    pub(crate) fn new(
        log2: u32,
        pool: &'a Pool,
        arena: &'a Arena,
        observer: &'a dyn Observer,
    ) -> Result<Self, Error> {
        Self::with_lengths(Lengths::of(log2), pool, arena, observer)
    }

    pub(crate) fn with_lengths(
        lengths: Lengths,
        pool: &'a Pool,
        arena: &'a Arena,
        observer: &'a dyn Observer,
    ) -> Result<Self, Error> {
        let Lengths { scratch, tile, factors: factors_len } = lengths;
        let threads = pool.thread_count();
        let scratch = arena.try_alloc_array_aligned::<Elements>(scratch, 64)?;
        let tiles = arena.try_alloc_array::<Stored>(tile * threads)?;
        let factors = arena.try_alloc_array_aligned::<Elements>(factors_len * threads, 64)?;
        Ok(Self { pool, scratch, desks: Desks { pool, observer, tiles, factors, factors_len } })
    }
}

/// What the threads work on.
pub(crate) struct Desks<'a> {
    pool: &'a Pool,
    observer: &'a dyn Observer,
    tiles: &'a mut [Stored],
    factors: &'a mut [Elements],
    /// Of one thread.
    factors_len: usize,
}

/// What one thread works on.
pub(crate) struct Desk<'a> {
    pub(crate) tile: &'a mut [Stored],
    pub(crate) factors: &'a mut [Elements],
}

impl Desks<'_> {
    /// Runs `work` on every block, with the next one of the same thread and a desk of its own.
    pub(crate) fn for_each_block(
        &mut self,
        count: usize,
        tile_len: usize,
        work: impl Fn(usize, Option<usize>, &mut Desk<'_>) + Sync,
    ) -> Result<(), Error> {
        let workers = self.pool.thread_count().min(count);
        let share = (count / (SHARES_PER_THREAD * workers)).max(1);
        let taken = AtomicUsize::new(0);
        let is_cancelled = AtomicBool::new(false);
        let observer = self.observer;
        let run = |mut desk: Desk<'_>| {
            // Relaxed: the counter only hands out blocks; the scope's end orders what they wrote.
            while !is_cancelled.load(Ordering::Relaxed) {
                let first = taken.fetch_add(share, Ordering::Relaxed);
                if first >= count {
                    return;
                }
                let end = (first + share).min(count);
                for block in first..end {
                    work(block, Some(block + 1).filter(|&next| next < end), &mut desk);
                }
                if observer.is_cancelled() {
                    is_cancelled.store(true, Ordering::Relaxed);
                }
            }
        };
        let run = &run;
        let mut factors = &mut *self.factors;
        self.pool.scope(|scope| {
            for tile in self.tiles.chunks_exact_mut(tile_len).take(workers) {
                let (own, others) = core::mem::take(&mut factors).split_at_mut(self.factors_len);
                factors = others;
                scope.spawn(move |_| run(Desk { tile, factors: own }));
            }
        });
        if is_cancelled.into_inner() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
