//! `Witness`: the values of a circuit's wires in secret memory.
//!
//! Values are plain little-endian integers below r. They lie between guard pages, locked and kept
//! out of dumps and children as far as the kernel allows, and are wiped when it is dropped.

use core::fmt;
use std::path::Path;

use nalloc::SecretBuf;
use nalloc_bn254::Fr;
use nalloc_bn254::file::{
    FileError, Place, RegularFile, Slice, Source, Spot, index as position, place, read_limbs, wide,
};

use crate::error::Error;
use crate::wtns::{VALUE_BYTES, Wtns};

/// What messages call a witness that was not read from a file.
const UNNAMED: &str = "witness";
/// Bytes of stack that the check of a value may have used, several times over.
const STACK_BYTES: usize = 16 << 10;

/// The values of a circuit's wires, each below r: 1, outputs, public inputs, then private ones.
pub struct Witness {
    name: String,
    len: u32,
    values: SecretBuf,
}

impl Witness {
    /// Reads the `.wtns` file at `path`.
    ///
    /// # Errors
    /// Those of docs/errors.md that are about witnesses, but for those that need the key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.to_string_lossy();
        Self::from_source(&RegularFile::open(path, &name)?)
    }

    /// Reads the bytes of a `.wtns` file, which stay the caller's; `name` is what messages call
    /// them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, Error> {
        Self::from_source(&Slice { name, bytes })
    }

    /// A witness of `len` zeros, to be filled with [`write`](Self::write).
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn zeroed(len: u32) -> Result<Self, Error> {
        Self::named(UNNAMED.to_owned(), len)
    }

    fn named(name: String, len: u32) -> Result<Self, Error> {
        let values = SecretBuf::new(position(len) * VALUE_BYTES)?;
        Ok(Self { name, len, values })
    }

    fn from_source(source: &dyn Source) -> Result<Self, Error> {
        let wtns = Wtns::open(source)?;
        let mut witness = Self::named(source.name().to_owned(), wtns.count)?;
        source.read_at(wtns.values.offset, witness.values.as_mut_slice())?;
        source.check_unchanged()?;
        check_canonical(witness.values.as_slice()).map_err(|number| FileError::NonCanonical {
            place: place(source, wtns.values, wide(number * VALUE_BYTES)),
            what: format!("value of wire {number}"),
        })?;
        Ok(witness)
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies plain little-endian values of 32 bytes each to position `index` and the following
    /// ones.
    ///
    /// # Errors
    /// [`Error::Argument`] for bytes that are not whole values or do not fit; nothing is copied
    /// then. [`FileError::NonCanonical`] for a value of r or more; all of these positions are 0 then.
    pub fn write(&mut self, index: u32, bytes: &[u8]) -> Result<(), Error> {
        if !bytes.len().is_multiple_of(VALUE_BYTES) {
            let (name, expected) = ("bytes".to_owned(), "whole values of 32 bytes each");
            return Err(Error::Argument { name, expected, got: format!("{} bytes", bytes.len()) });
        }
        let start = position(index) * VALUE_BYTES;
        let Some(room) = self.values.as_mut_slice().get_mut(start..start + bytes.len()) else {
            let expected = "values that fit the witness";
            let got = format!("{} at {index} of {}", bytes.len() / VALUE_BYTES, self.len);
            return Err(Error::Argument { name: "index".to_owned(), expected, got });
        };
        // Checked after the copy: the caller's bytes may be shared with a thread that writes them.
        room.copy_from_slice(bytes);
        check_canonical(room).map_err(|number| {
            nalloc::wipe(room);
            let wire = u64::from(index) + wide(number);
            let place =
                Place { file: self.name.clone(), spot: Spot::Field(format!("wire {wire}")) };
            FileError::NonCanonical { place, what: "the value".to_owned() }.into()
        })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the first value is 1.
    pub(crate) fn starts_with_one(&self) -> bool {
        let first = self.values.as_slice().first_chunk::<VALUE_BYTES>();
        first.is_some_and(|first| read_limbs(first, 0) == [1, 0, 0, 0])
    }

    /// Copies the values as limbs into `out`, which is as long.
    pub(crate) fn copy_limbs_to(&self, out: &mut [[u64; 4]]) {
        for (limbs, bytes) in out.iter_mut().zip(self.values.as_slice().chunks_exact(VALUE_BYTES)) {
            *limbs = read_limbs(bytes, 0);
        }
    }
}

/// The length alone: the values are secret.
impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({} values)", self.len)
    }
}

/// The index of the first value that is not below r. Leaves nothing of the values on the stack.
fn check_canonical(bytes: &[u8]) -> Result<(), usize> {
    let result = first_too_large(bytes);
    scrub_stack();
    result
}

#[inline(never)]
fn first_too_large(bytes: &[u8]) -> Result<(), usize> {
    let mut values = bytes.chunks_exact(VALUE_BYTES);
    let wrong = values.position(|value| !Fr::is_canonical(&read_limbs(value, 0)));
    wrong.map_or(Ok(()), Err)
}

/// Overwrites the stack below this call.
#[inline(never)]
fn scrub_stack() {
    let mut below = [0u8; STACK_BYTES];
    nalloc::wipe(&mut below);
}
