//! Sums of a few coordinates, brought back below small multiples of q.

use crate::arch::constants::{Constants, Limbs52, Table};
use crate::arch::lanes::Lanes;
use crate::arch::value::{Below, Columns, mask};
use crate::field::FqModulus;

/// Multiples of q, limb by limb.
const MULTIPLES: &Table = &{
    let (mut table, mut k) = ([[0; 16]; 5], 0);
    while k < 16 {
        let multiple = Constants::<FqModulus>::multiple(k as u64);
        let mut limb = 0;
        while limb < 5 {
            table[limb][k] = multiple[limb];
            limb += 1;
        }
        k += 1;
    }
    Table(table)
};
/// floor(2^97 / (top limb of q + 1)).
const QUOTIENT: u64 = ((1 << 97) / (Constants::<FqModulus>::P[4] as u128 + 1)) as u64;

/// A value in (0.9p, 7p) -> the same modulo p, < 1.0001p, not carried.
///
/// The top limb plus the carry of the one below is at most one unit above the true top, so a unit
/// less never is, and the quotient is too small only where the rest is below 2^-43 p + p.
#[inline(always)]
pub(super) fn less_multiple<L: Lanes>(l: L, value: &Columns<L>) -> Columns<L> {
    let c = &value.0;
    let top = l.sub(l.add(c[4], l.sar::<52>(c[3])), l.splat(1));
    let quotient = l.madd_high(l.splat(0), l.shl::<3>(top), l.splat(QUOTIENT));
    let quotient = l.shr::<48>(quotient);
    let table = &MULTIPLES.0;
    Columns([
        l.sub(c[0], l.look_up_8(&table[0], quotient)),
        l.sub(c[1], l.look_up_8(&table[1], quotient)),
        l.sub(c[2], l.look_up_8(&table[2], quotient)),
        l.sub(c[3], l.look_up_8(&table[3], quotient)),
        l.sub(c[4], l.look_up_8(&table[4], quotient)),
    ])
}

/// A value in (0, 4.2p) -> the same modulo p, < 2.2p, not carried.
#[inline(always)]
pub(super) fn less_two<L: Lanes>(l: L, value: &Columns<L>) -> Columns<L> {
    const TWO_P: Limbs52 = Constants::<FqModulus>::multiple(2);
    let c = &value.0;
    let top = l.add(c[4], l.sar::<52>(c[3]));
    // Negative where the top limb is above that of 2p, carries of lower limbs included.
    let sign = l.sub(l.splat(TWO_P[4] + 2), top);
    let mut rest = *value;
    for (limb, two_p) in rest.0.iter_mut().zip(TWO_P) {
        *limb = l.add_where_negative(sign, *limb, l.splat(two_p.wrapping_neg()));
    }
    rest
}

/// Limbs of 52 bits of a value that the caller has shown to be in [0, `BOUND` p).
#[inline(always)]
pub(super) fn normalised<L: Lanes, const BOUND: u64>(l: L, value: &Columns<L>) -> Columns<L> {
    let limbs = mask(l, &value.carried(l).0);
    if cfg!(debug_assertions) {
        Below::<L, FqModulus, BOUND>::new(l, limbs);
    }
    Columns(limbs)
}
