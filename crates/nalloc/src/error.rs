//! The one error type of this crate: what was wanted, and what stood in the way.

use core::fmt;

/// Why memory could not be had.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The kernel, the address space or the machine has no room for `wanted` bytes.
    NoMemory {
        /// Bytes that were asked for.
        wanted: u64,
    },
    /// `live` + `wanted` bytes are more than the limit set with [`set_memory_limit`].
    ///
    /// [`set_memory_limit`]: crate::set_memory_limit
    MemoryLimit {
        /// Bytes that were asked for.
        wanted: u64,
        /// The limit, in bytes.
        limit: u64,
        /// Bytes that were live when the request came.
        live: u64,
    },
    /// An arena has `left` bytes and `wanted` more were asked for, alignment included.
    ArenaFull {
        /// Bytes that were asked for, alignment included.
        wanted: u64,
        /// Bytes between the cursor and the end of the arena.
        left: u64,
    },
    /// Pages could not be locked into memory.
    Lock {
        /// Bytes that were to be locked.
        wanted: u64,
        /// `RLIMIT_MEMLOCK` of this process, in bytes.
        rlimit: u64,
        /// What the kernel answered.
        errno: i32,
    },
    /// The kernel refused a protection that the caller required.
    Requirement {
        /// The protection that is missing, in words.
        missing: &'static str,
        /// What the kernel answered.
        errno: i32,
    },
    /// Something lies where an arena was to begin, or the address is no multiple of a page.
    Address {
        /// The address that was asked for.
        wanted: usize,
        /// What the kernel answered.
        errno: i32,
    },
    /// [`NAlloc`](crate::NAlloc) is not the global allocator, so it cannot see what is freed.
    NotGlobal,
    /// A length in bytes does not fit the address space.
    LengthOverflow,
    /// An alignment is not a power of two, or is smaller than the type's own.
    Alignment {
        /// The alignment that was asked for, in bytes.
        wanted: usize,
        /// The smallest alignment that would do, in bytes.
        least: usize,
    },
}

/// The error of everything in this crate that allocates.
pub type MapFailed = Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoMemory { wanted } => {
                write!(f, "memory: expected {wanted} bytes, got none from the system")
            }
            Self::MemoryLimit { wanted, limit, live } => write!(
                f,
                "memory limit: expected {wanted} bytes within {limit}, got {live} already live"
            ),
            Self::ArenaFull { wanted, left } => {
                write!(f, "arena: expected {wanted} bytes, got {left} left")
            }
            Self::Lock { wanted, rlimit, errno } => write!(
                f,
                "mlock: expected {wanted} locked bytes, got errno {errno}; RLIMIT_MEMLOCK is \
                 {rlimit} bytes (ulimit -l)"
            ),
            Self::Requirement { missing, errno } => {
                write!(f, "secret memory: expected {missing}, got errno {errno}")
            }
            Self::Address { wanted, errno } => write!(
                f,
                "base address: expected free pages at {wanted:#x}, got errno {errno}; choose an \
                 address that no line of /proc/self/maps covers"
            ),
            Self::NotGlobal => f.write_str(
                "secret scope: expected nalloc::NAlloc as #[global_allocator], got another one",
            ),
            Self::LengthOverflow => {
                write!(f, "length: expected at most {} bytes, got more", isize::MAX)
            }
            Self::Alignment { wanted, least } => write!(
                f,
                "alignment: expected a power of two of at least {least} bytes, got {wanted}"
            ),
        }
    }
}

impl core::error::Error for Error {}
