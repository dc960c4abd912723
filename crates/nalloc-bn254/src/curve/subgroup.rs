//! Membership in the group of order r.
//!
//! G1's curve has exactly r points. G2's has r times a cofactor of 254 bits, so a point from
//! outside must be asked for: a proof with a point of another order can be forged.

use super::{Affine, CurveField};
use crate::field::Fr;

/// Whether r * P is infinity, for a point of the curve. 256 doublings and 101 additions in G2.
pub(super) fn contains_vartime<F: CurveField>(point: &Affine<F>) -> bool {
    !F::HAS_COFACTOR || point.mul_plain_vartime(&Fr::MODULUS).is_infinity()
}
