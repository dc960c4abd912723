//! Threads come and go and leave nothing behind.

use std::hint::black_box;
use std::{env, fs, thread};

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const MIB: u64 = 1 << 20;

/// One life: a vector that grows from below 64 KiB, and blocks of zeros.
fn live(number: usize) {
    let mut grown: Vec<u8> = Vec::with_capacity(1000);
    while grown.len() < 200_000 + number % 7 * 300_000 {
        grown.extend_from_slice(&[7; 10_000]);
    }
    let zeroed = black_box(vec![0u8; 100_000]);
    assert!(zeroed.iter().all(|&byte| byte == 0) && grown.iter().all(|&byte| byte == 7));
}

fn generation(count: usize) {
    for batch in 0..count / 10 {
        thread::scope(|scope| {
            for k in 0..10 {
                scope.spawn(move || live(batch * 10 + k));
            }
        });
    }
}

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").expect("the mappings of this process").lines().count()
}

#[test]
fn ten_thousand_threads_leave_nothing() {
    generation(100);
    nalloc::release_cache();
    let (stats, maps) = (nalloc::stats(), mappings());
    let resident = nalloc::rss_bytes().expect("statm");

    generation(10_000);

    let peak = nalloc::stats().peak_live_bytes;
    assert!(peak < 200 * MIB, "{peak}");
    nalloc::release_cache();
    let after = nalloc::stats();
    assert_eq!((after.live_bytes, after.cached_bytes), (stats.live_bytes, 0), "{after:?}");
    // The C library keeps some stacks, and an arena for each of the threads that met.
    assert!(mappings() <= maps + 64, "{} mappings, {maps} before", mappings());
    let more = nalloc::rss_bytes().expect("statm").saturating_sub(resident);
    // A sanitizer's own tables grow with every address that was used.
    let most = if env::var_os("TSAN_OPTIONS").is_some() { 64 * MIB } else { 16 * MIB };
    assert!(more < most, "{more} more bytes resident");
}
