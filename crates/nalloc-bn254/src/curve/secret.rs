//! Multiplication by a secret scalar, for blinding.
//!
//! A fixed window of 4 bits, most significant first: 15 points 1P .. 15P and infinity are computed,
//! then for each of 64 windows four doublings and one addition of a table entry, also where the
//! digit is 0. The entry is picked by reading all 16.
//!
//! Coordinates are homogeneous, (X, Y, Z) for (X/Z, Y/Z), with the complete formulas of Renes,
//! Costello and Batina (eprint 2015/1060, algorithms 7 and 9, a = 0). They hold for every pair of
//! points of a group of odd order, infinity (0, 1, 0) and equal points included, so that there is
//! no case to tell apart. Both curves have odd order: r, and r * (2q - r).
//!
//! Constant: the sequence of field operations and of memory addresses, for all scalars and points.
//! Not constant, or not known: what a compiler makes of a select (it is hidden behind `black_box`,
//! but only the machine code can show it), power, and electromagnetic traces.
//!
//! Cost: 14 + 64 additions of 12M and 2 products with 3B, 256 doublings of 6M + 2S and one product
//! with 3B.

use core::hint::black_box;

use super::{Affine, CurveField, Jacobian};
use crate::field::Fr;

const WINDOW_BITS: usize = 4;
const TABLE_LEN: usize = 1 << WINDOW_BITS;

/// (X/Z, Y/Z), or (0, 1, 0) for infinity.
#[derive(Clone, Copy)]
struct Homogeneous<F> {
    x: F,
    y: F,
    z: F,
}

/// `scalar` times `point`.
pub(super) fn mul<F: CurveField>(point: &Affine<F>, scalar: &Fr) -> Jacobian<F> {
    let table = multiples(point);
    let mut product = Homogeneous::INFINITY;
    for limb in scalar.to_plain().iter().rev() {
        for shift in (0..64).step_by(WINDOW_BITS).rev() {
            for _ in 0..WINDOW_BITS {
                product = product.double();
            }
            product = product.add(&pick(&table, limb >> shift & (TABLE_LEN as u64 - 1)));
        }
    }
    product.to_jacobian()
}

/// 0P, 1P, .. 15P.
fn multiples<F: CurveField>(point: &Affine<F>) -> [Homogeneous<F>; TABLE_LEN] {
    let mut table = [Homogeneous::INFINITY; TABLE_LEN];
    table[1] = Homogeneous::from_affine(point);
    for index in 2..TABLE_LEN {
        table[index] = table[index - 1].add(&table[1]);
    }
    table
}

/// All ones where `a == b`, for numbers below 2^63.
fn mask_equal(a: u64, b: u64) -> u64 {
    black_box((a ^ b).wrapping_sub(1) >> 63).wrapping_neg()
}

/// The entry at `wanted`, after reading all of them.
fn pick<F: CurveField>(table: &[Homogeneous<F>; TABLE_LEN], wanted: u64) -> Homogeneous<F> {
    let mut picked = Homogeneous::INFINITY;
    for (index, entry) in (0..).zip(table) {
        picked = Homogeneous::select(mask_equal(index, wanted), entry, &picked);
    }
    picked
}

impl<F: CurveField> Homogeneous<F> {
    const INFINITY: Self = Self { x: F::ZERO, y: F::ONE, z: F::ZERO };

    fn from_affine(point: &Affine<F>) -> Self {
        let is_infinity = point.x.is_zero() & point.y.is_zero();
        let mask = black_box(u64::from(is_infinity)).wrapping_neg();
        Self::select(mask, &Self::INFINITY, &Self { x: point.x, y: point.y, z: F::ONE })
    }

    fn select(mask: u64, when_set: &Self, when_clear: &Self) -> Self {
        Self {
            x: F::select(mask, when_set.x, when_clear.x),
            y: F::select(mask, when_set.y, when_clear.y),
            z: F::select(mask, when_set.z, when_clear.z),
        }
    }

    /// Algorithm 7: 12M and 2 products with 3B; complete.
    fn add(&self, other: &Self) -> Self {
        let b3 = F::B.double() + F::B;
        let xx = self.x * other.x;
        let yy = self.y * other.y;
        let zz = self.z * other.z;
        let xy = (self.x + self.y) * (other.x + other.y) - xx - yy;
        let yz = (self.y + self.z) * (other.y + other.z) - yy - zz;
        let xz = (self.x + self.z) * (other.x + other.z) - xx - zz;
        let xx3 = xx.double() + xx;
        let zz_b3 = b3 * zz;
        let xz_b3 = b3 * xz;
        let (sum, difference) = (yy + zz_b3, yy - zz_b3);
        Self {
            x: xy * difference - yz * xz_b3,
            y: difference * sum + xz_b3 * xx3,
            z: sum * yz + xx3 * xy,
        }
    }

    /// Algorithm 9: 6M + 2S and one product with 3B; complete.
    fn double(&self) -> Self {
        let b3 = F::B.double() + F::B;
        let yy = self.y.square();
        let yy8 = yy.double().double().double();
        let yz = self.y * self.z;
        let zz_b3 = b3 * self.z.square();
        let sum = yy + zz_b3;
        let difference = yy - (zz_b3.double() + zz_b3);
        let xy = self.x * self.y;
        Self { x: (difference * xy).double(), y: difference * sum + zz_b3 * yy8, z: yz * yy8 }
    }

    /// X/Z = XZ/Z^2 and Y/Z = YZ^2/Z^3; infinity has Z = 0 in both. 2M + 1S.
    fn to_jacobian(self) -> Jacobian<F> {
        Jacobian { x: self.x * self.z, y: self.y * self.z.square(), z: self.z }
    }
}
