//! Blocks with a mapping of their own: what the heap falls back to when it has no address range,
//! or no room in it. Such a block is its whole pages, so its length alone says what to unmap.

use core::ptr::NonNull;

use super::va;
use crate::os::{Advice, Errno, Os, Run};

/// Bytes of the pages that hold `bytes` bytes; None when they do not fit the address space.
pub(super) fn paged<O: Os>(os: &O, bytes: usize) -> Option<usize> {
    let paged = bytes.checked_next_multiple_of(os.page_bytes())?;
    isize::try_from(paged).is_ok().then_some(paged)
}

/// Maps `bytes` (a multiple of the page) that read as zero, aligned to `align`.
pub(super) fn map<O: Os>(os: &O, bytes: usize, align: usize) -> Result<Run, Errno> {
    let run = va::reserve(os, bytes, align)?;
    // SAFETY: `run` was reserved above and is ours.
    if let Err(errno) = unsafe { os.back(run) } {
        // SAFETY: nothing points into `run`. A refusal leaves address space behind.
        let _still_reserved = unsafe { os.unmap(run) };
        return Err(errno);
    }
    Ok(run)
}

/// Gives the pages of a block back.
///
/// # Safety
/// `start` and `bytes` are those of a run of `map`, and nothing points into it.
pub(super) unsafe fn unmap<O: Os>(os: &O, start: NonNull<u8>, bytes: usize) -> Result<(), Errno> {
    let run = Run { start, bytes };
    // SAFETY: the caller's promise.
    let Err(errno) = (unsafe { os.unmap(run) }) else { return Ok(()) };
    // The address space stays (too many mappings, say); at least its memory goes.
    // SAFETY: the run is backed, and its bytes belong to nobody.
    unsafe { os.advise(run, Advice::Release) }.and(Err(errno))
}
