//! Buckets: (X, Y, ZZ, ZZZ) stands for (X/ZZ, Y/ZZZ) with ZZ^3 = ZZZ^2; ZZ = 0 for infinity.
//! Adding an affine point costs 8M + 2S, one multiplication less than in Jacobian coordinates.

use nalloc::Zeroable;

use super::{Affine, CurveField, Jacobian};

/// A sum of points that affine points are added to.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Xyzz<F> {
    /// x times ZZ.
    pub x: F,
    /// y times ZZZ.
    pub y: F,
    /// The square of a denominator; zero for infinity.
    pub zz: F,
    /// Its cube.
    pub zzz: F,
}

// SAFETY: four zero coordinates are infinity; values of one type in `repr(C)` leave no padding.
unsafe impl<F: CurveField> Zeroable for Xyzz<F> {}

impl<F: CurveField> Xyzz<F> {
    /// The neutral element.
    pub const INFINITY: Self = Self { x: F::ZERO, y: F::ZERO, zz: F::ZERO, zzz: F::ZERO };

    /// Whether this is the point at infinity.
    #[inline]
    #[must_use]
    pub fn is_infinity(&self) -> bool {
        self.zz.is_zero()
    }

    /// Adds an affine point that is not infinity.
    ///
    /// madd-2008-s, 8M + 2S. Onto infinity it is a copy; an equal point doubles; -P empties.
    #[inline]
    pub fn add_affine(&mut self, other: &Affine<F>) {
        debug_assert!(!other.is_infinity(), "the caller skips points at infinity");
        if self.is_infinity() {
            *self = Self { x: other.x, y: other.y, zz: F::ONE, zzz: F::ONE };
            return;
        }
        let p = other.x * self.zz - self.x;
        let r = other.y * self.zzz - self.y;
        if p.is_zero() {
            *self = if r.is_zero() { Self::doubled_affine(other) } else { Self::INFINITY };
            return;
        }
        self.finish_addition(self.x, self.y, p, r);
    }

    /// Adds another sum.
    ///
    /// add-2008-s, 12M + 2S. Infinity on either side gives the other; equal points are doubled;
    /// P and -P give infinity.
    pub fn add(&mut self, other: &Self) {
        if other.is_infinity() {
            return;
        }
        if self.is_infinity() {
            *self = *other;
            return;
        }
        let (u1, u2) = (self.x * other.zz, other.x * self.zz);
        let (s1, s2) = (self.y * other.zzz, other.y * self.zzz);
        let (p, r) = (u2 - u1, s2 - s1);
        if p.is_zero() {
            *self = if r.is_zero() { self.double() } else { Self::INFINITY };
            return;
        }
        self.zz *= other.zz;
        self.zzz *= other.zzz;
        self.finish_addition(u1, s1, p, r);
    }

    /// The common end of both additions: (u1, s1) is the first point over the denominators in
    /// `self`, p and r are the differences to the second. 6M + 2S.
    #[inline]
    fn finish_addition(&mut self, u1: F, s1: F, p: F, r: F) {
        let pp = p.square();
        let ppp = p * pp;
        let q = u1 * pp;
        self.x = r.square() - ppp - q.double();
        self.y = r * (q - self.x) - s1 * ppp;
        self.zz *= pp;
        self.zzz *= ppp;
    }

    /// Twice this point.
    ///
    /// dbl-2008-s-1, 6M + 3S. Infinity stays infinity; no point of either curve has Y = 0.
    #[must_use]
    pub fn double(&self) -> Self {
        let mut twice = Self::doubled_affine(&Affine { x: self.x, y: self.y });
        twice.zz *= self.zz;
        twice.zzz *= self.zzz;
        twice
    }

    /// Twice an affine point: mdbl-2008-s-1, 4M + 3S.
    fn doubled_affine(point: &Affine<F>) -> Self {
        let u = point.y.double();
        let zz = u.square();
        let zzz = u * zz;
        let s = point.x * zz;
        let square = point.x.square();
        let m = square.double() + square;
        let x = m.square() - s.double();
        let y = m * (s - x) - zzz * point.y;
        Self { x, y, zz, zzz }
    }

    /// The same point with Z = ZZ: X ZZ / ZZ^2 = X/ZZ, and Y ZZZ / ZZ^3 = Y/ZZZ. 2M.
    #[must_use]
    pub fn to_jacobian(&self) -> Jacobian<F> {
        Jacobian { x: self.x * self.zz, y: self.y * self.zzz, z: self.zz }
    }
}
