//! The heap for large blocks.

mod direct;

use core::ptr::NonNull;

use crate::error::Error;
use crate::os::{Advice, Os, Run};

/// What a caller of the heap wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Length, at least 1.
    pub(crate) bytes: usize,
    /// Alignment of the first byte, a power of two.
    pub(crate) align: usize,
}

/// A block that the heap handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    /// The first byte.
    pub(crate) start: NonNull<u8>,
    /// Bytes at this offset and beyond read as zero; earlier ones hold anything.
    pub(crate) zero_from: usize,
}

/// The heap.
pub(crate) struct Heap<O> {
    os: O,
}

impl<O: Os> Heap<O> {
    /// A heap that has nothing yet.
    pub(crate) const fn new(os: O) -> Self {
        Self { os }
    }

    /// A block as wanted.
    pub(crate) fn alloc(&self, wanted: Request) -> Result<Grant, Error> {
        let bytes = direct::paged(&self.os, wanted.bytes).ok_or(Error::LengthOverflow)?;
        match direct::map(&self.os, bytes, wanted.align) {
            Ok(run) => Ok(Grant { start: run.start, zero_from: 0 }),
            Err(_) => Err(Error::NoMemory { wanted: wanted.bytes as u64 }),
        }
    }

    /// A block as wanted, all of it zero.
    pub(crate) fn alloc_zeroed(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let grant = self.alloc(wanted)?;
        let unknown = grant.zero_from.min(wanted.bytes);
        // SAFETY: the block is ours and `unknown` is at most its length.
        unsafe { grant.start.write_bytes(0, unknown) };
        Ok(grant.start)
    }

    /// Bytes of an OS page.
    pub(crate) fn page_bytes(&self) -> usize {
        self.os.page_bytes()
    }

    /// Keeps a block of whole pages out of core dumps and children.
    pub(crate) fn hide(&self, start: NonNull<u8>, bytes: usize) {
        self.advise_both(Run { start, bytes }, [Advice::HideFromDumps, Advice::WipeOnFork]);
    }

    /// Undoes `hide`.
    pub(crate) fn show(&self, start: NonNull<u8>, bytes: usize) {
        self.advise_both(Run { start, bytes }, [Advice::ShowInDumps, Advice::KeepOnFork]);
    }

    fn advise_both(&self, run: Run, both: [Advice; 2]) {
        for advice in both {
            // SAFETY: the run is a block of this heap, and this advice loses no byte.
            let _refused = unsafe { self.os.advise(run, advice) };
        }
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `start` and `bytes` are those of a block of this heap that was not freed.
    pub(crate) unsafe fn free(&self, start: NonNull<u8>, bytes: usize, _touched: usize) {
        if let Some(bytes) = direct::paged(&self.os, bytes) {
            // SAFETY: the caller's promise.
            let _refused = unsafe { direct::unmap(&self.os, start, bytes) };
        }
    }
}
