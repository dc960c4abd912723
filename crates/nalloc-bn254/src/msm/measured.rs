//! Sums with windows of any width, for `npm run bench:peers -- windows`.

use core::ops::RangeInclusive;

use nalloc::Arena;

use super::adder::BLOCK;
use super::digits::{Mix, Windows};
use super::plan::{ADDITION_NS, BUCKET_NS, CROWDED_NS, Plan, TASK_NS};
use super::{Sum, bytes_of};
use crate::arch::Kernels;
use crate::curve::{Affine, CurveField, Jacobian};
use crate::error::Error;
use crate::pool::Pool;

/// Bits of the windows that a sum can have.
pub const WIDTHS: RangeInclusive<u32> = Windows::BITS_MIN..=Windows::BITS_MAX;

/// What one thread pays for in a sum of scalars that are all long.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Additions of a point to a bucket, those included that a digit of zero spares.
    pub additions: usize,
    /// Buckets that are reduced.
    pub buckets: usize,
    /// Tasks that have windows.
    pub tasks: usize,
    /// Additions times the length of a block, by the buckets of a task.
    pub crowded: usize,
}

/// The constants of the cost model, in ns, in the order of [`Cut`].
pub const COSTS_NS: [u64; 4] = [ADDITION_NS, BUCKET_NS, TASK_NS, CROWDED_NS];

/// How a sum of `n` points with windows of `bits` bits is cut for one thread.
#[must_use]
pub fn cut(n: usize, bits: u32) -> Cut {
    let plan = Plan::with_bits(n, bits, 1);
    let sets = plan.set_count();
    let (additions, buckets) = (2 * n * sets, sets << (bits - 1));
    let tasks = plan.tasks().iter().filter(|task| !task.sets.is_empty()).count();
    Cut { additions, buckets, tasks, crowded: additions * BLOCK * tasks / buckets }
}

/// The width that is planned for `n` scalars that are all long.
#[must_use]
pub fn planned_width(n: usize, threads: usize) -> u32 {
    Plan::new(n, Mix::LONG, threads).windows.bits()
}

/// Bytes that [`msm_of_width`] takes from its arena.
#[must_use]
pub fn scratch_bytes<F: CurveField>(n: usize, bits: u32, threads: usize) -> usize {
    let plan = Plan::with_bits(n, bits, threads);
    n * size_of::<F>() + bytes_of::<F>(n, threads, plan.windows.count(), plan.rows())
}

/// As [`msm`](crate::msm()), with buckets for any number of points, and with windows of `bits` bits.
///
/// # Errors
/// As [`msm`](crate::msm()).
///
/// # Panics
/// For `bits` outside of [`WIDTHS`], and for slices of different lengths.
pub fn msm_of_width<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[[u64; 4]],
    bits: u32,
    pool: &Pool,
    scratch: &Arena,
) -> Result<Jacobian<F>, Error> {
    assert!(WIDTHS.contains(&bits), "a width of {WIDTHS:?}");
    assert_eq!(bases.len(), scalars.len(), "a scalar for each base");
    let kernels = Kernels::host();
    let sum = Sum { bases, table: None, scalars, pool, scratch, observer: &(), kernels };
    sum.large(Plan::with_bits(bases.len(), bits, pool.thread_count()))
}
