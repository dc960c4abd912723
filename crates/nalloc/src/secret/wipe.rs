//! Clearing memory so that it stays cleared in the compiled program.

use core::ptr::NonNull;
use core::sync::atomic::{Ordering, compiler_fence};

use crate::os::linux;

/// Overwrites `bytes` with zeros, in a way that the compiler may not leave out.
///
/// It cannot reach copies: registers, stack slots that a value passed through, and pages that the
/// kernel swapped out or a hypervisor snapshot kept.
///
/// ```
/// let mut key = [7; 32];
/// nalloc::wipe(&mut key);
/// assert_eq!(key, [0; 32]);
/// ```
pub fn wipe(bytes: &mut [u8]) {
    let start = NonNull::from(&mut *bytes).cast();
    // SAFETY: the slice is writable for its whole length, and borrowed for this call.
    unsafe { clear(start, bytes.len()) }
}

/// As `wipe`, for bytes that may never have been written.
///
/// # Safety
/// The `bytes` bytes at `start` are writable, and nobody else reads or writes them.
pub(crate) unsafe fn clear(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { linux::clear(start, bytes) }
    // SeqCst: no read or write of the caller moves across the wipe.
    compiler_fence(Ordering::SeqCst);
}
