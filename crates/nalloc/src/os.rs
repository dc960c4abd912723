//! What the heap, arenas and secrets ask of the kernel, and nothing else.
//! `linux` is the only file of this crate with system calls; `fake` is the kernel of the tests.
//!
//! Each verb says what must hold before (`pre:`) and what holds after (`post:`). An errno is an
//! answer, never a reason to die: the caller takes the slow, correct way and counts the refusal.

#[cfg(any(test, fuzzing))]
#[cfg_attr(fuzzing, expect(dead_code, reason = "the tests ask for more than a fuzzer does"))]
pub(crate) mod fake;
pub(crate) mod linux;
pub(crate) mod probe;

use core::ffi::{CStr, c_void};
use core::ptr::NonNull;

use crate::sync::AtomicU32;

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
    /// Fault the run in by huge pages where that is possible.
    PreferHuge,
    /// Fault the run in by pages of the ordinary size.
    PreferSmall,
    /// The bytes are of no use; the kernel may take a page until somebody writes to it.
    Soften,
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

/// How many bytes of memory there are, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// RAM of the machine.
    pub(crate) ram_bytes: u64,
    /// Swap of the machine.
    pub(crate) swap_bytes: u64,
    /// `RLIMIT_AS` of the process; `u64::MAX` when there is none.
    pub(crate) address_bytes_max: u64,
    /// `RLIMIT_MEMLOCK` of the process; `u64::MAX` when there is none.
    pub(crate) locked_bytes_max: u64,
}

/// Page faults of the process so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Without reading from a disk.
    pub(crate) minor: u64,
    /// With.
    pub(crate) major: u64,
}

/// Longest name of a thread, with the NUL at its end.
pub(crate) const THREAD_NAME_BYTES: usize = 16;

/// What a thread of our own runs.
pub(crate) type ThreadBody = extern "C" fn(*mut c_void) -> *mut c_void;

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

    /// post: `run` keeps its bytes and can be neither read nor written.
    ///
    /// # Safety
    /// pre: as `back`, and nothing reads or writes the run until it is backed again.
    unsafe fn close(&self, run: Run) -> Result<(), Errno>;

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

    /// post: how many OS pages of `run` are in memory; one that was swapped out may not count.
    ///
    /// # Safety
    /// pre: `run` is backed.
    unsafe fn resident_pages(&self, run: Run) -> Result<usize, Errno>;

    /// post: the pages of `run` are resident and stay so until they are unmapped.
    ///
    /// # Safety
    /// pre: `run` is backed and is the caller's.
    unsafe fn lock(&self, run: Run) -> Result<(), Errno>;

    /// post: sizes and limits as they are now.
    fn machine(&self) -> Machine;

    /// post: the beginning of an environment variable's value is in `buffer`; how long the value
    /// is. None when it is unset, or the process runs with more rights than its user has.
    fn variable(&self, name: &CStr, buffer: &mut [u8]) -> Option<usize>;

    /// Calls `each` with every `NAME=value` of the environment; with none when the process runs
    /// with more rights than its user has.
    fn each_variable(&self, each: &mut dyn FnMut(&[u8]));

    /// post: the first bytes of the file at `path` are in `buffer`; how many.
    fn read(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno>;

    /// Calls `each` with one part of the file at `path` after the other, read through `buffer`.
    fn read_parts(
        &self,
        path: &CStr,
        buffer: &mut [u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno>;

    /// post: `text` is at the end of the file at `path`, which exists.
    fn append(&self, path: &CStr, text: &[u8]) -> Result<(), Errno>;

    /// post: there is an empty file at `path`, where nothing was; EEXIST where something was.
    fn make_file(&self, path: &CStr) -> Result<(), Errno>;

    /// post: `bytes` are at the end of the file at `path`, which existed; on an error, a part of
    /// them. No signal is raised, whatever limit is met.
    fn extend_file(&self, path: &CStr, bytes: &[u8]) -> Result<(), Errno>;

    /// post: what the symbolic link at `path` holds is in `buffer`; how long it is.
    fn link(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno>;

    /// post: the number of this process.
    fn process(&self) -> u32;

    /// post: the number of this thread.
    fn thread(&self) -> u32;

    /// post: the name of this thread, with a NUL behind it.
    fn thread_name(&self) -> [u8; THREAD_NAME_BYTES];

    /// post: page faults of all threads so far.
    fn faults(&self) -> Faults;

    /// Writes `text` to standard error, by one call; nobody can act on a failure.
    fn tell(&self, text: &[u8]);

    /// post: `body` runs when the process exits by itself.
    fn at_exit(&self, body: extern "C" fn()) -> Result<(), Errno>;

    /// post: `body` runs in a thread that nobody waits for and no signal interrupts.
    /// The C library may allocate small blocks for it, so no lock of the heap is held.
    fn start_thread(&self, body: ThreadBody) -> Result<(), Errno>;

    /// post: milliseconds of a clock that never goes back; its zero has no meaning.
    fn now_ms(&self) -> u64;

    /// post: nanoseconds of a clock that never goes back, the same for all processes.
    fn now_ns(&self) -> u64;

    /// post: nanoseconds since 1970, as the machine's clock is set.
    fn unix_ns(&self) -> u64;

    /// Sleeps for that long, or a little less.
    fn sleep_ms(&self, ms: u64);

    /// Gives the CPU to another thread.
    fn yield_now(&self);

    /// Sleeps while `word` is `expected`; may wake for no reason.
    fn wait(&self, word: &AtomicU32, expected: u32);

    /// Wakes one thread that sleeps on `word`.
    fn wake_one(&self, word: &AtomicU32);

    /// Writes `message` and the end of a line to standard error and aborts the process.
    fn die(&self, message: &str) -> !;
}
