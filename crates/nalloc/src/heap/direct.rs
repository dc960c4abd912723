//! Blocks with a mapping of their own: what the heap falls back to when it has no address range,
//! or no room in it. Such a block is its whole pages, so its length alone says what to unmap.

use core::ptr::NonNull;

use crate::os::{Errno, Os, Run};

/// Bytes of the pages that hold `bytes` bytes; None when they do not fit the address space.
pub(super) fn paged<O: Os>(os: &O, bytes: usize) -> Option<usize> {
    let paged = bytes.checked_next_multiple_of(os.page_bytes())?;
    isize::try_from(paged).is_ok().then_some(paged)
}

/// Maps `bytes` (a multiple of the page) that read as zero, aligned to `align`.
pub(super) fn map<O: Os>(os: &O, bytes: usize, align: usize) -> Result<Run, Errno> {
    const NO_MEMORY: Errno = Errno(libc::ENOMEM);
    let page = os.page_bytes();
    let slack = align.saturating_sub(page);
    let wanted = bytes.checked_add(slack).filter(|&n| isize::try_from(n).is_ok());
    let wide = os.reserve(wanted.ok_or(NO_MEMORY)?)?;
    let skip = wide.address().next_multiple_of(align.max(page)) - wide.address();
    let run = wide.part(skip, bytes);

    // The two ends go first: a failure leaves address space behind, and no memory.
    for (offset, length) in [(0, skip), (skip + bytes, slack - skip)] {
        if length != 0 {
            // SAFETY: the part is within `wide`, outside `run`, and nothing points to it.
            let _still_reserved = unsafe { os.unmap(wide.part(offset, length)) };
        }
    }
    // SAFETY: `run` was reserved above and is ours.
    if let Err(errno) = unsafe { os.back(run) } {
        // SAFETY: nothing points into `run`.
        let _still_reserved = unsafe { os.unmap(run) };
        return Err(errno);
    }
    Ok(run)
}

/// Gives the pages of a block back.
///
/// # Safety
/// `start` is that of a run of `map` with `bytes` rounded up to pages, and nothing points into it.
pub(super) unsafe fn unmap<O: Os>(os: &O, start: NonNull<u8>, bytes: usize) -> Result<(), Errno> {
    let run = Run { start, bytes };
    // SAFETY: the caller's promise.
    let Err(errno) = (unsafe { os.unmap(run) }) else { return Ok(()) };
    // The address space stays (too many mappings, say); at least its memory goes.
    // SAFETY: the run is backed, and its bytes belong to nobody.
    unsafe { os.advise(run, crate::os::Advice::Release) }.and(Err(errno))
}
