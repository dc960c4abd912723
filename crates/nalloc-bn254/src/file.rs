//! Files by position, and the container that iden3's formats share: what the readers of this crate
//! and of `nalloc-groth16` stand on.
//!
//! | file | what it owns |
//! |---|---|
//! | `source` | bytes of a file or a slice, by position, and what may change under them |
//! | `section` | the container of `.zkey`, `.wtns`, `.r1cs` and `.ptau` |
//! | `units` | the two conversions between lengths in memory and in files |
//! | `error` | [`FileError`]: every code and every message about what stands in a file |
//!
//! A hostile file is a [`FileError`] that names the section and the byte, never a panic, and no
//! length of it is believed before it was compared with the bytes that exist.

mod error;
mod section;
mod source;
mod units;

pub use error::{FileError, Place, Spot};
pub use section::{Container, Kind, Section, place, read_limbs, u32_at};
pub use source::{OwnedBytes, RegularFile, Slice, Source};
pub use units::{index, wide};
