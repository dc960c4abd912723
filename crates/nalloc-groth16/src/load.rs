//! One pass over a key file, from its first byte to its last: every byte is read once, hashed, and
//! put where it belongs, and every section is checked while it is hashed.
//!
//! What is wrong with a section is told when the whole file was read, in the order of the error
//! table, whatever the order of the file.

use nalloc::MapFailed;
use nalloc_bn254::curve::{CurveField, validate_points};
use nalloc_bn254::file::{FileError, Section, wide};
use nalloc_bn254::{Affine, Fq, Fq2, G1Affine, HeapBuffer, PlainBytes};
use sha2::{Digest, Sha256};

use crate::bases::Points;
use crate::error::Error;
use crate::key::ReadOptions;
use crate::matrix::{Matrices, Records};
use crate::zkey::{self, HeaderPoints, Zkey, section_point_error};

/// Bytes that are read at a time: the observer is asked every few milliseconds.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes of a buffer for what is only hashed.
const PASSED_BYTES: usize = 64 << 10;
/// What the observer sees.
const PHASE: &str = "load";

/// A key's sections, checked.
pub(crate) struct Loaded {
    pub(crate) matrices: Matrices,
    pub(crate) header: HeaderPoints,
    pub(crate) ic: HeapBuffer<G1Affine>,
    pub(crate) a: Points<Fq>,
    pub(crate) b1: Points<Fq>,
    pub(crate) b2: Points<Fq2>,
    pub(crate) l: Points<Fq>,
    pub(crate) h: Points<Fq>,
    /// SHA-256 of the whole file, in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Loaded {
    /// What the sums of a proof cost.
    pub(crate) fn weight(&self) -> u64 {
        let g1 = [&self.a, &self.b1, &self.l, &self.h].map(Points::weight);
        g1.iter().sum::<u64>() + self.b2.weight()
    }
}

// Points are read into place: their bytes in memory are those of the file.
const _: () = assert!(cfg!(target_endian = "little"), "limbs in memory are little-endian");

/// What came of each section.
#[derive(Default)]
struct Sections {
    matrices: Option<Result<Matrices, Error>>,
    ic: Option<Result<HeapBuffer<G1Affine>, Error>>,
    a: Option<Result<Points<Fq>, Error>>,
    b1: Option<Result<Points<Fq>, Error>>,
    b2: Option<Result<Points<Fq2>, Error>>,
    l: Option<Result<Points<Fq>, Error>>,
    h: Option<Result<Points<Fq>, Error>>,
}

/// Reads the whole file.
///
/// # Errors
/// What reading can give, [`FileError::FileChanged`], [`Error::Memory`], [`Error::Cancelled`]; what is
/// wrong with coefficients, with points of the header, with points of sections.
pub(crate) fn load(zkey: &Zkey<'_>, options: &ReadOptions<'_>) -> Result<Loaded, Error> {
    let mut sections = *zkey.sections();
    sections.sort_unstable_by_key(|section| section.offset);
    let mut pass = Pass { zkey, options, hasher: Sha256::new(), position: 0 };
    let mut found = Sections::default();
    for section in sections {
        pass.skip_to(section.offset)?;
        match section.id {
            zkey::IC => found.ic = Some(pass.points(section)?),
            zkey::COEFFICIENTS => found.matrices = Some(pass.matrices(section)?),
            zkey::A => found.a = Some(pass.finite_points(section)?),
            zkey::B1 => found.b1 = Some(pass.finite_points(section)?),
            zkey::B2 => found.b2 = Some(pass.finite_points(section)?),
            zkey::L => found.l = Some(pass.finite_points(section)?),
            _ => found.h = Some(pass.finite_points(section)?),
        }
    }
    let source = zkey.source();
    pass.skip_to(source.len_bytes())?;
    options.observer.progress(PHASE, pass.position, source.len_bytes());
    source.check_unchanged()?;
    let sha256 = hexadecimal(&pass.hasher.finalize());
    Ok(Loaded {
        matrices: zkey.found(zkey::COEFFICIENTS, found.matrices)?,
        header: zkey.header_points(options.allow_insecure)?,
        ic: zkey.found(zkey::IC, found.ic)?,
        a: zkey.found(zkey::A, found.a)?,
        b1: zkey.found(zkey::B1, found.b1)?,
        b2: zkey.found(zkey::B2, found.b2)?,
        l: zkey.found(zkey::L, found.l)?,
        h: zkey.found(zkey::H, found.h)?,
        sha256,
    })
}

impl Zkey<'_> {
    /// What came of the section `id`.
    fn found<T>(&self, id: u32, result: Option<Result<T, Error>>) -> Result<T, Error> {
        let file = || self.source().name().to_owned();
        result
            .unwrap_or_else(|| Err(FileError::SectionMissing { file: file(), section: id }.into()))
    }
}

/// A position in the file, and the hash of all before it.
struct Pass<'a> {
    zkey: &'a Zkey<'a>,
    options: &'a ReadOptions<'a>,
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
            self.hasher.update(&passed[..len]);
            left -= wide(len);
        }
        Ok(())
    }

    /// Reads the next bytes.
    fn read(&mut self, out: &mut [u8]) -> Result<(), Error> {
        let source = self.zkey.source();
        for chunk in out.chunks_mut(CHUNK_BYTES) {
            if self.options.observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.options.observer.progress(PHASE, self.position, source.len_bytes());
            source.read_at(self.position, chunk)?;
            self.position += wide(chunk.len());
        }
        Ok(())
    }

    /// Reads a section, whose length is that of the elements and lies inside of the file.
    fn elements<T: PlainBytes>(&mut self, section: Section) -> Result<HeapBuffer<T>, Error> {
        let len = self.zkey.sizes.expected_bytes(section.id) / wide(size_of::<T>());
        let len = usize::try_from(len).map_err(|_| MapFailed::LengthOverflow)?;
        let mut elements = HeapBuffer::zeroed(len)?;
        self.read(elements.as_bytes_mut())?;
        Ok(elements)
    }

    /// Hashes the bytes of a section while `check` looks at what they say.
    fn hash<R: Send>(&mut self, bytes: &[u8], check: impl FnOnce() -> R + Send) -> R {
        let hasher = &mut self.hasher;
        self.options.pool.join(|| hasher.update(bytes), check).1
    }

    /// The points of a section. The inner error is what is wrong with one of them.
    fn points<F: CurveField>(
        &mut self,
        section: Section,
    ) -> Result<Result<HeapBuffer<Affine<F>>, Error>, Error> {
        let points = self.elements::<Affine<F>>(section)?;
        let (pool, source) = (self.options.pool, self.zkey.source());
        let checked = self.hash(points.as_bytes(), || validate_points(&points, pool));
        Ok(checked.map(|()| points).map_err(|(index, error)| {
            let which = (index, Affine::<F>::BYTES);
            section_point_error(source, section, which, error)
        }))
    }

    /// As [`points`](Self::points), without infinity.
    fn finite_points<F: CurveField>(
        &mut self,
        section: Section,
    ) -> Result<Result<Points<F>, Error>, Error> {
        Ok(self.points(section)?.and_then(Points::new))
    }

    /// The coefficients of a section. The inner error is what is wrong with one of them.
    fn matrices(&mut self, section: Section) -> Result<Result<Matrices, Error>, Error> {
        let bytes = self.elements::<u8>(section)?;
        let (zkey, options) = (self.zkey, self.options);
        let (sizes, source) = (zkey.sizes, zkey.source());
        let records = Records { bytes: &bytes, sizes, section, source };
        let read = || Matrices::read(&records, options.pool, options.observer);
        Ok(self.hash(&bytes, read))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
