//! The vocabulary of the arithmetic: what a field is, and the three fields of BN254.
//!
//! [`Fr`] holds scalars, [`Fq`] coordinates of G1, [`Fq2`] coordinates of G2. [`Field`] is the
//! contract that [`Ntt`](crate::Ntt), [`Polynomial`](crate::Polynomial) and the curve formulas are
//! written over.

mod bytes;
mod divsteps;
mod fq;
mod fq2;
mod fr;
mod in_fours;
mod in_lanes;
mod inverse;
pub(crate) mod limbs;
mod mont;
mod sqrt;

use core::fmt::Debug;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use nalloc::Zeroable;

use crate::arch::Kernels;
use crate::error::Error;
use crate::ntt::four_step::{Direction, FourStep};
use crate::observer::Observer;

pub use fq::{Fq, FqModulus};
pub use fq2::Fq2;
pub use fr::{FieldElement, Fr, FrModulus};
pub use inverse::batch_invert;
pub use mont::{Modulus, Montgomery};

/// A finite field of odd characteristic whose elements have one representation each.
///
/// Laws, for all a, b, c:
/// * `+` and `*` are associative and commutative, `*` distributes over `+`; `a + ZERO == a`,
///   `a * ONE == a`, `a + (-a) == ZERO`, `a - b == a + (-b)`;
/// * `invert` is none for `ZERO` only, and `a * a.invert() == ONE` otherwise; `invert_vartime` is
///   the same;
/// * `a.square() == a * a`, `a.double() == a + a`, `a.pow(&[n]) == a * .. * a` n times;
/// * `from_u64(m) + from_u64(n) == from_u64(m + n)`, and the same for `*`;
/// * `TWO_ADIC_ROOT` has order exactly 2^`TWO_ADICITY`, and 2^(`TWO_ADICITY` + 1) does not divide
///   the order of the multiplicative group;
/// * equality is equality of bytes, and all-zero bytes are `ZERO`.
///
/// Operations take the same time for all values, unless they say otherwise.
pub trait Field:
    Copy
    + Eq
    + Default
    + Debug
    + Send
    + Sync
    + Zeroable
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + 'static
{
    /// The neutral element of addition.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;
    /// How often 2 divides the order of the multiplicative group.
    const TWO_ADICITY: u32;
    /// A root of unity of order 2^`TWO_ADICITY`.
    const TWO_ADIC_ROOT: Self;

    /// ONE added `number` times.
    fn from_u64(number: u64) -> Self;

    /// 1 / self, or none for zero.
    fn invert(self) -> Option<Self>;

    /// As [`invert`](Self::invert), in a time that depends on the value: for what is public.
    fn invert_vartime(self) -> Option<Self> {
        self.invert()
    }

    /// `when_set` where `mask` is all ones, `when_clear` where it is zero, without a branch.
    fn select(mask: u64, when_set: Self, when_clear: Self) -> Self;

    /// A transform of 2^`log2` elements in lanes; none where `kernels` or this field have none. The
    /// observer may stop the making of its tables.
    #[doc(hidden)]
    fn four_step(
        kernels: Kernels,
        log2: u32,
        direction: &Direction<Self>,
        observer: &dyn Observer,
    ) -> Result<Option<Box<dyn FourStep<Self>>>, Error> {
        let _ = (kernels, log2, direction, observer);
        Ok(None)
    }

    /// `a[i] = a[i] + b[i]`, for slices of equal length.
    #[doc(hidden)]
    fn add_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let _ = kernels;
        for (a, &b) in a.iter_mut().zip(b) {
            *a += b;
        }
    }

    /// `a[i] = a[i] - b[i]`, for slices of equal length.
    #[doc(hidden)]
    fn subtract_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let _ = kernels;
        for (a, &b) in a.iter_mut().zip(b) {
            *a -= b;
        }
    }

    /// `a[i] = a[i] * b[i]`, for slices of equal length.
    #[doc(hidden)]
    fn multiply_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let _ = kernels;
        for (a, &b) in a.iter_mut().zip(b) {
            *a *= b;
        }
    }

    /// `a[i] = a[i] * factor`.
    #[doc(hidden)]
    fn multiply_all(kernels: Kernels, a: &mut [Self], factor: Self) {
        let _ = kernels;
        for a in a {
            *a *= factor;
        }
    }

    /// `a[i] = a[i] * first * ratio^i`.
    #[doc(hidden)]
    fn multiply_by_powers(kernels: Kernels, a: &mut [Self], first: Self, ratio: Self) {
        let _ = kernels;
        let mut power = first;
        for a in a {
            *a *= power;
            power *= ratio;
        }
    }

    /// `a[i] = a[i] * a[i]`.
    #[doc(hidden)]
    fn square_each(kernels: Kernels, a: &mut [Self]) {
        let _ = kernels;
        for a in a {
            *a = a.square();
        }
    }

    /// `a[i] = 1 / a[i]`; zeros stay zero.
    #[doc(hidden)]
    fn invert_each(kernels: Kernels, a: &mut [Self]) {
        let _ = kernels;
        inverse::invert_each(a);
    }

    /// The sum of `a[i] * b[i]`, for slices of equal length.
    #[doc(hidden)]
    fn inner_product(kernels: Kernels, a: &[Self], b: &[Self]) -> Self {
        let _ = kernels;
        a.iter().zip(b).fold(Self::ZERO, |sum, (&a, &b)| sum + a * b)
    }

    /// The sum of all elements.
    #[doc(hidden)]
    fn sum(kernels: Kernels, a: &[Self]) -> Self {
        let _ = kernels;
        a.iter().fold(Self::ZERO, |sum, &a| sum + a)
    }

    /// (l, h) -> (l + w h, l - w h) for the transforms, whose values in between may be elements
    /// that only these and [`settled`](Self::settled) understand.
    #[doc(hidden)]
    #[inline]
    fn forward_butterfly(low: &mut Self, high: &mut Self, root: Self) {
        let turned = *high * root;
        (*low, *high) = (*low + turned, *low - turned);
    }

    /// (l, h) -> (l + h, (h - l) w), as [`forward_butterfly`](Self::forward_butterfly).
    #[doc(hidden)]
    #[inline]
    fn inverse_butterfly(low: &mut Self, high: &mut Self, root: Self) {
        (*low, *high) = (*low + *high, (*high - *low) * root);
    }

    /// (l, h) -> (l + h, l - h), for both of them.
    #[doc(hidden)]
    #[inline]
    fn butterfly_with_one(low: &mut Self, high: &mut Self) {
        (*low, *high) = (*low + *high, *low - *high);
    }

    /// [`forward_butterfly`](Self::forward_butterfly) for as many pairs from the first on as
    /// `kernels` do at once, with the roots at the same places; how many.
    #[doc(hidden)]
    fn forward_butterflies(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        let _ = (kernels, low, high, roots);
        0
    }

    /// [`inverse_butterfly`](Self::inverse_butterfly) for as many pairs from the first on as
    /// `kernels` do at once, with the roots from the last one backwards; how many.
    #[doc(hidden)]
    fn inverse_butterflies(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        let _ = (kernels, low, high, roots);
        0
    }

    /// The element that a value of these, or of a kernel that adds points, stands for.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    fn settled(self) -> Self {
        self
    }

    /// self * other, compiled into its caller: as a call its operands pass through memory.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    fn times(self, other: Self) -> Self {
        self * other
    }

    /// As [`times`](Self::times), of and to values that only these two understand.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    fn times_lazily(self, other: Self) -> Self {
        self.times(other)
    }

    /// self * self.
    #[inline]
    #[must_use]
    fn square(self) -> Self {
        self * self
    }

    /// self + self.
    #[inline]
    #[must_use]
    fn double(self) -> Self {
        self + self
    }

    /// Whether this is `ZERO`.
    #[inline]
    fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// self to the power of an integer, least significant limb first.
    ///
    /// Takes time by the exponent alone: the base may be secret, the exponent not.
    #[must_use]
    fn pow(self, exponent: &[u64]) -> Self {
        let mut power = Self::ONE;
        for limb in exponent.iter().rev() {
            for bit in (0..64).rev() {
                power = power.square();
                if limb >> bit & 1 == 1 {
                    power *= self;
                }
            }
        }
        power
    }

    /// THE root of unity of order 2^`log2`: the two-adic root, squared down. None where the field
    /// has no such root.
    fn root_of_unity(log2: u32) -> Option<Self> {
        let squarings = Self::TWO_ADICITY.checked_sub(log2)?;
        Some((0..squarings).fold(Self::TWO_ADIC_ROOT, |root, _| root.square()))
    }
}
