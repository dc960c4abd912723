//! The two multiplications, on which everything else spends its time.
//!
//! | product | multiply-adds | cycles at 2 a cycle | result |
//! |---|---|---|---|
//! | Shoup, by a factor with a stored quotient | 75 | 37.5 | -5p + [0, 10.0000001p), not carried |
//! | Montgomery, a * b / 2^260 | 100 | 50 | < 2p for a < 2^260, b < p |
//!
//! Montgomery's has its steps in `wide`. A product is a chain of 4-cycle instructions, so `K` of
//! them are interleaved in the source: with one in flight a radix-4 pass takes 58 cycles per 8
//! butterflies, with four 44.5.

use super::constants::{Constants, Factor};
use super::lanes::Lanes;
use super::value::{Below, Columns, Lazy, splat};
use super::wide::{Wide, reduced_products};
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

/// a < 2^260, b < p -> a * b / 2^260, < 2p; 100 madd.
#[inline(always)]
pub(crate) fn montgomery<L: Lanes, M: Modulus, const K: usize>(
    l: L,
    a: [&Lazy<L>; K],
    b: [&Lazy<L>; K],
) -> [Below<L, M, 2>; K] {
    let t = reduced_products::<L, M, K>(l, a, b, &Wide::plain(l));
    let mut results = [Below::new(l, t[0].carried(l).masked(l).0); K];
    for k in 1..K {
        results[k] = Below::new(l, t[k].carried(l).masked(l).0);
    }
    results
}
