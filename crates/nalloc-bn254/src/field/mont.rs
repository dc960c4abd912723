//! A prime field below 2^254 in Montgomery form: an element x is stored as x * R mod p, R = 2^256.
//!
//! Promise: the stored number is always canonical, below p, so that equality is equality of limbs;
//! but for values within a transform, which its butterflies keep below 4p until they are settled.
//! Every constant is derived from the modulus at compile time. Arithmetic has no branch and no
//! table look-up that depends on a value.

mod operators;

use core::fmt;
use core::marker::PhantomData;

use nalloc::Zeroable;

use super::Field;
use super::divsteps::Divsteps;
use super::limbs::{self, Limbs, mac};
use crate::arch::Kernels;
use crate::arch::lanes::{Elements, LANES};
use crate::buffer::PlainBytes;
use crate::error::Error;
use crate::ntt::four_step::{self, Direction, FourStep};
use crate::observer::Observer;

/// A prime below 2^254 and what cannot be derived from it.
pub trait Modulus: Copy + Eq + Default + fmt::Debug + Send + Sync + 'static {
    /// What `Debug` calls an element.
    const NAME: &'static str;
    /// The prime p, least significant limb first.
    const LIMBS: [u64; 4];
    /// A number that is not a square modulo p.
    const NON_RESIDUE: u64;
}

/// An element of the field of integers modulo `M`, stored canonically in Montgomery form.
///
/// In memory it is four 64-bit limbs, least significant first: on a little-endian machine the bytes
/// of a coordinate in `.zkey` and `.ptau`, and of arkworks' and gnark's elements.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Montgomery<M: Modulus>(Limbs, PhantomData<M>);

// SAFETY: four zero limbs are the element zero, and the marker has no bytes.
unsafe impl<M: Modulus> Zeroable for Montgomery<M> {}
// SAFETY: the element is four `u64` without padding, and every bit pattern is a valid `u64`.
unsafe impl<M: Modulus> PlainBytes for Montgomery<M> {}

impl<M: Modulus> Montgomery<M> {
    /// The prime p, least significant limb first.
    pub const MODULUS: [u64; 4] = M::LIMBS;

    /// -1/p modulo 2^64.
    const NEG_INVERSE: u64 = {
        assert!(M::LIMBS[0] & 1 == 1 && M::LIMBS[3] >> 62 == 0, "no odd prime below 2^254");
        // Newton: each step doubles the number of right bits; 1 is right in one bit.
        let (mut inverse, mut step) = (1u64, 0);
        while step < 6 {
            let error = 2u64.wrapping_sub(M::LIMBS[0].wrapping_mul(inverse));
            inverse = inverse.wrapping_mul(error);
            step += 1;
        }
        inverse.wrapping_neg()
    };
    /// R mod p: the element one.
    const R1: Limbs = Self::power_of_two(256);
    /// R^2 mod p: multiplying by it enters Montgomery form.
    const R2: Limbs = Self::power_of_two(512);
    /// R^3 mod p.
    pub(super) const R3: Limbs = Self::power_of_two(768);
    /// R^2 / x modulo p: of the stored x R, the stored 1 / x.
    const DIVSTEPS: Divsteps = Divsteps::new(&M::LIMBS, Self::NEG_INVERSE, &Self::R2);
    const TWO_P: Limbs = limbs::add(&M::LIMBS, &M::LIMBS).0;
    const P_MINUS_1: Limbs = limbs::sub(&M::LIMBS, &[1, 0, 0, 0]).0;

    const fn power_of_two(exponent: u32) -> Limbs {
        let (mut power, mut step) = ([1, 0, 0, 0], 0);
        while step < exponent {
            power = limbs::reduce_once(&limbs::add(&power, &power).0, &M::LIMBS);
            step += 1;
        }
        power
    }

    /// The element whose stored limbs are `stored`, which must be canonical.
    pub(crate) const fn from_stored(stored: Limbs) -> Self {
        Self(stored, PhantomData)
    }

    /// The limbs as they are stored: x * 2^256 mod p.
    #[must_use]
    pub const fn to_montgomery(self) -> [u64; 4] {
        self.0
    }

    /// The element x for the stored limbs x * 2^256 mod p, or none where they are not below p.
    #[must_use]
    pub const fn from_montgomery(stored: [u64; 4]) -> Option<Self> {
        if Self::is_canonical(&stored) { Some(Self::from_stored(stored)) } else { None }
    }

    /// The element x for the integer x, or none where it is not below p.
    #[must_use]
    pub const fn from_plain(plain: [u64; 4]) -> Option<Self> {
        if Self::is_canonical(&plain) { Some(Self::from_stored(Self::enter(&plain))) } else { None }
    }

    /// The integer in [0, p) that this element stands for.
    #[must_use]
    pub const fn to_plain(self) -> [u64; 4] {
        Self::product(&self.0, &[1, 0, 0, 0])
    }

    /// Whether `number` is below p.
    #[must_use]
    pub const fn is_canonical(number: &[u64; 4]) -> bool {
        limbs::is_less(number, &M::LIMBS)
    }

    /// One Montgomery multiplication of the stored limbs by any integer below 2^256.
    ///
    /// The result is this element times `plain` / 2^256. An element made from the stored word
    /// c * 2^512 of a `.zkey` coefficient, times a plain witness word w, is the element c * w.
    #[inline]
    #[must_use]
    pub const fn mul_by_plain(self, plain: [u64; 4]) -> Self {
        Self::from_stored(Self::product(&self.0, &plain))
    }

    /// The elements' stored limbs, eight elements at a time; up to seven at the end are left out.
    pub(crate) fn as_elements_mut(elements: &mut [Self]) -> &mut [Elements] {
        let len = elements.len() / LANES;
        // SAFETY: an element is four `u64` (transparent), so eight in a row are an `Elements`; all
        // `len` of them lie in the slice, which is borrowed for as long.
        unsafe { core::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), len) }
    }

    /// As [`as_elements_mut`](Self::as_elements_mut), to read.
    pub(crate) fn as_elements(elements: &[Self]) -> &[Elements] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts(elements.as_ptr().cast(), elements.len() / LANES) }
    }

    /// The limbs as they are stored.
    pub(crate) fn as_stored(elements: &[Self]) -> &[[u64; 4]] {
        // SAFETY: an element is four `u64` (transparent); the slice is borrowed for as long.
        unsafe { core::slice::from_raw_parts(elements.as_ptr().cast(), elements.len()) }
    }

    /// `number` * R mod p, for any number below 2^256.
    pub(super) const fn enter(number: &Limbs) -> Limbs {
        Self::product(&Self::R2, number)
    }

    /// a * b / R mod p, canonical, for a < 4p and b < p, or for a < p and any b < 2^256.
    #[expect(
        clippy::inline_always,
        reason = "as a call its operands pass through memory: 21 ns instead of 15 in a chain"
    )]
    #[inline(always)]
    pub(super) const fn product(a: &Limbs, b: &Limbs) -> Limbs {
        limbs::reduce_once(&Self::product_below_2p(a, b), &M::LIMBS)
    }

    /// a * b / R mod p, < 2p, for a < 4p and b < p, or for a < p and any b < 2^256.
    ///
    /// Coarsely integrated operand scanning; 36 word multiplications. Because p < 2^254 the running
    /// sum stays below a + p < 2^256 after each step, so the two carries of a step never meet
    /// (gnark's "no-carry" variant); the last sum is below a * b / R + p, and 4 p^2 / R < 0.8 p.
    #[expect(
        clippy::inline_always,
        reason = "as a call its operands pass through memory: 21 ns instead of 15 in a chain"
    )]
    #[inline(always)]
    const fn product_below_2p(a: &Limbs, b: &Limbs) -> Limbs {
        let p = &M::LIMBS;
        let mut t = [0u64; 4];
        let mut i = 0;
        while i < 4 {
            let (t0, high) = mac(t[0], a[0], b[i], 0);
            let m = t0.wrapping_mul(Self::NEG_INVERSE);
            let (_, carry) = mac(t0, m, p[0], 0);
            let (t1, high) = mac(t[1], a[1], b[i], high);
            let (r0, carry) = mac(t1, m, p[1], carry);
            let (t2, high) = mac(t[2], a[2], b[i], high);
            let (r1, carry) = mac(t2, m, p[2], carry);
            let (t3, high) = mac(t[3], a[3], b[i], high);
            let (r2, carry) = mac(t3, m, p[3], carry);
            t = [r0, r1, r2, high.wrapping_add(carry)];
            i += 1;
        }
        t
    }

    /// low < 4p, other < 2p -> low + other and low - other, < 4p.
    #[inline]
    fn sum_and_difference(low: &mut Self, high: &mut Self, other: &Limbs) {
        let base = limbs::reduce_once(&low.0, &Self::TWO_P);
        *low = Self::from_stored(limbs::add(&base, other).0);
        *high = Self::from_stored(limbs::sub(&limbs::add(&base, &Self::TWO_P).0, other).0);
    }

    /// `base` to the power `exponent`, at compile time.
    const fn power(base: Limbs, exponent: &Limbs) -> Limbs {
        let (mut power, mut bit) = (Self::R1, 256);
        while bit > 0 {
            bit -= 1;
            power = Self::product(&power, &power);
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                power = Self::product(&power, &base);
            }
        }
        power
    }

    const fn two_adic_root() -> Limbs {
        let non_residue = Self::enter(&[M::NON_RESIDUE, 0, 0, 0]);
        let odd = limbs::shift_right(&Self::P_MINUS_1, <Self as Field>::TWO_ADICITY);
        Self::power(non_residue, &odd)
    }
}

impl<M: Modulus> Field for Montgomery<M> {
    const ZERO: Self = Self::from_stored([0; 4]);
    const ONE: Self = Self::from_stored(Self::R1);
    const TWO_ADICITY: u32 = {
        assert!(Self::P_MINUS_1[0] != 0, "p - 1 has 64 or more factors 2");
        Self::P_MINUS_1[0].trailing_zeros()
    };
    const TWO_ADIC_ROOT: Self = Self::from_stored(Self::two_adic_root());

    fn from_u64(number: u64) -> Self {
        Self::from_stored(Self::enter(&[number, 0, 0, 0]))
    }

    fn invert(self) -> Option<Self> {
        let inverse = Self::from_stored(Self::DIVSTEPS.invert(&self.0));
        if self.is_zero() { None } else { Some(inverse) }
    }

    fn invert_vartime(self) -> Option<Self> {
        let inverse = Self::from_stored(Self::DIVSTEPS.invert_vartime(&self.0));
        if self.is_zero() { None } else { Some(inverse) }
    }

    fn four_step(
        kernels: Kernels,
        log2: u32,
        direction: &Direction<Self>,
        observer: &dyn Observer,
    ) -> Result<Option<Box<dyn FourStep<Self>>>, Error> {
        kernels.lanes().map_or(Ok(None), |lanes| four_step::make(lanes, log2, direction, observer))
    }

    fn add_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let done = Self::add_each_in_lanes(kernels, a, b);
        for (a, &b) in a[done..].iter_mut().zip(&b[done..]) {
            *a += b;
        }
    }

    fn subtract_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let done = Self::subtract_each_in_lanes(kernels, a, b);
        for (a, &b) in a[done..].iter_mut().zip(&b[done..]) {
            *a -= b;
        }
    }

    fn multiply_each(kernels: Kernels, a: &mut [Self], b: &[Self]) {
        let mut done = Self::multiply_each_in_lanes(kernels, a, b);
        if done == 0 {
            done = Self::multiply_each_in_fours(kernels, a, b);
        }
        for (a, &b) in a[done..].iter_mut().zip(&b[done..]) {
            *a *= b;
        }
    }

    fn multiply_all(kernels: Kernels, a: &mut [Self], factor: Self) {
        let mut done = Self::multiply_all_in_lanes(kernels, a, factor);
        if done == 0 {
            done = Self::multiply_all_in_fours(kernels, a, factor);
        }
        for a in &mut a[done..] {
            *a *= factor;
        }
    }

    fn multiply_by_powers(kernels: Kernels, a: &mut [Self], first: Self, ratio: Self) {
        let done = Self::multiply_by_powers_in_lanes(kernels, a, first, ratio);
        let mut power = first * ratio.pow(&[done as u64]);
        for a in &mut a[done..] {
            *a *= power;
            power *= ratio;
        }
    }

    fn square_each(kernels: Kernels, a: &mut [Self]) {
        let mut done = Self::square_each_in_lanes(kernels, a);
        if done == 0 {
            done = Self::square_each_in_fours(kernels, a);
        }
        for a in &mut a[done..] {
            *a = a.square();
        }
    }

    fn invert_each(kernels: Kernels, a: &mut [Self]) {
        let done = Self::invert_each_in_lanes(kernels, a);
        super::inverse::invert_each(&mut a[done..]);
    }

    fn inner_product(kernels: Kernels, a: &[Self], b: &[Self]) -> Self {
        let (sum, done) = Self::inner_product_in_lanes(kernels, a, b);
        a[done..].iter().zip(&b[done..]).fold(sum, |sum, (&a, &b)| sum + a * b)
    }

    fn sum(kernels: Kernels, a: &[Self]) -> Self {
        let (sum, done) = Self::sum_in_lanes(kernels, a);
        a[done..].iter().fold(sum, |sum, &a| sum + a)
    }

    fn forward_butterflies(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        Self::forward_in_fours(kernels, low, high, roots)
    }

    fn inverse_butterflies(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        Self::inverse_in_fours(kernels, low, high, roots)
    }

    /// Values stay below 4p: one conditional subtraction instead of three.
    #[inline]
    fn forward_butterfly(low: &mut Self, high: &mut Self, root: Self) {
        let turned = Self::product_below_2p(&high.0, &root.0);
        Self::sum_and_difference(low, high, &turned);
    }

    /// Values stay below 2p.
    #[inline]
    fn inverse_butterfly(low: &mut Self, high: &mut Self, root: Self) {
        let (sum, _) = limbs::add(&low.0, &high.0);
        let difference = limbs::sub(&limbs::add(&high.0, &Self::TWO_P).0, &low.0).0;
        *low = Self::from_stored(limbs::reduce_once(&sum, &Self::TWO_P));
        *high = Self::from_stored(Self::product_below_2p(&difference, &root.0));
    }

    /// From values below 4p to values below 2p.
    #[inline]
    fn butterfly_with_one(low: &mut Self, high: &mut Self) {
        let other = limbs::reduce_once(&high.0, &Self::TWO_P);
        Self::sum_and_difference(low, high, &other);
        *low = Self::from_stored(limbs::reduce_once(&low.0, &Self::TWO_P));
        *high = Self::from_stored(limbs::reduce_once(&high.0, &Self::TWO_P));
    }

    #[expect(clippy::inline_always, reason = "as for `product`")]
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self::from_stored(Self::product(&self.0, &other.0))
    }

    /// Values below 2p each, also of the result: 4 p^2 / R + p < 1.8p.
    #[expect(clippy::inline_always, reason = "as for `product`")]
    #[inline(always)]
    fn times_lazily(self, other: Self) -> Self {
        Self::from_stored(Self::product_below_2p(&self.0, &other.0))
    }

    #[inline]
    fn settled(self) -> Self {
        let below_2p = limbs::reduce_once(&self.0, &Self::TWO_P);
        Self::from_stored(limbs::reduce_once(&below_2p, &M::LIMBS))
    }

    #[inline]
    fn select(mask: u64, when_set: Self, when_clear: Self) -> Self {
        Self::from_stored(limbs::select(mask, &when_set.0, &when_clear.0))
    }
}

/// The integer in [0, p) in decimal, after the field's name.
impl<M: Modulus> fmt::Debug for Montgomery<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", M::NAME, self.to_decimal())
    }
}
