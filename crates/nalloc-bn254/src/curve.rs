//! Points of BN254: G1 is y^2 = x^3 + 3 over Fq, G2 the order-r part of y^2 = x^3 + 3/(9+u) over
//! Fq2.
//!
//! Three shapes of a point, all over any [`CurveField`]:
//!
//! | type | the point | its use |
//! |---|---|---|
//! | [`Affine`] | (x, y) | keys, files, what is multiplied |
//! | [`Jacobian`] | (X/Z^2, Y/Z^3) | sums and doublings |
//! | [`Xyzz`] | (X/ZZ, Y/ZZZ), ZZ^3 = ZZZ^2 | buckets of the MSM: cheap to add affine points to |
//!
//! The point at infinity is all zero bytes in each of them (0, 0 is on neither curve, as b != 0).
//! Additions handle every case: equal points, P and -P, infinity on either side.
//!
//! Costs are given as multiplications (M) and squarings (S) of the coordinates' field. The names
//! of formulas are those of the Explicit-Formulas Database (hyperelliptic.org/EFD), a = 0.

mod affine;
mod jacobian;
mod secret;
mod subgroup;
mod xyzz;

use nalloc::Arena;

use crate::arch::Kernels;
use crate::arch::batch_add::{InVectors, step_bytes};
use crate::error::Error;
use crate::field::{Field, Fq, Fq2};
use crate::msm::adder::{Adder, Portable, portable_bytes};

pub use affine::{Affine, PointError, batch_to_affine, validate_points};
pub use jacobian::Jacobian;
pub use xyzz::Xyzz;

/// A field over which BN254 has a curve y^2 = x^3 + B.
pub trait CurveField: Field + crate::buffer::PlainBytes {
    /// The curve's constant.
    const B: Self;
    /// x and y of the generator of the group of order r.
    const GENERATOR: (Self, Self);
    /// Bytes of one coordinate in files.
    const BYTES: usize;
    /// Whether the curve has points outside the group of order r.
    const HAS_COFACTOR: bool;

    /// The coordinate from [`BYTES`](Self::BYTES) bytes in little-endian Montgomery form, or none
    /// where the length differs or a part is not canonical.
    fn read_montgomery(bytes: &[u8]) -> Option<Self>;

    /// Writes the coordinate in little-endian Montgomery form to the start of `out`.
    fn write_montgomery(self, out: &mut [u8]);

    /// A cube root of one: (x, y) -> (BETA x, y) multiplies the points of the group of order r by
    /// LAMBDA of msm/glv.rs.
    const BETA: Self;

    /// `values[i] = BETA * values[i]`.
    #[doc(hidden)]
    fn multiply_by_beta(kernels: Kernels, values: &mut [Self]) {
        Self::multiply_all(kernels, values, Self::BETA);
    }

    /// A way to do many additions at once, with scratch of at most
    /// [`adder_bytes`](Self::adder_bytes).
    #[doc(hidden)]
    fn adder<'a>(kernels: Kernels, scratch: &'a Arena) -> Result<Box<dyn Adder<Self> + 'a>, Error> {
        let _ = kernels;
        Ok(Box::new(Portable::new(scratch)?))
    }

    /// Bytes that an [`adder`](Self::adder) takes from its arena.
    #[doc(hidden)]
    #[must_use]
    fn adder_bytes(kernels: Kernels) -> usize {
        let _ = kernels;
        portable_bytes::<Self>()
    }

    /// Whether the stored limbs, which may come from a file, are below the modulus.
    fn is_canonical(&self) -> bool;
}

/// A point of G1.
pub type G1Affine = Affine<Fq>;
/// A point of the curve of G2; whether it is in G2 is asked by [`Affine::is_in_subgroup`].
pub type G2Affine = Affine<Fq2>;

const fn small(number: u64) -> Fq {
    match Fq::from_plain([number, 0, 0, 0]) {
        Some(element) => element,
        None => panic!("a number of one limb is below q"),
    }
}

/// Coordinates of G2 that are multiplied by beta at once, from a copy on the stack.
const IMAGES_AT_ONCE: usize = 64;

const fn of_limbs(limbs: [u64; 4]) -> Fq {
    match Fq::from_plain(limbs) {
        Some(element) => element,
        None => panic!("a constant is not below q"),
    }
}

/// The cube roots of one in Fq.
const BETA: Fq = of_limbs([
    0xe4bd_44e5_607c_fd48,
    0xc28f_069f_bb96_6e3d,
    0x5e6d_d9e7_e0ac_ccb0,
    0x3064_4e72_e131_a029,
]);
const BETA_SQUARED: Fq =
    of_limbs([0x5763_4731_77ff_fffe, 0xd4f2_63f1_acdb_5c4f, 0x59e2_6bce_a0d4_8bac, 0]);

impl CurveField for Fq {
    const B: Self = small(3);
    const GENERATOR: (Self, Self) = (small(1), small(2));
    const BYTES: usize = 32;
    const HAS_COFACTOR: bool = false;

    fn read_montgomery(bytes: &[u8]) -> Option<Self> {
        Self::from_montgomery_le_bytes(bytes.try_into().ok()?)
    }

    fn write_montgomery(self, out: &mut [u8]) {
        out[..32].copy_from_slice(&self.to_montgomery_le_bytes());
    }

    fn is_canonical(&self) -> bool {
        Self::is_canonical(&self.to_montgomery())
    }

    const BETA: Self = BETA;

    fn adder<'a>(kernels: Kernels, scratch: &'a Arena) -> Result<Box<dyn Adder<Self> + 'a>, Error> {
        Ok(match kernels.lanes() {
            Some(lanes) => Box::new(InVectors::<_, Self, 1>::new(lanes, scratch)?),
            None => Box::new(Portable::new(scratch)?),
        })
    }

    fn adder_bytes(kernels: Kernels) -> usize {
        portable_bytes::<Self>() + kernels.lanes().map_or(0, |_| step_bytes::<1>())
    }
}

impl CurveField for Fq2 {
    // 3 / (9 + u).
    const B: Self = Self::from_plain_limbs(
        [
            0x3267_e6dc_24a1_38e5,
            0xb5b4_c5e5_59db_efa3,
            0x81be_1899_1be0_6ac3,
            0x2b14_9d40_ceb8_aaae,
        ],
        [
            0xe4a2_bd06_85c3_15d2,
            0xa74f_a084_e52d_1852,
            0xcd2c_afad_eed8_fdf4,
            0x0097_13b0_3af0_fed4,
        ],
    );
    // EIP-197.
    const GENERATOR: (Self, Self) = (
        Self::from_plain_limbs(
            [
                0x46de_bd5c_d992_f6ed,
                0x6743_22d4_f75e_dadd,
                0x426a_0066_5e5c_4479,
                0x1800_deef_121f_1e76,
            ],
            [
                0x97e4_85b7_aef3_12c2,
                0xf1aa_4933_35a9_e712,
                0x7260_bfb7_31fb_5d25,
                0x198e_9393_920d_483a,
            ],
        ),
        Self::from_plain_limbs(
            [
                0x4ce6_cc01_66fa_7daa,
                0xe3d1_e769_0c43_d37b,
                0x4aab_7180_8dcb_408f,
                0x12c8_5ea5_db8c_6deb,
            ],
            [
                0x55ac_dadc_d122_975b,
                0xbc4b_3133_70b3_8ef3,
                0xec9e_99ad_690c_3395,
                0x0906_89d0_585f_f075,
            ],
        ),
    );
    const BYTES: usize = 64;
    const HAS_COFACTOR: bool = true;

    fn read_montgomery(bytes: &[u8]) -> Option<Self> {
        let (c0, c1) = bytes.split_at_checked(32)?;
        Some(Self { c0: Fq::read_montgomery(c0)?, c1: Fq::read_montgomery(c1)? })
    }

    fn write_montgomery(self, out: &mut [u8]) {
        self.c0.write_montgomery(out);
        self.c1.write_montgomery(&mut out[32..]);
    }

    fn is_canonical(&self) -> bool {
        CurveField::is_canonical(&self.c0) && CurveField::is_canonical(&self.c1)
    }

    // The other root: the endomorphism of the twist has it where G1's has BETA.
    const BETA: Self = Self { c0: BETA_SQUARED, c1: small(0) };

    fn multiply_by_beta(kernels: Kernels, values: &mut [Self]) {
        let mut parts = [Fq::ZERO; 2 * IMAGES_AT_ONCE];
        for values in values.chunks_mut(IMAGES_AT_ONCE) {
            for (part, value) in parts.chunks_exact_mut(2).zip(values.iter()) {
                (part[0], part[1]) = (value.c0, value.c1);
            }
            Fq::multiply_all(kernels, &mut parts, Self::BETA.c0);
            for (part, value) in parts.chunks_exact(2).zip(values.iter_mut()) {
                (value.c0, value.c1) = (part[0], part[1]);
            }
        }
    }

    fn adder<'a>(kernels: Kernels, scratch: &'a Arena) -> Result<Box<dyn Adder<Self> + 'a>, Error> {
        Ok(match kernels.lanes() {
            Some(lanes) => Box::new(InVectors::<_, Self, 2>::new(lanes, scratch)?),
            None => Box::new(Portable::new(scratch)?),
        })
    }

    fn adder_bytes(kernels: Kernels) -> usize {
        portable_bytes::<Self>() + kernels.lanes().map_or(0, |_| step_bytes::<2>())
    }
}
