//! The large heap for who knows a block by its address alone: what a malloc family is built from.
//!
//! No call panics or unwinds. Blocks have no length of their own but what they were given: ask
//! [`bytes`].

use core::ptr::NonNull;

use crate::error::Error;
use crate::global::{HEAP, shielded};
use crate::heap::Request;

/// The smallest block that belongs here, in bytes.
pub const LARGE: usize = crate::config::LARGE;

/// A block of at least `bytes` bytes at a multiple of `align`, which is a power of two; None when
/// the heap has no address space for it, which another allocator may still have.
///
/// # Errors
/// Beyond the memory limit, and when the kernel has no memory.
pub fn alloc(bytes: usize, align: usize) -> Result<Option<NonNull<u8>>, Error> {
    shielded(|| HEAP.alloc_in_range(Request::fixed(bytes, align)))
}

/// The same, all of it zero.
///
/// # Errors
/// As [`alloc`].
pub fn alloc_zeroed(bytes: usize, align: usize) -> Result<Option<NonNull<u8>>, Error> {
    shielded(|| HEAP.alloc_zeroed_in_range(Request::fixed(bytes, align)))
}

/// Whether `start` is an address of the heap. Takes no lock.
#[must_use]
pub fn contains<T>(start: *const T) -> bool {
    HEAP.contains(start.addr())
}

/// How many bytes the block at `start` has, all of which may be used.
///
/// Ends the process with a message where no block begins.
#[must_use]
pub fn bytes(start: NonNull<u8>) -> usize {
    shielded(|| HEAP.bytes_at(start))
}

/// Gives the block at `start` at least `bytes` bytes, at any alignment up to 16, and answers where
/// it is now; None when the heap has no address space for that. On None and on an error it is as
/// it was.
///
/// # Errors
/// As [`alloc`].
///
/// # Safety
/// `start` is that of a block of this module that was not freed and that nobody else uses.
pub unsafe fn resize(start: NonNull<u8>, bytes: usize) -> Result<Option<NonNull<u8>>, Error> {
    // SAFETY: the caller's promise.
    shielded(|| unsafe { HEAP.resize_at(start, bytes) })
}

/// Takes back the block at `start`. A block that was freed before ends the process with a message.
///
/// # Safety
/// `start` is that of a block of this module, and nothing points into it.
pub unsafe fn free(start: NonNull<u8>) {
    // SAFETY: the caller's promise.
    shielded(|| unsafe { HEAP.free_at(start) });
}
