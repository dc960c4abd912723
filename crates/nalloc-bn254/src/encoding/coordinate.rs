//! Coordinates as words of 32 bytes.

use crate::curve::CurveField;
use crate::field::{Field, Fq, Fq2, Modulus, Montgomery};

/// Bytes of an element of a prime field.
pub(super) const WORD_BYTES: usize = 32;
/// Bytes of a limb.
const LIMB_BYTES: usize = 8;

/// How an element of a prime field is written, and in which order the two of Fq2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// The integer, least significant byte first; c0 first.
    Little,
    /// The integer, most significant byte first; c1 first.
    Big,
    /// Its limbs of 64 bits, the least significant first, each with its most significant byte
    /// first; c0 first.
    Limbs,
    /// x * 2^256 mod p, least significant byte first; c0 first.
    Montgomery,
}

impl Words {
    pub(super) fn read<M: Modulus>(self, bytes: &[u8; WORD_BYTES]) -> Option<Montgomery<M>> {
        match self {
            Self::Little => Montgomery::from_le_bytes(bytes),
            Self::Big => Montgomery::from_be_bytes(bytes),
            Self::Limbs => Montgomery::from_le_bytes(&turn_limbs(*bytes)),
            Self::Montgomery => Montgomery::from_montgomery_le_bytes(bytes),
        }
    }

    pub(super) fn write<M: Modulus>(self, element: Montgomery<M>) -> [u8; WORD_BYTES] {
        match self {
            Self::Little => element.to_le_bytes(),
            Self::Big => element.to_be_bytes(),
            Self::Limbs => turn_limbs(element.to_le_bytes()),
            Self::Montgomery => element.to_montgomery_le_bytes(),
        }
    }
}

fn turn_limbs(mut bytes: [u8; WORD_BYTES]) -> [u8; WORD_BYTES] {
    bytes.chunks_exact_mut(LIMB_BYTES).for_each(<[u8]>::reverse);
    bytes
}

/// A coordinate that [`Encoding`](super::Encoding) writes: of G1 or of G2.
pub trait Coordinate: CurveField {
    /// The element for [`BYTES`](CurveField::BYTES) bytes; none where the length differs or a part
    /// is not canonical.
    #[doc(hidden)]
    fn read(words: Words, bytes: &[u8]) -> Option<Self>;

    /// Writes the element to the start of `out`, which has room for it.
    #[doc(hidden)]
    fn write(self, words: Words, out: &mut [u8]);

    /// A square root, or none where there is none.
    #[doc(hidden)]
    #[must_use]
    fn sqrt_vartime(self) -> Option<Self>;

    /// Whether this is larger than its opposite: by c1, or by c0 where c1 is zero.
    #[doc(hidden)]
    #[must_use]
    fn is_larger_than_opposite(self) -> bool;
}

impl Coordinate for Fq {
    fn read(words: Words, bytes: &[u8]) -> Option<Self> {
        words.read(bytes.try_into().ok()?)
    }

    fn write(self, words: Words, out: &mut [u8]) {
        out[..WORD_BYTES].copy_from_slice(&words.write(self));
    }

    fn sqrt_vartime(self) -> Option<Self> {
        Self::sqrt_vartime(self)
    }

    fn is_larger_than_opposite(self) -> bool {
        let [this, opposite] = [self, -self].map(Self::to_plain);
        this.iter().rev().gt(opposite.iter().rev())
    }
}

impl Coordinate for Fq2 {
    fn read(words: Words, bytes: &[u8]) -> Option<Self> {
        let (first, second) = bytes.split_at_checked(WORD_BYTES)?;
        let (first, second) = (Fq::read(words, first)?, Fq::read(words, second)?);
        let is_imaginary_first = words == Words::Big;
        let (c0, c1) = if is_imaginary_first { (second, first) } else { (first, second) };
        Some(Self { c0, c1 })
    }

    fn write(self, words: Words, out: &mut [u8]) {
        let is_imaginary_first = words == Words::Big;
        let Self { c0, c1 } = self;
        let (first, second) = if is_imaginary_first { (c1, c0) } else { (c0, c1) };
        first.write(words, out);
        second.write(words, &mut out[WORD_BYTES..]);
    }

    fn sqrt_vartime(self) -> Option<Self> {
        Self::sqrt_vartime(self)
    }

    fn is_larger_than_opposite(self) -> bool {
        let decides = if self.c1.is_zero() { self.c0 } else { self.c1 };
        decides.is_larger_than_opposite()
    }
}
