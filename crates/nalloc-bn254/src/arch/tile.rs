//! Transforms of 2^k vectors that stay in the second-level cache: eight independent transforms,
//! one in each lane, natural order in, bit-reversed order out.
//!
//! A layer s has 2^s blocks; block b joins (u, v) -> (u + f v, u - f v) with one factor f, the
//! root whose exponent is b read backwards, so that one table in that order serves every layer and
//! size. Two layers are done in one pass over memory (radix 4). On a coset each layer has
//! its own factors: those of the plain transform times a power of the shift.
//!
//! Values stay lazy: each layer widens them by 5p on both sides, and 2^260 is 84.6p. The first
//! pass starts from less than 2p and adds the offset that the following layers will need; a tile of
//! more than 2^8 brings its values down once, in the pass before the last. The bounds are derived
//! in docs/ifma-bounds.md.

use core::marker::PhantomData;

use super::constants::Constants;
use super::lanes::{Kernel, Lanes};
use super::radix::{LastRadix4, Radix2, Radix4};
pub(crate) use super::radix::{Next, Roots};
use super::value::{Lazy, Stored};
use crate::field::Modulus;

/// log2 of the fewest and of the most vectors of a tile.
pub(crate) const LOG2_MIN: u32 = 4;
/// See [`LOG2_MIN`].
pub(crate) const LOG2_MAX: u32 = 12;

/// All layers of a tile but the first two, the last two of which are one pass.
pub(crate) struct Layers<'a, M> {
    pub(crate) tile: &'a mut [Stored],
    pub(crate) roots: Roots<'a>,
    pub(crate) next: Next,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for Layers<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, l: L) {
        let log2 = self.tile.len().ilog2();
        debug_assert!((LOG2_MIN..=LOG2_MAX).contains(&log2), "a tile of 2^{log2} vectors");
        let is_plain = matches!(self.roots, Roots::Plain(_));
        let mut bounds = Bounds::after_first(self.roots, log2);
        bounds.check::<L, M>(l, self.tile);
        let mut s = 2;
        if log2 % 2 == 1 {
            let (tile, factors) = (&mut *self.tile, self.roots.layer(s));
            l.call(Radix2::<M> { tile, factors, s, modulus: PhantomData });
            bounds = bounds.widened(1);
            bounds.check::<L, M>(l, self.tile);
            s += 1;
        }
        while s + 2 < log2 {
            let next = &mut self.next;
            let (outer, inner) = (self.roots.layer(s), self.roots.layer(s + 1));
            let (tile, modulus) = (&mut *self.tile, PhantomData);
            if log2 > 8 && s + 4 == log2 {
                l.call(Radix4::<M, true> { tile, outer, inner, s, is_plain, next, modulus });
                bounds = Bounds::REDUCED;
            } else {
                l.call(Radix4::<M, false> { tile, outer, inner, s, is_plain, next, modulus });
            }
            bounds = bounds.widened(2);
            if is_plain {
                bounds = bounds.or(Bounds::RADIX_ONE);
            }
            bounds.check::<L, M>(l, self.tile);
            s += 2;
        }
        let (outer, inner) = (self.roots.layer(s), self.roots.layer(s + 1));
        let next = &mut self.next;
        l.call(LastRadix4::<M> { tile: self.tile, outer, inner, next, modulus: PhantomData });
        bounds.widened(2).check::<L, M>(l, self.tile);
    }
}

/// The least and the most that values of a tile are, in p, rounded outwards. Debug builds compare
/// them with every value: one that became negative reads as 2^260 less it, and lies outside.
#[derive(Clone, Copy)]
struct Bounds {
    low_p: u64,
    high_p: u64,
}

impl Bounds {
    /// After `reduced_to_32p`.
    const REDUCED: Self = Self { low_p: 20, high_p: 32 };
    /// Of [`RadixOne`].
    const RADIX_ONE: Self = Self { low_p: 24, high_p: 63 };

    /// After the first two layers.
    const fn after_first(roots: Roots<'_>, log2: u32) -> Self {
        let offset_p = roots.offset_p(log2);
        let (below, above) = if matches!(roots, Roots::Plain(_)) { (7, 8) } else { (10, 12) };
        Self { low_p: offset_p - below, high_p: offset_p + above }
    }

    /// After so many layers more.
    const fn widened(self, layers: u64) -> Self {
        Self { low_p: self.low_p - 5 * layers, high_p: self.high_p + 5 * layers }
    }

    const fn or(self, other: Self) -> Self {
        let low_p = if self.low_p < other.low_p { self.low_p } else { other.low_p };
        let high_p = if self.high_p > other.high_p { self.high_p } else { other.high_p };
        Self { low_p, high_p }
    }

    /// The least and the most limbs, with one p more on both sides for parts of a p.
    #[inline(always)]
    fn check<L: Lanes, M: Modulus>(self, l: L, tile: &[Stored]) {
        if cfg!(debug_assertions) {
            let low = Constants::<M>::multiple(self.low_p.saturating_sub(1));
            let high = Constants::<M>::multiple(self.high_p + 1);
            for stored in tile {
                Lazy::load(l, stored).assert_within(l, &low, &high);
            }
        }
    }
}
