//! Reading a key through a mapping, for Rust programs that own the file.
//!
//! It spares the system calls of reading by position and nothing else: points are copied into
//! aligned memory either way. The addon never does it, because a file that somebody cuts short
//! kills the process that touches its mapping. The only file of this crate with `unsafe`.

use std::fs::File;

use memmap2::Mmap;

use nalloc_bn254::file::FileError;

use crate::error::Error;
use crate::key::{ProvingKey, ReadOptions};

impl ProvingKey {
    /// Reads the open `.zkey` file through a mapping, which is gone when this returns.
    ///
    /// # Safety
    /// Until this returns, nobody shortens the file (the process would die of SIGBUS) or writes
    /// to it (what was checked could change before it is copied).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[expect(unsafe_code, reason = "whether the file stays as it is, only the caller can know")]
    pub unsafe fn map(file: &File, options: &ReadOptions<'_>) -> Result<Self, Error> {
        // SAFETY: the caller's promise that the file keeps its length and its bytes.
        let mapping = unsafe { Mmap::map(file) };
        let mapping = mapping.map_err(|error| FileError::Io {
            file: options.name.to_owned(),
            reason: error.to_string(),
        })?;
        Self::from_bytes(&mapping, options)
    }
}
