//! The only door to threads: a rayon pool of our own.
//!
//! A pool is made once and shared. Its threads are named `nalloc-0`, `nalloc-1`, .. and belong to
//! nobody else, so that other libraries' parallel code neither waits for ours nor nests in it.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::thread::available_parallelism;

use rayon::prelude::*;
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

use crate::error::Error;
use crate::field::Field;
use crate::observer::{Observer, Watched};

/// The most threads of one pool.
pub(crate) const THREADS_MAX: usize = 1024;
/// Stack of one thread, in bytes.
const STACK_BYTES: usize = 2 << 20;
/// How much of each stack [`Pool::scrub_stacks`] overwrites: several times what the deepest
/// kernel's frames take, nested by work stealing.
const SCRUBBED_BYTES: usize = 512 << 10;

/// A fixed number of threads that work together on one operation at a time, or on several.
pub struct Pool {
    threads: ThreadPool,
}

impl Pool {
    /// A pool of `threads` threads, or of as many as this process may use at once.
    ///
    /// # Errors
    /// [`Error::ThreadCount`] for 0 or more than 1024 threads, [`Error::ThreadStart`] where the
    /// system refuses.
    pub fn new(threads: Option<usize>) -> Result<Self, Error> {
        let available = || available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX);
        let count = threads.unwrap_or_else(available);
        if count == 0 || count > THREADS_MAX {
            return Err(Error::ThreadCount { max: THREADS_MAX, got: count });
        }
        let built = ThreadPoolBuilder::new()
            .num_threads(count)
            .stack_size(STACK_BYTES)
            .thread_name(|index| format!("nalloc-{index}"))
            .build();
        match built {
            Ok(threads) => Ok(Self { threads }),
            Err(error) => Err(Error::ThreadStart { threads: count, reason: error.to_string() }),
        }
    }

    /// The pool, for operations that `observer` may stop.
    #[must_use]
    pub fn watched_by<'a>(&'a self, observer: &'a dyn Observer) -> Watched<'a> {
        Watched { pool: self, observer }
    }

    /// How many threads the pool has.
    #[must_use]
    pub fn thread_count(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// Runs `work` on the pool and waits for its result. Inside the pool it runs where it is.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.threads.install(work)
    }

    /// Starts `work` on a thread of the pool and returns at once. `work` must not unwind: a panic
    /// that leaves it ends the process.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.threads.spawn(work);
    }

    /// Runs both, at once where a thread is free, and waits for both results.
    pub fn join<A: Send, B: Send>(
        &self,
        left: impl FnOnce() -> A + Send,
        right: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        self.threads.join(left, right)
    }

    /// Runs `work`, which may spawn tasks that borrow from outside, and waits for all of them.
    pub fn scope<'s, R: Send>(&self, work: impl FnOnce(&Scope<'s>) -> R + Send) -> R {
        self.threads.scope(work)
    }

    /// As [`scope`](Self::scope), with `work` on the calling thread, wherever that belongs.
    pub(crate) fn scope_here<'s, R>(&self, work: impl FnOnce(&Scope<'s>) -> R) -> R {
        self.threads.in_place_scope(work)
    }

    /// Runs `work` on every piece of `chunk_len` elements, with the index of its first element.
    ///
    /// # Panics
    /// When `chunk_len` is 0.
    pub fn for_each_chunk_mut<T: Send>(
        &self,
        elements: &mut [T],
        chunk_len: usize,
        work: impl Fn(usize, &mut [T]) + Send + Sync,
    ) {
        if elements.len() <= chunk_len {
            return work(0, elements);
        }
        self.install(|| {
            let chunks = elements.par_chunks_mut(chunk_len).enumerate();
            chunks.for_each(|(index, chunk)| work(index * chunk_len, chunk));
        });
    }

    /// Runs `work` on every pair of pieces of `chunk_len` elements at equal places of two slices
    /// of equal length, with the index of their first elements.
    ///
    /// # Panics
    /// When `chunk_len` is 0.
    pub fn for_each_chunk_pair_mut<T: Send>(
        &self,
        left: &mut [T],
        right: &mut [T],
        chunk_len: usize,
        work: impl Fn(usize, &mut [T], &mut [T]) + Send + Sync,
    ) {
        debug_assert_eq!(left.len(), right.len(), "pieces at equal places need equal lengths");
        if left.len() <= chunk_len {
            return work(0, left, right);
        }
        self.install(|| {
            let pairs = left.par_chunks_mut(chunk_len).zip(right.par_chunks_mut(chunk_len));
            pairs.enumerate().for_each(|(index, (l, r))| work(index * chunk_len, l, r));
        });
    }

    /// Runs `work` on every piece of `piece_len` numbers below `count`.
    pub(crate) fn for_each_range(
        &self,
        count: usize,
        piece_len: usize,
        work: impl Fn(Range<usize>) + Send + Sync,
    ) {
        if count <= piece_len {
            return work(0..count);
        }
        let piece = |index: usize| index * piece_len..count.min((index + 1) * piece_len);
        let pieces = (0..count.div_ceil(piece_len)).into_par_iter();
        self.install(|| pieces.for_each(|index| work(piece(index))));
    }

    /// The sum of the results of `work` on every piece of `chunk_len` elements, which it gets with
    /// the index of its first one.
    pub(crate) fn sum_chunks<T: Sync, F: Field>(
        &self,
        elements: &[T],
        chunk_len: usize,
        work: impl Fn(usize, &[T]) -> F + Send + Sync,
    ) -> F {
        if elements.len() <= chunk_len {
            return work(0, elements);
        }
        self.install(|| {
            let chunks = elements.par_chunks(chunk_len).enumerate();
            let sums = chunks.map(|(index, chunk)| work(index * chunk_len, chunk));
            sums.reduce(|| F::ZERO, |sum, other| sum + other)
        })
    }

    /// The first result that is not none, in the order of the pieces of `chunk_len` elements;
    /// `work` gets the index of a piece's first element.
    ///
    /// # Panics
    /// When `chunk_len` is 0.
    pub fn find_first<T: Sync, R: Send>(
        &self,
        elements: &[T],
        chunk_len: usize,
        work: impl Fn(usize, &[T]) -> Option<R> + Send + Sync,
    ) -> Option<R> {
        if elements.len() <= chunk_len {
            return work(0, elements);
        }
        self.install(|| {
            let chunks = elements.par_chunks(chunk_len).enumerate();
            chunks.find_map_first(|(index, chunk)| work(index * chunk_len, chunk))
        })
    }

    /// Overwrites the part of every thread's stack that jobs of this crate use, so that what a job
    /// left in its frames is gone. Call it after a job with secrets, from outside the pool.
    ///
    /// It cannot reach registers that the kernel saved, frames deeper than 512 KiB, or the stack
    /// of the thread that calls.
    pub fn scrub_stacks(&self) {
        self.threads.broadcast(|_| scrub_this_stack());
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.thread_count())
    }
}

/// Overwrites the 512 KiB of stack below this call.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what shall be overwritten")]
fn scrub_this_stack() {
    let mut below = [0u8; SCRUBBED_BYTES];
    nalloc::wipe(&mut below);
}
