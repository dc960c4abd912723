//! Many additions of points at once, with one inversion for all of them: the work of the MSM.
//!
//! An addition is 5M + 1S in affine coordinates, three of them for its share of the inversion:
//!
//! ```text
//! forward    d = x2 - x1, before = product, product = product * d
//! backward   t = inverse * before, inverse = inverse * d
//!            l = (y2 - y1) * t, x3 = l^2 - x1 - x2, y3 = l * (x1 - x3) - y1
//! ```
//!
//! An addition whose points have equal x has no d: then it is 2y, and l has 3x^2 above it, or the
//! sum is infinity. [`Portable`] looks at every d. Kernels with lanes look at the product of all
//! alone, which is zero where one d is, and hand such pairs to [`Portable`].
//!
//! Rows are what sums are kept in. Their coordinates may exceed the modulus, as a kernel leaves
//! them: only adders, and [`settled`], understand them. A row of zeros is infinity, and nobody asks
//! to add it, or to it.

use nalloc::Arena;

use crate::arch::near::prefetch;
use crate::curve::{Affine, CurveField};
use crate::error::Error;

/// The most additions that share an inversion. In lanes 2048 take 65 cycles each, 1024 take 68 and
/// 4096, whose notes leave the second-level cache, 67 (one thread, 2-core Zen 5 at 4.05 GHz, a
/// prototype's `kern`, 2026-11-21).
pub(crate) const BLOCK: usize = 2048;
/// What an arena may lose to the placement of one array.
pub(super) const ARRAY_SLACK_BYTES: usize = 3 * 4096;

/// One addition: to which row, and what.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Entry(pub u64);

// SAFETY: an integer.
unsafe impl nalloc::Zeroable for Entry {}

/// Additions ahead of which [`Portable`] asks for rows. They lie anywhere in 2 MiB, and a third of
/// its time was waiting for them (`perf annotate`, 2^16 points, 2-core Zen 5, 2026-11-22). Other
/// distances were not tried.
const AHEAD: usize = 16;

/// Bit of an entry that says that the opposite is added.
pub(crate) const OPPOSITE: u64 = 1;
/// Bit of an entry that says that the point's image is added: (beta x, y).
pub(crate) const IMAGE: u64 = 2;
/// Bits of an entry below the index of the point.
pub(crate) const FLAG_BITS: u32 = 2;
/// Bits of an entry below the row that is added to.
pub(crate) const TO_SHIFT: u32 = 32;
/// The most points: their index and two flags share 32 bits.
pub(crate) const POINTS_MAX: usize = 1 << (TO_SHIFT - FLAG_BITS);

impl Entry {
    /// Row `from` added to row `to`.
    pub(super) fn rows(to: usize, from: usize) -> Self {
        Self((to as u64) << TO_SHIFT | (from as u64) << FLAG_BITS)
    }

    /// The row that is added to.
    pub(crate) fn to(self) -> usize {
        (self.0 >> TO_SHIFT) as usize
    }

    /// The point or row that is added.
    #[expect(clippy::cast_possible_truncation, reason = "30 bits")]
    pub(crate) fn from(self) -> usize {
        (self.0 as u32 >> FLAG_BITS) as usize
    }
}

/// What entries take their points from.
#[derive(Clone, Copy)]
pub enum Source<'a, F> {
    /// Points that do not change.
    Points(Points<'a, F>),
    /// The rows themselves; such entries have no flags.
    Rows,
}

/// Canonical points, and beta times each of their x.
#[derive(Clone, Copy)]
pub struct Points<'a, F> {
    pub bases: &'a [Affine<F>],
    pub images: &'a [F],
}

impl<F: CurveField> Points<'_, F> {
    /// The point that an entry means.
    pub(super) fn get(&self, entry: Entry) -> Affine<F> {
        let index = entry.from();
        let Affine { x, y } = self.bases[index];
        // Selected, because nobody can predict which: a branch is wrong half of the time.
        let mask = |bit: u64| u64::from(entry.0 & bit != 0).wrapping_neg();
        Affine {
            x: F::select(mask(IMAGE), self.images[index], x),
            y: F::select(mask(OPPOSITE), -y, y),
        }
    }
}

/// A way to do many additions, with its scratch. One thread has one.
pub trait Adder<F>: Send {
    /// `rows[entry.to()] += entry`, for up to [`BLOCK`] entries to different rows, none of which
    /// reads a row that another one writes. Neither side is infinity; whether a sum may be.
    fn add(&mut self, rows: &mut [Affine<F>], source: Source<'_, F>, entries: &[Entry]) -> bool;

    /// Asks for points that will be added soon, whose indices count from `first` on.
    fn prefetch(&self, points: &Points<'_, F>, indices: &[u32], first: usize) {
        let _ = (points, indices, first);
    }
}

/// Additions in plain Rust, for all CPUs and all pairs of points.
pub(crate) struct Portable<'a, F> {
    /// Of each entry.
    denominators: &'a mut [F],
    /// Before each entry.
    products: &'a mut [F],
}

impl<'a, F: CurveField> Portable<'a, F> {
    /// Takes [`portable_bytes`] at most.
    pub(crate) fn new(scratch: &'a Arena) -> Result<Self, Error> {
        let denominators = scratch.try_alloc_array::<F>(BLOCK)?;
        let products = scratch.try_alloc_array::<F>(BLOCK)?;
        Ok(Self { denominators, products })
    }
}

/// Bytes that a [`Portable`] takes from its arena.
pub(crate) fn portable_bytes<F>() -> usize {
    2 * (BLOCK * size_of::<F>() + ARRAY_SLACK_BYTES)
}

impl<F: CurveField> Adder<F> for Portable<'_, F> {
    fn add(&mut self, rows: &mut [Affine<F>], source: Source<'_, F>, entries: &[Entry]) -> bool {
        match source {
            Source::Points(points) => self.add_from(rows, entries, |_, entry| points.get(entry)),
            Source::Rows => self.add_from(rows, entries, |rows, entry| rows[entry.from()]),
        }
    }
}

impl<F: CurveField> Portable<'_, F> {
    /// Adds what `from` says for each entry; whether a pair had equal x.
    fn add_from(
        &mut self,
        rows: &mut [Affine<F>],
        entries: &[Entry],
        from: impl Fn(&[Affine<F>], Entry) -> Affine<F>,
    ) -> bool {
        // Two chains of products: one waits for its last product when another could begin.
        let mut products = [F::ONE; 2];
        let mut has_equal_x = false;
        let notes = self.denominators.iter_mut().zip(self.products.iter_mut());
        for (index, (&entry, (denominator, before))) in entries.iter().zip(notes).enumerate() {
            if let Some(ahead) = entries.get(index + AHEAD) {
                prefetch(rows, ahead.to());
            }
            let (a, b) = (rows[entry.to()], from(rows, entry));
            let mut d = b.x - a.x;
            if d.is_zero() {
                has_equal_x = true;
                d = if is_doubling(&a, &b) { a.y.double() } else { F::ONE };
            }
            let [product, other] = products;
            (*denominator, *before) = (d, product);
            products = [other, product.times_lazily(d)];
        }
        // No factor is zero.
        let [last, other] = products;
        let inverse = last.times(other).invert_vartime().unwrap_or(F::ZERO);
        let mut inverses = [other.times(inverse), last.times(inverse)];
        let notes = self.denominators.iter().zip(self.products.iter());
        for (&entry, (denominator, before)) in entries.iter().zip(notes).rev() {
            let (a, b) = (rows[entry.to()], from(rows, entry));
            let [other, inverse] = inverses;
            inverses = [inverse.times_lazily(*denominator), other];
            let mut numerator = b.y - a.y;
            if has_equal_x && a.x == b.x {
                if !is_doubling(&a, &b) {
                    rows[entry.to()] = Affine::INFINITY;
                    continue;
                }
                let square = a.x.square();
                numerator = square.double() + square;
            }
            let slope = inverse.times_lazily(*before).times(numerator);
            let x = slope.times(slope) - a.x - b.x;
            rows[entry.to()] = Affine { x, y: slope.times(a.x - x) - a.y };
        }
        has_equal_x
    }
}

/// Whether two points with equal x are one that has a tangent; else their sum is infinity.
fn is_doubling<F: CurveField>(a: &Affine<F>, b: &Affine<F>) -> bool {
    a.y == b.y && !a.y.is_zero()
}

/// The point that a row stands for.
pub(crate) fn settled<F: CurveField>(row: &Affine<F>) -> Affine<F> {
    Affine { x: row.x.settled(), y: row.y.settled() }
}
