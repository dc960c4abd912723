//! Products of eight elements, and their way back to canonical elements of R = 2^256.
//!
//! | step | multiply-adds | result |
//! |---|---|---|
//! | product added to others | 50 | ten columns |
//! | square | 30 | ten columns |
//! | reduction of ten columns | 50 | five columns, (t + m p) / 2^260 |
//! | product and its reduction, row by row | 100 | five columns, (a b + m p) / 2^260 |
//!
//! The reduction clears a column with ten multiply-adds, not eleven: m p cancels the low 52 bits of
//! column t, so that t + low(m p) is t rounded up to a multiple of 2^52, and (t + 2^52 - 1) / 2^52
//! is its carry. The five columns that are cleared therefore start at 2^52 - 1 (see
//! [`Wide::plain`]), and m = -t / p is found as (-1 / p) + (-1 / p) (t + 2^52 - 1), modulo 2^52.
//!
//! Elements of R = 2^256 need no change of domain: x times 16, a shift while it is unpacked, times
//! y is x y of R = 2^256, as is the square of x times 4. Below p both, the product is below
//! 16 p^2 / 2^260 + p < 1.2 p; the columns that become it start at -p, so that it comes out in
//! [-p, 0.2 p) and one conditional addition makes it canonical.

use super::beside::Beside;
use super::constants::{Constants, MASK};
use super::lanes::Lanes;
use super::value::{Below, Columns, Lazy, carried, mask, splat};
use crate::field::Modulus;

/// Sums of columns, of which column i counts 2^(52 i); columns 0 to 4 hold 2^52 - 1 more.
#[derive(Clone, Copy)]
pub(crate) struct Wide<L: Lanes>([L::Word; 10]);

impl<L: Lanes> Wide<L> {
    /// Nothing.
    #[inline(always)]
    pub(super) fn plain(l: L) -> Self {
        let (round_up, zero) = (l.splat(MASK), l.splat(0));
        Self([round_up, round_up, round_up, round_up, round_up, zero, zero, zero, zero, zero])
    }

    /// -p times 2^260: what is reduced comes out less by p.
    #[inline(always)]
    pub(super) fn minus_p<M: Modulus>(l: L) -> Self {
        let mut start = Self::plain(l);
        let minus_p = Columns::minus_p::<M>(l);
        start.0[5..].copy_from_slice(&minus_p.0);
        start
    }

    /// Columns of low halves 0 .. 8 and of high halves 1 .. 9.
    #[inline(always)]
    pub(super) fn of_halves(l: L, low: &[L::Word; 9], high: &[L::Word; 9]) -> Self {
        let mut t = Self::plain(l);
        for i in 0..9 {
            t.0[i] = l.add(t.0[i], low[i]);
            t.0[i + 1] = l.add(t.0[i + 1], high[i]);
        }
        t
    }
}

/// Invokes `$step` with every pair of limbs; neighbours fall into different columns.
macro_rules! all_pairs {
    ($step:ident) => {
        all_pairs!($step, 0);
        all_pairs!($step, 1);
        all_pairs!($step, 2);
        all_pairs!($step, 3);
        all_pairs!($step, 4);
    };
    ($step:ident, $i:literal) => {
        $step!($i, 0);
        $step!($i, 1);
        $step!($i, 2);
        $step!($i, 3);
        $step!($i, 4);
    };
}

/// As [`all_pairs`], of two different limbs, each once.
macro_rules! mixed_pairs {
    ($step:ident) => {
        $step!(0, 1);
        $step!(0, 2);
        $step!(0, 3);
        $step!(0, 4);
        $step!(1, 2);
        $step!(1, 3);
        $step!(1, 4);
        $step!(2, 3);
        $step!(2, 4);
        $step!(3, 4);
    };
}

/// a < 2^260 -> start + a^2; 30 madd each. Products of two limbs are added once and doubled.
#[inline(always)]
pub(super) fn squares<L: Lanes, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    start: &Wide<L>,
) -> [Wide<L>; K] {
    let mut t = [Wide([l.splat(0); 10]); K];
    macro_rules! mixed {
        ($i:literal, $j:literal) => {
            for k in 0..K {
                t[k].0[$i + $j] = l.madd_low(t[k].0[$i + $j], a[k].0[$i], a[k].0[$j]);
            }
            for k in 0..K {
                t[k].0[$i + $j + 1] = l.madd_high(t[k].0[$i + $j + 1], a[k].0[$i], a[k].0[$j]);
            }
        };
    }
    mixed_pairs!(mixed);
    macro_rules! single {
        ($i:literal) => {
            for k in 0..K {
                let low = l.madd_low(start.0[2 * $i], a[k].0[$i], a[k].0[$i]);
                t[k].0[2 * $i] = l.add(l.add(t[k].0[2 * $i], t[k].0[2 * $i]), low);
                let high = l.madd_high(start.0[2 * $i + 1], a[k].0[$i], a[k].0[$i]);
                t[k].0[2 * $i + 1] = l.add(l.add(t[k].0[2 * $i + 1], t[k].0[2 * $i + 1]), high);
            }
        };
    }
    single!(0);
    single!(1);
    single!(2);
    single!(3);
    single!(4);
    t
}

/// a, b < 2^260 -> (start + a b + m p) / 2^260, columns not carried; 100 madd each.
///
/// Row by row, with six columns at a time, so that four products fit the registers.
#[inline(always)]
pub(super) fn reduced_products<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    b: [&Lazy<L>; K],
    start: &Wide<L>,
) -> [Columns<L>; K] {
    let p = splat(l, &Constants::<M>::P);
    let minus_inverse = l.splat(Constants::<M>::MINUS_INVERSE);
    let [s0, s1, s2, s3, s4, ..] = start.0;
    let mut t = [[s0, s1, s2, s3, s4, s0]; K];
    let mut m = [minus_inverse; K];
    macro_rules! each {
        ($k:ident => $e:expr) => {
            for $k in 0..K {
                $e;
            }
        };
    }
    macro_rules! row {
        ($i:literal) => {
            each!(k => t[k][0] = l.madd_low(t[k][0], a[k].0[$i], b[k].0[0]));
            each!(k => t[k][1] = l.madd_low(t[k][1], a[k].0[$i], b[k].0[1]));
            each!(k => m[k] = l.madd_low(minus_inverse, t[k][0], minus_inverse));
            each!(k => t[k][2] = l.madd_low(t[k][2], a[k].0[$i], b[k].0[2]));
            each!(k => t[k][3] = l.madd_low(t[k][3], a[k].0[$i], b[k].0[3]));
            each!(k => t[k][4] = l.madd_low(t[k][4], a[k].0[$i], b[k].0[4]));
            each!(k => t[k][1] = l.madd_high(t[k][1], a[k].0[$i], b[k].0[0]));
            each!(k => t[k][2] = l.madd_high(t[k][2], a[k].0[$i], b[k].0[1]));
            each!(k => t[k][3] = l.madd_high(t[k][3], a[k].0[$i], b[k].0[2]));
            each!(k => t[k][4] = l.madd_high(t[k][4], a[k].0[$i], b[k].0[3]));
            each!(k => t[k][5] = l.madd_high(start.0[5 + $i], a[k].0[$i], b[k].0[4]));
            each!(k => t[k][0] = l.shr::<52>(t[k][0]));
            each!(k => t[k][0] = l.madd_high(t[k][0], m[k], p[0]));
            each!(k => t[k][1] = l.madd_low(t[k][1], m[k], p[1]));
            each!(k => t[k][2] = l.madd_low(t[k][2], m[k], p[2]));
            each!(k => t[k][3] = l.madd_low(t[k][3], m[k], p[3]));
            each!(k => t[k][4] = l.madd_low(t[k][4], m[k], p[4]));
            each!(k => t[k][0] = l.add(t[k][1], t[k][0]));
            each!(k => t[k][1] = l.madd_high(t[k][2], m[k], p[1]));
            each!(k => t[k][2] = l.madd_high(t[k][3], m[k], p[2]));
            each!(k => t[k][3] = l.madd_high(t[k][4], m[k], p[3]));
            each!(k => t[k][4] = l.madd_high(t[k][5], m[k], p[4]));
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    let mut results = [Columns([t[0][0], t[0][1], t[0][2], t[0][3], t[0][4]]); K];
    for k in 1..K {
        results[k] = Columns([t[k][0], t[k][1], t[k][2], t[k][3], t[k][4]]);
    }
    results
}

/// As [`reduced_products`], of two, with work `beside`.
#[inline(always)]
pub(super) fn reduced_pair<L: Lanes, M: Modulus>(
    l: L,
    a: [&Lazy<L>; 2],
    b: [&Lazy<L>; 2],
    start: &Wide<L>,
    beside: &mut impl Beside<L>,
) -> [Columns<L>; 2] {
    let p = splat(l, &Constants::<M>::P);
    let minus_inverse = l.splat(Constants::<M>::MINUS_INVERSE);
    let [s0, s1, s2, s3, s4, ..] = start.0;
    let mut t = [[s0, s1, s2, s3, s4, s0]; 2];
    let y = [&b[0].0, &b[1].0];
    macro_rules! row {
        ($i:literal) => {
            let x = [a[0].0[$i], a[1].0[$i]];
            let m = l.row_low(&mut t, x, y, minus_inverse);
            beside.slice(l, 2 * $i, &mut t[0][1]);
            (t[0][5], t[1][5]) = (start.0[5 + $i], start.0[5 + $i]);
            l.row_high(&mut t, x, y, m, &p);
            beside.slice(l, 2 * $i + 1, &mut t[0][1]);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    let [[x0, x1, x2, x3, x4, _], [y0, y1, y2, y3, y4, _]] = t;
    [Columns([x0, x1, x2, x3, x4]), Columns([y0, y1, y2, y3, y4])]
}

/// t -> (t + m p) / 2^260, columns not carried; 50 madd each.
///
/// Columns 0 to 4 are below 2^63, also with the products that are added here.
#[inline(always)]
pub(super) fn reductions<L: Lanes, M: Modulus, const K: usize, B: Beside<L>>(
    l: L,
    t: &[Wide<L>; K],
    beside: &mut B,
) -> [Columns<L>; K] {
    let p = splat(l, &Constants::<M>::P);
    let minus_inverse = l.splat(Constants::<M>::MINUS_INVERSE);
    let mut t = *t;
    let mut m = [minus_inverse; K];
    macro_rules! each {
        ($k:ident => $e:expr) => {
            for $k in 0..K {
                $e;
            }
        };
    }
    macro_rules! clear {
        ($i:literal) => {
            each!(k => m[k] = l.madd_low(minus_inverse, t[k].0[$i], minus_inverse));
            each!(k => t[k].0[$i] = l.shr::<52>(t[k].0[$i]));
            each!(k => t[k].0[$i] = l.madd_high(t[k].0[$i], m[k], p[0]));
            beside.slice(l, 2 * $i, &mut t[0].0[$i + 1]);
            each!(k => t[k].0[$i + 1] = l.madd_low(t[k].0[$i + 1], m[k], p[1]));
            each!(k => t[k].0[$i + 1] = l.add(t[k].0[$i + 1], t[k].0[$i]));
            each!(k => t[k].0[$i + 2] = l.madd_low(t[k].0[$i + 2], m[k], p[2]));
            each!(k => t[k].0[$i + 3] = l.madd_low(t[k].0[$i + 3], m[k], p[3]));
            each!(k => t[k].0[$i + 4] = l.madd_low(t[k].0[$i + 4], m[k], p[4]));
            beside.slice(l, 2 * $i + 1, &mut t[0].0[$i + 2]);
            each!(k => t[k].0[$i + 2] = l.madd_high(t[k].0[$i + 2], m[k], p[1]));
            each!(k => t[k].0[$i + 3] = l.madd_high(t[k].0[$i + 3], m[k], p[2]));
            each!(k => t[k].0[$i + 4] = l.madd_high(t[k].0[$i + 4], m[k], p[3]));
            each!(k => t[k].0[$i + 5] = l.madd_high(t[k].0[$i + 5], m[k], p[4]));
        };
    }
    clear!(0);
    clear!(1);
    clear!(2);
    clear!(3);
    clear!(4);
    let mut results = [Columns([t[0].0[5], t[0].0[6], t[0].0[7], t[0].0[8], t[0].0[9]]); K];
    for k in 1..K {
        results[k] = Columns([t[k].0[5], t[k].0[6], t[k].0[7], t[k].0[8], t[k].0[9]]);
    }
    results
}

impl<L: Lanes> Columns<L> {
    /// -p, limb by limb.
    #[inline(always)]
    pub(super) fn minus_p<M: Modulus>(l: L) -> Self {
        let zero = Self::constant(l, &[0; 5]);
        zero.sub(l, &Self::constant(l, &Constants::<M>::P))
    }

    /// A value in [-p, p) -> the same modulo p in [0, p).
    #[inline(always)]
    pub(super) fn canonical<M: Modulus>(&self, l: L) -> Lazy<L> {
        let p = splat(l, &Constants::<M>::P);
        let sign = carried(l, &self.0)[4];
        let [p0, p1, p2, p3, p4] = p;
        let sum = [
            l.add_where_negative(sign, self.0[0], p0),
            l.add_where_negative(sign, self.0[1], p1),
            l.add_where_negative(sign, self.0[2], p2),
            l.add_where_negative(sign, self.0[3], p3),
            l.add_where_negative(sign, self.0[4], p4),
        ];
        let limbs = carried(l, &sum);
        if cfg!(debug_assertions) {
            Below::<L, M, 1>::new(l, mask(l, &limbs));
        }
        Lazy(limbs)
    }
}

impl<L: Lanes> Lazy<L> {
    /// self, b < 2^260: adds self * b to columns of its halves; 50 madd, at most five on a column,
    /// so that 20 cycles of latency hide behind the 25 of the multiply-adds.
    #[inline(always)]
    pub(super) fn accumulate(
        &self,
        l: L,
        b: &Self,
        low: &mut [L::Word; 9],
        high: &mut [L::Word; 9],
    ) {
        macro_rules! step {
            ($i:literal, $j:literal) => {
                low[$i + $j] = l.madd_low(low[$i + $j], self.0[$i], b.0[$j]);
                high[$i + $j] = l.madd_high(high[$i + $j], self.0[$i], b.0[$j]);
            };
        }
        all_pairs!(step);
    }

    /// To memory, without the noise. The value is below 2^256, and its top limb has none.
    #[inline(always)]
    pub(super) fn pack(&self, l: L) -> [L::Word; 4] {
        let e = &self.0;
        [
            l.masked_or(e[0], l.splat(MASK), l.shl::<52>(e[1])),
            l.masked_or(l.shr::<12>(e[1]), l.splat(MASK >> 12), l.shl::<40>(e[2])),
            l.masked_or(l.shr::<24>(e[2]), l.splat(MASK >> 24), l.shl::<28>(e[3])),
            l.masked_or(l.shr::<36>(e[3]), l.splat(MASK >> 36), l.shl::<16>(e[4])),
        ]
    }
}
