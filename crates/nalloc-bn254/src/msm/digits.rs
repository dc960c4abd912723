//! Scalars as signed digits, chunk by chunk.
//!
//! A scalar s above r/2 counts as r - s of the opposite point, so that -1 is as short as 1. What
//! then has at most 64 bits stays whole; the rest becomes two halves below 2^126 (glv.rs).
//!
//! With B = the sum of 2^(c-1) 2^(cw) over all windows w but the last, the digit of k in window w
//! is (bits cw .. c(w+1) of k + B) - 2^(c-1), and the last digit is what is left above: no carries,
//! and signs need no care. Digits lie in -2^(c-1) .. 2^(c-1) - 1, the last in -2^r .. 2^r, where r
//! is what 126 bits leave for it.
//!
//! A number below 2^b has no digit but 0 from window ceil((b + 2) / c) on: there |k| is below a
//! quarter and B below two thirds of 2^(cw). A chunk orders its scalars by length, longest first,
//! so that a window walks only those that reach it, and leaves out zeros and points at infinity.
//! Ones come last, and then minus ones: they reach no window, and have a sum of their own.

use super::glv::{HALF_BITS, halves};
use crate::arch::Kernels;
use crate::arch::halves::RecodeHalves;
use crate::arch::lanes::{LANES, Lanes as _};
use crate::buffer::Piece;
use crate::curve::{Affine, CurveField};
use crate::error::Error;
use crate::field::Fr;
use crate::field::limbs::{self, Limbs};

/// Scalars of a chunk. Its points, 96 KiB with their images, stay in the second-level cache while
/// the windows of a task go over them.
pub(super) const CHUNK: usize = 1024;
/// The most windows: those of the fewest bits.
pub(super) const WINDOWS_MAX: usize = HALF_BITS.div_ceil(Windows::BITS_MIN) as usize;
/// Whole scalars of one class differ in length by fewer bits than this.
const CLASS_BITS: u32 = 16;
/// Bits of the longest number of each class.
const CLASS_TOPS: [u32; CLASSES] =
    [0, 0, CLASS_BITS, 2 * CLASS_BITS, 3 * CLASS_BITS, 64, HALF_BITS];
const CLASSES: usize = 7;
const MINUS_ONE: usize = 0;
const ONE: usize = 1;
/// The class of the shortest scalars with digits.
const SHORTEST: usize = 2;
const HALVED: usize = CLASSES - 1;
/// Points whose images are made at once where some points need none.
const IMAGES_AT_ONCE: usize = 64;
/// (r - 1) / 2, the largest number that is not replaced by its opposite.
const R_HALF: Limbs = limbs::shift_right(&Fr::MODULUS, 1);

/// How halves are cut into windows of c bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    bits: u32,
}

impl Windows {
    /// The narrowest windows.
    pub(super) const BITS_MIN: u32 = 4;
    /// The widest windows: a digit has 16 bits.
    pub(super) const BITS_MAX: u32 = 16;

    /// Windows of `bits` bits, from 4 to 16.
    pub(super) fn new(bits: u32) -> Self {
        debug_assert!((Self::BITS_MIN..=Self::BITS_MAX).contains(&bits), "windows of {bits} bits");
        Self { bits }
    }

    /// The width c of a window.
    pub(super) fn bits(self) -> u32 {
        self.bits
    }

    /// How many windows there are.
    pub(super) fn count(self) -> usize {
        HALF_BITS.div_ceil(self.bits) as usize
    }

    /// How many windows numbers of `bits` bits reach.
    fn reached(self, bits: u32) -> usize {
        (bits + 2).div_ceil(self.bits) as usize
    }

    /// Buckets of a window: one for each size of a digit but zero.
    pub(super) fn bucket_count(self, window: usize) -> usize {
        let last = self.count() - 1;
        let last_bits = HALF_BITS as usize - last * self.bits as usize;
        if window == last { 1 << last_bits } else { 1 << (self.bits - 1) }
    }

    /// What is added to a number: half a window in every window but the last.
    pub(super) fn bias(self) -> i128 {
        let half = |window| 1i128 << (window * self.bits as usize + self.bits as usize - 1);
        (0..self.count() - 1).map(half).sum()
    }
}

/// The digits of the halves of one scalar in one window.
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub(crate) struct Digits(pub(crate) [i16; 2]);

// SAFETY: two integers.
unsafe impl nalloc::Zeroable for Digits {}

/// How many scalars of the chunk are of which kind, in their order.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Reached {
    /// Of each window, how many reach it. All but ones reach the first.
    pub(super) windows: [u32; WINDOWS_MAX],
    /// Those that are 1, and then those that are -1.
    pub(super) ones: [u32; 2],
}

// SAFETY: integers.
unsafe impl nalloc::Zeroable for Reached {}

/// One chunk, of which nothing is written yet: see [`Chunk`].
pub(super) struct Blank<'a, F> {
    pub(super) first: usize,
    pub(super) bases: &'a [Affine<F>],
    pub(super) scalars: &'a [Limbs],
    pub(super) order: Piece<'a, u32>,
    pub(super) digits: Piece<'a, Digits>,
    pub(super) reached: Piece<'a, Reached>,
    pub(super) images: Option<Piece<'a, F>>,
}

impl<'a, F: CurveField> Blank<'a, F> {
    /// With zeros, to be written.
    pub(super) fn zeroed(self) -> Chunk<'a, F> {
        let Self { first, bases, scalars, .. } = self;
        let (order, digits) = (self.order.zeroed(), self.digits.zeroed());
        let (reached, images) = (&mut self.reached.zeroed()[0], self.images.map(Piece::zeroed));
        Chunk { first, bases, scalars, order, digits, reached, images }
    }
}

/// What is written of one chunk.
pub(super) struct Chunk<'a, F> {
    /// Index of the first point.
    pub(super) first: usize,
    pub(super) bases: &'a [Affine<F>],
    pub(super) scalars: &'a [Limbs],
    /// Indices of points, longest scalars first.
    pub(super) order: &'a mut [u32],
    /// In that order, those of window 0, then those of window 1, and so on.
    pub(super) digits: &'a mut [Digits],
    pub(super) reached: &'a mut Reached,
    /// beta x of each base, where a scalar has halves; none where a table has them.
    pub(super) images: Option<&'a mut [F]>,
}

/// A scalar that counts: the smaller one of s and r - s, and its class.
#[derive(Clone, Copy, Default)]
struct Classed {
    size: Limbs,
    is_opposite: bool,
    class: usize,
}

impl<F: CurveField> Chunk<'_, F> {
    /// Writes order, digits and images.
    pub(super) fn recode(mut self, windows: Windows, kernels: Kernels) -> Result<(), Error> {
        let (counts, long) = self.class()?;
        let mut next = [0_usize; CLASSES];
        for class in (0..HALVED).rev() {
            next[class] = next[class + 1] + counts[class + 1] as usize;
        }
        self.reached.ones = [counts[ONE], counts[MINUS_ONE]];
        for (window, reached) in self.reached.windows.iter_mut().enumerate() {
            let reaches = |&class: &usize| window < windows.reached_by(class);
            *reached = (0..CLASSES).filter(reaches).map(|class| counts[class]).sum();
        }
        let done = self.recode_in_lanes(&long[..counts[HALVED] as usize], windows, kernels);
        let is_done = counts[..HALVED].iter().all(|&count| count == 0) && done == counts[HALVED];
        if !is_done {
            self.recode_one_by_one(&mut next, done as usize, windows);
        }
        self.write_images(counts[HALVED] as usize, kernels);
        Ok(())
    }

    /// Writes the images of the points of the first `long` scalars at least.
    fn write_images(&mut self, long: usize, kernels: Kernels) {
        let Some(images) = &mut self.images else { return };
        if long == images.len() {
            return write_images(self.bases, images, kernels);
        }
        let mut some = [F::ZERO; IMAGES_AT_ONCE];
        for indices in self.order[..long].chunks(IMAGES_AT_ONCE) {
            // The order may have become zero.
            let place = |&index: &u32| (index as usize).saturating_sub(self.first);
            let places = indices.iter().map(place);
            for (image, place) in some.iter_mut().zip(places.clone()) {
                *image = self.bases[place].x;
            }
            F::multiply_by_beta(kernels, &mut some[..indices.len()]);
            for (image, place) in some.iter().zip(places) {
                images[place] = *image;
            }
        }
    }

    /// Checks what is given, writes the order of long scalars, and copies them; how many there are
    /// of each class.
    #[expect(clippy::large_stack_arrays, reason = "32 KiB of threads' 2 MiB")]
    fn class(&mut self) -> Result<([u32; CLASSES], [Limbs; CHUNK]), Error> {
        let (mut counts, mut long) = ([0_u32; CLASSES], [[0; 4]; CHUNK]);
        for (index, (base, scalar)) in self.bases.iter().zip(self.scalars).enumerate() {
            let index = self.first + index;
            if !(base.x.is_canonical() && base.y.is_canonical()) {
                return Err(Error::PointNotCanonical { index });
            }
            if !Fr::is_canonical(scalar) {
                return Err(Error::ScalarNotCanonical { index });
            }
            let Some(classed) = Classed::of(base, scalar) else { continue };
            if classed.class == HALVED {
                let at = counts[HALVED] as usize;
                long[at] = *scalar;
                self.order[at] = u32::try_from(index).unwrap_or(u32::MAX);
            }
            counts[classed.class] += 1;
        }
        Ok((counts, long))
    }

    /// Writes the digits of as many long scalars as the kernels' vectors hold; how many.
    fn recode_in_lanes(&mut self, long: &[Limbs], windows: Windows, kernels: Kernels) -> u32 {
        let Some(lanes) = kernels.lanes() else { return 0 };
        let (scalars, _) = long.as_chunks();
        lanes.call(RecodeHalves {
            scalars,
            bits: windows.bits,
            windows: windows.count(),
            bias: windows.bias().cast_unsigned(),
            digits: self.digits,
            stride: self.order.len(),
        });
        u32::try_from(scalars.len() * LANES).unwrap_or(0)
    }

    /// Writes the digits of all scalars but the first `done` long ones.
    fn recode_one_by_one(&mut self, next: &mut [usize; CLASSES], done: usize, windows: Windows) {
        let (bias, len) = (windows.bias(), self.order.len());
        for ((index, base), scalar) in (self.first..).zip(self.bases).zip(self.scalars) {
            let Some(classed) = Classed::of(base, scalar) else { continue };
            let at = next[classed.class];
            next[classed.class] += 1;
            if classed.class == HALVED && at < done {
                continue;
            }
            self.order[at] = u32::try_from(index).unwrap_or(u32::MAX);
            let reached = windows.reached_by(classed.class);
            let mut rest = classed.numbers().map(|number| number + bias);
            for (window, plane) in self.digits.chunks_exact_mut(len).take(reached).enumerate() {
                plane[at] = Digits(rest.map(|rest| windows.digit(rest, window)));
                rest = rest.map(|rest| rest >> windows.bits);
            }
        }
    }
}

/// Writes beta x of each base.
pub(super) fn write_images<F: CurveField>(bases: &[Affine<F>], images: &mut [F], kernels: Kernels) {
    for (image, base) in images.iter_mut().zip(bases) {
        *image = base.x;
    }
    F::multiply_by_beta(kernels, images);
}

impl Windows {
    /// How many windows the numbers of a class reach.
    fn reached_by(self, class: usize) -> usize {
        if class < SHORTEST { 0 } else { self.reached(CLASS_TOPS[class]).min(self.count()) }
    }

    /// The digit of `window`, where `rest` begins with its bits.
    #[expect(clippy::cast_possible_truncation, reason = "at most 15 bits and a sign")]
    fn digit(self, rest: i128, window: usize) -> i16 {
        if window + 1 == self.count() {
            return rest as i16;
        }
        let low = rest as i32 & ((1 << self.bits) - 1);
        (low - (1 << (self.bits - 1))) as i16
    }
}

impl Classed {
    /// None where the product is infinity.
    fn of<F: CurveField>(base: &Affine<F>, scalar: &Limbs) -> Option<Self> {
        if base.is_infinity() {
            return None;
        }
        if let [low, 0, 0, 0] = *scalar {
            let class = SHORTEST + (low.checked_ilog2()? / CLASS_BITS) as usize;
            let class = if low == 1 { ONE } else { class };
            return Some(Self { size: *scalar, is_opposite: false, class });
        }
        let is_opposite = limbs::is_less(&R_HALF, scalar);
        let size = if is_opposite { limbs::sub(&Fr::MODULUS, scalar).0 } else { *scalar };
        let bits = limbs::bit_length_vartime(&size);
        let class = SHORTEST + ((bits - 1) / CLASS_BITS) as usize;
        let class = if bits == 1 { MINUS_ONE } else { class.min(HALVED) };
        Some(Self { size, is_opposite, class })
    }

    /// What the digits stand for.
    fn numbers(&self) -> [i128; 2] {
        let numbers =
            if self.class == HALVED { halves(&self.size) } else { [self.size[0].into(), 0] };
        if self.is_opposite { numbers.map(|number| -number) } else { numbers }
    }
}

/// Of which kinds scalars are, as shares of 256; the rest are zeros and ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mix {
    /// Those that have halves.
    pub(super) halved: usize,
    /// Those that are whole, and have digits.
    pub(super) short: usize,
}

impl Mix {
    /// Random scalars.
    pub(super) const LONG: Self = Self { halved: 256, short: 0 };

    /// Of a sample of the scalars.
    pub(super) fn of(scalars: &[Limbs]) -> Self {
        /// Scalars that are looked at.
        const SAMPLE: usize = 256;
        let step = scalars.len().div_ceil(SAMPLE).max(1);
        let sample = scalars.iter().step_by(step);
        let count = sample.len().max(1);
        let bits = |scalar: &Limbs| {
            let (opposite, _) = limbs::sub(&Fr::MODULUS, scalar);
            limbs::bit_length_vartime(scalar).min(limbs::bit_length_vartime(&opposite))
        };
        let (mut halved, mut short) = (0, 0);
        for bits in sample.map(bits) {
            halved += usize::from(bits > 64);
            short += usize::from((2..=64).contains(&bits));
        }
        Self { halved: halved * 256 / count, short: short * 256 / count }
    }
}
