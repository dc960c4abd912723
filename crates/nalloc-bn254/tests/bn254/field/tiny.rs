//! Integers modulo 12289 = 3 * 2^12 + 1: a field in which everything can be tried.

use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use nalloc::Zeroable;
use nalloc_bn254::Field;

const P: u64 = 12289;

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tiny(u64);

impl Tiny {
    /// How many elements there are.
    pub const SIZE: u64 = P;
}

// SAFETY: zero bytes are the number 0.
unsafe impl Zeroable for Tiny {}

impl Field for Tiny {
    const ZERO: Self = Self(0);
    const ONE: Self = Self(1);
    const TWO_ADICITY: u32 = 12;
    // 11 generates the group, and 11^3 has order 2^12.
    const TWO_ADIC_ROOT: Self = Self(11 * 11 * 11);

    fn from_u64(number: u64) -> Self {
        Self(number % P)
    }

    fn invert(self) -> Option<Self> {
        (self.0 != 0).then(|| self.pow(&[P - 2]))
    }

    fn select(mask: u64, when_set: Self, when_clear: Self) -> Self {
        Self(when_set.0 & mask | when_clear.0 & !mask)
    }
}

impl Add for Tiny {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0) % P)
    }
}

impl Sub for Tiny {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self((self.0 + P - other.0) % P)
    }
}

impl Mul for Tiny {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0 % P)
    }
}

impl Neg for Tiny {
    type Output = Self;

    fn neg(self) -> Self {
        Self((P - self.0) % P)
    }
}

impl AddAssign for Tiny {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Tiny {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Tiny {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}
