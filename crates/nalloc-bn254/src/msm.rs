//! Multi-scalar multiplication: the sum of many points, each times a scalar
//! (Pippenger's buckets).
//!
//! The steps:
//!
//! 1. **Class.** A scalar above r/2 is replaced by r - s and its point by -P, so that -1 is as
//!    small as 1. Zeros and points at infinity are dropped. The rest are classed by length in
//!    steps of 16 bits: witnesses are full of bits and small numbers.
//! 2. **Plan.** From the number in each class, a cost model picks the width c of a window and how
//!    many scalars one task takes (msm/plan.rs).
//! 3. **Recode.** A scalar is read as digits of c bits from -2^(c-1) to 2^(c-1) - 1, one for each
//!    window. Adding 2^(c-1) in every window but the last once, and taking it off each digit when
//!    it is read, makes every digit readable on its own, without carries (msm/digits.rs). Recoded
//!    scalars are stored longest class first, so that a window walks only the scalars that reach
//!    it: the sum of all products with 0 or 1 is a few additions in the lowest window.
//! 4. **Accumulate.** A task is one window and a run of scalars. For each scalar it adds the point
//!    (or its opposite) to the bucket of its digit's size: 2^(c-1) buckets in XYZZ coordinates,
//!    8M + 2S for an addition.
//! 5. **Reduce.** The task's sum of d times bucket d, by running sums from the top: two additions
//!    of 12M + 2S for each bucket, and none above the highest bucket that holds anything.
//! 6. **Combine.** The windows' sums, from the top, with c doublings between two of them.
//!
//! Cost: n * ceil(255 / c) additions to buckets and 2^c * ceil(255 / c) between them; for 2^13
//! full scalars and c = 10 that is 213,000 and 27,000.
//!
//! Threads: one worker for each thread of the pool, each with buckets and window sums of its own,
//! takes tasks from a common counter until none is left. Which worker does which task changes the
//! coordinates of the result, never the point.
//!
//! Equal points, P and -P in one bucket, and buckets that become empty again need no care here:
//! additions of XYZZ points are complete. A run of scalars all equal puts all its points into one
//! bucket, which is no slower than other runs.
//!
//! Time and memory accesses depend on the scalars. Scratch holds the recoded scalars and partial
//! sums when this returns, also after an error: an arena for secret scalars must be a secret one,
//! or be wiped.

mod bucket;
mod digits;
mod plan;

use nalloc::Arena;

use crate::curve::{Affine, CurveField, Jacobian, Xyzz};
use crate::error::Error;
use crate::field::Fq2;
use crate::observer::Observer;
use crate::pool::Pool;

use bucket::Job;
use digits::{ClassCounts, Recoded};
use plan::Plan;

/// What an arena may lose to alignment and placement, for each array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;
/// Arrays that one call takes from its arena.
const ARRAYS: usize = 3;

/// The sum of `scalars[i]` * `bases[i]` over all i; infinity for none.
///
/// Scalars are plain integers below r, least significant limb first. Bases may be any points of
/// their curve, infinity included; points of G2's curve outside of G2 count as if r * P were
/// infinity. Takes at most [`msm_scratch_bytes`] from `scratch` and allocates nothing else but
/// the tasks' handles. The observer is asked about once a millisecond and sees the phase "msm".
///
/// # Errors
/// [`Error::LengthMismatch`], [`Error::TooManyPoints`] above 2^31, [`Error::ScalarNotCanonical`],
/// [`Error::Memory`] where `scratch` is too full, [`Error::Cancelled`].
pub fn msm<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[[u64; 4]],
    pool: &Pool,
    scratch: &Arena,
    observer: &dyn Observer,
) -> Result<Jacobian<F>, Error> {
    if scalars.len() != bases.len() {
        let (expected, got) = (bases.len(), scalars.len());
        return Err(Error::LengthMismatch { what: "scalars", expected, got });
    }
    if bases.len() > digits::POINTS_MAX {
        return Err(Error::TooManyPoints { max: digits::POINTS_MAX, got: bases.len() });
    }

    let counts = ClassCounts::of(bases, scalars, observer)?;
    if counts.total() == 0 {
        return Ok(Jacobian::INFINITY);
    }
    let window_bits_max = plan::window_bits_max(bases.len(), pool.thread_count());
    let plan = Plan::new(&counts, pool.thread_count(), window_bits_max);
    let recoded = scratch.try_alloc_array::<Recoded>(counts.total())?;
    digits::recode(bases, scalars, &counts, plan.windows, recoded, observer)?;

    let workers = plan.task_count().min(pool.thread_count());
    let windows = plan.windows.count();
    let buckets = scratch.try_alloc_array::<Xyzz<F>>(workers * plan.windows.bucket_count())?;
    let sums = scratch.try_alloc_array::<Xyzz<F>>(workers * windows)?;
    Job::new(bases, recoded, &plan, observer).run(buckets, sums, pool)?;
    Ok(combine(sums, windows, plan.windows.bits()))
}

/// The sum over all windows of 2^(c * window) times the window's sum, which is the sum of what
/// each worker has for it.
fn combine<F: CurveField>(sums: &[Xyzz<F>], windows: usize, bits: u32) -> Jacobian<F> {
    let mut result = Xyzz::INFINITY;
    for window in (0..windows).rev() {
        for _ in 0..bits {
            result = result.double();
        }
        for sum in sums.iter().skip(window).step_by(windows) {
            result.add(sum);
        }
    }
    result.to_jacobian()
}

/// An upper bound of the bytes that [`msm`] takes from its arena for `n` points of either group on
/// a pool of `threads` threads.
#[must_use]
pub fn msm_scratch_bytes(n: usize, threads: usize) -> usize {
    let point_bytes = size_of::<Xyzz<Fq2>>();
    let buckets = 1usize << (plan::window_bits_max(n, threads) - 1);
    let points_per_worker = buckets + plan::WINDOWS_MAX;
    n.saturating_mul(size_of::<Recoded>())
        .saturating_add(threads.saturating_mul(points_per_worker * point_bytes))
        .saturating_add(ARRAYS * ARRAY_SLACK_BYTES)
}
