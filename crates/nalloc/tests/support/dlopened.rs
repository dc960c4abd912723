//! A library with this allocator, for a test that opens and closes it.

use std::hint::black_box;

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// Leaves more cached than may be, so that a helper thread runs in this library; 1 when it does.
#[unsafe(no_mangle)]
pub extern "C" fn work() -> i32 {
    nalloc::set_cache_limit(1 << 20);
    drop(black_box(vec![1u8; 64 << 20]));
    i32::from(nalloc::stats().has_helper)
}
