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

use super::constants::{Constants, Factor};
use super::lanes::{Kernel, Lanes};
use super::product::shoup;
use super::value::{Columns, Lazy, Stored};
use crate::field::Modulus;

/// log2 of the fewest and of the most vectors of a tile.
pub(crate) const LOG2_MIN: u32 = 4;
/// See [`LOG2_MIN`].
pub(crate) const LOG2_MAX: u32 = 12;
/// Rows of four cache lines that one step of a pass asks for.
const PREFETCHED_ROWS: usize = 2;

/// Where the next block's input lies: asked for while this one is worked on.
#[derive(Clone, Copy)]
pub(crate) struct Next {
    pub(crate) address: *const u8,
    pub(crate) row_bytes: usize,
    pub(crate) steps: usize,
}

impl Next {
    /// No next block.
    pub(crate) const NONE: Self = Self { address: core::ptr::null(), row_bytes: 0, steps: 0 };

    /// The input of `rows` rows from `address` on.
    pub(crate) fn new(address: *const u8, row_bytes: usize, rows: usize) -> Self {
        Self { address, row_bytes, steps: rows / PREFETCHED_ROWS }
    }

    #[inline(always)]
    fn step<L: Lanes>(&mut self, l: L) {
        if self.steps == 0 {
            return;
        }
        self.steps -= 1;
        for _ in 0..PREFETCHED_ROWS {
            for line in 0..4 {
                l.prefetch_far(self.address.wrapping_add(64 * line));
            }
            self.address = self.address.wrapping_add(self.row_bytes);
        }
    }
}

/// The factors of all layers of a tile.
#[derive(Clone, Copy)]
pub(crate) enum Roots<'a> {
    /// Layer s, block b: entry b.
    Plain(&'a [Factor]),
    /// Layer s, block b: entry 2^s + b.
    Coset(&'a [Factor]),
}

impl<'a> Roots<'a> {
    /// The factors of layer `s`.
    #[inline(always)]
    pub(crate) fn layer(self, s: u32) -> &'a [Factor] {
        match self {
            Roots::Plain(roots) => roots,
            Roots::Coset(roots) => &roots[1 << s..],
        }
    }

    /// What the first pass of a tile of 2^`log2` adds, in p, so that nothing becomes negative
    /// before it is reduced: 7 or 10 for its own layers, and 5 for each that follows.
    pub(crate) const fn offset_p(self, log2: u32) -> u64 {
        let own = if matches!(self, Roots::Plain(_)) { 7 } else { 10 };
        let layers = log2 as u64 - 2;
        let until_reduced = if layers > 6 { layers - 4 } else { layers };
        own + 5 * until_reduced
    }
}

/// All layers of a tile from `first_layer` on, the last two of which are one pass.
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

/// `K` butterflies at once. u is masked or reduced; outputs are carried.
#[inline(always)]
fn butterflies<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    u: [&Columns<L>; K],
    v: [&Lazy<L>; K],
    f: [&Factor; K],
) -> ([Lazy<L>; K], [Lazy<L>; K]) {
    let t = shoup::<L, M, K>(l, v, f);
    let mut plus = [*v[0]; K];
    let mut minus = [*v[0]; K];
    for k in 0..K {
        plus[k] = u[k].add(l, &t[k]).carried(l);
        minus[k] = u[k].sub(l, &t[k]).carried(l);
    }
    (plus, minus)
}

/// Layers s and s + 1 of every block but, in a plain transform, block 0, which has factors 1, 1, i.
pub(crate) struct Radix4<'a, M, const REDUCES: bool> {
    pub(crate) tile: &'a mut [Stored],
    pub(crate) outer: &'a [Factor],
    pub(crate) inner: &'a [Factor],
    pub(crate) s: u32,
    pub(crate) is_plain: bool,
    pub(crate) next: &'a mut Next,
    pub(crate) modulus: PhantomData<M>,
}

impl<M: Modulus, const REDUCES: bool> Kernel for Radix4<'_, M, REDUCES> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let quarter = self.tile.len() >> (self.s + 2);
        let blocks = 1usize << self.s;
        assert!(self.inner.len() >= 2 * blocks && self.outer.len() >= blocks && quarter >= 2);
        let mut first = 0;
        if self.is_plain {
            let (block, next) = (&mut self.tile[..4 * quarter], &mut *self.next);
            l.call(RadixOne::<M> { block, i: &self.inner[1], next, modulus: PhantomData });
            first = 1;
        }
        for b in first..blocks {
            let block = &mut self.tile[4 * quarter * b..][..4 * quarter];
            let (f1, f2, f3) = (&self.outer[b], &self.inner[2 * b], &self.inner[2 * b + 1]);
            let (low, high) = block.split_at_mut(2 * quarter);
            let (x0, x1) = low.split_at_mut(quarter);
            let (x2, x3) = high.split_at_mut(quarter);
            let mut j = 0;
            while j + 1 < quarter {
                self.next.step(l);
                let (f1, f2, f3) = (l.opaque(f1), l.opaque(f2), l.opaque(f3));
                macro_rules! upper {
                    ($x:expr) => {{
                        let u = Lazy::load(l, $x);
                        if REDUCES { u.reduced_to_32p::<M>(l) } else { u.masked(l) }
                    }};
                }
                let (u0, u1) = (upper!(&x0[j]), upper!(&x1[j]));
                let (v0, v1) = (Lazy::load(l, &x2[j]), Lazy::load(l, &x3[j]));
                let ([a0, a1], [a2, a3]) =
                    butterflies::<L, M, 2>(l, [&u0, &u1], [&v0, &v1], [f1, f1]);
                let (u0, u1) = (upper!(&x0[j + 1]), upper!(&x1[j + 1]));
                let (v0, v1) = (Lazy::load(l, &x2[j + 1]), Lazy::load(l, &x3[j + 1]));
                let ([b0, b1], [b2, b3]) =
                    butterflies::<L, M, 2>(l, [&u0, &u1], [&v0, &v1], [f1, f1]);
                let ([y0, y2], [y1, y3]) =
                    butterflies::<L, M, 2>(l, [&a0.masked(l), &a2.masked(l)], [&a1, &a3], [f2, f3]);
                y0.store(l, &mut x0[j]);
                y1.store(l, &mut x1[j]);
                y2.store(l, &mut x2[j]);
                y3.store(l, &mut x3[j]);
                let ([y0, y2], [y1, y3]) =
                    butterflies::<L, M, 2>(l, [&b0.masked(l), &b2.masked(l)], [&b1, &b3], [f2, f3]);
                y0.store(l, &mut x0[j + 1]);
                y1.store(l, &mut x1[j + 1]);
                y2.store(l, &mut x2[j + 1]);
                y3.store(l, &mut x3[j + 1]);
                j += 2;
            }
        }
    }
}

/// A radix-4 block of factors 1, 1, i: < 2^260 -> 37p + [-12.6p, 25.2p].
struct RadixOne<'a, M> {
    block: &'a mut [Stored],
    i: &'a Factor,
    next: &'a mut Next,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for RadixOne<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let quarter = self.block.len() / 4;
        let offset = Columns::constant(l, &const { Constants::<M>::multiple(37) });
        let seven_p = Columns::constant(l, &const { Constants::<M>::multiple(7) });
        let (low, high) = self.block.split_at_mut(2 * quarter);
        let (x0, x1) = low.split_at_mut(quarter);
        let (x2, x3) = high.split_at_mut(quarter);
        for j in 0..quarter {
            if j % 2 == 0 {
                self.next.step(l);
            }
            let v0 = Lazy::load(l, &x0[j]).reduced_to_7p::<M>(l);
            let v1 = Lazy::load(l, &x1[j]).reduced_to_7p::<M>(l);
            let v2 = Lazy::load(l, &x2[j]).reduced_to_7p::<M>(l);
            let v3 = Lazy::load(l, &x3[j]).reduced_to_7p::<M>(l);
            let [y0, y1, y2, y3] =
                radix_one::<L, M>(l, [&v0, &v1, &v2, &v3], &offset, &seven_p, self.i);
            y0.store(l, &mut x0[j]);
            y1.store(l, &mut x1[j]);
            y2.store(l, &mut x2[j]);
            y3.store(l, &mut x3[j]);
        }
    }
}

/// The radix-4 butterfly of factors 1, 1, i. `offset` and `small` keep sums above zero.
#[inline(always)]
fn radix_one<L: Lanes, M: Modulus>(
    l: L,
    x: [&Columns<L>; 4],
    offset: &Columns<L>,
    small: &Columns<L>,
    i: &Factor,
) -> [Lazy<L>; 4] {
    let difference = x[1].sub(l, x[3]).add(l, small).carried(l);
    let even = x[0].add(l, x[2]).add(l, offset);
    let odd = x[1].add(l, x[3]);
    let [turned] = shoup::<L, M, 1>(l, [&difference], [i]);
    let rest = x[0].sub(l, x[2]).add(l, offset);
    [
        even.add(l, &odd).carried(l),
        even.sub(l, &odd).carried(l),
        rest.add(l, &turned).carried(l),
        rest.sub(l, &turned).carried(l),
    ]
}

/// The first two layers of one quarter's row, from values below 2p.
#[inline(always)]
pub(crate) fn first_radix4<L: Lanes, M: Modulus>(
    l: L,
    x: [Lazy<L>; 4],
    roots: Roots<'_>,
    offset: &Columns<L>,
) -> [Lazy<L>; 4] {
    let columns: [Columns<L>; 4] =
        [Columns(x[0].0), Columns(x[1].0), Columns(x[2].0), Columns(x[3].0)];
    match roots {
        Roots::Plain(roots) => {
            let two_p = Columns::constant(l, &const { Constants::<M>::multiple(2) });
            let [x0, x1, x2, x3] = &columns;
            radix_one::<L, M>(l, [x0, x1, x2, x3], offset, &two_p, l.opaque(&roots[1]))
        }
        Roots::Coset(roots) => {
            let (u0, u1) = (columns[0].add(l, offset), columns[1].add(l, offset));
            let f1 = l.opaque(&roots[1]);
            let ([a0, a1], [a2, a3]) =
                butterflies::<L, M, 2>(l, [&u0, &u1], [&x[2], &x[3]], [f1, f1]);
            let (f2, f3) = (l.opaque(&roots[2]), l.opaque(&roots[3]));
            let ([y0, y2], [y1, y3]) =
                butterflies::<L, M, 2>(l, [&a0.masked(l), &a2.masked(l)], [&a1, &a3], [f2, f3]);
            [y0, y1, y2, y3]
        }
    }
}

/// The last two layers: four neighbours belong together.
struct LastRadix4<'a, M> {
    tile: &'a mut [Stored],
    outer: &'a [Factor],
    inner: &'a [Factor],
    next: &'a mut Next,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for LastRadix4<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let (blocks, _) = self.tile.as_chunks_mut::<8>();
        let (outer, _) = self.outer.as_chunks::<2>();
        let (inner, _) = self.inner.as_chunks::<4>();
        for ((x, f1), f2) in blocks.iter_mut().zip(outer).zip(inner) {
            self.next.step(l);
            macro_rules! layer {
                ($first:literal, $f:expr) => {{
                    let u0 = Lazy::load(l, &x[$first]).masked(l);
                    let u1 = Lazy::load(l, &x[$first + 1]).masked(l);
                    let v0 = Lazy::load(l, &x[$first + 2]);
                    let v1 = Lazy::load(l, &x[$first + 3]);
                    butterflies::<L, M, 2>(l, [&u0, &u1], [&v0, &v1], [$f, $f])
                }};
            }
            macro_rules! finish {
                ($first:literal, $low:ident, $high:ident, $f:expr) => {{
                    let (u0, u1) = ($low[0].masked(l), $high[0].masked(l));
                    let ([y0, y2], [y1, y3]) =
                        butterflies::<L, M, 2>(l, [&u0, &u1], [&$low[1], &$high[1]], $f);
                    y0.store(l, &mut x[$first]);
                    y1.store(l, &mut x[$first + 1]);
                    y2.store(l, &mut x[$first + 2]);
                    y3.store(l, &mut x[$first + 3]);
                }};
            }
            let (a, b) = layer!(0, &f1[0]);
            let (c, d) = layer!(4, &f1[1]);
            finish!(0, a, b, [&f2[0], &f2[1]]);
            finish!(4, c, d, [&f2[2], &f2[3]]);
        }
    }
}

/// One layer, where their number is odd.
struct Radix2<'a, M> {
    tile: &'a mut [Stored],
    factors: &'a [Factor],
    s: u32,
    modulus: PhantomData<M>,
}

impl<M: Modulus> Kernel for Radix2<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let half = self.tile.len() >> (self.s + 1);
        for (block, factor) in self.tile.chunks_exact_mut(2 * half).zip(self.factors) {
            let (low, high) = block.split_at_mut(half);
            let (low, _) = low.as_chunks_mut::<2>();
            let (high, _) = high.as_chunks_mut::<2>();
            for (x, y) in low.iter_mut().zip(high) {
                let f = l.opaque(factor);
                let (u0, u1) = (Lazy::load(l, &x[0]).masked(l), Lazy::load(l, &x[1]).masked(l));
                let (v0, v1) = (Lazy::load(l, &y[0]), Lazy::load(l, &y[1]));
                let ([a, b], [c, d]) = butterflies::<L, M, 2>(l, [&u0, &u1], [&v0, &v1], [f, f]);
                a.store(l, &mut x[0]);
                b.store(l, &mut x[1]);
                c.store(l, &mut y[0]);
                d.store(l, &mut y[1]);
            }
        }
    }
}
