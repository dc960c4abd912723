//! Memory for secrets: pages of their own between two that nobody can touch.
//!
//! ```text
//! | no access | canary ........ | secret | canary to 16 bytes | no access |
//!             |<------------------- body, whole pages ------->|
//! ```
//!
//! The body is locked into memory, kept out of core dumps and zero in children, each as far as the
//! kernel allows: `status` says what was obtained, and `require` makes an error of what was not.
//! A small secret lies in `memfd_secret` where the kernel has it, which no other process, no
//! debugger and no core dump can read; the others in ordinary pages, locked and advised.
//!
//! The secret is wiped on drop and when the process exits by itself (`live`). When a signal ends
//! it, only what `status` says protects the secret. A write into the canary is noticed at drop and
//! ends the process.
//!
//! What this cannot do: `/proc/self/mem`, ptrace and root read ordinary pages, sealed or not, and
//! copies that a caller makes of the bytes are the caller's.

mod guard;
pub(crate) mod live;
mod retire;
pub(crate) mod scope;
mod variable;
mod wipe;

use core::fmt;
use core::hint::black_box;

use crate::error::Error;
use guard::Guarded;
pub use live::wipe_all_secrets;
pub(crate) use retire::abandon;
pub use scope::{SecretScope, secret_scope};
pub use variable::with_variable;
pub(crate) use wipe::clear;
pub use wipe::wipe;

/// Where a secret's pages come from.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Ordinary pages of this process.
    Anonymous,
    /// Pages of `memfd_secret`, which the kernel itself has no address for: `/proc/self/mem`,
    /// ptrace and devices cannot reach them.
    MemfdSecret,
}

impl fmt::Display for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "anonymous",
            Self::MemfdSecret => "memfd_secret",
        })
    }
}

/// Which protections the kernel gave to a secret.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each protection is obtained or not")]
pub struct SecretStatus {
    /// The pages stay in memory and are never written to swap.
    pub is_locked: bool,
    /// The pages are left out of core dumps.
    pub is_hidden_from_dumps: bool,
    /// A child made by fork finds zeros; one made by a bare `clone` finds zeros or no page at all.
    pub is_wiped_on_fork: bool,
    /// A page that nobody can touch lies on both sides.
    pub is_guarded: bool,
    /// Where the pages come from.
    pub backing: Backing,
}

/// Which protections a secret must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each protection is asked for by its name")]
pub struct Require {
    /// See [`SecretStatus::is_locked`].
    pub locked: bool,
    /// See [`SecretStatus::is_hidden_from_dumps`].
    pub hidden_from_dumps: bool,
    /// See [`SecretStatus::is_wiped_on_fork`].
    pub wiped_on_fork: bool,
    /// See [`SecretStatus::is_guarded`].
    pub guarded: bool,
    /// See [`Backing::MemfdSecret`]. Asks for it at any length: writing such pages for the first
    /// time takes 5 ms per MiB, so that without this it is used up to 16 KiB.
    pub memfd_secret: bool,
}

impl Require {
    /// Every protection that ordinary pages can have.
    pub const ALL: Self = Self {
        locked: true,
        hidden_from_dumps: true,
        wiped_on_fork: true,
        guarded: true,
        memfd_secret: false,
    };
}

/// Bytes that are wiped when they are dropped, between pages that nobody can touch.
///
/// It prints as its length, cannot be cloned, and compares in constant time.
///
/// ```
/// let mut key = nalloc::SecretBuf::new(32)?;
/// key.as_mut_slice().fill(7);
/// assert!(key.ct_eq(&[7; 32]));
/// assert_eq!(format!("{key:?}"), "SecretBuf(32)");
/// # Ok::<(), nalloc::Error>(())
/// ```
pub struct SecretBuf {
    memory: Guarded,
}

impl SecretBuf {
    /// `len` zero bytes.
    ///
    /// # Errors
    /// [`Error::LengthOverflow`], [`Error::NoMemory`]. A protection that the kernel refuses is no
    /// error; see [`status`](Self::status).
    pub fn new(len: usize) -> Result<Self, Error> {
        Self::with_requirements(len, Require::default())
    }

    /// `len` zero bytes with the protections in `require`.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`require`](Self::require).
    pub fn with_requirements(len: usize, require: Require) -> Result<Self, Error> {
        let secret = Self { memory: Guarded::new(len, require)? };
        secret.require(require)?;
        Ok(secret)
    }

    /// Whether the secret has the protections in `require`.
    ///
    /// # Errors
    /// [`Error::Lock`] with the limit that stood in the way, or [`Error::Requirement`].
    pub fn require(&self, require: Require) -> Result<(), Error> {
        self.memory.require(require)
    }

    /// Which protections the kernel gave.
    #[must_use]
    pub fn status(&self) -> SecretStatus {
        self.memory.status()
    }

    /// Wipes the secret and keeps its addresses mapped for good, as zeros that cost no memory until
    /// somebody writes to them: for when a pointer to the secret may have escaped. Counted in
    /// [`Stats::retired_bytes`](crate::Stats::retired_bytes).
    pub fn retire(self) {
        self.memory.retire();
    }

    /// The secret.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.memory.secret()
    }

    /// The secret, for writing.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.memory.secret_mut()
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the secret is `other`, in a time that depends on the two lengths alone.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        let mut difference = u8::from(self.len() != other.len());
        for (one, two) in self.as_slice().iter().zip(other) {
            difference = black_box(difference | (one ^ two));
        }
        difference == 0
    }

    /// Makes the pages inaccessible except during calls of [`SealedSecret::with`].
    #[must_use]
    pub fn seal(mut self) -> SealedSecret {
        self.memory.close();
        SealedSecret { memory: self.memory }
    }
}

impl fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBuf({})", self.len())
    }
}

/// A secret whose pages can be neither read nor written between calls of [`with`](Self::with).
///
/// ```
/// let mut key = nalloc::SecretBuf::new(32)?.seal();
/// let sum = key.with(|bytes| bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>())?;
/// assert_eq!(sum, 0);
/// # Ok::<(), nalloc::Error>(())
/// ```
pub struct SealedSecret {
    memory: Guarded,
}

impl SealedSecret {
    /// Runs `body` with the secret, and seals it again, also when `body` panics.
    ///
    /// # Errors
    /// [`Error::Requirement`] when the kernel refuses to make the pages readable; `body` then did
    /// not run.
    pub fn with<R>(&mut self, body: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
        let open = self.unseal()?;
        Ok(body(open.0.secret()))
    }

    /// As [`with`](Self::with), for writing.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn with_mut<R>(&mut self, body: impl FnOnce(&mut [u8]) -> R) -> Result<R, Error> {
        let open = self.unseal()?;
        Ok(body(open.0.secret_mut()))
    }

    /// The secret, open again.
    ///
    /// # Errors
    /// As [`with`](Self::with); the secret is then gone.
    pub fn open(mut self) -> Result<SecretBuf, Error> {
        self.memory.open()?;
        Ok(SecretBuf { memory: self.memory })
    }

    /// As [`SecretBuf::require`].
    ///
    /// # Errors
    /// As [`SecretBuf::require`].
    pub fn require(&self, require: Require) -> Result<(), Error> {
        self.memory.require(require)
    }

    /// Which protections the kernel gave.
    #[must_use]
    pub fn status(&self) -> SecretStatus {
        self.memory.status()
    }

    /// As [`SecretBuf::retire`].
    pub fn retire(self) {
        self.memory.retire();
    }

    /// Whether the pages are inaccessible now: the kernel may have refused it.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        !self.memory.is_open()
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn unseal(&mut self) -> Result<Unsealed<'_>, Error> {
        self.memory.open()?;
        Ok(Unsealed(&mut self.memory))
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSecret({})", self.len())
    }
}

/// Seals the secret again when it ends.
struct Unsealed<'a>(&'a mut Guarded);

impl Drop for Unsealed<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_looks_at_every_byte_and_at_the_length() -> Result<(), Error> {
        let mut secret = SecretBuf::new(100)?;
        for (byte, value) in secret.as_mut_slice().iter_mut().zip(1..) {
            *byte = value;
        }
        let same: Vec<u8> = (1..=100).collect();

        assert!(secret.ct_eq(&same) && !secret.ct_eq(&same[..99]) && !secret.ct_eq(&[]));
        for k in 0..100 {
            let mut other = same.clone();
            other[k] ^= 0x80;
            assert!(!secret.ct_eq(&other), "byte {k}");
        }
        Ok(())
    }

    #[test]
    fn lengths_that_do_not_fit_are_errors() {
        for len in [usize::MAX, usize::MAX - 4096, usize::MAX / 2] {
            assert_eq!(SecretBuf::new(len).err(), Some(Error::LengthOverflow), "{len}");
        }
        assert!(SecretBuf::new(0).is_ok_and(|secret| secret.as_slice().is_empty()));
    }

    #[test]
    fn a_sealed_secret_keeps_its_bytes() -> Result<(), Error> {
        let mut secret = SecretBuf::new(5000)?;
        secret.as_mut_slice().fill(3);

        let mut sealed = secret.seal();

        assert!(sealed.is_protected());
        sealed.with_mut(|bytes| bytes[4999] = 4)?;
        assert!(sealed.is_protected());
        assert_eq!(sealed.with(|bytes| (bytes[0], bytes[4999]))?, (3, 4));
        assert_eq!(sealed.open()?.as_slice()[..4999], [3; 4999]);
        Ok(())
    }

    #[test]
    fn nothing_prints_a_secret() -> Result<(), Error> {
        let secret = SecretBuf::new(32)?;
        assert_eq!(format!("{secret:?}"), "SecretBuf(32)");
        assert_eq!(format!("{:?}", secret.seal()), "SealedSecret(32)");
        Ok(())
    }
}
