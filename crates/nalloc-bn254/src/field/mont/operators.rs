//! Sums, differences and products of single elements, canonical in and out.

use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{Modulus, Montgomery};
use crate::field::{Field, limbs};

impl<M: Modulus> Add for Montgomery<M> {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        // Both are below p < 2^254, so the sum has no carry.
        let (sum, _) = limbs::add(&self.0, &other.0);
        Self::from_stored(limbs::reduce_once(&sum, &M::LIMBS))
    }
}

impl<M: Modulus> Sub for Montgomery<M> {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.0, &other.0);
        let p_or_zero = limbs::select(borrow.wrapping_neg(), &M::LIMBS, &[0; 4]);
        Self::from_stored(limbs::add(&difference, &p_or_zero).0)
    }
}

impl<M: Modulus> Mul for Montgomery<M> {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        Self::from_stored(Self::product(&self.0, &other.0))
    }
}

impl<M: Modulus> Neg for Montgomery<M> {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl<M: Modulus> AddAssign for Montgomery<M> {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<M: Modulus> SubAssign for Montgomery<M> {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<M: Modulus> MulAssign for Montgomery<M> {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}
