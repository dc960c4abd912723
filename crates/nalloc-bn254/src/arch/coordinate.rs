//! Coordinates of eight points: one number in Fq for G1, two for G2, Fq2 = Fq[u] / (u^2 + 1).
//!
//! | product | multiply-adds | result |
//! |---|---|---|
//! | in Fq | 100 | a b / 2^260, below (A B / 84.6 + 1) p |
//! | in Fq2 | 300 | a0 b0 + a1 (4p - b1) and a0 b1 + a1 b0 over 2^260, each reduced once |
//! | square in Fq | 100 | as the product |
//! | square in Fq2 | 200 | (a0 + a1) (a0 - a1 + 4p) and 2 a0 a1 over 2^260 |
//!
//! A product in Fq2 sums two products row by row before it reduces them, so that all columns stay
//! in registers; three products of Karatsuba and two reductions are 250 multiply-adds, and their
//! twenty columns do not fit.

use super::beside::{Beside, Nothing};
use super::constants::{Constants, MASK};
use super::lanes::{LANES, Lanes};
use super::value::{Columns, Lazy, splat};
use super::wide::{Wide, reduced_pair};
use crate::field::{Field, Fq, Fq2, FqModulus, Modulus};

/// Vectors whose products are interleaved. Four take 5 % more (a prototype, Zen 5, 2026-11-21).
pub(crate) const PAIR: usize = 2;

/// Eight coordinates as factors.
pub(crate) type Factors<L, const D: usize> = [Lazy<L>; D];
/// Eight coordinates as sums.
pub(crate) type Sums<L, const D: usize> = [Columns<L>; D];

/// A field of coordinates that are `D` numbers of Fq.
pub(crate) trait InLanes<const D: usize>: Field {
    /// a b / 2^260, a < A p, b < B p. In Fq below (A B / 84.6 + 1) p, where A and B are at most
    /// 84.6; in Fq2, where b < 4p, below (A (B + 4) / 84.6 + 1) p. With work `beside`.
    fn products<L: Lanes>(
        l: L,
        a: [&Factors<L, D>; PAIR],
        b: [&Factors<L, D>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, D>; PAIR];

    /// a^2 / 2^260 for a < 2p: < 1.3p. With work `beside`.
    fn squares<L: Lanes>(
        l: L,
        a: [&Factors<L, D>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, D>; PAIR];

    /// The element of stored limbs, which must be canonical.
    fn of_stored(parts: [[u64; 4]; D]) -> Self;

    /// The limbs as they are stored.
    fn to_stored(self) -> [[u64; 4]; D];
}

/// Does all work at once.
#[inline(always)]
pub(super) fn all_slices<L: Lanes>(l: L, beside: &mut impl Beside<L>) {
    let mut pin = l.splat(0);
    beside.slice(l, 0, &mut pin);
    beside.slice(l, 1, &mut pin);
    beside.slice(l, 2, &mut pin);
    beside.slice(l, 3, &mut pin);
    beside.slice(l, 4, &mut pin);
    beside.slice(l, 5, &mut pin);
    beside.slice(l, 6, &mut pin);
    beside.slice(l, 7, &mut pin);
    beside.slice(l, 8, &mut pin);
    beside.slice(l, 9, &mut pin);
}

/// Of v 2^260, read as 16 v 2^256, the inverse is 2^256 / (16 v): 16 for that, 16 to be times
/// 2^260, and a quarter.
const INVERSE_FACTOR: u64 = 64;

/// The inverse of each, divided by 4, where all are numbers times 2^260; none if one is zero.
/// By Montgomery's trick: 21M and an inversion.
pub(super) fn quarter_inverses<F: Field>(elements: &[F; LANES]) -> Option<[F; LANES]> {
    let mut products = *elements;
    for i in 1..LANES {
        products[i] = products[i - 1] * elements[i];
    }
    let mut inverse = products[LANES - 1].invert_vartime()? * F::from_u64(INVERSE_FACTOR);
    let mut inverses = *elements;
    for i in (1..LANES).rev() {
        inverses[i] = inverse * products[i - 1];
        inverse *= elements[i];
    }
    inverses[0] = inverse;
    Some(inverses)
}

impl InLanes<1> for Fq {
    #[inline(always)]
    fn products<L: Lanes>(
        l: L,
        [[a0], [a1]]: [&Factors<L, 1>; PAIR],
        [[b0], [b1]]: [&Factors<L, 1>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, 1>; PAIR] {
        let start = Wide::plain(l);
        let [z0, z1] = reduced_pair::<L, FqModulus>(l, [a0, a1], [b0, b1], &start, beside);
        [[z0], [z1]]
    }

    #[inline(always)]
    fn squares<L: Lanes>(
        l: L,
        a: [&Factors<L, 1>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, 1>; PAIR] {
        Self::products(l, a, a, beside)
    }

    fn of_stored([x]: [[u64; 4]; 1]) -> Self {
        Self::from_stored(x)
    }

    fn to_stored(self) -> [[u64; 4]; 1] {
        [self.to_montgomery()]
    }
}

impl InLanes<2> for Fq2 {
    #[inline(always)]
    fn products<L: Lanes>(
        l: L,
        a: [&Factors<L, 2>; PAIR],
        b: [&Factors<L, 2>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, 2>; PAIR] {
        all_slices(l, beside);
        let mut products = [[Columns::constant(l, &[0; 5]); 2]; PAIR];
        for k in 0..PAIR {
            let [b0, b1] = b[k];
            let four_p = Columns::constant(l, &Constants::<FqModulus>::multiple(4));
            let minus_b1 = four_p.sub(l, &b1.masked(l)).carried(l);
            products[k] = reduced_pairs::<L, FqModulus>(l, a[k], [[b0, &minus_b1], [b1, b0]]);
        }
        products
    }

    #[inline(always)]
    fn squares<L: Lanes>(
        l: L,
        a: [&Factors<L, 2>; PAIR],
        beside: &mut impl Beside<L>,
    ) -> [Sums<L, 2>; PAIR] {
        all_slices(l, beside);
        let four_p = Columns::constant(l, &Constants::<FqModulus>::multiple(4));
        let mut squares = [[Columns::constant(l, &[0; 5]); 2]; PAIR];
        for k in 0..PAIR {
            let (a0, a1) = (a[k][0].masked(l), a[k][1].masked(l));
            let sum = a0.add(l, &a1).carried(l);
            let difference = a0.sub(l, &a1).add(l, &four_p).carried(l);
            let twice = a0.add(l, &a0).carried(l);
            let (x, y) = ([&sum, &twice], [&difference, &a[k][1]]);
            squares[k] = reduced_pair::<L, FqModulus>(l, x, y, &Wide::plain(l), &mut Nothing);
        }
        squares
    }

    fn of_stored([c0, c1]: [[u64; 4]; 2]) -> Self {
        Self { c0: Fq::from_stored(c0), c1: Fq::from_stored(c1) }
    }

    fn to_stored(self) -> [[u64; 4]; 2] {
        [self.c0.to_montgomery(), self.c1.to_montgomery()]
    }
}

/// a, b < 2^260 -> (a0 b0 + a1 b1 + m p) / 2^260 for each pair b, columns not carried; 150 madd
/// each. Columns are sums of at most six halves in a row, 26 in all.
#[inline(always)]
fn reduced_pairs<L: Lanes, M: Modulus>(
    l: L,
    a: &Factors<L, 2>,
    b: [[&Lazy<L>; 2]; 2],
) -> Sums<L, 2> {
    let p = splat(l, &Constants::<M>::P);
    let minus_inverse = l.splat(Constants::<M>::MINUS_INVERSE);
    let (round_up, zero) = (l.splat(MASK), l.splat(0));
    let mut t = [[round_up, round_up, round_up, round_up, round_up, zero]; 2];
    let mut m = [minus_inverse; 2];
    macro_rules! each {
        ($k:ident => $e:expr) => {
            for $k in 0..2 {
                $e;
            }
        };
    }
    macro_rules! low {
        ($i:literal, $j:literal) => {
            each!(k => t[k][$j] = l.madd_low(t[k][$j], a[0].0[$i], b[k][0].0[$j]));
            each!(k => t[k][$j] = l.madd_low(t[k][$j], a[1].0[$i], b[k][1].0[$j]));
        };
    }
    macro_rules! high {
        ($i:literal, $j:literal) => {
            each!(k => t[k][$j + 1] = l.madd_high(t[k][$j + 1], a[0].0[$i], b[k][0].0[$j]));
            each!(k => t[k][$j + 1] = l.madd_high(t[k][$j + 1], a[1].0[$i], b[k][1].0[$j]));
        };
    }
    macro_rules! row {
        ($i:literal) => {
            low!($i, 0);
            low!($i, 1);
            each!(k => m[k] = l.madd_low(minus_inverse, t[k][0], minus_inverse));
            low!($i, 2);
            low!($i, 3);
            low!($i, 4);
            high!($i, 0);
            high!($i, 1);
            high!($i, 2);
            high!($i, 3);
            each!(k => t[k][5] = zero);
            high!($i, 4);
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
    [
        Columns([t[0][0], t[0][1], t[0][2], t[0][3], t[0][4]]),
        Columns([t[1][0], t[1][1], t[1][2], t[1][3], t[1][4]]),
    ]
}
