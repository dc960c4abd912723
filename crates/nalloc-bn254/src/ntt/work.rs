//! Memory and threads of transforms in lanes.
//!
//! Everything is taken from the caller's arena at once. Each thread works on a tile of its own, so
//! that no two threads write one cache line, and takes blocks from a shared counter until none is
//! left; between two takes it asks whether to stop.
//!
//! The calling thread is one of them, and each goes through all sweeps of a transform: where it
//! finds no more blocks, it watches a counter until the others have done theirs, at most one share
//! each. A transform of 2^16 takes half a millisecond, and two wake-ups and two waits of a pool
//! cost it a tenth of that.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nalloc::Arena;

use super::{four_step, three_sweeps};
use crate::arch::lanes::Elements;
use crate::arch::value::Stored;
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::Pool;

/// Shares of the blocks that each thread takes one after the other.
const SHARES_PER_THREAD: usize = 16;
/// How often a waiting thread looks before it lets others run: some 20 microseconds.
const LOOKS_BEFORE_YIELD: usize = 1 << 10;
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

/// Blocks that need nothing of each other, and everything of the sweep before.
pub(crate) struct Sweep<'w> {
    /// How many blocks.
    pub(crate) count: usize,
    /// Vectors of the tile that one of them needs.
    pub(crate) tile_len: usize,
    /// Does a block, knowing the next one of the same thread.
    pub(crate) work: &'w (dyn Fn(usize, Option<usize>, &mut Desk<'_>) + Sync),
}

/// How far one sweep is; on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Progress {
    taken: AtomicUsize,
    done: AtomicUsize,
}

/// Sets its flag when it is dropped by a panic, so that nobody waits for what is not done.
struct StopOnPanic<'a>(&'a AtomicBool);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Desks<'_> {
    /// Does all blocks of each sweep, one sweep after the other.
    pub(crate) fn run<const N: usize>(&mut self, sweeps: &[Sweep<'_>; N]) -> Result<(), Error> {
        let blocks = sweeps.iter().map(|sweep| sweep.count).max().unwrap_or(0);
        let tile_len = sweeps.iter().map(|sweep| sweep.tile_len).max().unwrap_or(0);
        let workers = self.pool.thread_count().min(blocks);
        let progress: [Progress; N] = core::array::from_fn(|_| Progress::default());
        let is_stopped = AtomicBool::new(false);
        let observer = self.observer;
        let go_through = |mut desk: Desk<'_>| {
            let _guard = StopOnPanic(&is_stopped);
            for (sweep, progress) in sweeps.iter().zip(&progress) {
                take_blocks(sweep, progress, workers, &is_stopped, observer, &mut desk);
                wait_for(progress, sweep.count, &is_stopped);
            }
        };
        let go_through = &go_through;
        let tiles = self.tiles.chunks_exact_mut(tile_len.max(1)).take(workers);
        let factors = &mut *self.factors;
        let factors_len = self.factors_len;
        self.pool.scope_here(|scope| {
            let mut others = factors;
            let mut desks = tiles.map(|tile| {
                let (factors, rest) = core::mem::take(&mut others).split_at_mut(factors_len);
                others = rest;
                Desk { tile, factors }
            });
            let own = desks.next();
            for desk in desks {
                scope.spawn(move |_| go_through(desk));
            }
            own.map(go_through);
        });
        if is_stopped.into_inner() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Takes blocks of a sweep until none is left.
fn take_blocks(
    sweep: &Sweep<'_>,
    progress: &Progress,
    workers: usize,
    is_stopped: &AtomicBool,
    observer: &dyn Observer,
    desk: &mut Desk<'_>,
) {
    let share = (sweep.count / (SHARES_PER_THREAD * workers)).max(1);
    let mut desk = Desk { tile: &mut desk.tile[..sweep.tile_len], factors: desk.factors };
    // Relaxed: the flag orders nothing, and the counter only hands out blocks.
    while !is_stopped.load(Ordering::Relaxed) {
        let first = progress.taken.fetch_add(share, Ordering::Relaxed);
        if first >= sweep.count {
            return;
        }
        let end = (first + share).min(sweep.count);
        for block in first..end {
            (sweep.work)(block, Some(block + 1).filter(|&next| next < end), &mut desk);
        }
        // Release: what these blocks wrote is seen by whoever sees them counted in `wait_for`.
        progress.done.fetch_add(end - first, Ordering::Release);
        if observer.is_cancelled() {
            is_stopped.store(true, Ordering::Relaxed);
        }
    }
}

/// Returns when all `count` blocks are done, or when no more will be.
fn wait_for(progress: &Progress, count: usize, is_stopped: &AtomicBool) {
    let mut looks = 0;
    // Acquire: partner of the additions in `take_blocks`.
    while progress.done.load(Ordering::Acquire) < count && !is_stopped.load(Ordering::Relaxed) {
        looks += 1;
        if looks < LOOKS_BEFORE_YIELD { spin_loop() } else { thread::yield_now() }
    }
}
