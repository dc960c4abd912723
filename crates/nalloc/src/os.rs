//! What the heap, arenas and secrets ask of the kernel, and nothing else.
//! `linux` is the only file of this crate with system calls; `fake` is the kernel of the tests.
//!
//! Each verb says what must hold before (`pre:`) and what holds after (`post:`). An errno is an
//! answer, never a reason to die: the caller takes the slow, correct way and counts the refusal.

pub(crate) mod linux;

use core::ptr::NonNull;

/// What the kernel answered instead of doing what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

/// A run of whole OS pages. It is a description: it owns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first byte; a multiple of the OS page.
    pub(crate) start: NonNull<u8>,
    /// The length; a multiple of the OS page, not 0.
    pub(crate) bytes: usize,
}

impl Run {
    /// The `bytes` bytes that begin `offset` bytes into the run.
    pub(crate) fn part(self, offset: usize, bytes: usize) -> Self {
        assert!(offset <= self.bytes && bytes <= self.bytes - offset, "part outside its run");
        // SAFETY: `offset` is at most the run's length (asserted above), and a run lies within one
        // mapping of at most `isize::MAX` bytes.
        Self { start: unsafe { self.start.add(offset) }, bytes }
    }

    /// Address of the first byte.
    pub(crate) fn address(self) -> usize {
        self.start.as_ptr().addr()
    }
}

/// What `Os::advise` can say about a run of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// The bytes are of no use; every page reads as zero from now on.
    Release,
    /// Keep the run out of core dumps.
    HideFromDumps,
    /// Undo `HideFromDumps`.
    ShowInDumps,
    /// A child made by fork finds zeros in the run.
    WipeOnFork,
    /// Undo `WipeOnFork`.
    KeepOnFork,
}

/// The verbs of the kernel. No verb allocates from the process's allocator, and none panics.
pub(crate) trait Os {
    /// post: a power of two, the same for the life of the process.
    fn page_bytes(&self) -> usize;

    /// pre: `bytes` is a multiple of the page, not 0.
    /// post: a new run of address space that can be neither read nor written and costs no memory.
    fn reserve(&self, bytes: usize) -> Result<Run, Errno>;

    /// post: `run` can be read and written; pages that held nothing read as zero. On an error
    /// every page is as it was or can be read and written.
    ///
    /// # Safety
    /// pre: `run` lies within one run of `reserve` that was not unmapped, and is the caller's.
    unsafe fn back(&self, run: Run) -> Result<(), Errno>;

    /// post: the address space is gone, or, on an error, still there as it was.
    ///
    /// # Safety
    /// pre: as `back`, and nothing points into `run` any more.
    unsafe fn unmap(&self, run: Run) -> Result<(), Errno>;

    /// post: what the advice says, or, on an error, any part of the run as it was.
    ///
    /// # Safety
    /// pre: `run` is backed; for `Soften` and `Release` its bytes belong to nobody.
    unsafe fn advise(&self, run: Run, advice: Advice) -> Result<(), Errno>;
}
