//! The verbs of `Os` as Linux system calls: the only file of this crate that makes any.
//! Nothing here allocates, panics or keeps state, except for the page size, which is asked once.

use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Advice, Errno, Os, Run};

/// The kernel this process runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linux;

/// Answers with `what` as an errno-style result.
fn answer(what: c_int) -> Result<(), Errno> {
    if what == 0 { Ok(()) } else { Err(last_errno()) }
}

fn last_errno() -> Errno {
    // SAFETY: `__errno_location` points to this thread's errno for as long as the thread lives.
    Errno(unsafe { *libc::__errno_location() })
}

/// Overwrites memory with zeros in a way that the compiler may not leave out.
///
/// # Safety
/// The `bytes` bytes at `start` are writable, and nobody else reads or writes them.
pub(crate) unsafe fn clear(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::explicit_bzero(start.as_ptr().cast(), bytes) }
}

fn pointer(run: Run) -> *mut c_void {
    run.start.as_ptr().cast()
}

impl Os for Linux {
    fn page_bytes(&self) -> usize {
        static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: the value stands for itself, and every thread would find the same one.
        let known = PAGE_BYTES.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        // SAFETY: sysconf has no preconditions.
        let asked = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let bytes = usize::try_from(asked).ok().filter(|n| n.is_power_of_two()).unwrap_or(4096);
        // Relaxed: partner of the load above.
        PAGE_BYTES.store(bytes, Ordering::Relaxed);
        bytes
    }

    fn reserve(&self, bytes: usize) -> Result<Run, Errno> {
        // SAFETY: no address is given, so nothing that exists is replaced.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(last_errno());
        }
        match NonNull::new(at.cast()) {
            Some(start) => Ok(Run { start, bytes }),
            None => Err(Errno(libc::ENOMEM)),
        }
    }

    unsafe fn back(&self, run: Run) -> Result<(), Errno> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the caller owns the run.
        answer(unsafe { libc::mprotect(pointer(run), run.bytes, access) })
    }

    unsafe fn unmap(&self, run: Run) -> Result<(), Errno> {
        // SAFETY: the caller owns the run and nothing points into it.
        answer(unsafe { libc::munmap(pointer(run), run.bytes) })
    }

    unsafe fn advise(&self, run: Run, advice: Advice) -> Result<(), Errno> {
        let number = match advice {
            Advice::Release => libc::MADV_DONTNEED,
            Advice::HideFromDumps => libc::MADV_DONTDUMP,
            Advice::ShowInDumps => libc::MADV_DODUMP,
            Advice::WipeOnFork => libc::MADV_WIPEONFORK,
            Advice::KeepOnFork => libc::MADV_KEEPONFORK,
        };
        // SAFETY: the run is backed, and the bytes that the advice may lose belong to nobody.
        answer(unsafe { libc::madvise(pointer(run), run.bytes, number) })
    }
}
