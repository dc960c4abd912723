//! Points and scalars as bytes, as other libraries and chains have them.
//!
//! | [`Encoding`] | numbers | order of Fq2 | G1, G2 bytes | infinity |
//! |---|---|---|---|---|
//! | `ArkUncompressed` | little-endian | c0, c1 | 64, 128 | bit 6 of the last byte |
//! | `ArkCompressed` | little-endian | c0, c1 | 32, 64 | bit 6 of the last byte |
//! | `Ethereum` | big-endian | c1, c0 | 64, 128 | zeros |
//! | `GnarkCompressed` | big-endian | c1, c0 | 32, 64 | 01 in the top bits of the first byte |
//! | `Ignition` | four big-endian limbs, the least one first | c0, c1 | 64, 128 | none |
//! | `Montgomery` | little-endian x * 2^256 mod q | c0, c1 | 64, 128 | zeros |
//!
//! An uncompressed point is x, then y. A compressed one is x, and the flags say which y: arkworks
//! has bit 7 of the last byte where y is the larger of y and -y, also beside a whole y; gnark has
//! 10 in the top bits of the first byte for the smaller and 11 for the larger. Of Fq2 that element is
//! larger whose c1 is, or whose c0 is where both c1 are equal.
//!
//! Sources: `CanonicalSerialize` and `SWFlags` of ark-serialize and ark-ec 0.6; EIP-196 and
//! EIP-197, whose form gnark-crypto calls uncompressed; `ecc/bn254/marshal.go` of gnark-crypto; "Transcript
//! files" of Aztec's ignition-verification; FORMATS.md for `.zkey` and `.ptau`.
//!
//! Readers accept what writers write and nothing else: each point has one form in each encoding.
//! They check the curve, and in G2 the group, so what comes out may be used.

mod calldata;
mod coordinate;

use std::sync::{Mutex, PoisonError};

use crate::curve::{Affine, PointError};
use crate::error::Error;
use crate::field::Fr;
use crate::pool::Pool;

pub use calldata::{opening_calldata, point_calldata, scalar_calldata};
pub use coordinate::Coordinate;
use coordinate::{WORD_BYTES, Words};

/// Points that one task reads: some hundreds of microseconds where they are compressed.
const READ_PER_TASK: usize = 256;
/// The longest point.
const POINT_BYTES_MAX: usize = 128;
/// The bits that may be flags.
const FLAG_BITS: u8 = 0b1100_0000;

/// How points and scalars are written. The head of this module has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `serialize_uncompressed` of arkworks.
    ArkUncompressed,
    /// `serialize_compressed` of arkworks.
    ArkCompressed,
    /// Words of EIP-196 and EIP-197, which Solidity passes to precompiles; gnark's `RawBytes`.
    Ethereum,
    /// gnark's `Bytes`, of which `EigenDA`'s `g1.point` is made.
    GnarkCompressed,
    /// The transcripts of Aztec's Ignition ceremony.
    Ignition,
    /// Points of `.zkey` and `.ptau`, and the limbs in memory of most libraries.
    Montgomery,
}

/// What the bits above a number say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flags {
    /// Nothing: they are the number's. Zeros are infinity.
    None,
    /// As `None`, without infinity.
    NoneAndNoInfinity,
    /// In the last byte.
    Ark,
    /// In the first byte.
    Gnark,
}

/// Which of the points with an x it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Smaller,
    Larger,
    Infinity,
}

/// A row of the table.
struct Layout {
    words: Words,
    is_compressed: bool,
    flags: Flags,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ArkUncompressed,
        Self::ArkCompressed,
        Self::Ethereum,
        Self::GnarkCompressed,
        Self::Ignition,
        Self::Montgomery,
    ];

    const fn layout(self) -> Layout {
        let (words, is_compressed, flags) = match self {
            Self::ArkUncompressed => (Words::Little, false, Flags::Ark),
            Self::ArkCompressed => (Words::Little, true, Flags::Ark),
            Self::Ethereum => (Words::Big, false, Flags::None),
            Self::GnarkCompressed => (Words::Big, true, Flags::Gnark),
            Self::Ignition => (Words::Limbs, false, Flags::NoneAndNoInfinity),
            Self::Montgomery => (Words::Montgomery, false, Flags::None),
        };
        Layout { words, is_compressed, flags }
    }

    /// Bytes of a point.
    #[must_use]
    pub const fn point_bytes<F: Coordinate>(self) -> usize {
        if self.layout().is_compressed { F::BYTES } else { 2 * F::BYTES }
    }

    /// The point that `bytes` stand for, of its curve and its group.
    ///
    /// # Errors
    /// [`PointError`]: the length, flags that no point has, coordinates that are too large, then
    /// the curve, flags of another point, the group.
    pub fn read_point<F: Coordinate>(self, bytes: &[u8]) -> Result<Affine<F>, PointError> {
        let (layout, expected) = (self.layout(), self.point_bytes::<F>());
        if bytes.len() != expected {
            return Err(PointError::Length { expected, got: bytes.len() });
        }
        let mut copy = [0; POINT_BYTES_MAX];
        let copy = &mut copy[..expected];
        copy.copy_from_slice(bytes);
        let (sign, flags) = layout.take_flags(copy)?;
        let (x, y) = copy.split_at(F::BYTES);
        let x = F::read(layout.words, x).ok_or(PointError::NonCanonical)?;
        let y = if layout.is_compressed { Some(F::ZERO) } else { F::read(layout.words, y) };
        let mut point = Affine { x, y: y.ok_or(PointError::NonCanonical)? };
        if sign == Some(Sign::Infinity) {
            let is_clean = point.is_infinity();
            return if is_clean { Ok(point) } else { Err(PointError::InfinityWithCoordinates) };
        }
        if sign.is_none() && point.is_infinity() {
            let has_infinity = layout.flags == Flags::None;
            return if has_infinity { Ok(point) } else { Err(PointError::Infinity) };
        }
        let square = x.square() * x + F::B;
        if layout.is_compressed {
            let root = F::sqrt_vartime(square).ok_or(PointError::NotOnCurve)?;
            let is_right = root.is_larger_than_opposite() == (sign == Some(Sign::Larger));
            point.y = if is_right { root } else { -root };
        } else if point.y.square() != square {
            return Err(PointError::NotOnCurve);
        } else if sign.is_some_and(|sign| sign != Sign::of(&point)) {
            return Err(PointError::Flags { got: flags });
        }
        if point.is_in_subgroup() { Ok(point) } else { Err(PointError::NotInSubgroup) }
    }

    /// Writes `point`, which must be one of its curve.
    ///
    /// # Errors
    /// [`PointError::Length`] where `out` is not [`point_bytes`](Self::point_bytes) long,
    /// [`PointError::Infinity`] where the encoding has none.
    pub fn write_point<F: Coordinate>(
        self,
        point: &Affine<F>,
        out: &mut [u8],
    ) -> Result<(), PointError> {
        let (layout, expected) = (self.layout(), self.point_bytes::<F>());
        if out.len() != expected {
            return Err(PointError::Length { expected, got: out.len() });
        }
        if layout.flags == Flags::NoneAndNoInfinity && point.is_infinity() {
            return Err(PointError::Infinity);
        }
        let (x, y) = out.split_at_mut(F::BYTES);
        point.x.write(layout.words, x);
        if !layout.is_compressed {
            point.y.write(layout.words, y);
        }
        layout.put_flags(out, Sign::of(point));
        Ok(())
    }

    /// Reads as many points as there are places for, on all threads of the pool.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] for another number of bytes than these points have;
    /// [`Error::Point`] for the first one that is wrong: `out` holds nothing of use then.
    pub fn read_points<F: Coordinate>(
        self,
        bytes: &[u8],
        out: &mut [Affine<F>],
        pool: &Pool,
    ) -> Result<(), Error> {
        let size = self.point_bytes::<F>();
        check_len("bytes of the points", out.len().saturating_mul(size), bytes.len())?;
        let first = Mutex::new(None::<(usize, PointError)>);
        pool.for_each_chunk_mut(out, READ_PER_TASK, |start, points| {
            let parts = bytes[start * size..].chunks_exact(size);
            for (index, (point, bytes)) in (start..).zip(points.iter_mut().zip(parts)) {
                match self.read_point(bytes) {
                    Ok(read) => *point = read,
                    Err(reason) => {
                        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                        if first.is_none_or(|(least, _)| index < least) {
                            *first = Some((index, reason));
                        }
                        return;
                    }
                }
            }
        });
        let first = first.into_inner().unwrap_or_else(PoisonError::into_inner);
        first.map_or(Ok(()), |(index, reason)| Err(Error::Point { index, reason }))
    }

    /// Writes `points`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there is room for exactly these points, [`Error::Point`]
    /// for infinity where the encoding has none.
    pub fn write_points<F: Coordinate>(
        self,
        points: &[Affine<F>],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let size = self.point_bytes::<F>();
        check_len("bytes of the points", points.len().saturating_mul(size), out.len())?;
        for (index, (point, out)) in points.iter().zip(out.chunks_exact_mut(size)).enumerate() {
            self.write_point(point, out).map_err(|reason| Error::Point { index, reason })?;
        }
        Ok(())
    }

    /// Reads as many scalars of 32 bytes as there are places for.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::ElementNotCanonical`] for the first one that is not
    /// below r.
    pub fn read_scalars(self, bytes: &[u8], out: &mut [Fr]) -> Result<(), Error> {
        check_len("bytes of the scalars", out.len().saturating_mul(WORD_BYTES), bytes.len())?;
        let words = self.layout().words;
        for (index, (scalar, word)) in out.iter_mut().zip(bytes.as_chunks().0).enumerate() {
            let field = "Fr";
            *scalar = words.read(word).ok_or(Error::ElementNotCanonical { field, index })?;
        }
        Ok(())
    }

    /// Writes `scalars`, 32 bytes each.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there is room for exactly these scalars.
    pub fn write_scalars(self, scalars: &[Fr], out: &mut [u8]) -> Result<(), Error> {
        check_len("bytes of the scalars", scalars.len().saturating_mul(WORD_BYTES), out.len())?;
        let words = self.layout().words;
        for (&scalar, word) in scalars.iter().zip(out.as_chunks_mut().0) {
            *word = words.write(scalar);
        }
        Ok(())
    }
}

fn check_len(what: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got { Ok(()) } else { Err(Error::LengthMismatch { what, expected, got }) }
}

impl Sign {
    fn of<F: Coordinate>(point: &Affine<F>) -> Self {
        match () {
            () if point.is_infinity() => Self::Infinity,
            () if point.y.is_larger_than_opposite() => Self::Larger,
            () => Self::Smaller,
        }
    }
}

impl Layout {
    /// What the flags say, if there are some, and the byte they were in; they are zero then.
    fn take_flags(&self, bytes: &mut [u8]) -> Result<(Option<Sign>, u8), PointError> {
        let Some(byte) = self.flag_byte(bytes) else { return Ok((None, 0)) };
        let got = *byte;
        *byte &= !FLAG_BITS;
        let signs = [Sign::Smaller, Sign::Larger, Sign::Infinity];
        let sign = signs.into_iter().find(|&sign| self.flags.bits(sign) == got & FLAG_BITS);
        sign.map(|sign| (Some(sign), got)).ok_or(PointError::Flags { got })
    }

    fn put_flags(&self, bytes: &mut [u8], sign: Sign) {
        if let Some(byte) = self.flag_byte(bytes) {
            *byte |= self.flags.bits(sign);
        }
    }

    fn flag_byte<'b>(&self, bytes: &'b mut [u8]) -> Option<&'b mut u8> {
        match self.flags {
            Flags::None | Flags::NoneAndNoInfinity => None,
            Flags::Ark => bytes.last_mut(),
            Flags::Gnark => bytes.first_mut(),
        }
    }
}

impl Flags {
    const fn bits(self, sign: Sign) -> u8 {
        match (self, sign) {
            (Self::Ark | Self::Gnark, Sign::Infinity) => 0b0100_0000,
            (Self::Ark, Sign::Larger) | (Self::Gnark, Sign::Smaller) => 0b1000_0000,
            (Self::Gnark, Sign::Larger) => 0b1100_0000,
            (Self::Ark, Sign::Smaller) | (Self::None | Self::NoneAndNoInfinity, _) => 0,
        }
    }
}
