//! While a scope is open, whatever is freed is wiped first: on every thread, by `NAlloc`, `Block`
//! and `Arena`, small and large.
//!
//! A count of open scopes is all the state. The allocator reads it with every free; nothing else
//! costs anything while no scope is open.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::clear;
use crate::error::Error;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Keeps freed blocks being wiped until it is dropped; see [`secret_scope`].
#[must_use = "the scope ends when it is dropped"]
pub struct SecretScope {
    /// Made by `secret_scope` alone.
    _private: (),
}

/// Until the guard is dropped, every block that any thread of this process frees is overwritten
/// with zeros first, whether it was allocated before or after; a block that is resized moves, and
/// the old one is wiped. Scopes may overlap.
///
/// For code that puts secrets into ordinary collections: a parser, a bignum. Its stack, registers,
/// and blocks that are still live when the scope ends are not wiped. Each free then costs a
/// `memset` of the block, also where it was never touched; `npm run bench:arena` shows how much.
///
/// ```
/// # #[global_allocator]
/// # static GLOBAL: nalloc::NAlloc = nalloc::NAlloc::new();
/// let scope = nalloc::secret_scope()?;
/// let witness: Vec<u64> = (0..1000).map(|wire| wire * wire).collect();
/// drop(witness); // Nothing of it is left in the heap.
/// drop(scope);
/// # Ok::<(), nalloc::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotGlobal`] when [`NAlloc`](crate::NAlloc) is not the global allocator, which would
/// make this a promise about nothing.
pub fn secret_scope() -> Result<SecretScope, Error> {
    if !crate::is_active() {
        return Err(Error::NotGlobal);
    }
    // SeqCst: whoever learns that the scope is open, by whatever way, wipes what it frees.
    OPEN.fetch_add(1, Ordering::SeqCst);
    Ok(SecretScope { _private: () })
}

impl Drop for SecretScope {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for SecretScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretScope")
    }
}

/// Whether a scope is open.
#[inline]
pub(crate) fn is_open() -> bool {
    // Relaxed: a thread that frees what a scope covers has learnt of the scope in a way that
    // orders the two; for the others either answer is right.
    OPEN.load(Ordering::Relaxed) != 0
}

/// Wipes a block that is being freed, if a scope is open.
///
/// # Safety
/// The `bytes` bytes at `start` are writable, and nobody relies on them.
#[inline]
pub(crate) unsafe fn wipe_freed(start: NonNull<u8>, bytes: usize) {
    if is_open() {
        // SAFETY: the caller's promise.
        unsafe { clear(start, bytes) }
    }
}
