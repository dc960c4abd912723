//! Every encoding of a prime field's element, in one place.
//!
//! | name | bytes | where it is used |
//! |---|---|---|
//! | plain, little-endian | 32 bytes of x | `.wtns`, `.r1cs`, primes in headers |
//! | plain, big-endian | 32 bytes of x | EVM contracts |
//! | Montgomery, little-endian | 32 bytes of x * 2^256 mod p | points of `.zkey` and `.ptau` |
//! | decimal | digits without sign or leading zeros | proof.json, public.json |
//! | uniform | 64 bytes, reduced modulo p | random scalars |
//!
//! Readers accept the canonical form and nothing else: a number that is not below p is refused, not
//! reduced.

use super::limbs;
use super::mont::{Modulus, Montgomery};
use crate::error::Error;

/// Most digits that a number below 2^254 has.
const DIGITS_MAX: usize = 77;
/// Digits that fit one limb with room to spare.
const DIGITS_PER_STEP: usize = 19;
const TEN_TO_STEP: u64 = 10_u64.pow(19);

impl<M: Modulus> Montgomery<M> {
    /// The element for 32 bytes of a plain integer below p, least significant first.
    #[must_use]
    pub fn from_le_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_plain(limbs::from_le_bytes(bytes))
    }

    /// As [`from_le_bytes`](Self::from_le_bytes), for a whole vector.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], and [`Error::ElementNotCanonical`] with the index of the first
    /// number that is not below p; elements up to there are written.
    pub fn read_le_bytes(bytes: &[[u8; 32]], elements: &mut [Self]) -> Result<(), Error> {
        Self::read_each(bytes, elements, Self::from_le_bytes)
    }

    /// As [`from_montgomery_le_bytes`](Self::from_montgomery_le_bytes), for a whole vector.
    ///
    /// # Errors
    /// As [`read_le_bytes`](Self::read_le_bytes).
    pub fn read_montgomery_le_bytes(
        bytes: &[[u8; 32]],
        elements: &mut [Self],
    ) -> Result<(), Error> {
        Self::read_each(bytes, elements, Self::from_montgomery_le_bytes)
    }

    fn read_each(
        bytes: &[[u8; 32]],
        elements: &mut [Self],
        read: fn(&[u8; 32]) -> Option<Self>,
    ) -> Result<(), Error> {
        let (expected, got) = (bytes.len(), elements.len());
        if expected != got {
            return Err(Error::LengthMismatch { what: "elements", expected, got });
        }
        for (index, (element, bytes)) in elements.iter_mut().zip(bytes).enumerate() {
            let field = M::NAME;
            *element = read(bytes).ok_or(Error::ElementNotCanonical { field, index })?;
        }
        Ok(())
    }

    /// The integer in [0, p) as 32 bytes, least significant first.
    #[must_use]
    pub fn to_le_bytes(self) -> [u8; 32] {
        limbs::to_le_bytes(&self.to_plain())
    }

    /// The element for 32 bytes of a plain integer below p, most significant first.
    #[must_use]
    pub fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut turned = *bytes;
        turned.reverse();
        Self::from_le_bytes(&turned)
    }

    /// The integer in [0, p) as 32 bytes, most significant first.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let mut bytes = self.to_le_bytes();
        bytes.reverse();
        bytes
    }

    /// The element for 32 bytes of x * 2^256 mod p, least significant first; none unless below p.
    #[must_use]
    pub fn from_montgomery_le_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_montgomery(limbs::from_le_bytes(bytes))
    }

    /// x * 2^256 mod p as 32 bytes, least significant first.
    #[must_use]
    pub fn to_montgomery_le_bytes(self) -> [u8; 32] {
        limbs::to_le_bytes(&self.to_montgomery())
    }

    /// The element for a decimal number below p: digits only, no leading zero unless it is "0".
    #[must_use]
    pub fn from_decimal(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let is_canonical = match digits {
            [] => false,
            [b'0', rest @ ..] => rest.is_empty(),
            _ => digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit),
        };
        if !is_canonical {
            return None;
        }
        let mut number = [0; 4];
        for step in digits.chunks(DIGITS_PER_STEP) {
            let (mut scale, mut value) = (1, 0);
            for digit in step {
                (scale, value) = (scale * 10, value * 10 + u64::from(digit - b'0'));
            }
            // 77 digits stay below 2^256, so nothing is carried out of the top limb.
            let mut carry = value;
            for limb in &mut number {
                (*limb, carry) = limbs::mac(0, *limb, scale, carry);
            }
        }
        Self::from_plain(number)
    }

    /// The integer in [0, p) in decimal.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let mut number = self.to_plain();
        let mut steps = Vec::new();
        while number != [0; 4] {
            let mut rest = 0;
            for limb in number.iter_mut().rev() {
                (*limb, rest) = limbs::divide_vartime(rest, *limb, TEN_TO_STEP);
            }
            steps.push(rest);
        }
        let Some(first) = steps.pop() else { return "0".to_owned() };
        let rest = steps.iter().rev().map(|step| format!("{step:0DIGITS_PER_STEP$}"));
        core::iter::once(first.to_string()).chain(rest).collect()
    }

    /// The 512-bit little-endian integer `bytes` modulo p.
    ///
    /// From uniform bytes comes an element within 2^-258 of uniform.
    #[must_use]
    pub fn from_uniform_bytes(bytes: &[u8; 64]) -> Self {
        let (halves, _) = bytes.as_chunks::<32>();
        let [low, high] = [limbs::from_le_bytes(&halves[0]), limbs::from_le_bytes(&halves[1])];
        // x = low + high * R is stored as low * R + high * R^2.
        let low = Self::from_stored(Self::enter(&low));
        let high = Self::from_stored(Self::product(&Self::R3, &high));
        low + high
    }
}
