//! Multiples of a modulus in 52-bit limbs, all derived at compile time.

use core::marker::PhantomData;

use crate::field::{Field, Modulus, Montgomery};

/// The low 52 bits of a word.
pub(crate) const MASK: u64 = (1 << 52) - 1;
/// A number below 2^260 in five limbs of 52 bits, least significant first.
pub(crate) type Limbs52 = [u64; 5];

/// A table that a vector register looks words up in, limb by limb.
#[repr(align(64))]
pub(crate) struct Table(pub(crate) [[u64; 16]; 5]);

/// The constants of one modulus p. 2^260 = 84.6 p, for both moduli of BN254.
pub(crate) struct Constants<M>(PhantomData<M>);

impl<M: Modulus> Constants<M> {
    /// p.
    pub(crate) const P: Limbs52 = split(&M::LIMBS);
    /// 2^260 - p.
    pub(crate) const MINUS_P: Limbs52 = negate(&Self::P);
    /// 2^260 - 5p: where the columns of a product start, so that it comes out centred.
    pub(crate) const MINUS_5P: Limbs52 = negate(&Self::multiple(5));
    /// -1/p modulo 2^52.
    pub(crate) const MINUS_INVERSE: u64 = negate(&Self::INVERSE)[0];
    /// 1/p modulo 2^260.
    pub(crate) const INVERSE: Limbs52 = {
        // Newton: each step doubles the number of right bits; 1 is right in one bit.
        let (mut inverse, mut step) = ([1, 0, 0, 0, 0], 0);
        while step < 9 {
            let mut error = negate(&low_product(&Self::P, &inverse));
            error = sum(&error, &[2, 0, 0, 0, 0]);
            inverse = low_product(&inverse, &error);
            step += 1;
        }
        inverse
    };
    /// floor(2^58 / (top limb of p + 1)): turns a top limb into a quotient by p.
    pub(crate) const QUOTIENT: u64 = (1 << 58) / (Self::P[4] + 1);
    /// For the top 3 bits i of a value: 20 p - floor(i * 2^257 / p) * p, modulo 2^260.
    pub(crate) const REDUCE_3: &'static Table = &Self::reduction(3, 20);
    /// For the top 4 bits i of a value: -floor(i * 2^256 / p) * p, modulo 2^260.
    pub(crate) const REDUCE_4: &'static Table = &Self::reduction(4, 0);

    /// `k` * p, which must be below 2^260.
    pub(crate) const fn multiple(k: u64) -> Limbs52 {
        assert!(k <= 84, "a multiple of p above 2^260");
        let (mut limbs, mut carry, mut i) = ([0; 5], 0u128, 0);
        while i < 5 {
            carry += Self::P[i] as u128 * k as u128;
            limbs[i] = carry as u64 & MASK;
            carry >>= 52;
            i += 1;
        }
        limbs
    }

    const fn reduction(bits: u32, offset: u64) -> Table {
        let (mut table, mut index) = ([[0; 16]; 5], 0);
        while index < 1 << bits {
            let (mut quotient, top) = (0, (index as u64) << (52 - bits));
            while quotient < 84 && Self::multiple(quotient + 1)[4] < top {
                quotient += 1;
            }
            let entry = sum(&Self::multiple(offset), &negate(&Self::multiple(quotient)));
            let mut limb = 0;
            while limb < 5 {
                table[limb][index] = entry[limb];
                limb += 1;
            }
            index += 1;
        }
        Table(table)
    }
}

/// A factor f for Shoup's multiplication: f itself and floor(f * 2^260 / p), five limbs each.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Factor(pub(crate) [u64; 10]);

// SAFETY: ten integers.
unsafe impl nalloc::Zeroable for Factor {}

impl Factor {
    /// The factor of an element.
    pub(crate) fn new<M: Modulus>(element: Montgomery<M>) -> Self {
        // f * 2^260 = q p + rest, so q = -rest / p modulo 2^260.
        let rest = split(&times_2_to_260(element).to_plain());
        let quotient = negate(&low_product(&rest, &Constants::<M>::INVERSE));
        let mut words = [0; 10];
        words[..5].copy_from_slice(&split(&element.to_plain()));
        words[5..].copy_from_slice(&quotient);
        Self(words)
    }
}

/// `element` * 2^260: as a plain integer, what `montgomery` multiplies by.
pub(crate) fn times_2_to_260<M: Modulus>(element: Montgomery<M>) -> Montgomery<M> {
    // `from_montgomery` of x gives x / 2^256; its plain form times 2^256 times 16 is wanted.
    let stored = Montgomery::<M>::from_plain(element.to_montgomery());
    stored.unwrap_or(Montgomery::ZERO) * Montgomery::from_u64(16)
}

/// Four limbs of 64 bits as five of 52.
pub(crate) const fn split(x: &[u64; 4]) -> Limbs52 {
    [
        x[0] & MASK,
        (x[0] >> 52 | x[1] << 12) & MASK,
        (x[1] >> 40 | x[2] << 24) & MASK,
        (x[2] >> 28 | x[3] << 36) & MASK,
        x[3] >> 16,
    ]
}

/// 2^260 - x, modulo 2^260.
const fn negate(x: &Limbs52) -> Limbs52 {
    let (mut limbs, mut carry, mut i) = ([0; 5], 1, 0);
    while i < 5 {
        carry += MASK - x[i];
        limbs[i] = carry & MASK;
        carry >>= 52;
        i += 1;
    }
    limbs
}

/// a + b modulo 2^260.
const fn sum(a: &Limbs52, b: &Limbs52) -> Limbs52 {
    let (mut limbs, mut carry, mut i) = ([0; 5], 0, 0);
    while i < 5 {
        carry += a[i] + b[i];
        limbs[i] = carry & MASK;
        carry >>= 52;
        i += 1;
    }
    limbs
}

/// a * b modulo 2^260.
const fn low_product(a: &Limbs52, b: &Limbs52) -> Limbs52 {
    let (mut limbs, mut carry, mut k) = ([0; 5], 0u128, 0);
    while k < 5 {
        let mut i = 0;
        while i <= k {
            carry += a[i] as u128 * b[k - i] as u128;
            i += 1;
        }
        limbs[k] = carry as u64 & MASK;
        carry >>= 52;
        k += 1;
    }
    limbs
}
