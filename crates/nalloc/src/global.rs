//! The heap of this process, and `NAlloc`: the global allocator over it.

use core::ffi::c_void;
use core::hint::black_box;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, Ordering};
use std::alloc::{GlobalAlloc, Layout, System, alloc, dealloc};

use crate::config::LARGE;
use crate::heap::{Heap, Hooks, Request};
use crate::os::linux::Linux;
use crate::secret::{clear, scope};

/// The heap of this process; in an addon, of that addon's copy of this crate.
pub(crate) static HEAP: Heap<Linux> = Heap::new(Linux, Hooks { help, at_exit });

extern "C" fn help(_: *mut c_void) -> *mut c_void {
    shielded(|| HEAP.help());
    ptr::null_mut()
}

extern "C" fn at_exit() {
    shielded(|| HEAP.tell(&crate::stats()));
}

/// Whether an `NAlloc` ever asked the heap for a block.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// The allocator: blocks of 64 KiB and more come from the large heap, smaller ones from `S`.
///
/// ```
/// use nalloc::NAlloc;
///
/// #[global_allocator]
/// static GLOBAL: NAlloc = NAlloc::new();
///
/// fn main() {
///     let witness = vec![0u64; 1 << 20];
///     assert!(nalloc::is_active());
///     assert!(nalloc::stats().live_bytes >= 8 << 20);
///     drop(witness);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NAlloc<S = System> {
    small: S,
}

impl NAlloc {
    /// An allocator whose small blocks come from the system's allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_small(System)
    }
}

impl<S> NAlloc<S> {
    /// An allocator whose blocks below 64 KiB come from `small`.
    #[must_use]
    pub const fn with_small(small: S) -> Self {
        Self { small }
    }
}

/// Ends the process should a panic leave the heap: to unwind out of an allocator is undefined.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Runs a call into the heap.
pub(crate) fn shielded<R>(body: impl FnOnce() -> R) -> R {
    let shield = AbortOnUnwind;
    let result = body();
    core::mem::forget(shield);
    result
}

fn large(layout: Layout) -> Request {
    // Relaxed: the flag stands for itself.
    if !IS_ASKED.load(Ordering::Relaxed) {
        IS_ASKED.store(true, Ordering::Relaxed);
    }
    Request::fixed(layout.size(), layout.align())
}

/// Frees a large block.
///
/// # Safety
/// As `GlobalAlloc::dealloc`, and the layout is large.
unsafe fn free_large(block: *mut u8, layout: Layout) {
    if let Some(start) = NonNull::new(block) {
        // SAFETY: the caller gives back a block of the heap with the size it was asked for.
        shielded(|| unsafe { HEAP.free(start, layout.size(), layout.size()) });
    }
}

// SAFETY: a block comes from the heap or from `S` by the size of its layout alone, and goes back
// the same way; both hand out disjoint blocks as long and as aligned as asked, and no call unwinds.
unsafe impl<S: GlobalAlloc> GlobalAlloc for NAlloc<S> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            // SAFETY: the caller's promise about the layout.
            return unsafe { self.small.alloc(layout) };
        }
        let start = shielded(|| HEAP.alloc(large(layout)));
        start.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            // SAFETY: the caller's promise about the layout.
            return unsafe { self.small.alloc_zeroed(layout) };
        }
        let start = shielded(|| HEAP.alloc_zeroed(large(layout)));
        start.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let (true, Some(start)) = (scope::is_open(), NonNull::new(block)) {
            // SAFETY: the caller gives the block back, all of it.
            unsafe { clear(start, layout.size()) }
        }
        if layout.size() < LARGE {
            // SAFETY: a block with a small layout came from `small`.
            unsafe { self.small.dealloc(block, layout) }
        } else {
            // SAFETY: a block with a large layout came from the heap.
            unsafe { free_large(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // What a block leaves behind when it moves or shrinks must be wiped, so it moves by us.
        let is_wiped = scope::is_open();
        match (layout.size() < LARGE, new_size < LARGE) {
            // SAFETY: the block came from `small`, and stays there.
            (true, true) if !is_wiped => unsafe { self.small.realloc(block, layout, new_size) },
            (false, false) if !is_wiped => {
                let Some(start) = NonNull::new(block) else { return ptr::null_mut() };
                // SAFETY: the block came from the heap with this layout.
                let moved = shielded(|| unsafe { HEAP.resize(start, large(layout), new_size) });
                moved.map_or(ptr::null_mut(), NonNull::as_ptr)
            }
            _ => {
                // SAFETY: the caller promises that `new_size` with this alignment is a layout.
                let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
                // SAFETY: the new size is not 0, by the caller's promise.
                let moved = unsafe { self.alloc(new) };
                if !moved.is_null() {
                    let common = layout.size().min(new_size);
                    // SAFETY: both blocks have that many bytes, and one of them is new.
                    unsafe { ptr::copy_nonoverlapping(block, moved, common) };
                    // SAFETY: the block has this layout and is not used again.
                    unsafe { self.dealloc(block, layout) };
                }
                moved
            }
        }
    }
}

/// Whether an [`NAlloc`] is this process's global allocator.
///
/// Asks by allocating 64 KiB. Where the address range could not be reserved, the answer is whether
/// an `NAlloc` was ever asked for a large block.
#[must_use]
pub fn is_active() -> bool {
    let layout = Layout::new::<[u8; LARGE]>();
    // SAFETY: the layout is not empty. The black box keeps the pair from being left out.
    let block = black_box(unsafe { alloc(layout) });
    let Some(start) = NonNull::new(block) else { return false };
    // Relaxed: the flag stands for itself.
    let is_asked = || IS_ASKED.load(Ordering::Relaxed);
    let is_ours = if HEAP.has_range() { HEAP.contains(start.addr().get()) } else { is_asked() };
    // SAFETY: the block was allocated above with this layout.
    unsafe { dealloc(block, layout) };
    is_ours
}
