//! Numbers of four 64-bit limbs, least significant first: carries, comparisons and bits.
//!
//! Nothing here knows a modulus. Every function takes the same time for all values of its
//! operands, unless its name ends in `_vartime`.
#![expect(
    clippy::cast_possible_truncation,
    reason = "splitting a 128-bit intermediate into limbs is what this file is for"
)]

/// A number below 2^256, least significant limb first.
pub(crate) type Limbs = [u64; 4];

/// `acc + a * b + carry` as (low, high) limbs; it cannot overflow.
#[inline]
pub(crate) const fn mac(acc: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = acc as u128 + (a as u128) * (b as u128) + carry as u128;
    (wide as u64, (wide >> 64) as u64)
}

/// `a + b + carry` as (low limb, carry); the carry is 0 or 1.
#[inline]
pub(crate) const fn adc(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = a as u128 + b as u128 + carry as u128;
    (wide as u64, (wide >> 64) as u64)
}

/// `a - b - borrow` as (low limb, borrow); the borrow is 0 or 1.
///
/// By flags: through a 128-bit difference a bucket addition took 170 ns instead of 152 (G1, Zen 5,
/// bench profile, 2026-11-21). For sums the 128-bit way is the faster one.
#[inline]
pub(crate) const fn sbb(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (difference, is_short) = a.overflowing_sub(b);
    let (difference, is_shorter) = difference.overflowing_sub(borrow);
    (difference, (is_short | is_shorter) as u64)
}

/// `a + b` modulo 2^256, and the carry out of it.
#[inline]
pub(crate) const fn add(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let (r0, carry) = adc(a[0], b[0], 0);
    let (r1, carry) = adc(a[1], b[1], carry);
    let (r2, carry) = adc(a[2], b[2], carry);
    let (r3, carry) = adc(a[3], b[3], carry);
    ([r0, r1, r2, r3], carry)
}

/// `a - b` modulo 2^256, and 1 where `a < b`.
#[inline]
pub(crate) const fn sub(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let (r0, borrow) = sbb(a[0], b[0], 0);
    let (r1, borrow) = sbb(a[1], b[1], borrow);
    let (r2, borrow) = sbb(a[2], b[2], borrow);
    let (r3, borrow) = sbb(a[3], b[3], borrow);
    ([r0, r1, r2, r3], borrow)
}

/// `when_set` where `mask` is all ones, `when_clear` where it is zero.
#[inline]
pub(crate) const fn select(mask: u64, when_set: &Limbs, when_clear: &Limbs) -> Limbs {
    [
        when_clear[0] ^ (mask & (when_set[0] ^ when_clear[0])),
        when_clear[1] ^ (mask & (when_set[1] ^ when_clear[1])),
        when_clear[2] ^ (mask & (when_set[2] ^ when_clear[2])),
        when_clear[3] ^ (mask & (when_set[3] ^ when_clear[3])),
    ]
}

/// `a` minus `p` where that is not negative, else `a`.
#[inline]
pub(crate) const fn reduce_once(a: &Limbs, p: &Limbs) -> Limbs {
    let (reduced, borrow) = sub(a, p);
    select(borrow.wrapping_neg(), a, &reduced)
}

/// Whether `a < b`.
#[inline]
pub(crate) const fn is_less(a: &Limbs, b: &Limbs) -> bool {
    sub(a, b).1 == 1
}

/// `a` shifted right by `bits`, at least 1 and at most 63.
pub(crate) const fn shift_right(a: &Limbs, bits: u32) -> Limbs {
    let up = 64 - bits;
    [
        (a[0] >> bits) | (a[1] << up),
        (a[1] >> bits) | (a[2] << up),
        (a[2] >> bits) | (a[3] << up),
        a[3] >> bits,
    ]
}

/// How many bits `a` needs: 0 for zero, else one more than its highest set bit's position.
pub(crate) fn bit_length_vartime(a: &Limbs) -> u32 {
    let top = [192, 128, 64, 0].into_iter().zip(a.iter().rev()).find(|&(_, &limb)| limb != 0);
    top.map_or(0, |(below, limb)| below + limb.ilog2() + 1)
}

/// The limbs in a row as 32 bytes, least significant first.
pub(crate) fn to_le_bytes(a: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (part, limb) in bytes.chunks_exact_mut(8).zip(a) {
        part.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}

/// The number that 32 bytes stand for, least significant first.
pub(crate) fn from_le_bytes(bytes: &[u8; 32]) -> Limbs {
    let (words, _) = bytes.as_chunks::<8>();
    let mut limbs = [0; 4];
    for (limb, word) in limbs.iter_mut().zip(words) {
        *limb = u64::from_le_bytes(*word);
    }
    limbs
}

/// `high * 2^64 + low` divided by `by`, as (quotient, rest). The quotient fits: `high < by`.
pub(crate) fn divide_vartime(high: u64, low: u64, by: u64) -> (u64, u64) {
    debug_assert!(high < by, "the quotient of {high} * 2^64 by {by} does not fit a limb");
    let wide = u128::from(high) << 64 | u128::from(low);
    ((wide / u128::from(by)) as u64, (wide % u128::from(by)) as u64)
}
