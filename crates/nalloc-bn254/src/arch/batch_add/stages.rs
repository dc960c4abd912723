//! What runs beside the products of a block: points come from memory, and sums go there.

use super::block::one;
use super::reduced::{less_multiple, less_two, normalised};
use super::{Places, Step};
use crate::arch::beside::Beside;
use crate::arch::constants::Constants;
use crate::arch::coordinate::{Factors, PAIR, Sums};
use crate::arch::lanes::{LANES, Lanes};
use crate::arch::value::{Columns, Lazy, mask};
use crate::field::FqModulus;

/// Bytes of a number of Fq.
const PART_BYTES: u64 = 32;

/// Notes x1 and d = x2 - x1 + 2p of a pair.
pub(super) struct Differences<'a, L: Lanes, const D: usize> {
    steps: [&'a mut Step<D>; PAIR],
    places: &'a Places,
    x1: Sums<L, D>,
    x2: Sums<L, D>,
    pub(super) d: [Factors<L, D>; PAIR],
}

impl<'a, L: Lanes, const D: usize> Differences<'a, L, D> {
    #[inline(always)]
    pub(super) fn new(l: L, steps: [&'a mut Step<D>; PAIR], places: &'a Places) -> Self {
        let zero = [Columns::constant(l, &[0; 5]); D];
        Self { steps, places, x1: zero, x2: zero, d: [one::<L, D>(l); PAIR] }
    }
}

impl<L: Lanes, const D: usize> Beside<L> for Differences<'_, L, D> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        let (places, k) = (self.places, index / 5);
        let step = &mut *self.steps[k];
        for part in 0..D {
            let (x1, x2) = (&mut self.x1[part], &mut self.x2[part]);
            match index % 5 {
                0 => *x1 = gather(l, places.rows, &step.to, part, pin),
                1 => *x2 = gather(l, places.from, &step.x, part, pin),
                2 => {
                    let two_p = Columns::constant(l, &Constants::<FqModulus>::multiple(2));
                    *x2 = x2.sub(l, x1).add(l, &two_p);
                    l.pin(pin, &mut x2.0[0]);
                }
                3 => {
                    let mut d = x2.carried(l).masked(l);
                    l.pin(pin, &mut d.0[4]);
                    self.d[k][part] = Lazy(d.0);
                }
                _ => {
                    Lazy(x1.0).store(l, &mut step.x1[part]);
                    self.d[k][part].store(l, &mut step.d[part]);
                }
            }
        }
    }
}

/// Computes x3 = l^2 - x1 - x2 of a pair, and e = 4 (x1 - x3) + 5p. As x2 = x1 + d - 2p,
/// 6p - 2 x1 - d is what is added to the square.
pub(super) struct ThirdX<'a, L: Lanes, const D: usize> {
    steps: [&'a Step<D>; PAIR],
    /// The squares, and what becomes of them.
    x: [Sums<L, D>; PAIR],
    pub(super) e: [Factors<L, D>; PAIR],
}

impl<'a, L: Lanes, const D: usize> ThirdX<'a, L, D> {
    #[inline(always)]
    pub(super) fn new(l: L, steps: [&'a Step<D>; PAIR], squares: &[Sums<L, D>; PAIR]) -> Self {
        Self { steps, x: *squares, e: [one::<L, D>(l); PAIR] }
    }

    /// Writes x3, next.
    #[inline(always)]
    pub(super) fn writing(&self, places: &'a Places) -> WriteX<'a, L, D> {
        WriteX { steps: self.steps, places, x: self.x }
    }
}

impl<L: Lanes, const D: usize> Beside<L> for ThirdX<'_, L, D> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        let k = index % PAIR;
        for part in 0..D {
            let (x, e) = (&mut self.x[k][part], &mut self.e[k][part]);
            let x1 = Columns(Lazy::load(l, &self.steps[k].x1[part]).0);
            match index / PAIR {
                0 => {
                    let six_p = Columns::constant(l, &Constants::<FqModulus>::multiple(6));
                    let d = Columns(Lazy::load(l, &self.steps[k].d[part]).0);
                    let less = x1.add(l, &x1).add(l, &d);
                    *x = x.add(l, &six_p).sub(l, &less);
                }
                1 => *x = less_multiple(l, x),
                2 => *x = normalised::<L, 2>(l, x),
                3 => {
                    let five_p = Columns::constant(l, &Constants::<FqModulus>::multiple(5));
                    let mut four_times = x1.sub(l, x);
                    for limb in &mut four_times.0 {
                        *limb = l.shl::<2>(*limb);
                    }
                    *e = Lazy(four_times.add(l, &five_p).0);
                    l.pin(pin, &mut e.0[0]);
                }
                _ => {
                    *e = Columns(e.0).carried(l);
                    l.pin(pin, &mut e.0[4]);
                }
            }
            if index / PAIR < 3 {
                l.pin(pin, &mut x.0[4]);
            }
        }
    }
}

/// Gives the rows of a pair their x3.
pub(super) struct WriteX<'a, L: Lanes, const D: usize> {
    steps: [&'a Step<D>; PAIR],
    places: &'a Places,
    x: [Sums<L, D>; PAIR],
}

impl<L: Lanes, const D: usize> Beside<L> for WriteX<'_, L, D> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, _: &mut L::Word) {
        if index % 5 == 1 {
            let k = index / 5;
            for part in 0..D {
                scatter(l, &self.x[k][part], self.places.rows, &self.steps[k].to, part);
            }
        }
    }
}

/// Gathers y1, and n = y2 - y1 + 4p with the sign of y2, of one vector.
pub(super) struct Numerators<'a, L: Lanes, const D: usize> {
    step: &'a Step<D>,
    places: &'a Places,
    pub(super) y: Sums<L, D>,
    pub(super) n: Factors<L, D>,
}

impl<'a, L: Lanes, const D: usize> Numerators<'a, L, D> {
    #[inline(always)]
    pub(super) fn new(l: L, step: &'a Step<D>, places: &'a Places) -> Self {
        let zero = [Columns::constant(l, &[0; 5]); D];
        Self { step, places, y: zero, n: one::<L, D>(l) }
    }
}

impl<L: Lanes, const D: usize> Beside<L> for Numerators<'_, L, D> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        let (places, step) = (self.places, self.step);
        for part in 0..D {
            let (y1, n) = (&mut self.y[part], &mut self.n[part]);
            match index {
                0 => *y1 = gather(l, places.rows, &step.to, D + part, pin),
                3 => *n = Lazy(gather(l, places.from, &step.y, part, pin).0),
                5 => {
                    let four_p = Columns::constant(l, &Constants::<FqModulus>::multiple(4));
                    let sign = l.load(&step.sign);
                    for limb in &mut n.0 {
                        *limb = l.negate_where_negative(sign, *limb);
                    }
                    n.0 = Columns(n.0).sub(l, y1).add(l, &four_p).0;
                    l.pin(pin, &mut n.0[0]);
                }
                7 => {
                    *n = Columns(n.0).carried(l);
                    l.pin(pin, &mut n.0[4]);
                }
                _ => {}
            }
        }
    }
}

/// Gives the rows of a pair their y3 = product - y1, < 2.2p for G1, < 1.0001p for G2.
pub(super) struct ThirdY<'a, L: Lanes, const D: usize> {
    pub(super) steps: [&'a Step<D>; PAIR],
    pub(super) places: &'a Places,
    /// The products, and what becomes of them.
    pub(super) products: [Sums<L, D>; PAIR],
    pub(super) y: [Sums<L, D>; PAIR],
}

impl<L: Lanes, const D: usize> Beside<L> for ThirdY<'_, L, D> {
    #[inline(always)]
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        let k = index / 5;
        for part in 0..D {
            let (y3, y1) = (&mut self.products[k][part], &self.y[k][part]);
            match index % 5 {
                0 => {
                    let three_p = Columns::constant(l, &Constants::<FqModulus>::multiple(3));
                    *y3 = y3.sub(l, y1).add(l, &three_p);
                }
                1 if D == 1 => *y3 = less_two(l, y3),
                1 => *y3 = less_multiple(l, y3),
                2 if D == 1 => *y3 = normalised::<L, 3>(l, y3),
                2 => *y3 = normalised::<L, 2>(l, y3),
                3 => scatter(l, y3, self.places.rows, &self.steps[k].to, D + part),
                _ => {}
            }
            if index % 5 < 3 {
                l.pin(pin, &mut y3.0[4]);
            }
        }
    }
}

/// Eight times 32 bytes, `part` of them after each offset; limbs normalised, before what uses
/// `pin`.
#[inline(always)]
fn gather<L: Lanes>(
    l: L,
    base: u64,
    offsets: &[u64; LANES],
    part: usize,
    pin: &mut L::Word,
) -> Columns<L> {
    // SAFETY: `Expand` made the offsets from indices within slices whose provenance `Places`
    // exposed, `pad` from the pads, and a wipe leaves those of the first row or point. None of the
    // slices is empty, a coordinate has `D` parts, and y follows x in rows.
    let limbs = unsafe { l.gather(base + PART_BYTES * part as u64, offsets) };
    let limbs = mask(l, &Lazy::unpack(l, limbs).pinned(l, pin).0);
    Columns(limbs)
}

/// Writes part `part` of points, of normalised limbs.
#[inline(always)]
fn scatter<L: Lanes>(l: L, value: &Columns<L>, base: u64, offsets: &[u64; LANES], part: usize) {
    let base = base + PART_BYTES * part as u64;
    // SAFETY: as in `gather`, and rows and pads are borrowed to be written.
    unsafe { l.scatter(Lazy(value.0).pack(l), base, offsets) };
}
