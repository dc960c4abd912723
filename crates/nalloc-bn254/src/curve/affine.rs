//! Points as they are stored in keys and files, and the checks that make bytes into points.

use core::fmt;
use core::ops::Neg;

use nalloc::Zeroable;

use super::{CurveField, Jacobian};
use crate::buffer::PlainBytes;
use crate::error::Error;
use crate::field::{Fr, batch_invert};
use crate::pool::Pool;

/// Points that one task of a bulk check takes: about a tenth of a millisecond in G1.
const CHECKED_PER_TASK: usize = 1024;
/// Points whose conversion shares one inversion; their inverses lie on the stack.
const CONVERTED_PER_RUN: usize = 128;

/// A point (x, y), or infinity, which is (0, 0).
///
/// In memory x comes before y: on a little-endian machine the bytes of a `.zkey` point.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Affine<F> {
    /// The first coordinate.
    pub x: F,
    /// The second coordinate.
    pub y: F,
}

const _: () = assert!(size_of::<super::G1Affine>() == 64 && size_of::<super::G2Affine>() == 128);

// SAFETY: both coordinates may be zero; two values of one type in `repr(C)` leave no padding.
unsafe impl<F: CurveField> Zeroable for Affine<F> {}
// SAFETY: both coordinates are plain bytes, and there is no padding.
unsafe impl<F: CurveField> PlainBytes for Affine<F> {}

/// Why bytes are not a point.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointError {
    /// The number of bytes is not that of a point.
    Length {
        /// Bytes of a point.
        expected: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// A coordinate is not below the field's modulus.
    NonCanonical,
    /// The coordinates do not satisfy the curve's equation, or no point has this one.
    NotOnCurve,
    /// A point of G2's curve that is not in G2.
    NotInSubgroup,
    /// The point at infinity where there must be another, or an encoding that has none.
    Infinity,
    /// Infinity, with coordinates that are not zero.
    InfinityWithCoordinates,
    /// The bits beside the coordinates are not those that the point has in this encoding.
    Flags {
        /// The byte with the flags.
        got: u8,
    },
}

impl PointError {
    /// The stable name of the error: `ERR_` and what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NonCanonical => "ERR_NON_CANONICAL",
            Self::NotOnCurve => "ERR_NOT_ON_CURVE",
            Self::NotInSubgroup => "ERR_NOT_IN_SUBGROUP",
            Self::Infinity => "ERR_POINT_AT_INFINITY",
            Self::Length { .. } | Self::InfinityWithCoordinates | Self::Flags { .. } => {
                "ERR_BAD_ENCODING"
            }
        }
    }

    /// What was expected and what was found, without the point's name.
    pub(crate) fn write_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, got } => write!(f, "expected {expected} bytes, got {got}"),
            Self::NonCanonical => {
                write!(f, "expected coordinates below q, got one at or above it")
            }
            Self::NotOnCurve => write!(f, "expected a point of the curve, got none"),
            Self::NotInSubgroup => {
                write!(f, "expected a point of order r, got one of another order")
            }
            Self::Infinity => write!(f, "expected a point, got the one at infinity"),
            Self::InfinityWithCoordinates => {
                write!(f, "expected zeros as the coordinates of infinity, got others")
            }
            Self::Flags { got } => {
                write!(f, "expected the flags of this point, got those of the byte {got:#04x}")
            }
        }
    }
}

impl fmt::Display for PointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("point: ")?;
        self.write_reason(f)
    }
}

impl core::error::Error for PointError {}

impl<F: CurveField> Affine<F> {
    /// The neutral element.
    pub const INFINITY: Self = Self { x: F::ZERO, y: F::ZERO };
    /// The generator that everybody uses: (1, 2) in G1, that of EIP-197 in G2.
    pub const GENERATOR: Self = Self { x: F::GENERATOR.0, y: F::GENERATOR.1 };
    /// Bytes of a point in files.
    pub const BYTES: usize = 2 * F::BYTES;

    /// Whether this is the point at infinity.
    #[inline]
    #[must_use]
    pub fn is_infinity(&self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    /// Whether y^2 = x^3 + B, or the point is infinity.
    #[must_use]
    pub fn is_on_curve(&self) -> bool {
        self.is_infinity() || self.y.square() == self.x.square() * self.x + F::B
    }

    /// Whether r times this point of the curve is infinity. Every point of G1's curve is in G1.
    #[must_use]
    pub fn is_in_subgroup(&self) -> bool {
        super::subgroup::contains_vartime(self)
    }

    /// Reads x and y in little-endian Montgomery form, as `.zkey` has them, and checks both.
    ///
    /// Subgroup membership is not checked.
    ///
    /// # Errors
    /// [`PointError`]; a non-canonical coordinate is found before a wrong equation.
    pub fn read_montgomery(bytes: &[u8]) -> Result<Self, PointError> {
        if bytes.len() != Self::BYTES {
            return Err(PointError::Length { expected: Self::BYTES, got: bytes.len() });
        }
        let (x, y) = bytes.split_at(F::BYTES);
        let read = F::read_montgomery(x).zip(F::read_montgomery(y));
        let (x, y) = read.ok_or(PointError::NonCanonical)?;
        let point = Self { x, y };
        point.validate().map(|()| point)
    }

    /// Writes x and y in little-endian Montgomery form.
    ///
    /// # Errors
    /// [`PointError::Length`] where `out` is not [`BYTES`](Self::BYTES) long.
    pub fn write_montgomery(&self, out: &mut [u8]) -> Result<(), PointError> {
        if out.len() != Self::BYTES {
            return Err(PointError::Length { expected: Self::BYTES, got: out.len() });
        }
        let (x, y) = out.split_at_mut(F::BYTES);
        self.x.write_montgomery(x);
        self.y.write_montgomery(y);
        Ok(())
    }

    /// Checks limbs that may have been read from a file: canonical, and on the curve.
    ///
    /// # Errors
    /// [`PointError::NonCanonical`] before [`PointError::NotOnCurve`].
    pub fn validate(&self) -> Result<(), PointError> {
        if !(self.x.is_canonical() && self.y.is_canonical()) {
            Err(PointError::NonCanonical)
        } else if self.is_on_curve() {
            Ok(())
        } else {
            Err(PointError::NotOnCurve)
        }
    }

    /// `scalar` times this point; time and memory accesses depend on the scalar. About 3200M.
    #[must_use]
    pub fn mul_scalar_vartime(&self, scalar: Fr) -> Jacobian<F> {
        self.mul_plain_vartime(&scalar.to_plain())
    }

    /// `factor` times this point, for any factor below 2^256, by doubling and adding.
    pub(crate) fn mul_plain_vartime(&self, factor: &[u64; 4]) -> Jacobian<F> {
        let mut product = Jacobian::INFINITY;
        for limb in factor.iter().rev() {
            for bit in (0..64).rev() {
                product = product.double();
                if limb >> bit & 1 == 1 {
                    product = product.add_affine(self);
                }
            }
        }
        product
    }

    /// `scalar` times this point, for secret scalars: which operations run and which memory is
    /// touched depends neither on the scalar nor on the point.
    ///
    /// What is and is not promised stands at the head of curve/secret.rs. About 3400M.
    #[must_use]
    pub fn mul_secret(&self, scalar: &Fr) -> Jacobian<F> {
        super::secret::mul(self, scalar)
    }
}

impl<F: CurveField> Neg for Affine<F> {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self { x: self.x, y: -self.y }
    }
}

/// Checks points whose bytes were read from a file, in parallel.
///
/// # Errors
/// The least index of a point that is wrong, and what is wrong with it.
pub fn validate_points<F: CurveField>(
    points: &[Affine<F>],
    pool: &Pool,
) -> Result<(), (usize, PointError)> {
    let first_wrong = pool.find_first(points, CHECKED_PER_TASK, |start, chunk| {
        let wrong = |(index, point): (usize, &Affine<F>)| {
            point.validate().err().map(|error| (start + index, error))
        };
        chunk.iter().enumerate().find_map(wrong)
    });
    first_wrong.map_or(Ok(()), Err)
}

/// Writes the affine form of each point; one inversion for every 128 of them, 3M more each for
/// the shared inverse and 3M + 1S for the coordinates. Allocates nothing.
///
/// # Errors
/// [`Error::LengthMismatch`] where the slices differ in length.
pub fn batch_to_affine<F: CurveField>(
    points: &[Jacobian<F>],
    out: &mut [Affine<F>],
) -> Result<(), Error> {
    if points.len() != out.len() {
        let (expected, got) = (points.len(), out.len());
        return Err(Error::LengthMismatch { what: "affine points", expected, got });
    }
    let runs = points.chunks(CONVERTED_PER_RUN).zip(out.chunks_mut(CONVERTED_PER_RUN));
    for (points, out) in runs {
        let mut inverses = [F::ZERO; CONVERTED_PER_RUN];
        let inverses = &mut inverses[..points.len()];
        for (inverse, point) in inverses.iter_mut().zip(points) {
            *inverse = point.z;
        }
        batch_invert(inverses);
        for ((point, inverse), out) in points.iter().zip(inverses).zip(out) {
            *out = point.scaled_to_affine(*inverse);
        }
    }
    Ok(())
}
