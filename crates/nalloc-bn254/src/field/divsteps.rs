//! Inverses by division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular
//! inversion", 2019), in time that does not depend on the number, and a faster way that does.
//!
//! A step takes (delta, f, g), f odd, to (1 - delta, g, (g - f) / 2) where delta > 0 and g is odd,
//! else to (1 + delta, f, (g + (g mod 2) f) / 2). From f = p and g = x it ends at g = 0 and
//! f = 1 or -1. Up to 62 steps look at the low 62 bits of f and g only: they are collected in a
//! matrix, which then is applied to f, g and to d, e at once. d and e keep f = d x / c and
//! g = e x / c modulo p, so that d ends as c / x or -c / x; e starts at c = R^2, for the inverse of
//! the stored x R must be stored as x^-1 R = R^2 / (x R).
//!
//! In constant time delta starts at 1/2: then (45907 * 254 + 26313) / 19929 = 586 steps are enough
//! for every p and x below 2^254 (eprint 2021/549), and ten times 59 are made. Without that promise
//! delta starts at 1, runs of zero bits are one shift, six bits are cleared at once, and the end is
//! g = 0; 12 rounds of 62 steps are enough for (49 * 254 + 57) / 17 = 735 (theorem 11.2).
//!
//! Constant is the sequence of operations and addresses of `invert`; its code has two jumps,
//! those of the loops (x86-64, rustc 1.95, release profile). It takes 1.35 microseconds and
//! `invert_vartime` 0.86-0.91 (2-core Zen 5 at 3.95 GHz, `cargo bench --bench bn254 -- inverse`,
//! 2026-11-21); x^(p-2) took 7.5.
//!
//! Bounds: the entries of a row of a matrix sum up to at most 2^62 in size; f and g stay within
//! (-p, p], d and e within (-2p, p).

#![expect(
    clippy::cast_possible_truncation,
    reason = "the low 62 bits of wide sums are what the steps work on"
)]

use super::limbs::Limbs;

/// A number as five signed limbs of 62 bits; all but the last are in [0, 2^62).
type Signed = [i64; 5];

const BITS: u32 = 62;
const MASK: i64 = (1 << BITS) - 1;
const ROUNDS: usize = 10;
const STEPS: u32 = 59;
const ROUNDS_MAX: usize = 12;

/// What a round of steps does: (f, g) -> (u f + v g, q f + r g) / 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// A modulus and what the steps need of it.
pub(super) struct Divsteps {
    p: Signed,
    /// 1/p modulo 2^62.
    inverse: u64,
    start: Signed,
}

impl Divsteps {
    /// Inverses modulo `p` times `start`, given -1/p modulo 2^64.
    pub(super) const fn new(p: &Limbs, neg_inverse: u64, start: &Limbs) -> Self {
        let inverse = neg_inverse.wrapping_neg() & MASK.cast_unsigned();
        Self { p: split(p), inverse, start: split(start) }
    }

    /// start / x modulo p for x below p, or 0 for 0. 590 steps, whatever x is.
    pub(super) fn invert(&self, x: &Limbs) -> Limbs {
        let (mut f, mut g) = (self.p, split(x));
        let (mut d, mut e) = ([0; 5], self.start);
        let mut zeta = -1;
        for _ in 0..ROUNDS {
            let matrix = steps(&mut zeta, f[0].cast_unsigned(), g[0].cast_unsigned());
            self.update_inverse(&mut d, &mut e, &matrix);
            update(&mut f, &mut g, &matrix);
        }
        debug_assert_eq!(g, [0; 5], "590 steps were not enough");
        self.normalised(&d, f[4] >> 63)
    }

    /// As [`invert`](Self::invert), in a time that depends on x.
    pub(super) fn invert_vartime(&self, x: &Limbs) -> Limbs {
        let (mut f, mut g) = (self.p, split(x));
        let (mut d, mut e) = ([0; 5], self.start);
        let mut eta = -1;
        for _ in 0..ROUNDS_MAX {
            if g == [0; 5] {
                break;
            }
            let matrix = steps_vartime(&mut eta, f[0].cast_unsigned(), g[0].cast_unsigned());
            self.update_inverse(&mut d, &mut e, &matrix);
            update(&mut f, &mut g, &matrix);
        }
        debug_assert_eq!(g, [0; 5], "744 steps were not enough");
        self.normalised(&d, f[4] >> 63)
    }

    /// (d, e) -> matrix * (d, e) / 2^62 modulo p, both in (-2p, p) before and after.
    ///
    /// A multiple of p that clears the low 62 bits is added; where d or e is negative, another p
    /// times its factor, which keeps the range.
    #[inline]
    fn update_inverse(&self, d: &mut Signed, e: &mut Signed, matrix: &Matrix) {
        let Matrix { u, v, q, r } = *matrix;
        let (sign_d, sign_e) = (d[4] >> 63, e[4] >> 63);
        let mut sum_d = wide(u, d[0]) + wide(v, e[0]);
        let mut sum_e = wide(q, d[0]) + wide(r, e[0]);
        let times_d = self.clearing((u & sign_d) + (v & sign_e), sum_d);
        let times_e = self.clearing((q & sign_d) + (r & sign_e), sum_e);
        sum_d = (sum_d + wide(self.p[0], times_d)) >> BITS;
        sum_e = (sum_e + wide(self.p[0], times_e)) >> BITS;
        for i in 1..5 {
            sum_d += wide(u, d[i]) + wide(v, e[i]) + wide(self.p[i], times_d);
            sum_e += wide(q, d[i]) + wide(r, e[i]) + wide(self.p[i], times_e);
            (d[i - 1], e[i - 1]) = (sum_d as i64 & MASK, sum_e as i64 & MASK);
            (sum_d, sum_e) = (sum_d >> BITS, sum_e >> BITS);
        }
        (d[4], e[4]) = (sum_d as i64, sum_e as i64);
    }

    /// The number within 2^62 below `times` for which sum + number * p is 0 modulo 2^62.
    #[inline]
    fn clearing(&self, times: i64, sum: i128) -> i64 {
        let quotient = self
            .inverse
            .wrapping_mul((sum as i64).cast_unsigned())
            .wrapping_add(times.cast_unsigned());
        times - (quotient.cast_signed() & MASK)
    }

    /// d in (-2p, p), negated where `sign` is -1, in [0, p).
    fn normalised(&self, d: &Signed, sign: i64) -> Limbs {
        let d = self.plus_p_where(d, d[4] >> 63);
        let negated = carried(&d.map(|limb| (limb ^ sign) - sign));
        join(&self.plus_p_where(&negated, negated[4] >> 63))
    }

    /// a + p where `mask` is -1, a where it is 0.
    fn plus_p_where(&self, a: &Signed, mask: i64) -> Signed {
        carried(&core::array::from_fn(|i| a[i] + (self.p[i] & mask)))
    }
}

/// 59 steps; the matrix starts at 2^3, for updates divide by 2^62. `zeta` is -(delta + 1/2).
#[inline]
fn steps(zeta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (8u64, 0u64, 0u64, 8u64);
    for _ in 0..STEPS {
        // All ones where delta > 0, and where g is odd.
        let positive = (*zeta >> 63).cast_unsigned();
        let odd = (g & 1).wrapping_neg();
        // Minus f where delta > 0, else f; the same for its row.
        let (x, y, z) = (negated(f, positive), negated(u, positive), negated(v, positive));
        g = g.wrapping_add(x & odd);
        q = q.wrapping_add(y & odd);
        r = r.wrapping_add(z & odd);
        let swap = positive & odd;
        *zeta = (*zeta ^ swap.cast_signed()) - 1;
        // f + (g - f) = g.
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    let [u, v, q, r] = [u, v, q, r].map(u64::cast_signed);
    Matrix { u, v, q, r }
}

/// -a where `mask` is all ones, a where it is 0.
#[inline]
fn negated(a: u64, mask: u64) -> u64 {
    (a ^ mask).wrapping_sub(mask)
}

/// 62 steps. `eta` is -delta.
#[inline]
fn steps_vartime(eta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = BITS;
    loop {
        let zeros = (g | u64::MAX << left).trailing_zeros();
        (g, u, v) = (g >> zeros, u << zeros, v << zeros);
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // Delta stays at most 0 for eta + 1 steps, which add multiples of f: -g / f modulo 2^6 of
        // it clears so many bits. f^2 is 1 modulo 8, so that 1 / f is f (2 - f^2) modulo 2^6.
        let bits = (*eta + 1).min(i64::from(left.min(6)));
        let inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let times = g.wrapping_mul(inverse) & ((1 << bits) - 1);
        g = g.wrapping_add(f.wrapping_mul(times));
        q = q.wrapping_add(u.wrapping_mul(times));
        r = r.wrapping_add(v.wrapping_mul(times));
    }
    let [u, v, q, r] = [u, v, q, r].map(u64::cast_signed);
    Matrix { u, v, q, r }
}

/// (f, g) -> matrix * (f, g) / 2^62, which has no rest.
#[inline]
fn update(f: &mut Signed, g: &mut Signed, matrix: &Matrix) {
    let Matrix { u, v, q, r } = *matrix;
    let mut sum_f = (wide(u, f[0]) + wide(v, g[0])) >> BITS;
    let mut sum_g = (wide(q, f[0]) + wide(r, g[0])) >> BITS;
    for i in 1..5 {
        sum_f += wide(u, f[i]) + wide(v, g[i]);
        sum_g += wide(q, f[i]) + wide(r, g[i]);
        (f[i - 1], g[i - 1]) = (sum_f as i64 & MASK, sum_g as i64 & MASK);
        (sum_f, sum_g) = (sum_f >> BITS, sum_g >> BITS);
    }
    (f[4], g[4]) = (sum_f as i64, sum_g as i64);
}

#[inline]
fn wide(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The same number, all limbs but the last in [0, 2^62).
fn carried(a: &Signed) -> Signed {
    let (mut limbs, mut carry) = (*a, 0);
    for limb in &mut limbs[..4] {
        carry += *limb;
        *limb = carry & MASK;
        carry >>= BITS;
    }
    limbs[4] += carry;
    limbs
}

const fn split(a: &Limbs) -> Signed {
    [
        a[0].cast_signed() & MASK,
        (a[0] >> 62 | a[1] << 2).cast_signed() & MASK,
        (a[1] >> 60 | a[2] << 4).cast_signed() & MASK,
        (a[2] >> 58 | a[3] << 6).cast_signed() & MASK,
        (a[3] >> 56).cast_signed(),
    ]
}

/// The number in limbs of 64 bits; it is below 2^256 and not negative.
fn join(a: &Signed) -> Limbs {
    let a = a.map(i64::cast_unsigned);
    [a[0] | a[1] << 62, a[1] >> 2 | a[2] << 60, a[2] >> 4 | a[3] << 58, a[3] >> 6 | a[4] << 56]
}
