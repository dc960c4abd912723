//! A scalar as k1 + LAMBDA k2 with two halves of its length, after Gallant, Lambert and Vanstone.
//!
//! LAMBDA is a cube root of one modulo r, and LAMBDA (x, y) = (beta x, y) for points of order r.
//! The lattice of (a, b) with a + LAMBDA b = 0 has the short vectors (N11, -N12) and (N12, N22), of
//! 127 and 64 bits. (k, 0) less the nearest of its points is what is wanted:
//!
//! ```text
//! b1 = round(k N22 / r), b2 = round(k N12 / r)
//! k1 = k - b1 N11 - b2 N12, k2 = b1 N12 - b2 N22
//! ```
//!
//! The quotients are products by N22 2^260 / r and N12 2^260 / r, rounded: they err by less than
//! 1/2 + 2^-7, and |k1|, |k2| stay below (1/2 + 2^-7) (N11 + N12) < 2^125.83. With 2^256 in their
//! place halves of 2^126.3 were seen, which do not fit the last window.

use crate::field::limbs::{Limbs, mac};

/// Bits of the halves' sizes.
pub(crate) const HALF_BITS: u32 = 126;
/// round(N22 2^260 / r).
const G1: [u64; 3] = [0x398f_d030_0ff6_5651, 0xccef_014a_773d_2d25, 0x24];
/// round(N12 2^260 / r).
const G2: [u64; 3] = [0x91d2_32ec_7e0b_3d77, 0x2d, 0];
const N11: u128 = 0x6f4d_8248_eeb8_59fc_8211_bbeb_7d4f_1128;
const N12: u128 = 0x89d3_2568_94d2_13e3;
const N22: u128 = 0x6f4d_8248_eeb8_59fd_0be4_e154_1221_250b;

/// k1 and k2 for k below r.
pub(crate) fn halves(k: &Limbs) -> [i128; 2] {
    let (b1, b2) = (rounded_product(k, &G1), rounded_product(k, &G2));
    let k = u128::from(k[1]) << 64 | u128::from(k[0]);
    let k1 = k.wrapping_sub(b1.wrapping_mul(N11)).wrapping_sub(b2.wrapping_mul(N12));
    let k2 = b1.wrapping_mul(N12).wrapping_sub(b2.wrapping_mul(N22));
    [k1.cast_signed(), k2.cast_signed()]
}

/// round(k g / 2^260), below 2^128.
fn rounded_product(k: &Limbs, g: &[u64; 3]) -> u128 {
    let mut t = [0; 7];
    for (j, &g) in g.iter().enumerate() {
        let mut carry = 0;
        for (i, &k) in k.iter().enumerate() {
            (t[i + j], carry) = mac(t[i + j], k, g, carry);
        }
        t[4 + j] = carry;
    }
    let high = u128::from(t[5]) << 64 | u128::from(t[4]);
    let floor = high >> 4 | u128::from(t[6]) << 124;
    floor + (high >> 3 & 1)
}

#[cfg(test)]
mod tests {
    use super::{HALF_BITS, halves};
    use crate::curve::{Affine, CurveField};
    use crate::field::{Field, Fq, Fq2, Fr};

    /// A cube root of one modulo r.
    const LAMBDA: [u64; 4] = [
        0xb8ca_0b2d_3663_6f23,
        0xcc37_a73f_ec2b_c5e9,
        0x048b_6e19_3fd8_4104,
        0x3064_4e72_e131_a029,
    ];

    fn signed(k: i128) -> Fr {
        let size = k.unsigned_abs();
        let limb = |shift: u32| u64::try_from(size >> shift & u128::from(u64::MAX)).unwrap();
        let limbs = [limb(0), limb(64), 0, 0];
        let size = Fr::from_plain(limbs).unwrap();
        if k < 0 { -size } else { size }
    }

    #[test]
    fn halves_are_short_and_stand_for_the_scalar() {
        let lambda = Fr::from_plain(LAMBDA).unwrap();
        let two = Fr::from_u64(2);
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, lambda, -lambda, lambda.square()];
        for bit in 0..254 {
            let power = two.pow(&[bit]);
            scalars.extend([power, power - Fr::ONE, -power]);
        }
        // Powers of a generator reach everywhere.
        let mut power = Fr::from_u64(7);
        for _ in 0..20_000 {
            power = power * lambda + Fr::from_u64(5);
            power = power.square();
            scalars.push(power);
        }
        for scalar in scalars {
            let [k1, k2] = halves(&scalar.to_plain());
            assert_eq!(signed(k1) + lambda * signed(k2), scalar);
            assert!(k1.unsigned_abs() >> HALF_BITS == 0 && k2.unsigned_abs() >> HALF_BITS == 0);
        }
    }

    fn check_beta<F: CurveField>() {
        let generator = Affine::<F>::GENERATOR;
        let image = Affine { x: generator.x * F::BETA, y: generator.y };
        let lambda = Fr::from_plain(LAMBDA).unwrap();
        assert_eq!(generator.mul_scalar_vartime(lambda).to_affine(), image);
    }

    #[test]
    fn beta_multiplies_points_of_both_groups_by_lambda() {
        check_beta::<Fq>();
        check_beta::<Fq2>();
    }
}
