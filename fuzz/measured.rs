//! Measures the memory that work takes: of the C library's heap, of nalloc's, and of secrets.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// The C library's allocator, counted.
pub struct Counted;

static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);
static PEAK_BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: each call is handed on as it came; counting touches no memory of a block.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Relaxed: one thread allocates at a time here but for the pool's, whose share is small.
        let live = LIVE_BYTES.fetch_add(layout.size() as u64, Ordering::Relaxed);
        PEAK_BYTES.fetch_max(live + layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

/// Runs `work`.
///
/// # Panics
/// When that takes more than `bytes_max` bytes at one time.
pub fn bounded(bytes_max: u64, work: &mut dyn FnMut()) {
    let live = LIVE_BYTES.load(Ordering::Relaxed);
    PEAK_BYTES.store(live, Ordering::Relaxed);
    nalloc::reset_peak();
    let before = nalloc::stats();

    work();

    let after = nalloc::stats();
    let heap = after.peak_live_bytes - before.live_bytes;
    let secrets = after.secret_bytes.saturating_sub(before.secret_bytes);
    let taken = PEAK_BYTES.load(Ordering::Relaxed) - live + heap + secrets;
    assert!(taken <= bytes_max, "expected at most {bytes_max} bytes of memory, got {taken}");
}
