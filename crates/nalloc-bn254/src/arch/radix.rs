//! Butterflies, and the passes over a tile that are made of them: what each does is said in `tile`.

use core::marker::PhantomData;

use super::constants::{Constants, Factor};
use super::lanes::{Kernel, Lanes};
use super::product::shoup;
use super::value::{Columns, Lazy, Stored};
use crate::field::Modulus;

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

/// The first two layers, row by row, from values below 2p.
///
/// The product of the factors 1, 1, i is a chain of its own: of two rows it is done at once, and
/// what waits for it lies where the results will (one row after the other: 38 cycles instead of 32,
/// two rows at once from the start: 42, for want of registers).
pub(super) struct FirstRadix4<'a, L: Lanes, M> {
    quarters: [&'a mut [Stored]; 4],
    roots: Roots<'a>,
    offset: Columns<L>,
    modulus: PhantomData<M>,
}

impl<'a, L: Lanes, M: Modulus> FirstRadix4<'a, L, M> {
    #[inline(always)]
    pub(super) fn new(l: L, tile: &'a mut [Stored], roots: Roots<'a>) -> Self {
        let offset = Constants::<M>::multiple(roots.offset_p(tile.len().ilog2()));
        let (low, high) = tile.split_at_mut(tile.len() / 2);
        let (x0, x1) = low.split_at_mut(low.len() / 2);
        let (x2, x3) = high.split_at_mut(high.len() / 2);
        let offset = Columns::constant(l, &offset);
        Self { quarters: [x0, x1, x2, x3], roots, offset, modulus: PhantomData }
    }

    /// Row `j` of each quarter; they come in their order.
    #[inline(always)]
    pub(super) fn row(&mut self, l: L, j: usize, x: [Lazy<L>; 4]) {
        match self.roots {
            Roots::Plain(roots) => {
                self.begin(l, j, x);
                if j % 2 == 1 {
                    self.finish(l, j - 1, &roots[1]);
                }
            }
            Roots::Coset(roots) => self.on_coset(l, j, x, roots),
        }
    }

    /// The results without a product; the other two quarters get its operands.
    #[inline(always)]
    fn begin(&mut self, l: L, j: usize, x: [Lazy<L>; 4]) {
        let two_p = Columns::constant(l, &const { Constants::<M>::multiple(2) });
        let [x0, x1, x2, x3] = [Columns(x[0].0), Columns(x[1].0), Columns(x[2].0), Columns(x[3].0)];
        let [y0, y1, y2, y3] = &mut self.quarters;
        x1.sub(l, &x3).add(l, &two_p).carried(l).store(l, &mut y3[j]);
        let base = x0.add(l, &self.offset);
        Lazy(base.sub(l, &x2).0).store(l, &mut y2[j]);
        let (even, odd) = (base.add(l, &x2), x1.add(l, &x3));
        even.add(l, &odd).carried(l).store(l, &mut y0[j]);
        even.sub(l, &odd).carried(l).store(l, &mut y1[j]);
    }

    /// Those of rows `j` and `j` + 1 with the product.
    #[inline(always)]
    fn finish(&mut self, l: L, j: usize, i: &Factor) {
        let [_, _, y2, y3] = &mut self.quarters;
        let i = l.opaque(i);
        let (v0, v1) = (Lazy::load(l, &y3[j]), Lazy::load(l, &y3[j + 1]));
        let [t0, t1] = shoup::<L, M, 2>(l, [&v0, &v1], [i, i]);
        let u0 = Columns(Lazy::load(l, &y2[j]).0);
        u0.add(l, &t0).carried(l).store(l, &mut y2[j]);
        u0.sub(l, &t0).carried(l).store(l, &mut y3[j]);
        let u1 = Columns(Lazy::load(l, &y2[j + 1]).0);
        u1.add(l, &t1).carried(l).store(l, &mut y2[j + 1]);
        u1.sub(l, &t1).carried(l).store(l, &mut y3[j + 1]);
    }

    #[inline(always)]
    fn on_coset(&mut self, l: L, j: usize, x: [Lazy<L>; 4], roots: &[Factor]) {
        let (u0, u1) = (Columns(x[0].0).add(l, &self.offset), Columns(x[1].0).add(l, &self.offset));
        let f1 = l.opaque(&roots[1]);
        let ([a0, a1], [a2, a3]) = butterflies::<L, M, 2>(l, [&u0, &u1], [&x[2], &x[3]], [f1, f1]);
        let (f2, f3) = (l.opaque(&roots[2]), l.opaque(&roots[3]));
        let ([r0, r2], [r1, r3]) =
            butterflies::<L, M, 2>(l, [&a0.masked(l), &a2.masked(l)], [&a1, &a3], [f2, f3]);
        let [y0, y1, y2, y3] = &mut self.quarters;
        r0.store(l, &mut y0[j]);
        r1.store(l, &mut y1[j]);
        r2.store(l, &mut y2[j]);
        r3.store(l, &mut y3[j]);
    }
}

/// The last two layers: four neighbours belong together.
pub(super) struct LastRadix4<'a, M> {
    pub(super) tile: &'a mut [Stored],
    pub(super) outer: &'a [Factor],
    pub(super) inner: &'a [Factor],
    pub(super) next: &'a mut Next,
    pub(super) modulus: PhantomData<M>,
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
pub(super) struct Radix2<'a, M> {
    pub(super) tile: &'a mut [Stored],
    pub(super) factors: &'a [Factor],
    pub(super) s: u32,
    pub(super) modulus: PhantomData<M>,
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
