//! The quadratic extension Fq[u] / (u^2 + 1): coordinates of G2.
//!
//! Multiplication is Karatsuba's, 3 in Fq; squaring takes 2 because u^2 = -1:
//! (a + bu)^2 = (a + b)(a - b) + 2ab u.

use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use nalloc::Zeroable;

use super::{Field, Fq};
use crate::buffer::PlainBytes;

/// c0 + c1 * u with u^2 = -1. In memory c0 comes first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Fq2 {
    /// The part without u.
    pub c0: Fq,
    /// The factor of u.
    pub c1: Fq,
}

const _: () = assert!(size_of::<Fq2>() == 64 && core::mem::offset_of!(Fq2, c1) == 32);

// SAFETY: both parts may be zero, and there is no padding (asserted above).
unsafe impl Zeroable for Fq2 {}
// SAFETY: both parts are plain bytes, and there is no padding (asserted above).
unsafe impl PlainBytes for Fq2 {}

impl Fq2 {
    /// c0 + c1 * u.
    #[must_use]
    pub const fn new(c0: Fq, c1: Fq) -> Self {
        Self { c0, c1 }
    }

    /// The element for two integers below q.
    pub(crate) const fn from_plain_limbs(c0: [u64; 4], c1: [u64; 4]) -> Self {
        match (Fq::from_plain(c0), Fq::from_plain(c1)) {
            (Some(c0), Some(c1)) => Self { c0, c1 },
            _ => panic!("a constant is not below q"),
        }
    }
}

impl Field for Fq2 {
    const ZERO: Self = Self { c0: Fq::ZERO, c1: Fq::ZERO };
    const ONE: Self = Self { c0: Fq::ONE, c1: Fq::ZERO };
    // q^2 - 1 = (q - 1)(q + 1), with 1 and 3 factors 2.
    const TWO_ADICITY: u32 = 4;
    // (9 + u)^((q^2 - 1) / 16).
    const TWO_ADIC_ROOT: Self = Self::from_plain_limbs(
        [
            0x47cf_bbed_da71_cf82,
            0x5398_a41a_4e1d_c5d3,
            0x0dd3_ecd4_f305_1527,
            0x0b20_dcb5_704e_326a,
        ],
        [
            0x9111_51aa_341a_c43b,
            0xa724_6e40_7f00_771c,
            0x95fd_f38a_582e_db43,
            0x2fb2_4e83_08a9_4437,
        ],
    );

    fn from_u64(number: u64) -> Self {
        Self { c0: Fq::from_u64(number), c1: Fq::ZERO }
    }

    #[inline]
    fn square(self) -> Self {
        let product = self.c0 * self.c1;
        Self { c0: (self.c0 + self.c1) * (self.c0 - self.c1), c1: product.double() }
    }

    /// 1 / (a + bu) = (a - bu) / (a^2 + b^2). -1 is no square in Fq, so the norm is 0 for 0 alone.
    fn invert(self) -> Option<Self> {
        let norm = self.c0.square() + self.c1.square();
        norm.invert().map(|inverse| Self { c0: self.c0 * inverse, c1: -(self.c1 * inverse) })
    }

    fn invert_vartime(self) -> Option<Self> {
        let norm = self.c0.square() + self.c1.square();
        let inverse = norm.invert_vartime()?;
        Some(Self { c0: self.c0 * inverse, c1: -(self.c1 * inverse) })
    }

    #[inline]
    fn times(self, other: Self) -> Self {
        let (low, high) = (self.c0.times(other.c0), self.c1.times(other.c1));
        let cross = (self.c0 + self.c1).times(other.c0 + other.c1);
        Self { c0: low - high, c1: cross - low - high }
    }

    #[inline]
    fn settled(self) -> Self {
        Self { c0: self.c0.settled(), c1: self.c1.settled() }
    }

    #[inline]
    fn select(mask: u64, when_set: Self, when_clear: Self) -> Self {
        Self {
            c0: Fq::select(mask, when_set.c0, when_clear.c0),
            c1: Fq::select(mask, when_set.c1, when_clear.c1),
        }
    }
}

impl Add for Fq2 {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self { c0: self.c0 + other.c0, c1: self.c1 + other.c1 }
    }
}

impl Sub for Fq2 {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self { c0: self.c0 - other.c0, c1: self.c1 - other.c1 }
    }
}

impl Mul for Fq2 {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let (low, high) = (self.c0 * other.c0, self.c1 * other.c1);
        let cross = (self.c0 + self.c1) * (other.c0 + other.c1);
        Self { c0: low - high, c1: cross - low - high }
    }
}

impl Neg for Fq2 {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self { c0: -self.c0, c1: -self.c1 }
    }
}

impl AddAssign for Fq2 {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Fq2 {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Fq2 {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}
