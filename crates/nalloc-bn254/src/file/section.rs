//! The container of iden3's files: four bytes of magic, a version, and sections.
//!
//! ```text
//! magic | u32 version | u32 sections | u32 id, u64 length, bytes | u32 id, u64 length, bytes | ..
//! ```
//!
//! Sections come in any order and at any offset; those with unknown numbers are skipped. A length
//! is compared with the bytes that are left, never added to an offset first. Bytes after the last
//! section are ignored.

use super::error::{FileError, Place, Spot};
use super::source::Source;
use super::units::{index, wide};
use crate::error::Error;
use crate::observer::Observer;

/// Bytes before the first section.
const HEADER_BYTES: u64 = 12;
/// Bytes of a section's number and length.
const HEAD_BYTES: usize = 12;
/// Heads of sections are read through a window of this many bytes, so that a file of many tiny
/// sections does not cost a system call for each.
const WINDOW_BYTES: usize = 4096;
/// Section numbers that are remembered: 1 to this one.
const ID_MAX: usize = 15;
/// Sections between two questions to the observer.
const SECTIONS_PER_QUESTION: u32 = 4096;

/// What distinguishes one kind of file from the others.
pub struct Kind {
    /// The first four bytes.
    pub magic: [u8; 4],
    /// What messages call it.
    pub name: &'static str,
    /// The versions that are read are 1 to this one.
    pub version_max: u32,
    /// The same, for messages.
    pub versions: &'static str,
    /// A section that says something by being there, if there is such a one.
    pub mark: Option<u32>,
}

/// The bytes of one section, which lie inside of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its number.
    pub id: u32,
    /// Where its bytes begin, counted from the start of the file.
    pub offset: u64,
    /// How many there are.
    pub len: u64,
}

/// A file whose section table was walked.
pub struct Container<'a> {
    source: &'a dyn Source,
    first: [Option<Section>; ID_MAX + 1],
    /// In the order of the file, the first of each number.
    repeated: Vec<Section>,
    is_marked: bool,
}

impl<'a> Container<'a> {
    /// Reads the header and every section's number and length.
    ///
    /// # Errors
    /// [`FileError::Truncated`], [`FileError::BadMagic`], [`FileError::UnsupportedVersion`], what
    /// reading can give; [`Error::Cancelled`].
    pub fn open(
        source: &'a dyn Source,
        kind: &Kind,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let count = read_header(source, kind)?;
        let first = [None; ID_MAX + 1];
        let mut container = Self { source, first, repeated: Vec::new(), is_marked: false };
        let mut heads = Heads { source, window: [0; WINDOW_BYTES], start: 0, len: 0 };
        let mut offset = HEADER_BYTES;
        for index in 0..count {
            if index % SECTIONS_PER_QUESTION == 0 && observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let section = heads.read(offset)?;
            container.remember(section);
            container.is_marked |= kind.mark == Some(section.id);
            offset = section.offset + section.len;
        }
        Ok(container)
    }

    fn remember(&mut self, section: Section) {
        match self.first.get_mut(index(section.id)) {
            Some(first @ None) => *first = Some(section),
            Some(Some(_)) if self.repeated.iter().all(|other| other.id != section.id) => {
                self.repeated.push(section);
            }
            _ => {}
        }
    }

    /// The section `id`, from 1 to 15.
    ///
    /// # Errors
    /// [`FileError::SectionDuplicate`], [`FileError::SectionMissing`].
    pub fn section(&self, id: u32) -> Result<Section, FileError> {
        self.check_unique(&[id])?;
        let first = self.first.get(index(id)).copied().flatten();
        first.ok_or_else(|| FileError::SectionMissing { file: self.file(), section: id })
    }

    /// Refuses a file in which one of `ids` occurs twice.
    ///
    /// # Errors
    /// [`FileError::SectionDuplicate`] for the one whose second section comes first.
    pub fn check_unique(&self, ids: &[u32]) -> Result<(), FileError> {
        let repeated = self.repeated.iter().find(|section| ids.contains(&section.id));
        repeated.map_or(Ok(()), |section| {
            Err(FileError::SectionDuplicate { place: self.place(*section, 0) })
        })
    }

    /// Whether there is a section that marks such a file.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// The byte `at` of `section`, for messages.
    #[must_use]
    pub fn place(&self, section: Section, at: u64) -> Place {
        place(self.source, section, at)
    }

    /// Refuses a section that is not `expected` bytes long.
    ///
    /// # Errors
    /// [`FileError::SectionLength`].
    pub fn check_len(&self, section: Section, expected: u64) -> Result<(), FileError> {
        let got = section.len;
        if got == expected {
            return Ok(());
        }
        Err(FileError::SectionLength { place: self.place(section, 0), expected, got })
    }

    /// The first bytes of a section.
    ///
    /// # Errors
    /// [`FileError::SectionLength`] where it is shorter, and what reading can give.
    pub fn read_first<const N: usize>(&self, section: Section) -> Result<[u8; N], FileError> {
        if section.len < wide(N) {
            self.check_len(section, wide(N))?;
        }
        let mut bytes = [0; N];
        self.source.read_at(section.offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The file.
    #[must_use]
    pub fn source(&self) -> &'a dyn Source {
        self.source
    }

    /// What messages call the file.
    #[must_use]
    pub fn file(&self) -> String {
        self.source.name().to_owned()
    }
}

/// The byte `at` of `section`, for messages.
pub fn place(source: &dyn Source, section: Section, at: u64) -> Place {
    let spot = Spot::Section { id: section.id, offset: section.offset.saturating_add(at) };
    Place { file: source.name().to_owned(), spot }
}

/// The little-endian number at `at` of bytes that reach that far.
///
/// # Panics
/// When they do not.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// Four little-endian limbs at `at` of bytes that reach that far.
///
/// # Panics
/// When they do not.
#[must_use]
pub fn read_limbs(bytes: &[u8], at: usize) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, part) in limbs.iter_mut().zip(bytes[at..at + 32].chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(part);
        *limb = u64::from_le_bytes(word);
    }
    limbs
}

/// The number of sections.
fn read_header(source: &dyn Source, kind: &Kind) -> Result<u32, FileError> {
    let mut header = [0; 12];
    let got = source.len_bytes().min(HEADER_BYTES);
    let present = &mut header[..usize::try_from(got).unwrap_or(0)];
    source.read_at(0, present)?;
    let has_magic = present.len() >= kind.magic.len();
    if has_magic && present[..4] != kind.magic {
        let (file, found) = (source.name().to_owned(), describe(present));
        return Err(FileError::BadMagic { file, expected: kind.name, found });
    }
    if got < HEADER_BYTES {
        let place = Place { file: source.name().to_owned(), spot: Spot::Byte(0) };
        let (part, expected) = ("the file header", HEADER_BYTES);
        return Err(FileError::Truncated { place, part, expected, got });
    }
    let version = u32_at(&header, 4);
    if version == 0 || version > kind.version_max {
        let (file, expected) = (source.name().to_owned(), kind.versions);
        return Err(FileError::UnsupportedVersion { file, expected, got: version });
    }
    Ok(u32_at(&header, 8))
}

/// What a file seems to be, by its first bytes: people swap arguments and download error pages.
fn describe(start: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 14] = [
        (b"zkey", "a .zkey file"),
        (b"wtns", "a .wtns file"),
        (b"r1cs", "an .r1cs file"),
        (b"ptau", "a .ptau file"),
        (b"\0asm", "a WebAssembly module"),
        (b"\x7fELF", "a program"),
        (b"\x1f\x8b", "a gzip archive: unpack it first"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it first"),
        (b"version ", "a Git LFS pointer: run git lfs pull"),
        (b"{", "JSON"),
        (b"[", "JSON"),
        (b"<", "HTML or XML, perhaps a server's error page"),
        (b"\0\0\0\0", "zeros: an unfinished download or a sparse copy"),
    ];
    let known = KNOWN.iter().find(|(magic, _)| start.starts_with(magic));
    known.map_or("bytes of no known kind of file", |(_, name)| name)
}

/// Reads heads of sections. What follows a head may be a witness, so the window is wiped.
struct Heads<'a> {
    source: &'a dyn Source,
    window: [u8; WINDOW_BYTES],
    /// Position of the window in the file.
    start: u64,
    /// Bytes in the window.
    len: usize,
}

impl Heads<'_> {
    /// The section whose head begins at `offset`, at most the file's length.
    fn read(&mut self, offset: u64) -> Result<Section, FileError> {
        let truncated = |id: Option<u32>, offset, part, expected, got| {
            let spot = id.map_or(Spot::Byte(offset), |id| Spot::Section { id, offset });
            let place = Place { file: self.source.name().to_owned(), spot };
            FileError::Truncated { place, part, expected, got }
        };
        let left = self.source.len_bytes().saturating_sub(offset);
        if left < wide(HEAD_BYTES) {
            let expected = wide(HEAD_BYTES);
            return Err(truncated(None, offset, "the section table", expected, left));
        }
        let left = left - wide(HEAD_BYTES);
        let head = self.head(offset, left)?;
        let mut len = [0; 8];
        len.copy_from_slice(&head[4..]);
        let (id, len) = (u32_at(&head, 0), u64::from_le_bytes(len));
        let offset = offset + wide(HEAD_BYTES);
        if len > left {
            return Err(truncated(Some(id), offset, "the section", len, left));
        }
        Ok(Section { id, offset, len })
    }

    /// The head at `offset`, after which `left` more bytes come.
    fn head(&mut self, offset: u64, left: u64) -> Result<[u8; HEAD_BYTES], FileError> {
        let inside = |start: u64| offset.checked_sub(start).and_then(|at| usize::try_from(at).ok());
        let mut at = inside(self.start).filter(|at| at + HEAD_BYTES <= self.len);
        if at.is_none() {
            let room = wide(WINDOW_BYTES - HEAD_BYTES);
            self.len = HEAD_BYTES + usize::try_from(left.min(room)).unwrap_or(0);
            self.start = offset;
            self.source.read_at(offset, &mut self.window[..self.len])?;
            at = Some(0);
        }
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&self.window[at.unwrap_or(0)..][..HEAD_BYTES]);
        Ok(head)
    }
}

impl Drop for Heads<'_> {
    fn drop(&mut self) {
        nalloc::wipe(&mut self.window);
    }
}
