//! Scalars as signed digits that can be read one by one, ordered by length.
//!
//! With B = the sum of 2^(c-1) * 2^(c * k) over all windows k but the last, the digit of s in
//! window k is (bits c*k .. c*(k+1) of s + B) - 2^(c-1), and the last digit is read as it is.
//! Digits lie in -2^(c-1) .. 2^(c-1) - 1; the last one, of a number below 2^253 where all windows
//! have 255 bits or more, is at most 2^(c-1). s + B stays below 2^256.
//!
//! A number below 2^b has no digit but 0 from window ceil((b + 2) / c) on: there s is below a
//! quarter and B below two thirds of 2^(c * window), so nothing is carried across.

use core::ops::Range;

use nalloc::Zeroable;

use crate::curve::{Affine, CurveField};
use crate::error::Error;
use crate::field::Fr;
use crate::field::limbs::{self, Limbs};
use crate::observer::Observer;

/// Scalars between two questions to the observer: about a millisecond.
const SCALARS_PER_QUESTION: usize = 1 << 16;
/// The most points: an index and a sign share 32 bits.
pub(super) const POINTS_MAX: usize = 1 << 31;
/// Bits of the longest scalar after halving: (r - 1) / 2 is below 2^253.
const LONGEST_BITS: u32 = 253;
/// Scalars of one class differ in length by fewer bits than this.
const CLASS_BITS: u32 = 16;
/// Classes of scalars that are not zero: 1 to 16 bits, 17 to 32 bits, .. up to 256.
const CLASSES: usize = 16;
/// (r - 1) / 2, the largest number that is not replaced by its opposite.
const HALF: Limbs = limbs::shift_right(&Fr::MODULUS, 1);

/// How scalars are cut into windows of c bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    bits: u32,
}

impl Windows {
    /// The narrowest windows: with fewer bits the last digit would not fit its buckets.
    pub(super) const BITS_MIN: u32 = 2;
    /// The widest windows: 2^15 buckets, 4 MiB in G1.
    pub(super) const BITS_MAX: u32 = 16;

    /// Windows of `bits` bits, from 2 to 16.
    pub(super) fn new(bits: u32) -> Self {
        debug_assert!((Self::BITS_MIN..=Self::BITS_MAX).contains(&bits), "windows of {bits} bits");
        Self { bits }
    }

    /// The width c of a window.
    pub(super) fn bits(self) -> u32 {
        self.bits
    }

    /// How many windows a scalar of `bits` bits reaches.
    fn reached(self, bits: u32) -> usize {
        index((bits + 2).div_ceil(self.bits))
    }

    /// How many windows there are.
    pub(super) fn count(self) -> usize {
        self.reached(LONGEST_BITS)
    }

    /// Buckets of a window: one for each size of a digit but zero.
    pub(super) fn bucket_count(self) -> usize {
        1 << (self.bits - 1)
    }

    /// What is added to a scalar: half a window in every window but the last.
    fn bias(self) -> Limbs {
        let mut bias = [0; 4];
        for window in 0..self.count() - 1 {
            let bit = window * index(self.bits) + index(self.bits) - 1;
            bias[bit / 64] |= 1 << (bit % 64);
        }
        bias
    }
}

/// A count or position of few bits as an index.
fn index(small: u32) -> usize {
    small as usize
}

/// A digit's size, which has at most 16 bits, as an index.
#[expect(clippy::cast_possible_truncation, reason = "a digit's size has at most 16 bits")]
fn size_as_index(size: u64) -> usize {
    size as usize
}

/// How many scalars of each length there are that count: not zero, and not of infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClassCounts([usize; CLASSES]);

impl ClassCounts {
    /// Counts, and checks that every scalar is below r.
    pub(super) fn of<F: CurveField>(
        bases: &[Affine<F>],
        scalars: &[Limbs],
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let mut counts = [0; CLASSES];
        for (index, (base, scalar)) in bases.iter().zip(scalars).enumerate() {
            ask(observer, index)?;
            if !Fr::is_canonical(scalar) {
                return Err(Error::ScalarNotCanonical { index });
            }
            if let Some(class) = class_of(base, &halved(scalar).0) {
                counts[class] += 1;
            }
        }
        Ok(Self(counts))
    }

    /// `n` scalars of full length.
    pub(super) fn full(n: usize) -> Self {
        let mut counts = [0; CLASSES];
        counts[CLASSES - 1] = n;
        Self(counts)
    }

    /// How many there are in all.
    pub(super) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Windows that the same scalars reach, lowest windows first. Scalars that reach more windows
    /// come first in the order of [`recode`], so those that reach a group are the first ones.
    pub(super) fn groups(&self, windows: Windows) -> impl Iterator<Item = Group> {
        let lengths = (1..).map(|class| (class * CLASS_BITS).min(LONGEST_BITS));
        let (mut scalars, mut start) = (self.total(), 0);
        self.0.iter().zip(lengths).map(move |(count, bits)| {
            let end = windows.reached(bits);
            let group = Group { windows: start..end, scalars };
            (scalars, start) = (scalars - count, end);
            group
        })
    }
}

/// Windows that the same scalars reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Which windows, 0 for the lowest bits.
    pub(super) windows: Range<usize>,
    /// How many scalars reach them.
    pub(super) scalars: usize,
}

/// The smaller of s and r - s, and whether that is r - s.
fn halved(scalar: &Limbs) -> (Limbs, bool) {
    let is_above_half = limbs::is_less(&HALF, scalar);
    let (opposite, _) = limbs::sub(&Fr::MODULUS, scalar);
    let mask = u64::from(is_above_half).wrapping_neg();
    (limbs::select(mask, &opposite, scalar), is_above_half)
}

/// The class of a halved scalar and its base, or none where their product is infinity.
fn class_of<F: CurveField>(base: &Affine<F>, halved: &Limbs) -> Option<usize> {
    let bits = limbs::bit_length_vartime(halved);
    if bits == 0 || base.is_infinity() { None } else { Some(index((bits - 1) / CLASS_BITS)) }
}

/// A scalar that is ready to be read digit by digit, and which point it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Recoded {
    /// The halved scalar plus the bias.
    biased: Limbs,
    /// Index of the point, shifted left by one; the lowest bit says whether it counts negative.
    point_and_sign: u32,
}

// SAFETY: zero limbs and a zero index are valid numbers, and padding may hold anything.
unsafe impl Zeroable for Recoded {}

/// A digit that is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digit {
    /// Which bucket: the digit's size minus one.
    pub(super) bucket: usize,
    /// All ones where the point counts negative, else zero.
    pub(super) negative: u64,
}

impl Recoded {
    /// Index of the point.
    #[inline]
    pub(super) fn point(&self) -> usize {
        index(self.point_and_sign >> 1)
    }

    /// The digit in `window`, or none where it is zero.
    #[inline]
    pub(super) fn digit(&self, windows: Windows, window: usize) -> Option<Digit> {
        let bits = index(windows.bits);
        let (limb, shift) = (window * bits / 64, window * bits % 64);
        let mut raw = self.biased[limb] >> shift;
        if shift + bits > 64 && limb < 3 {
            raw |= self.biased[limb + 1] << (64 - shift);
        }
        raw &= (1 << bits) - 1;
        let half = 1 << (bits - 1);
        let bias = if window + 1 == windows.count() { 0 } else { half };
        if raw == bias {
            return None;
        }
        let is_negative = u64::from(raw < bias);
        let negative = (is_negative ^ u64::from(self.point_and_sign & 1)).wrapping_neg();
        Some(Digit { bucket: size_as_index(raw.abs_diff(bias)) - 1, negative })
    }
}

/// Writes the scalars that count into `out`, longest class first, in their order within a class.
///
/// `out` has room for exactly those that `counts` counted in the same bases and scalars.
pub(super) fn recode<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[Limbs],
    counts: &ClassCounts,
    windows: Windows,
    out: &mut [Recoded],
    observer: &dyn Observer,
) -> Result<(), Error> {
    let mut next = [0; CLASSES];
    for class in (0..CLASSES - 1).rev() {
        next[class] = next[class + 1] + counts.0[class + 1];
    }
    let bias = windows.bias();
    for (point, (base, scalar)) in (0..).zip(bases.iter().zip(scalars)) {
        ask(observer, index(point))?;
        let (halved, is_opposite) = halved(scalar);
        if let Some(class) = class_of(base, &halved) {
            let (biased, _) = limbs::add(&halved, &bias);
            let point_and_sign = point << 1 | u32::from(is_opposite);
            out[next[class]] = Recoded { biased, point_and_sign };
            next[class] += 1;
        }
    }
    Ok(())
}

/// Asks the observer at every so many scalars whether to stop.
fn ask(observer: &dyn Observer, index: usize) -> Result<(), Error> {
    let is_time = index.is_multiple_of(SCALARS_PER_QUESTION);
    if is_time && observer.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
