//! Memory and threads of transforms in lanes.
//!
//! Everything is taken from the caller's arena at once. Each thread works on a tile of its own, so
//! that no two threads write one cache line. It does the blocks of its own part, then what others
//! have left of theirs; between two blocks it asks whether to stop. Parts are the same in every
//! sweep, because the rows that a thread writes are the columns that the next transform reads: they
//! lie in its own cache (2^16 on two threads 0.518 -> 0.506 ms, 2^20 10.8 -> 10.5, Zen 5,
//! 2026-11-21).
//!
//! The calling thread is one of them, and each goes through all sweeps of a transform: where it
//! finds no more blocks, it watches a counter until the others have done theirs, at most one
//! each. A transform of 2^16 takes half a millisecond, and two wake-ups and two waits of a pool
//! cost it a tenth of that.

use core::hint::spin_loop;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nalloc::Arena;

use super::{four_step, three_sweeps};
use crate::arch::lanes::Elements;
use crate::arch::value::Stored;
use crate::error::Error;
use crate::observer::{Observer, Stop, Watched};
use crate::pool::Pool;

/// Sweeps of one transform.
const SWEEPS_MAX: usize = 3;
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
        let taken = (0..SWEEPS_MAX * threads).map(|_| Counter::default()).collect();
        let desks = Desks { pool, observer, tiles, factors, factors_len, taken };
        Ok(Self { pool, scratch, desks })
    }

    /// Who may stop the transforms.
    pub(crate) fn observer(&self) -> &'a dyn Observer {
        self.desks.observer
    }

    /// The threads, and who may stop the transforms.
    pub(crate) fn watched(&self) -> Watched<'a> {
        self.pool.watched_by(self.observer())
    }

    /// Asks whoever may stop the transforms.
    pub(crate) fn stop(&self) -> Stop<'a> {
        Stop::new(self.observer())
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
    /// For each sweep and thread.
    taken: Box<[Counter]>,
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

/// Blocks of a sweep, or of a thread's part of it; on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Counter(AtomicUsize);

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
        const { assert!(N <= SWEEPS_MAX, "more sweeps than counters") };
        let blocks = sweeps.iter().map(|sweep| sweep.count).max().unwrap_or(0);
        let tile_len = sweeps.iter().map(|sweep| sweep.tile_len).max().unwrap_or(0);
        let workers = self.pool.thread_count().min(blocks);
        for counter in &mut self.taken {
            *counter.0.get_mut() = 0;
        }
        let done: [Counter; N] = core::array::from_fn(|_| Counter::default());
        let is_stopped = AtomicBool::new(false);
        let (observer, taken) = (self.observer, &*self.taken);
        let go_through = |worker: usize, mut desk: Desk<'_>| {
            let _guard = StopOnPanic(&is_stopped);
            for (index, sweep) in sweeps.iter().enumerate() {
                let (taken, done) = (&taken[index * workers..][..workers], &done[index]);
                let round = Round { sweep, taken, done, is_stopped: &is_stopped, observer };
                round.take_blocks(worker, &mut desk);
                round.wait();
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
            for (index, desk) in desks.enumerate() {
                scope.spawn(move |_| go_through(index + 1, desk));
            }
            if let Some(desk) = own {
                go_through(0, desk);
            }
        });
        if is_stopped.into_inner() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// One sweep on its way.
struct Round<'a> {
    sweep: &'a Sweep<'a>,
    /// What is taken of each thread's part.
    taken: &'a [Counter],
    done: &'a Counter,
    is_stopped: &'a AtomicBool,
    observer: &'a dyn Observer,
}

impl Round<'_> {
    /// The blocks of one thread.
    fn part(&self, worker: usize) -> Range<usize> {
        let (count, workers) = (self.sweep.count, self.taken.len());
        count * worker / workers..count * (worker + 1) / workers
    }

    /// Takes blocks until none is left, those of the thread's own part first.
    fn take_blocks(&self, worker: usize, desk: &mut Desk<'_>) {
        let workers = self.taken.len();
        let tile = &mut desk.tile[..self.sweep.tile_len];
        let mut desk = Desk { tile, factors: desk.factors };
        for owner in (worker..workers).chain(0..worker) {
            let part = self.part(owner);
            // Relaxed: the flag orders nothing, and the counter only hands out blocks.
            while !self.is_stopped.load(Ordering::Relaxed) {
                let block = part.start + self.taken[owner].0.fetch_add(1, Ordering::Relaxed);
                if block >= part.end {
                    break;
                }
                let next = Some(block + 1).filter(|&next| next < part.end);
                (self.sweep.work)(block, next, &mut desk);
                // Release: what this block wrote is seen by whoever sees it counted in `wait`.
                self.done.0.fetch_add(1, Ordering::Release);
                if self.observer.is_cancelled() {
                    self.is_stopped.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Returns when all blocks are done, or when no more will be.
    fn wait(&self) {
        let mut looks = 0;
        // Acquire: partner of the additions in `take_blocks`.
        while self.done.0.load(Ordering::Acquire) < self.sweep.count
            && !self.is_stopped.load(Ordering::Relaxed)
        {
            looks += 1;
            if looks < LOOKS_BEFORE_YIELD { spin_loop() } else { thread::yield_now() }
        }
    }
}
