//! `libnalloc_preload.so`: the malloc family of C, for programs that are started with
//! `LD_PRELOAD`. `nalloc run` does that, and says when it could not work.
//!
//! Blocks of 64 KiB and more come from nalloc's heap, smaller ones from the C library's own malloc,
//! and so do large ones that the heap has no address space for. Who frees a block tells the two
//! apart by its address. C++'s `new`, and every allocator that is built on malloc, come through
//! here too.
//!
//! Nothing here allocates, or needs anything that is set up later than this object: the loader
//! calls in before any constructor has run. The heap reads its settings with the first large
//! block, and makes its helper thread when the first release is due.

mod beside;
mod large;
mod marker;
mod small;

use core::ffi::{c_int, c_void};
use core::ptr;

use large::Place;
use nalloc::by_address::{self, LARGE};

/// What C's `max_align_t` needs.
const ALIGN: usize = 16;

/// `malloc` of C.
///
/// # Safety
/// As C says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
    if bytes >= LARGE {
        match large::alloc(bytes, ALIGN) {
            Place::Ours(start) => return start,
            Place::Refused => return ptr::null_mut(),
            Place::Elsewhere => {}
        }
    }
    // SAFETY: the caller's promise.
    unsafe { small::malloc(bytes) }
}

/// `calloc` of C.
///
/// # Safety
/// As C says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
    let Some(all) = count.checked_mul(bytes) else { return large::refuse() };
    if all >= LARGE {
        match large::alloc_zeroed(all) {
            Place::Ours(start) => return start,
            Place::Refused => return ptr::null_mut(),
            Place::Elsewhere => {}
        }
    }
    // SAFETY: the caller's promise.
    unsafe { small::calloc(count, bytes) }
}

/// `realloc` of C.
///
/// # Safety
/// As C says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    if block.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { malloc(bytes) };
    }
    let is_ours = by_address::contains(block);
    if !is_ours && bytes < LARGE {
        // SAFETY: the block is the C library's, by the caller's promise.
        return unsafe { small::realloc(block, bytes) };
    }
    if is_ours && bytes >= LARGE {
        // SAFETY: the block is ours, by the caller's promise.
        match unsafe { large::resize(block, bytes) } {
            Place::Ours(start) => return start,
            Place::Refused => return ptr::null_mut(),
            Place::Elsewhere => {}
        }
    }
    if bytes == 0 && cfg!(target_env = "gnu") {
        // As glibc does; musl answers with an empty block.
        // SAFETY: the caller's promise.
        unsafe { free(block) };
        return ptr::null_mut();
    }
    // SAFETY: from one home to the other, by a new block.
    let moved = unsafe { malloc(bytes) };
    if !moved.is_null() {
        // SAFETY: the block is live.
        let common = unsafe { malloc_usable_size(block) }.min(bytes);
        // SAFETY: both blocks have that many bytes, and one of them is new.
        unsafe { ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast(), common) };
        // SAFETY: the caller's promise.
        unsafe { free(block) };
    }
    moved
}

/// `free` of C. Keeps errno.
///
/// # Safety
/// As C says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    if by_address::contains(block) {
        // SAFETY: the block is ours, by the caller's promise.
        unsafe { large::free(block) };
    } else {
        // SAFETY: the block is the C library's, or null.
        unsafe { small::free(block) };
    }
}

/// `reallocarray` of BSD.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(
    block: *mut c_void,
    count: usize,
    bytes: usize,
) -> *mut c_void {
    let Some(all) = count.checked_mul(bytes) else { return large::refuse() };
    // SAFETY: the caller's promise.
    unsafe { realloc(block, all) }
}

/// `posix_memalign` of POSIX.
///
/// # Safety
/// As POSIX says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(to: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    // It says what failed by its result, and errno stays as it was.
    let errno = large::errno();
    // SAFETY: the caller's promise.
    let start = unsafe { memalign(align, bytes) };
    large::set_errno(errno);
    if start.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { *to = start };
    0
}

/// `aligned_alloc` of C. As glibc's up to 2.37, it takes any alignment.
///
/// # Safety
/// As C says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { memalign(align, bytes) }
}

/// `memalign` of old Unix systems, which rounds an alignment up to a power of two.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    let Some(align) = align.checked_next_power_of_two() else {
        large::set_errno(libc::EINVAL);
        return ptr::null_mut();
    };
    if bytes >= LARGE {
        match large::alloc(bytes, align.max(ALIGN)) {
            Place::Ours(start) => return start,
            Place::Refused => return ptr::null_mut(),
            Place::Elsewhere => {}
        }
    }
    // SAFETY: the caller's promise.
    unsafe { small::memalign(align, bytes) }
}

/// `valloc` of BSD: a block that begins with a page.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn valloc(bytes: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { memalign(large::page_bytes(), bytes) }
}

/// `pvalloc` of glibc: whole pages.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvalloc(bytes: usize) -> *mut c_void {
    let page = large::page_bytes();
    let Some(whole) = bytes.checked_next_multiple_of(page) else { return large::refuse() };
    // SAFETY: the caller's promise.
    unsafe { memalign(page, whole) }
}

/// `malloc_usable_size` of glibc and musl.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    if by_address::contains(block) {
        return large::bytes(block);
    }
    // SAFETY: the block is the C library's, or null.
    unsafe { small::usable_size(block) }
}

/// `malloc_trim` of glibc: gives back what is cached here, and lets the C library do the same; 1
/// when anything was given back.
///
/// # Safety
/// As its manual says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_trim(pad: usize) -> c_int {
    let is_released = nalloc::release_cache() > 0;
    // SAFETY: the caller's promise.
    let of_libc = unsafe { small::trim(pad) };
    c_int::from(is_released || of_libc != 0)
}
