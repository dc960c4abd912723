//! The C library's own malloc family.
//!
//! glibc exports it under names that nobody interposes, so that it can be called from the first
//! call on. What has no such name is looked up in glibc itself: the next one behind this object may
//! be another allocator's, which knows nothing of glibc's blocks. Everything of musl is the next
//! one behind this object; dlsym of both libraries allocates nothing when it succeeds.

use core::ffi::{CStr, c_int, c_void};
use core::mem::transmute_copy;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A function of the C library, looked up when it is first called.
struct Next {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Next {
    const fn new(name: &'static CStr) -> Self {
        Self { name, address: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Its address; null when the C library has no such function.
    fn address(&self) -> *mut c_void {
        // Relaxed: whoever looks it up finds the same.
        let known = self.address.load(Ordering::Relaxed);
        if !known.is_null() {
            return known;
        }
        // SAFETY: the name ends in NUL.
        let found = unsafe { libc::dlsym(home(), self.name.as_ptr()) };
        // Relaxed: as above.
        self.address.store(found, Ordering::Relaxed);
        found
    }

    /// It as a function; None when the C library has no such function.
    ///
    /// # Safety
    /// `F` is the type of the function of that name.
    unsafe fn get<F: Copy>(&self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let address = self.address();
        // SAFETY: the caller's promise, and the address is not null.
        (!address.is_null()).then(|| unsafe { transmute_copy(&address) })
    }
}

/// Where functions are looked up.
#[cfg(target_env = "gnu")]
fn home() -> *mut c_void {
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD;
    // SAFETY: the name ends in NUL, and the object is loaded: no code of it runs.
    let glibc = unsafe { libc::dlopen(c"libc.so.6".as_ptr(), flags) };
    if glibc.is_null() { libc::RTLD_NEXT } else { glibc }
}

/// Where functions are looked up.
#[cfg(not(target_env = "gnu"))]
fn home() -> *mut c_void {
    libc::RTLD_NEXT
}

type UsableSize = unsafe extern "C" fn(*mut c_void) -> usize;
type Trim = unsafe extern "C" fn(usize) -> c_int;

static USABLE_SIZE: Next = Next::new(c"malloc_usable_size");
static TRIM: Next = Next::new(c"malloc_trim");

/// # Safety
/// As C says; `block` is the C library's, or null.
pub(crate) unsafe fn usable_size(block: *mut c_void) -> usize {
    // SAFETY: its type in glibc and musl.
    let found = unsafe { USABLE_SIZE.get::<UsableSize>() };
    // SAFETY: the caller's promise.
    found.map_or(0, |call| unsafe { call(block) })
}

/// # Safety
/// As the manual says.
pub(crate) unsafe fn trim(pad: usize) -> c_int {
    // SAFETY: its type in glibc; musl has none.
    let found = unsafe { TRIM.get::<Trim>() };
    // SAFETY: the caller's promise.
    found.map_or(0, |call| unsafe { call(pad) })
}

#[cfg(target_env = "gnu")]
mod libc_names {
    use core::ffi::c_void;

    unsafe extern "C" {
        #[link_name = "__libc_malloc"]
        pub(crate) fn malloc(bytes: usize) -> *mut c_void;
        #[link_name = "__libc_calloc"]
        pub(crate) fn calloc(count: usize, bytes: usize) -> *mut c_void;
        #[link_name = "__libc_realloc"]
        pub(crate) fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void;
        #[link_name = "__libc_free"]
        pub(crate) fn free(block: *mut c_void);
        #[link_name = "__libc_memalign"]
        pub(crate) fn memalign(align: usize, bytes: usize) -> *mut c_void;
    }
}

#[cfg(not(target_env = "gnu"))]
mod libc_names {
    use super::Next;
    use core::ffi::c_void;
    use core::ptr;

    static MALLOC: Next = Next::new(c"malloc");
    static CALLOC: Next = Next::new(c"calloc");
    static REALLOC: Next = Next::new(c"realloc");
    static FREE: Next = Next::new(c"free");
    static MEMALIGN: Next = Next::new(c"aligned_alloc");

    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    type Two = unsafe extern "C" fn(usize, usize) -> *mut c_void;
    type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    type Free = unsafe extern "C" fn(*mut c_void);

    /// # Safety
    /// As C says.
    pub(crate) unsafe fn malloc(bytes: usize) -> *mut c_void {
        // SAFETY: its type.
        let found = unsafe { MALLOC.get::<Malloc>() };
        // SAFETY: the caller's promise.
        found.map_or(ptr::null_mut(), |call| unsafe { call(bytes) })
    }

    /// # Safety
    /// As C says.
    pub(crate) unsafe fn calloc(count: usize, bytes: usize) -> *mut c_void {
        // SAFETY: its type.
        let found = unsafe { CALLOC.get::<Two>() };
        // SAFETY: the caller's promise.
        found.map_or(ptr::null_mut(), |call| unsafe { call(count, bytes) })
    }

    /// # Safety
    /// As C says.
    pub(crate) unsafe fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void {
        // SAFETY: its type.
        let found = unsafe { REALLOC.get::<Realloc>() };
        // SAFETY: the caller's promise.
        found.map_or(ptr::null_mut(), |call| unsafe { call(block, bytes) })
    }

    /// # Safety
    /// As C says.
    pub(crate) unsafe fn free(block: *mut c_void) {
        // SAFETY: its type.
        if let Some(call) = unsafe { FREE.get::<Free>() } {
            // SAFETY: the caller's promise.
            unsafe { call(block) };
        }
    }

    /// # Safety
    /// As C says.
    pub(crate) unsafe fn memalign(align: usize, bytes: usize) -> *mut c_void {
        // SAFETY: its type.
        let found = unsafe { MEMALIGN.get::<Two>() };
        // SAFETY: the caller's promise.
        found.map_or(ptr::null_mut(), |call| unsafe { call(align, bytes) })
    }
}

pub(crate) use libc_names::{calloc, free, malloc, memalign, realloc};
