//! Large blocks, with the manners of C: null and errno instead of errors.

use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};

use nalloc::{Error, by_address};

/// Where a large block is.
pub(crate) enum Place {
    /// In our heap, from this address on.
    Ours(*mut c_void),
    /// Nowhere: there is no memory, or the memory limit does not allow it. errno says ENOMEM.
    Refused,
    /// Our heap has no address space; the C library may have some.
    Elsewhere,
}

/// errno of this thread.
pub(crate) fn errno() -> c_int {
    // SAFETY: the address is this thread's errno for as long as the thread lives.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// What a call that cannot be served returns.
pub(crate) fn refuse() -> *mut c_void {
    set_errno(libc::ENOMEM);
    ptr::null_mut()
}

/// The length of a page.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: the call has no conditions. It does not fail for this name.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

fn placed(found: Result<Option<NonNull<u8>>, Error>, errno: c_int) -> Place {
    // Calls of the heap into the kernel may have changed it.
    set_errno(errno);
    match found {
        Ok(Some(start)) => Place::Ours(start.as_ptr().cast()),
        Ok(None) => Place::Elsewhere,
        Err(_) => {
            set_errno(libc::ENOMEM);
            Place::Refused
        }
    }
}

/// A block of `bytes` bytes at a multiple of `align`, a power of two.
pub(crate) fn alloc(bytes: usize, align: usize) -> Place {
    let errno = errno();
    placed(by_address::alloc(bytes, align), errno)
}

/// A block of `bytes` zero bytes.
pub(crate) fn alloc_zeroed(bytes: usize) -> Place {
    let errno = errno();
    placed(by_address::alloc_zeroed(bytes, super::ALIGN), errno)
}

/// Gives a block another length.
///
/// # Safety
/// `block` is ours and live, and nobody else uses it.
pub(crate) unsafe fn resize(block: *mut c_void, bytes: usize) -> Place {
    let errno = errno();
    let Some(start) = NonNull::new(block.cast()) else { return Place::Elsewhere };
    // SAFETY: the caller's promise.
    placed(unsafe { by_address::resize(start, bytes) }, errno)
}

/// Takes a block back.
///
/// # Safety
/// As `resize`, and it is not used any more.
pub(crate) unsafe fn free(block: *mut c_void) {
    let errno = errno();
    if let Some(start) = NonNull::new(block.cast()) {
        // SAFETY: the caller's promise.
        unsafe { by_address::free(start) };
    }
    set_errno(errno);
}

/// How many bytes a block of ours has.
pub(crate) fn bytes(block: *mut c_void) -> usize {
    NonNull::new(block.cast()).map_or(0, by_address::bytes)
}
