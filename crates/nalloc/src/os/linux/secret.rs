//! System calls for memory at a given place and for secrets, which the heap never makes.

use core::ffi::{c_int, c_uint, c_void};
use core::ptr::{self, NonNull};

use super::{answer, last_errno, pointer};
use crate::os::{Errno, Run};

const ACCESS: c_int = libc::PROT_READ | libc::PROT_WRITE;
const ANONYMOUS: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
/// Only the pages that are there are locked now, others when they are touched.
const MLOCK_ONFAULT: c_uint = 1;

/// post: `run` reads as zero, can be written, and was nobody's before.
///
/// The address is a multiple of the page, and so is the length.
pub(crate) fn map_at(address: usize, bytes: usize) -> Result<Run, Errno> {
    let wanted = ptr::without_provenance_mut::<c_void>(address);
    let flags = ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: the flags keep what exists as it is.
    let at = unsafe { libc::mmap(wanted, bytes, ACCESS, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(last_errno());
    }
    let start = NonNull::new(at.cast::<u8>()).ok_or(Errno(libc::ENOMEM))?;
    if at.addr() == address {
        return Ok(Run { start, bytes });
    }
    // A kernel before 4.17 takes the address for a hint.
    // SAFETY: the mapping was made above and nothing points into it.
    unsafe { libc::munmap(at, bytes) };
    Err(Errno(libc::EEXIST))
}

/// post: the pages of `run` are locked as soon as they are touched, until `unlock`.
///
/// # Safety
/// `run` is backed and the caller's.
pub(crate) unsafe fn lock_on_fault(run: Run) -> Result<(), Errno> {
    // By number: musl has had the function only since 1.2.5.
    // SAFETY: locking changes no byte.
    let result = unsafe { libc::syscall(libc::SYS_mlock2, pointer(run), run.bytes, MLOCK_ONFAULT) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// post: the pages of `run` may be swapped.
///
/// # Safety
/// `run` is backed and the caller's.
pub(crate) unsafe fn unlock(run: Run) -> Result<(), Errno> {
    // By number as well: a sanitizer's munlock does nothing.
    // SAFETY: unlocking changes no byte.
    let result = unsafe { libc::syscall(libc::SYS_munlock, pointer(run), run.bytes) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Why there are no pages of `memfd_secret` in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoSecret {
    /// The kernel has none for us; the run is as it was.
    Refused(Errno),
    /// They could not be moved into the run, where there may be nothing now, or somebody else.
    Lost(Errno),
}

/// post: `run` can be read and written and holds zeros that no other process, no debugger and no
/// device can reach; children made by fork find no page there.
///
/// # Safety
/// `run` is part of a run of `reserve`, is the caller's, and nothing points into it.
pub(crate) unsafe fn map_secret(run: Run) -> Result<(), NoSecret> {
    let at = map_file_secret(run.bytes).map_err(NoSecret::Refused)?;
    // To map over the run at once would leave a hole in it where the kernel refuses, into which
    // another thread may map what we would then overwrite.
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: `at` was mapped above, and the caller's promise about the run.
    let moved = unsafe { libc::mremap(at, run.bytes, run.bytes, flags, pointer(run)) };
    if moved != libc::MAP_FAILED {
        return Ok(());
    }
    let errno = last_errno();
    // SAFETY: `at` was mapped above and nothing points into it.
    unsafe { libc::munmap(at, run.bytes) };
    Err(NoSecret::Lost(errno))
}

/// Maps `bytes` bytes of `memfd_secret` anywhere.
fn map_file_secret(bytes: usize) -> Result<*mut c_void, Errno> {
    // The flag is O_CLOEXEC; FD_CLOEXEC, which the manual names, is refused.
    // SAFETY: the call has no preconditions.
    let file = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let file = c_int::try_from(file).ok().filter(|&file| file >= 0).ok_or_else(last_errno)?;
    let result = map_file(file, bytes);
    // SAFETY: the file was opened above and is closed once; the mapping keeps its pages.
    unsafe { libc::close(file) };
    result
}

fn map_file(file: c_int, bytes: usize) -> Result<*mut c_void, Errno> {
    let length = libc::off_t::try_from(bytes).map_err(|_| Errno(libc::EFBIG))?;
    // SAFETY: ftruncate has no preconditions.
    answer(unsafe { libc::ftruncate(file, length) })?;
    // SAFETY: no address is given, so nothing that exists is replaced.
    let at = unsafe { libc::mmap(ptr::null_mut(), bytes, ACCESS, libc::MAP_SHARED, file, 0) };
    if at == libc::MAP_FAILED {
        return Err(last_errno());
    }
    // SAFETY: the pages were mapped above, and this advice loses no byte.
    match answer(unsafe { libc::madvise(at, bytes, libc::MADV_DONTFORK) }) {
        Ok(()) => Ok(at),
        Err(errno) => {
            // A child would read these pages, so they go.
            // SAFETY: as above, and nothing points into them.
            unsafe { libc::munmap(at, bytes) };
            Err(errno)
        }
    }
}

/// post: `run` reads as zero and can be written, whatever it was before, and has no memory yet.
///
/// # Safety
/// `run` is the caller's, and nobody relies on what it holds.
pub(crate) unsafe fn map_zeros(run: Run) -> Result<(), Errno> {
    let flags = ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the caller's promise.
    let at = unsafe { libc::mmap(pointer(run), run.bytes, ACCESS, flags, -1, 0) };
    if at == libc::MAP_FAILED { Err(last_errno()) } else { Ok(()) }
}

/// post: `run` reads as zero and can be written, if nothing was there.
///
/// Safe to call in a child made by fork: it is one system call.
pub(crate) fn fill_hole(run: Run) -> Result<(), Errno> {
    map_at(run.address(), run.bytes).map(|_| ())
}

/// The value of an environment variable, as the process has it; None when it is unset.
///
/// # Safety
/// Nobody changes the environment while the bytes are used.
pub(crate) unsafe fn variable(name: &core::ffi::CStr) -> Option<&'static mut [u8]> {
    // SAFETY: `name` ends in NUL.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: a value of the environment ends in NUL.
    let bytes = unsafe { core::ffi::CStr::from_ptr(value) }.count_bytes();
    // SAFETY: the value is writable memory of the process, the caller's alone by its promise.
    Some(unsafe { core::slice::from_raw_parts_mut(value.cast(), bytes) })
}
