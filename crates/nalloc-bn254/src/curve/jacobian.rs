//! Sums of points: (X, Y, Z) stands for (X/Z^2, Y/Z^3), Z = 0 for infinity.

use core::ops::Neg;

use nalloc::Zeroable;

use super::{Affine, CurveField};

/// A point that additions and doublings produce. Equality is equality of points, not of
/// coordinates: one point has many forms.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Jacobian<F> {
    /// x times Z^2.
    pub x: F,
    /// y times Z^3.
    pub y: F,
    /// The denominator; zero for infinity.
    pub z: F,
}

// SAFETY: three zero coordinates are infinity; values of one type in `repr(C)` leave no padding.
unsafe impl<F: CurveField> Zeroable for Jacobian<F> {}

impl<F: CurveField> Jacobian<F> {
    /// The neutral element.
    pub const INFINITY: Self = Self { x: F::ZERO, y: F::ZERO, z: F::ZERO };

    /// Whether this is the point at infinity.
    #[inline]
    #[must_use]
    pub fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Twice this point.
    ///
    /// dbl-2009-l, 2M + 5S. Infinity stays infinity, as Z3 = 2YZ; no point of either curve has
    /// Y = 0, because both groups have odd order.
    #[must_use]
    pub fn double(&self) -> Self {
        let a = self.x.square();
        let b = self.y.square();
        let c = b.square();
        let d = ((self.x + b).square() - a - c).double();
        let e = a.double() + a;
        let x = e.square() - d.double();
        let y = e * (d - x) - c.double().double().double();
        let z = (self.y * self.z).double();
        Self { x, y, z }
    }

    /// The sum with an affine point.
    ///
    /// madd-2007-bl, 7M + 4S. Infinity on either side gives the other; equal points are doubled;
    /// P and -P give infinity.
    #[must_use]
    pub fn add_affine(&self, other: &Affine<F>) -> Self {
        if other.is_infinity() {
            return *self;
        }
        if self.is_infinity() {
            return Self::from(*other);
        }
        let z1z1 = self.z.square();
        let u2 = other.x * z1z1;
        let s2 = other.y * self.z * z1z1;
        let h = u2 - self.x;
        let half_r = s2 - self.y;
        if h.is_zero() {
            return if half_r.is_zero() { self.double() } else { Self::INFINITY };
        }
        let hh = h.square();
        let i = hh.double().double();
        let j = h * i;
        let r = half_r.double();
        let v = self.x * i;
        let x = r.square() - j - v.double();
        let y = r * (v - x) - (self.y * j).double();
        let z = (self.z + h).square() - z1z1 - hh;
        Self { x, y, z }
    }

    /// The sum of two points.
    ///
    /// add-2007-bl, 11M + 5S. Infinity on either side gives the other; equal points are doubled;
    /// P and -P give infinity.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        if other.is_infinity() {
            return *self;
        }
        if self.is_infinity() {
            return *other;
        }
        let (z1z1, z2z2) = (self.z.square(), other.z.square());
        let (u1, u2) = (self.x * z2z2, other.x * z1z1);
        let (s1, s2) = (self.y * other.z * z2z2, other.y * self.z * z1z1);
        let h = u2 - u1;
        let half_r = s2 - s1;
        if h.is_zero() {
            return if half_r.is_zero() { self.double() } else { Self::INFINITY };
        }
        let i = h.double().square();
        let j = h * i;
        let r = half_r.double();
        let v = u1 * i;
        let x = r.square() - j - v.double();
        let y = r * (v - x) - (s1 * j).double();
        let z = ((self.z + other.z).square() - z1z1 - z2z2) * h;
        Self { x, y, z }
    }

    /// The affine form; one inversion, 3M + 1S.
    #[must_use]
    pub fn to_affine(&self) -> Affine<F> {
        self.scaled_to_affine(self.z.invert().unwrap_or(F::ZERO))
    }

    /// The affine form for 1/Z, or for zero where Z is zero: then (0, 0), which is infinity.
    pub(super) fn scaled_to_affine(self, z_inverse: F) -> Affine<F> {
        let square = z_inverse.square();
        Affine { x: self.x * square, y: self.y * square * z_inverse }
    }
}

impl<F: CurveField> From<Affine<F>> for Jacobian<F> {
    fn from(point: Affine<F>) -> Self {
        let z = if point.is_infinity() { F::ZERO } else { F::ONE };
        Self { x: point.x, y: point.y, z }
    }
}

impl<F: CurveField> Neg for Jacobian<F> {
    type Output = Self;

    fn neg(self) -> Self {
        Self { x: self.x, y: -self.y, z: self.z }
    }
}

/// Compares X1 Z2^2 with X2 Z1^2 and Y1 Z2^3 with Y2 Z1^3: 6M + 2S.
impl<F: CurveField> PartialEq for Jacobian<F> {
    fn eq(&self, other: &Self) -> bool {
        if self.is_infinity() || other.is_infinity() {
            return self.is_infinity() == other.is_infinity();
        }
        let (z1z1, z2z2) = (self.z.square(), other.z.square());
        self.x * z2z2 == other.x * z1z1 && self.y * other.z * z2z2 == other.y * self.z * z1z1
    }
}

impl<F: CurveField> Eq for Jacobian<F> {}
