//! Multi-scalar multiplication: the sum of many points, each times a scalar.
//!
//! Pippenger's buckets in affine coordinates, where additions share inversions. The steps:
//!
//! 1. **Class.** A scalar above r/2 counts as r - s of the opposite point, so that -1 is as short
//!    as 1. Zeros and points at infinity are dropped. Points of 1 and -1 are summed on their own,
//!    2048 sums side by side. Up to 64 bits a scalar stays whole: witnesses are full of bits and
//!    small numbers (msm/digits.rs).
//! 2. **Halve.** Other scalars become k1 + LAMBDA k2 with halves below 2^126, and LAMBDA P is
//!    (beta x, y): twice the terms, but half the windows, and so half the buckets to reduce
//!    (msm/glv.rs). The images beta x are made once; y is that of the point.
//! 3. **Recode.** A half is read as digits of c bits, signed, so that 2^(c-1) buckets are enough.
//!    Within a chunk of 1024 longer scalars come first, and a window walks those that reach it.
//! 4. **Accumulate.** A task is some windows and a run of chunks. For each digit that is not zero
//!    the point, its opposite or its image is to be added to the bucket of the digit's size. 2048
//!    such additions are a block: they go to different buckets, so they are independent, and
//!    share one inversion by Montgomery's trick: 5M + 1S each (msm/adder.rs), eight at a time where
//!    there are lanes (`arch/batch_add.rs`).
//!    The windows of a task take turns, every 16 to 1024 points: narrow ones would meet the same
//!    few buckets again and again.
//! 5. **Conflicts.** An addition to a bucket that is in the block already waits in a queue for the
//!    next block. When digits repeat so much that the queue fills, it is folded: sorted by
//!    bucket and added up pairwise, by blocks again (msm/buckets.rs). So is what is left at the
//!    end.
//! 6. **Reduce.** Of each window the sum of d times bucket d, by blocks too: segments of buckets
//!    are summed side by side (msm/reduce.rs).
//! 7. **Combine.** The windows' sums, from the top, with c doublings between two of them.
//!
//! Cost: 2 n W additions to buckets, W = ceil(126 / c), and 2.3 for each of W 2^(c-1) buckets; for
//! 2^16 full scalars and c = 14 that is 1,180,000 and 190,000. Width and tasks come from a cost
//! model (msm/plan.rs). Up to 24 points go another way: Straus' (msm/small.rs).
//!
//! For bases that stay the same a table of multiples lets windows share buckets (msm/fixed.rs).
//!
//! Threads: one worker for each thread of the pool, with buckets and window sums of its own, takes
//! tasks from a common counter until none is left. Which worker does which task changes the
//! coordinates of the result, never the point.
//!
//! What shaped the code: in affine coordinates P + P and P - P have no slope. Lanes find such a
//! pair by the block's product alone, which is zero, at no cost where there is none, and leave
//! it to plain Rust. An empty bucket is no point to add to: the first point is copied.
//!
//! Scratch may become zero at any moment: a process that exits wipes its secrets while threads of
//! the pool still work. So whatever lies there is checked where it is used or is an offset, and
//! zero is good for all of it; no address lies there, and no loop waits for it.
//!
//! Time and memory accesses depend on the scalars. Scratch holds digits and partial sums when this
//! returns, also after an error: an arena for secret scalars must be a secret one, or be wiped.
//! Stacks of the pool hold some too, until [`Pool::scrub_stacks`]. The heap gets nothing of scalars
//! but the list of tasks, which tells about how many of them are long.

pub(crate) mod adder;
mod buckets;
pub(crate) mod digits;
mod fixed;
pub(crate) mod glv;
#[cfg(feature = "measure")]
pub(crate) mod measured;
pub(crate) mod multiples;
mod plan;
mod reduce;
mod small;
#[cfg(test)]
mod tests;
mod worker;

use core::iter;

use nalloc::Arena;

use crate::arch::Kernels;
use crate::buffer::Pieces;
use crate::curve::{Affine, CurveField, Jacobian, Xyzz};
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::{Pool, THREADS_MAX};

use adder::{ARRAY_SLACK_BYTES, BLOCK, Entry, POINTS_MAX, Points};
use buckets::{Buckets, TAGS};
use digits::{Blank, CHUNK, Digits, Mix, Reached, Windows};
pub use fixed::{FixedBases, FixedPlan, TableLimits};
use plan::{Plan, Shape};
use worker::{Job, Progress, WindowSums};

/// Arrays that one call takes from its arena: six, and seven for each thread.
const ARRAYS: usize = 6;
const ARRAYS_OF_THREAD: usize = 7;
/// Chunks that are recoded between two questions to the observer: about a millisecond.
const CHUNKS_PER_QUESTION: usize = 16;

/// The sum of `scalars[i]` * `bases[i]` over all i; infinity for none.
///
/// Scalars are plain integers below r, least significant limb first. Bases are points of their
/// group, infinity included; for one that is not in it the sum is of no use. Takes at most
/// [`msm_scratch_bytes`] from `scratch`. The observer is asked about once a millisecond and sees
/// the phase "msm".
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::TooManyPoints`] above 2^30, [`Error::ScalarNotCanonical`],
/// [`Error::PointNotCanonical`], [`Error::Memory`] where `scratch` is too full,
/// [`Error::Cancelled`].
pub fn msm<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[[u64; 4]],
    pool: &Pool,
    scratch: &Arena,
    observer: &dyn Observer,
) -> Result<Jacobian<F>, Error> {
    msm_with_kernels(bases, scalars, pool, scratch, observer, Kernels::host())
}

/// As [`msm`], with the kernels of the caller's choice.
///
/// # Errors
/// As [`msm`].
pub fn msm_with_kernels<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[[u64; 4]],
    pool: &Pool,
    scratch: &Arena,
    observer: &dyn Observer,
    kernels: Kernels,
) -> Result<Jacobian<F>, Error> {
    Sum { bases, table: None, scalars, pool, scratch, observer, kernels }.checked()
}

/// What is summed, and with what.
struct Sum<'a, F> {
    bases: &'a [Affine<F>],
    /// Multiples of the bases, where there are some.
    table: Option<Table<'a, F>>,
    scalars: &'a [[u64; 4]],
    pool: &'a Pool,
    scratch: &'a Arena,
    observer: &'a dyn Observer,
    kernels: Kernels,
}

/// What a sum uses of a table.
#[derive(Clone, Copy)]
struct Table<'a, F> {
    points: Points<'a, F>,
    shape: Shape,
}

/// The recoded scalars.
struct Recoded<'a, F> {
    order: &'a [u32],
    digits: &'a [Digits],
    reached: &'a [Reached],
    images: &'a [F],
}

impl<'a, F: CurveField> Sum<'a, F> {
    /// In the way that suits the lengths, which are checked.
    fn checked(&self) -> Result<Jacobian<F>, Error> {
        let (expected, got) = (self.bases.len(), self.scalars.len());
        if got != expected {
            return Err(Error::LengthMismatch { what: "scalars", expected, got });
        }
        if got > POINTS_MAX {
            return Err(Error::TooManyPoints { max: POINTS_MAX, got });
        }
        let (mix, threads) = (Mix::of(self.scalars), self.pool.thread_count());
        match self.table {
            Some(Table { shape, .. }) => self.large(Plan::with_table(got, mix, threads, shape)),
            None if got <= small::POINTS_MAX => self.small(),
            None => self.large(Plan::new(got, mix, threads)),
        }
    }

    /// Without buckets.
    fn small(&self) -> Result<Jacobian<F>, Error> {
        let recoded = self.recode(Windows::new(Windows::BITS_MIN))?;
        let Some(reached) = recoded.reached.first() else { return Ok(Jacobian::INFINITY) };
        if self.observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let sum = small::sum(self.bases, recoded.order, reached, recoded.digits);
        self.observer.progress("msm", 1, 1);
        Ok(sum)
    }

    /// With buckets, as planned.
    fn large(&self, plan: Plan) -> Result<Jacobian<F>, Error> {
        let Recoded { order, digits, reached, images } = self.recode(plan.windows)?;
        let (tasks, sets) = (plan.tasks(), plan.set_count());
        let workers = tasks.len().min(self.pool.thread_count());
        let sums = self.scratch.try_alloc_array::<Xyzz<F>>(workers * sets)?;
        let partials = self.scratch.try_alloc_array::<Xyzz<F>>(workers * sets)?;
        let buckets = iter::repeat_with(|| self.buckets(plan.rows()));
        let mut buckets: Vec<_> = buckets.take(workers).collect::<Result<_, _>>()?;
        let own = Points { bases: self.bases, images };
        let points = self.table.as_ref().map_or(own, |table| table.points);
        let (tasks, observer, progress) = (&*tasks, self.observer, Progress::default());
        let job = Job { points, order, digits, reached, plan, tasks, observer, progress };
        let own = sums.chunks_exact_mut(sets).zip(partials.chunks_exact_mut(sets));
        let own = own.map(|(sums, partial)| WindowSums { sums, partial });
        self.pool.scope(|scope| {
            let job = &job;
            for (buckets, own) in buckets.iter_mut().zip(own) {
                scope.spawn(move |_| job.work(buckets, own));
            }
        });
        if job.progress.is_stopped() {
            return Err(Error::Cancelled);
        }
        Ok(combine(sums, sets, plan.windows.bits()))
    }

    /// Digits of all scalars and images of all points, by all threads.
    fn recode(&self, windows: Windows) -> Result<Recoded<'a, F>, Error> {
        let n = self.bases.len();
        let mut order = Pieces::new(self.scratch.try_alloc_uninit::<u32>(n)?);
        let digits = self.scratch.try_alloc_uninit::<Digits>(n * windows.count())?;
        let mut digits = Pieces::new(digits);
        let mut reached = Pieces::new(self.scratch.try_alloc_uninit(n.div_ceil(CHUNK))?);
        let made = if self.table.is_none() { n } else { 0 };
        let mut images = Pieces::new(self.scratch.try_alloc_uninit::<F>(made)?);
        let bases = self.bases.chunks(CHUNK).zip(self.scalars.chunks(CHUNK));
        let codes = order.chunks(CHUNK).zip(digits.chunks(CHUNK * windows.count()));
        let images_of = images.chunks(CHUNK).map(Some).chain(iter::repeat_with(|| None));
        let others = reached.chunks(1).zip(images_of);
        let chunks = (0..).step_by(CHUNK).zip(bases).zip(codes).zip(others);
        let mut chunks = chunks.map(|(((first, (bases, scalars)), (order, digits)), others)| {
            let (reached, images) = others;
            Blank { first, bases, scalars, order, digits, reached, images }
        });
        let recode = |chunks: Vec<Blank<'_, F>>| {
            for (index, chunk) in chunks.into_iter().enumerate() {
                if index % CHUNKS_PER_QUESTION == 0 && self.observer.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                chunk.zeroed().recode(windows, self.kernels)?;
            }
            Ok(())
        };
        let share = n.div_ceil(CHUNK).div_ceil(self.pool.thread_count()).max(1);
        let mut results = Vec::new();
        results.resize(n.div_ceil(CHUNK).div_ceil(share), Ok(()));
        self.pool.scope(|scope| {
            for result in &mut results {
                let chunks: Vec<_> = chunks.by_ref().take(share).collect();
                scope.spawn(|_| *result = recode(chunks));
            }
        });
        results.into_iter().collect::<Result<(), _>>()?;
        drop(chunks);
        let (order, digits) = (order.finish(), digits.finish());
        Ok(Recoded { order, digits, reached: reached.finish(), images: images.finish() })
    }

    /// What one thread works with.
    fn buckets(&self, rows: usize) -> Result<Buckets<'a, F>, Error> {
        let scratch = self.scratch;
        Ok(Buckets {
            rows: scratch.try_alloc_array::<Affine<F>>(rows)?,
            tags: scratch.try_alloc_array::<u8>(TAGS)?.try_into().expect("as long as asked for"),
            block: scratch
                .try_alloc_array::<Entry>(BLOCK)?
                .try_into()
                .expect("as long as asked for"),
            queue: scratch
                .try_alloc_array::<Entry>(BLOCK)?
                .try_into()
                .expect("as long as asked for"),
            adder: F::adder(self.kernels, scratch)?,
            current: 0,
            in_block: 0,
            in_queue: 0,
            count: 0,
            turn: 0,
        })
    }
}

/// The sum over all sets of 2^(c * set) times the set's sum, which is the sum of what each worker
/// has for it.
fn combine<F: CurveField>(sums: &[Xyzz<F>], sets: usize, bits: u32) -> Jacobian<F> {
    let mut result = Xyzz::INFINITY;
    for set in (0..sets).rev() {
        for _ in 0..bits {
            result = result.double();
        }
        for sum in sums.iter().skip(set).step_by(sets) {
            result.add(sum);
        }
    }
    result.to_jacobian()
}

/// An upper bound of the bytes that [`msm`] takes from its arena for `n` points on a pool of
/// `threads` threads. It holds for [`msm_with_kernels`] with all kernels of this CPU, also those
/// that [`Kernels::host`] did not choose.
#[must_use]
pub fn msm_scratch_bytes<F: CurveField>(n: usize, threads: usize) -> usize {
    let n = n.min(POINTS_MAX);
    let threads = threads.clamp(1, THREADS_MAX);
    let (windows, rows) = Plan::bounds(n, threads);
    let windows = windows.max(if n <= small::POINTS_MAX { digits::WINDOWS_MAX } else { 0 });
    n * size_of::<F>() + bytes_of::<F>(n, threads, windows, rows)
}

/// Bytes of scratch but for images, with so many windows, and so many rows for each thread.
fn bytes_of<F: CurveField>(n: usize, threads: usize, windows: usize, rows: usize) -> usize {
    let of_point = size_of::<u32>() + windows * size_of::<Digits>();
    let recoded = n * of_point + n.div_ceil(CHUNK) * size_of::<Reached>();
    let sums = 2 * windows * size_of::<Xyzz<F>>();
    let lists = TAGS + 2 * BLOCK * size_of::<Entry>();
    // Lanes take what plain Rust takes, and more.
    let adder = F::adder_bytes(Kernels::ifma().unwrap_or(Kernels::PORTABLE));
    let of_thread = rows * size_of::<Affine<F>>() + lists + sums + adder;
    let slack = (ARRAYS + threads * ARRAYS_OF_THREAD) * ARRAY_SLACK_BYTES;
    recoded + threads * of_thread + slack
}
