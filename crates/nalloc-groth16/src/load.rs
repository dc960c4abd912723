//! One pass over a key file, from its first byte to its last: every byte is read once, hashed, and
//! put where it belongs.

use nalloc::MapFailed;
use nalloc_bn254::{G1Affine, G2Affine, HeapBuffer, Observer, PlainBytes};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::section::Section;
use crate::source::Source;
use crate::units::wide;
use crate::zkey::{self, Zkey};

/// Bytes that are read at a time: the observer is asked every few milliseconds.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of a buffer for what is only hashed.
const PASSED_BYTES: usize = 64 << 10;
/// What the observer sees.
const PHASE: &str = "load";

/// The sections of a key, as they stand in the file: not yet checked.
pub(crate) struct Loaded {
    pub(crate) ic: HeapBuffer<G1Affine>,
    /// Section 4 as bytes.
    pub(crate) coefficients: HeapBuffer<u8>,
    pub(crate) a: HeapBuffer<G1Affine>,
    pub(crate) b1: HeapBuffer<G1Affine>,
    pub(crate) b2: HeapBuffer<G2Affine>,
    pub(crate) l: HeapBuffer<G1Affine>,
    pub(crate) h: HeapBuffer<G1Affine>,
    /// SHA-256 of the whole file, in hexadecimal digits.
    pub(crate) sha256: String,
}

// Points are read into place: their bytes in memory are those of the file.
const _: () = assert!(cfg!(target_endian = "little"), "limbs in memory are little-endian");

/// Reads the whole file.
///
/// # Errors
/// What reading can give, [`Error::FileChanged`], [`Error::Memory`], [`Error::Cancelled`].
pub(crate) fn load(zkey: &Zkey<'_>, observer: &dyn Observer) -> Result<Loaded, Error> {
    let mut loaded = Loaded {
        ic: buffer(zkey, zkey::IC)?,
        coefficients: buffer(zkey, zkey::COEFFICIENTS)?,
        a: buffer(zkey, zkey::A)?,
        b1: buffer(zkey, zkey::B1)?,
        b2: buffer(zkey, zkey::B2)?,
        l: buffer(zkey, zkey::L)?,
        h: buffer(zkey, zkey::H)?,
        sha256: String::new(),
    };
    let mut sections = *zkey.sections();
    sections.sort_unstable_by_key(|section| section.offset);

    let source = zkey.source();
    let mut pass = Pass { source, observer, hasher: Sha256::new(), position: 0 };
    for section in sections {
        pass.skip_to(section.offset)?;
        pass.read(loaded.bytes_of(section))?;
    }
    pass.skip_to(source.len())?;
    observer.progress(PHASE, pass.position, source.len());
    source.check_unchanged()?;
    loaded.sha256 = hexadecimal(&pass.hasher.finalize());
    Ok(loaded)
}

/// Room for all of a section, whose length is that of the elements and lies inside of the file.
fn buffer<T: PlainBytes>(zkey: &Zkey<'_>, id: u32) -> Result<HeapBuffer<T>, Error> {
    let len = zkey.sizes.expected_bytes(id) / wide(size_of::<T>());
    Ok(HeapBuffer::zeroed(usize::try_from(len).map_err(|_| MapFailed::LengthOverflow)?)?)
}

impl Loaded {
    fn bytes_of(&mut self, section: Section) -> &mut [u8] {
        match section.id {
            zkey::IC => self.ic.as_bytes_mut(),
            zkey::COEFFICIENTS => self.coefficients.as_bytes_mut(),
            zkey::A => self.a.as_bytes_mut(),
            zkey::B1 => self.b1.as_bytes_mut(),
            zkey::B2 => self.b2.as_bytes_mut(),
            zkey::L => self.l.as_bytes_mut(),
            _ => self.h.as_bytes_mut(),
        }
    }
}

/// A position in the file, and the hash of all before it.
struct Pass<'a> {
    source: &'a dyn Source,
    observer: &'a dyn Observer,
    hasher: Sha256,
    position: u64,
}

impl Pass<'_> {
    /// Hashes the bytes before `offset`.
    fn skip_to(&mut self, offset: u64) -> Result<(), Error> {
        let mut left = offset.saturating_sub(self.position);
        if left == 0 {
            return Ok(());
        }
        let mut passed = HeapBuffer::<u8>::zeroed(PASSED_BYTES)?;
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(PASSED_BYTES);
            self.read(&mut passed[..len])?;
            left -= wide(len);
        }
        Ok(())
    }

    /// Reads and hashes the next bytes.
    fn read(&mut self, out: &mut [u8]) -> Result<(), Error> {
        for chunk in out.chunks_mut(CHUNK_BYTES) {
            if self.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.observer.progress(PHASE, self.position, self.source.len());
            self.source.read_at(self.position, chunk)?;
            self.hasher.update(&*chunk);
            self.position += wide(chunk.len());
        }
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
