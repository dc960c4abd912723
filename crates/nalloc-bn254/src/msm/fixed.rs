//! Tables for bases that stay the same: of each point P also 2^(cS) P, 2^(2cS) P, ..
//!
//! Then a digit of window w + Sl is one of window w, of level l: S sets of buckets are reduced in
//! the place of all windows', and windows may be wider. Additions to buckets are as many as before,
//! so the gain is what reductions took, and what wider windows save. A level is 96 bytes for each
//! point of G1, 192 in G2: the point and its image, which then is not made for each sum.
//!
//! | random scalars, 2 threads | plain | with a table | windows, levels | MiB | built in |
//! |---|---|---|---|---|---|
//! | G1 2^12 | 2.18 ms | 1.24 | 13 bits, 5 | 1 | 7 ms |
//! | G1 2^14 | 5.41 | 4.10 | 14 bits, 5 | 6 | 37 |
//! | G1 2^16 | 14.45 | 12.57 | 16 bits, 4 | 20 | 118 |
//! | G1 2^18 | 51.8 | 48.7 | 16 bits, 4 | 80 | 427 |
//! | G2 2^14 | 15.6 | 13.0 | 14 bits, 9 | 25 | 130 |
//!
//! Minima of one run, other programs at work, 2-core Zen 5 at 4.0 GHz, 2026-11-21. From 2^20 on the
//! gain is not worth the memory, and no table is planned.
//!
//! A table is built level by level, by additions alone, as lanes know no doublings: with a point T
//! of our choice, X + (X + T) = 2 X + T, and after s such steps 2^s P + (2^s - 1) T. Two additions
//! for each of c S doublings, and a last one that takes (2^s - 1) T away. A block in which one of
//! them had no slope is done once more, by doublings.

#[cfg(test)]
mod tests;

use core::marker::PhantomData;

use nalloc::Arena;

use super::adder::{ARRAY_SLACK_BYTES, Adder, BLOCK, Entry, POINTS_MAX, Points, Source, settled};
use super::digits::{Mix, Windows, write_images};
use super::plan::{Plan, Shape};
use super::{Sum, Table, bytes_of, msm_scratch_bytes, small};
use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::curve::{Affine, CurveField, Jacobian};
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::{Pool, THREADS_MAX};

/// What the observer sees.
const PHASE: &str = "table";
/// A table, or a larger one, is worth its memory where it saves more than one part in so many of
/// the time, by the model.
const GAIN_MIN: u64 = 16;
/// T is the generator times this: a number that no key is likely to have.
const SHIFT: u64 = 0x6e61_6c6c_6f63_0254;

/// For how many threads a table is meant, and how much memory it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Threads of the pool that will sum.
    pub threads: usize,
    /// Bytes that a table may have beside the points themselves.
    pub bytes_max: usize,
}

/// What a table would be, before it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedPlan<F> {
    n: usize,
    /// None where no table is worth its memory, or none fits.
    shape: Option<Shape>,
    field: PhantomData<F>,
}

impl<F: CurveField> FixedPlan<F> {
    /// The fastest table for `n` points within the limits; of nearly as fast ones the smallest.
    #[must_use]
    pub fn new(n: usize, limits: TableLimits) -> Self {
        let threads = limits.threads.clamp(1, THREADS_MAX);
        if n <= small::POINTS_MAX {
            return Self { n, shape: None, field: PhantomData };
        }
        let cost_ns = |shape| Plan::with_table(n, Mix::LONG, threads, shape).cost_of_long_ns(n);
        let plain_ns = Plan::new(n, Mix::LONG, threads).cost_of_long_ns(n);
        let shapes = (Windows::BITS_MIN..=Windows::BITS_MAX).flat_map(Shape::all_of);
        let fitting = shapes.filter(|shape| {
            let is_in_range = n.checked_mul(shape.levels).is_some_and(|all| all <= POINTS_MAX);
            is_in_range
                && Self { n, shape: Some(*shape), field: PhantomData }.table_bytes()
                    <= limits.bytes_max
        });
        let fitting: Vec<_> = fitting.map(|shape| (cost_ns(shape), shape)).collect();
        let best_ns = fitting.iter().map(|&(ns, _)| ns).min().unwrap_or(plain_ns);
        let near = fitting.into_iter().filter(|&(ns, _)| ns <= best_ns + best_ns / GAIN_MIN);
        let smallest = near.min_by_key(|&(ns, shape)| (shape.levels, ns));
        let pays = smallest.filter(|&(ns, _)| ns < plain_ns - plain_ns / GAIN_MIN);
        Self { n, shape: pays.map(|(_, shape)| shape), field: PhantomData }
    }

    /// Of a shape of the caller's choice.
    #[cfg(test)]
    pub(super) fn of_shape(n: usize, shape: Shape) -> Self {
        Self { n, shape: Some(shape), field: PhantomData }
    }

    /// How many multiples of each point there are, itself included: 1 means that no table is worth
    /// its memory, or fits, and that sums are those of [`msm`](super::msm).
    #[must_use]
    pub fn levels(&self) -> usize {
        self.shape.map_or(1, |shape| shape.levels)
    }

    /// Bytes that the table takes beside the points, but for what rounding to pages adds.
    #[must_use]
    pub fn table_bytes(&self) -> usize {
        let levels = self.shape.map_or(0, |shape| shape.levels);
        let images = levels * size_of::<F>();
        let points = levels.saturating_sub(1) * size_of::<Affine<F>>();
        self.n.saturating_mul(images + points)
    }

    /// An upper bound of the bytes that [`FixedBases::msm`] takes from its arena on a pool of
    /// `threads` threads.
    #[must_use]
    pub fn scratch_bytes(&self, threads: usize) -> usize {
        let threads = threads.clamp(1, THREADS_MAX);
        let Some(shape) = self.shape else { return msm_scratch_bytes::<F>(self.n, threads) };
        // Whether scalars are short changes only how sets are grouped.
        let mixes = [Mix { halved: 0, short: 256 }, Mix::LONG];
        let plans = mixes.map(|mix| Plan::with_table(self.n, mix, threads, shape));
        let rows = plans.map(|plan| plan.rows()).into_iter().max().unwrap_or(0);
        bytes_of::<F>(self.n, threads, plans[0].windows.count(), rows)
    }
}

/// Points that will be multiplied often, with a table of their multiples where one pays.
pub struct FixedBases<F> {
    /// Level by level.
    points: HeapBuffer<Affine<F>>,
    /// beta x of each; none without a table.
    images: HeapBuffer<F>,
    plan: FixedPlan<F>,
}

impl<F: CurveField> FixedBases<F> {
    /// Takes `points`, and builds what was planned for them, in about the time of ten sums.
    /// The observer sees the phase "table".
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where the plan is for another number of points,
    /// [`Error::PointNotCanonical`], [`Error::Memory`], [`Error::Cancelled`].
    pub fn new(
        points: HeapBuffer<Affine<F>>,
        plan: FixedPlan<F>,
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        Self::with_kernels(points, plan, pool, observer, Kernels::host())
    }

    /// As [`new`](Self::new), with the kernels of the caller's choice.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_kernels(
        points: HeapBuffer<Affine<F>>,
        plan: FixedPlan<F>,
        pool: &Pool,
        observer: &dyn Observer,
        kernels: Kernels,
    ) -> Result<Self, Error> {
        if points.len() != plan.n {
            let (expected, got) = (plan.n, points.len());
            return Err(Error::LengthMismatch { what: "points", expected, got });
        }
        let is_wrong = |point: &Affine<F>| !(point.x.is_canonical() && point.y.is_canonical());
        if let Some(index) = points.iter().position(is_wrong) {
            return Err(Error::PointNotCanonical { index });
        }
        let Some(shape) = plan.shape else {
            return Ok(Self { points, images: HeapBuffer::zeroed(0)?, plan });
        };
        let mut all = HeapBuffer::<Affine<F>>::zeroed(plan.n * shape.levels)?;
        all[..plan.n].copy_from_slice(&points);
        drop(points);
        let mut images = HeapBuffer::<F>::zeroed(all.len())?;
        Builder { shape, pool, observer, kernels }.fill(plan.n, &mut all)?;
        pool.for_each_chunk_mut(&mut images, BLOCK, |first, images| {
            write_images(&all[first..first + images.len()], images, kernels);
        });
        Ok(Self { points: all, images, plan })
    }

    /// The points themselves.
    #[must_use]
    pub fn points(&self) -> &[Affine<F>] {
        &self.points[..self.plan.n]
    }

    /// What was built.
    #[must_use]
    pub fn plan(&self) -> FixedPlan<F> {
        self.plan
    }

    /// As [`msm`](super::msm) over [`points`](Self::points), with scratch of
    /// [`FixedPlan::scratch_bytes`].
    ///
    /// # Errors
    /// As [`msm`](super::msm).
    pub fn msm(
        &self,
        scalars: &[[u64; 4]],
        pool: &Pool,
        scratch: &Arena,
        observer: &dyn Observer,
    ) -> Result<Jacobian<F>, Error> {
        self.msm_with_kernels(scalars, pool, scratch, observer, Kernels::host())
    }

    /// As [`msm`](Self::msm), with the kernels of the caller's choice.
    ///
    /// # Errors
    /// As [`msm`](Self::msm).
    pub fn msm_with_kernels(
        &self,
        scalars: &[[u64; 4]],
        pool: &Pool,
        scratch: &Arena,
        observer: &dyn Observer,
        kernels: Kernels,
    ) -> Result<Jacobian<F>, Error> {
        let points = Points { bases: &self.points, images: &self.images };
        let table = self.plan.shape.map(|shape| Table { points, shape });
        Sum { bases: self.points(), table, scalars, pool, scratch, observer, kernels }.checked()
    }
}

/// How a table is filled.
struct Builder<'a> {
    shape: Shape,
    pool: &'a Pool,
    observer: &'a dyn Observer,
    kernels: Kernels,
}

impl Builder<'_> {
    /// Writes all levels above the first one, which has `n` points.
    fn fill<F: CurveField>(&self, n: usize, all: &mut [Affine<F>]) -> Result<(), Error> {
        let mut levels: Vec<_> = all.chunks_mut(n).map(|level| level.chunks_mut(BLOCK)).collect();
        let mut next = || levels.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>();
        let blocks = n.div_ceil(BLOCK);
        let share = blocks.div_ceil(self.pool.thread_count()).max(1);
        let mut results: Vec<_> = (0..blocks.div_ceil(share)).map(|_| Ok(())).collect();
        self.pool.scope(|scope| {
            for result in &mut results {
                let blocks: Vec<_> = core::iter::from_fn(&mut next).take(share).collect();
                scope.spawn(|_| *result = self.fill_blocks(blocks));
            }
        });
        results.into_iter().collect::<Result<(), _>>()?;
        self.observer.progress(PHASE, 1, 1);
        Ok(())
    }

    /// As [`fill`](Self::fill), for blocks of points, each with its levels.
    fn fill_blocks<F: CurveField>(&self, blocks: Vec<Vec<&mut [Affine<F>]>>) -> Result<(), Error> {
        let bytes = 2 * BLOCK * size_of::<Affine<F>>() + ARRAY_SLACK_BYTES;
        let scratch = Arena::with_capacity(bytes + F::adder_bytes(self.kernels))?;
        let windows = Windows::new(self.shape.bits).count();
        let steps = self.shape.bits as usize * windows.div_ceil(self.shape.levels);
        let mut doubler = Doubler::new(steps, self.kernels, &scratch)?;
        for mut levels in blocks {
            for level in 1..levels.len() {
                if self.observer.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                let (below, above) = levels.split_at_mut(level);
                doubler.multiply(below[level - 1], above[0]);
            }
        }
        Ok(())
    }
}

/// Multiplies points by 2^`steps`.
struct Doubler<'a, F> {
    steps: usize,
    adder: Box<dyn Adder<F> + 'a>,
    /// A block of X, and a block of X + T.
    rows: &'a mut [Affine<F>],
    /// T, and the opposite of (2^steps - 1) T.
    shifts: [Affine<F>; 2],
}

impl<'a, F: CurveField> Doubler<'a, F> {
    fn new(steps: usize, kernels: Kernels, scratch: &'a Arena) -> Result<Self, Error> {
        let adder = F::adder(kernels, scratch)?;
        let rows = scratch.try_alloc_array::<Affine<F>>(2 * BLOCK)?;
        let t = Affine::GENERATOR.mul_plain_vartime(&[SHIFT, 0, 0, 0]).to_affine();
        let back = -doubled(&t, steps).to_affine();
        let shifts = [t, Jacobian::from(back).add_affine(&t).to_affine()];
        Ok(Self { steps, adder, rows, shifts })
    }

    /// `to[i]` = 2^steps `from[i]`, for a block of points at most.
    fn multiply(&mut self, from: &[Affine<F>], to: &mut [Affine<F>]) {
        let finite = from.iter().zip(&mut *to).filter(|(point, _)| !point.is_infinity());
        let len = finite.zip(&mut *self.rows).map(|((point, _), row)| *row = *point).count();
        let has_slopes = self.multiply_rows(len);
        let mut rows = self.rows.iter();
        for (point, to) in from.iter().zip(to).filter(|(point, _)| !point.is_infinity()) {
            *to = match rows.next() {
                Some(row) if has_slopes => settled(row),
                _ => doubled(point, self.steps).to_affine(),
            };
        }
    }

    /// Multiplies the first `len` rows; false where that needs more than slopes.
    fn multiply_rows(&mut self, len: usize) -> bool {
        let points = Points { bases: &self.shifts, images: &self.shifts.map(|shift| shift.x) };
        let entries = |entry: fn(usize) -> Entry| (0..len).map(entry).collect::<Vec<_>>();
        let shift = entries(|row| Entry::rows(BLOCK + row, 0));
        let sum = entries(|row| Entry::rows(row, BLOCK + row));
        let back = entries(|row| Entry::rows(row, 1));
        for _ in 0..self.steps {
            self.rows.copy_within(..len, BLOCK);
            if self.adder.add(self.rows, Source::Points(points), &shift)
                || self.adder.add(self.rows, Source::Rows, &sum)
            {
                return false;
            }
        }
        !self.adder.add(self.rows, Source::Points(points), &back)
    }
}

/// 2^`steps` times a point.
fn doubled<F: CurveField>(point: &Affine<F>, steps: usize) -> Jacobian<F> {
    (0..steps).fold(Jacobian::from(*point), |product, _| product.double())
}
