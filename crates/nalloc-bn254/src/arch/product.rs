//! The two multiplications, on which everything else spends its time.
//!
//! | product | multiply-adds | cycles at 2 a cycle | result |
//! |---|---|---|---|
//! | Shoup, by a factor with a stored quotient | 75 | 37.5 | -5p + [0, 10.0000001p), not carried |
//! | Montgomery, a * b / 2^260 | 105 | 52.5 | < 2p for a < 2^260, b < p |
//!
//! A product is a chain of 4-cycle instructions, so `K` of them are interleaved in the source: with
//! one in flight a radix-4 pass takes 58 cycles per 8 butterflies, with four 44.5.

use super::constants::{Constants, Factor};
use super::lanes::Lanes;
use super::value::{Below, Columns, Lazy, splat};
use crate::field::Modulus;

/// Invokes `$step` with each pair of limbs whose index sum is at most 4, in the order that keeps
/// most chains busy.
macro_rules! lower_triangle {
    ($step:ident) => {
        $step!(0, 0);
        $step!(1, 0);
        $step!(2, 0);
        $step!(3, 0);
        $step!(4, 0);
        $step!(0, 1);
        $step!(1, 1);
        $step!(2, 1);
        $step!(3, 1);
        $step!(0, 2);
        $step!(1, 2);
        $step!(2, 2);
        $step!(0, 3);
        $step!(1, 3);
        $step!(0, 4);
    };
}

/// As [`lower_triangle`], for index sums of at least 4.
macro_rules! upper_triangle {
    ($step:ident) => {
        $step!(4, 0);
        $step!(3, 1);
        $step!(4, 1);
        $step!(2, 2);
        $step!(3, 2);
        $step!(4, 2);
        $step!(1, 3);
        $step!(2, 3);
        $step!(3, 3);
        $step!(4, 3);
        $step!(0, 4);
        $step!(1, 4);
        $step!(2, 4);
        $step!(3, 4);
        $step!(4, 4);
    };
}

/// a < 2^260 -> a * f - 5p + [0, 10.0000001p) modulo 2^260, columns not carried; 75 madd.
#[inline(always)]
pub(crate) fn shoup<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    f: [&Factor; K],
) -> [Columns<L>; K] {
    let zero = l.splat(0);
    let minus_p = splat(l, &Constants::<M>::MINUS_P);
    // The quotient's columns 4 .. 9 (column 4 gets high halves only and counts as 5's carry), and
    // the product's columns 0 .. 4.
    let mut q = [[zero; 6]; K];
    let [c0, c1, c2, c3, c4] = splat(l, &Constants::<M>::MINUS_5P);
    let mut r = [[c0, c1, c2, c3, c4, zero]; K];
    macro_rules! quotient {
        ($i:literal, $j:literal) => {
            for k in 0..K {
                q[k][$i + $j - 3] =
                    l.madd_high(q[k][$i + $j - 3], a[k].0[$i], l.splat(f[k].0[5 + $j]));
            }
            if $i + $j > 4 {
                for k in 0..K {
                    q[k][$i + $j - 4] =
                        l.madd_low(q[k][$i + $j - 4], a[k].0[$i], l.splat(f[k].0[5 + $j]));
                }
            }
        };
    }
    macro_rules! product {
        ($i:literal, $j:literal) => {
            for k in 0..K {
                r[k][$i + $j] = l.madd_low(r[k][$i + $j], a[k].0[$i], l.splat(f[k].0[$j]));
            }
            if $i + $j < 4 {
                for k in 0..K {
                    r[k][$i + $j + 1] =
                        l.madd_high(r[k][$i + $j + 1], a[k].0[$i], l.splat(f[k].0[$j]));
                }
            }
        };
    }
    upper_triangle!(quotient);
    lower_triangle!(product);
    let mut n = [[zero; 5]; K];
    for k in 0..K {
        let q2 = l.add(q[k][2], l.shr::<52>(q[k][1]));
        let q3 = l.add(q[k][3], l.shr::<52>(q2));
        let q4 = l.add(q[k][4], l.shr::<52>(q3));
        let q5 = l.add(q[k][5], l.shr::<52>(q4));
        n[k] = [q[k][1], q2, q3, q4, q5];
    }
    macro_rules! reduce {
        ($i:literal, $j:literal) => {
            for k in 0..K {
                r[k][$i + $j] = l.madd_low(r[k][$i + $j], n[k][$j], minus_p[$i]);
            }
            if $i + $j < 4 {
                for k in 0..K {
                    r[k][$i + $j + 1] = l.madd_high(r[k][$i + $j + 1], n[k][$j], minus_p[$i]);
                }
            }
        };
    }
    lower_triangle!(reduce);
    columns::<L, K>(&r)
}

#[inline(always)]
fn columns<L: Lanes, const K: usize>(r: &[[L::Word; 6]; K]) -> [Columns<L>; K] {
    let mut columns = [Columns([r[0][0], r[0][1], r[0][2], r[0][3], r[0][4]]); K];
    for k in 1..K {
        columns[k] = Columns([r[k][0], r[k][1], r[k][2], r[k][3], r[k][4]]);
    }
    columns
}

/// a < 2^260, b < p -> a * b / 2^260, < 2p; 105 madd.
#[inline(always)]
pub(crate) fn montgomery<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    b: [&Lazy<L>; K],
) -> [Below<L, M, 2>; K] {
    let zero = l.splat(0);
    let p = splat(l, &Constants::<M>::P);
    let minus_inverse = l.splat(Constants::<M>::MINUS_INVERSE);
    let mut t = [[zero; 6]; K];
    let mut m = [zero; K];
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
            each!(k => m[k] = l.madd_low(zero, t[k][0], minus_inverse));
            each!(k => t[k][2] = l.madd_low(t[k][2], a[k].0[$i], b[k].0[2]));
            each!(k => t[k][3] = l.madd_low(t[k][3], a[k].0[$i], b[k].0[3]));
            each!(k => t[k][4] = l.madd_low(t[k][4], a[k].0[$i], b[k].0[4]));
            each!(k => t[k][1] = l.madd_high(t[k][1], a[k].0[$i], b[k].0[0]));
            each!(k => t[k][2] = l.madd_high(t[k][2], a[k].0[$i], b[k].0[1]));
            each!(k => t[k][3] = l.madd_high(t[k][3], a[k].0[$i], b[k].0[2]));
            each!(k => t[k][4] = l.madd_high(t[k][4], a[k].0[$i], b[k].0[3]));
            each!(k => t[k][5] = l.madd_high(zero, a[k].0[$i], b[k].0[4]));
            each!(k => t[k][0] = l.madd_low(t[k][0], m[k], p[0]));
            each!(k => t[k][1] = l.madd_low(t[k][1], m[k], p[1]));
            each!(k => t[k][1] = l.madd_high(t[k][1], m[k], p[0]));
            each!(k => t[k][2] = l.madd_low(t[k][2], m[k], p[2]));
            each!(k => t[k][3] = l.madd_low(t[k][3], m[k], p[3]));
            each!(k => t[k][4] = l.madd_low(t[k][4], m[k], p[4]));
            each!(k => t[k][2] = l.madd_high(t[k][2], m[k], p[1]));
            each!(k => t[k][3] = l.madd_high(t[k][3], m[k], p[2]));
            each!(k => t[k][4] = l.madd_high(t[k][4], m[k], p[3]));
            each!(k => t[k][5] = l.madd_high(t[k][5], m[k], p[4]));
            each!(k => t[k][0] = l.add(t[k][1], l.shr::<52>(t[k][0])));
            each!(k => t[k][1] = t[k][2]);
            each!(k => t[k][2] = t[k][3]);
            each!(k => t[k][3] = t[k][4]);
            each!(k => t[k][4] = t[k][5]);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    let mut results = [Lazy::<L>(carried_limbs(l, &t[0])).normalised(l); K];
    for k in 1..K {
        results[k] = Lazy::<L>(carried_limbs(l, &t[k])).normalised(l);
    }
    results
}

/// Columns 0 .. 4, carried.
#[inline(always)]
fn carried_limbs<L: Lanes>(l: L, t: &[L::Word; 6]) -> [L::Word; 5] {
    Columns::<L>([t[0], t[1], t[2], t[3], t[4]]).carried(l).0
}

impl<L: Lanes> Lazy<L> {
    #[inline(always)]
    fn normalised<M: Modulus>(&self, l: L) -> Below<L, M, 2> {
        Below::new(l, self.masked(l).0)
    }
}
