//! Bytes by position: of a file, or of a slice.
//!
//! A file is read with positioned reads into memory of ours and never mapped: a mapping of a file
//! that somebody cuts off kills the process. A FIFO, a device or a directory is refused without
//! waiting for it. A file that changes while it is read is an error.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::error::FileError;
use super::units::wide;
use crate::buffer::HeapBuffer;

/// Bytes that can be read at any position.
pub trait Source: Sync {
    /// What messages call it.
    fn name(&self) -> &str;

    /// How many bytes there are.
    fn len_bytes(&self) -> u64;

    /// Fills `out` with the bytes from `offset` on, which the caller knows to exist.
    ///
    /// # Errors
    /// [`FileError::Io`], and [`FileError::FileChanged`] when there are fewer bytes than there
    /// were.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError>;

    /// Whether the bytes are still those that were there at first, as far as it can be told.
    ///
    /// # Errors
    /// [`FileError::FileChanged`], [`FileError::Io`].
    fn check_unchanged(&self) -> Result<(), FileError>;
}

/// A slice, and what messages call it.
pub struct Slice<'a> {
    /// What messages call it.
    pub name: &'a str,
    /// The slice.
    pub bytes: &'a [u8],
}

impl Source for Slice<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn len_bytes(&self) -> u64 {
        wide(self.bytes.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        let rest = usize::try_from(offset).ok().and_then(|start| self.bytes.get(start..));
        let part = rest.and_then(|rest| rest.get(..out.len()));
        let part = part.ok_or_else(|| FileError::FileChanged { file: self.name.to_owned() })?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn check_unchanged(&self) -> Result<(), FileError> {
        Ok(())
    }
}

/// Bytes of our own, for as long as somebody reads them.
pub struct OwnedBytes {
    /// What messages call them.
    pub name: String,
    /// The bytes.
    pub bytes: HeapBuffer<u8>,
}

impl OwnedBytes {
    fn slice(&self) -> Slice<'_> {
        Slice { name: &self.name, bytes: &self.bytes }
    }
}

impl Source for OwnedBytes {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.slice().len_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        self.slice().read_at(offset, out)
    }

    fn check_unchanged(&self) -> Result<(), FileError> {
        Ok(())
    }
}

/// What tells one state of a file from another. Renaming or removing the file changes none of it.
#[derive(PartialEq, Eq)]
struct State {
    len: u64,
    modified: (i64, i64),
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self { len: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

/// An open regular file.
pub struct RegularFile {
    name: String,
    file: File,
    state: State,
}

impl RegularFile {
    /// Opens the regular file at `path`.
    ///
    /// # Errors
    /// [`FileError::Io`], and [`FileError::NotAFile`] for everything that is not a regular file.
    pub fn open(path: &Path, name: &str) -> Result<Self, FileError> {
        let failed = |error: io::Error| io_error(name, &error);
        // O_NONBLOCK: opening a FIFO without a writer does not wait. O_NOCTTY: opening a terminal
        // does not make it ours.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let kind = metadata.file_type();
        let found = match () {
            () if kind.is_file() => {
                return Ok(Self { name: name.to_owned(), file, state: State::of(&metadata) });
            }
            () if kind.is_dir() => "a directory",
            () if kind.is_fifo() => "a FIFO",
            () if kind.is_char_device() || kind.is_block_device() => "a device",
            () => "something else",
        };
        Err(FileError::NotAFile { file: name.to_owned(), found })
    }

    fn changed(&self) -> FileError {
        FileError::FileChanged { file: self.name.clone() }
    }
}

impl Source for RegularFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn len_bytes(&self) -> u64 {
        self.state.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        self.file.read_exact_at(out, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.changed(),
            _ => io_error(&self.name, &error),
        })
    }

    fn check_unchanged(&self) -> Result<(), FileError> {
        let metadata = self.file.metadata().map_err(|error| io_error(&self.name, &error))?;
        if State::of(&metadata) == self.state { Ok(()) } else { Err(self.changed()) }
    }
}

fn io_error(name: &str, error: &io::Error) -> FileError {
    FileError::Io { file: name.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn a_file_that_shrinks_or_grows_while_it_is_open_is_an_error() -> io::Result<()> {
        let path = env::temp_dir().join(format!("nalloc-source-{}", process::id()));
        for new_len in [50, 150] {
            fs::write(&path, [7; 100])?;
            let file = RegularFile::open(&path, "x").map_err(io::Error::other)?;
            assert_eq!(file.check_unchanged(), Ok(()));

            File::options().write(true).open(&path)?.set_len(new_len)?;

            let changed = Err(FileError::FileChanged { file: "x".to_owned() });
            assert_eq!(file.check_unchanged(), changed);
            let expected = if new_len < 100 { changed } else { Ok(()) };
            assert_eq!(file.read_at(0, &mut [0; 100]), expected);
        }
        fs::remove_file(&path)
    }

    #[test]
    fn a_file_that_is_replaced_by_rename_can_be_read_to_its_end() -> io::Result<()> {
        let path = env::temp_dir().join(format!("nalloc-rename-{}", process::id()));
        let other = path.with_extension("new");
        fs::write(&path, [7; 100])?;
        fs::write(&other, [8; 10])?;
        let file = RegularFile::open(&path, "x").map_err(io::Error::other)?;

        fs::rename(&other, &path)?;

        let mut bytes = [0; 100];
        assert_eq!(file.read_at(0, &mut bytes), Ok(()));
        assert_eq!((bytes, file.check_unchanged()), ([7; 100], Ok(())));
        fs::remove_file(&path)
    }

    #[test]
    fn a_slice_ends_where_it_ends() {
        let slice = Slice { name: "x", bytes: &[1, 2, 3] };
        let mut out = [0; 2];
        assert_eq!(slice.read_at(1, &mut out), Ok(()));
        assert_eq!(out, [2, 3]);
        for offset in [2, 3, 4, u64::MAX] {
            assert!(slice.read_at(offset, &mut out).is_err(), "{offset}");
        }
    }
}
