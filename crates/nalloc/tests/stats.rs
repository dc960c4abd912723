//! What the statistics say of a process with one thread.

use nalloc::{Arena, Block, NAlloc, Stats};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

fn checked() -> Stats {
    let stats = nalloc::stats();
    let parts = stats.live_bytes + stats.cached_bytes + stats.zero_bytes + stats.releasing_bytes;
    assert_eq!(stats.mapped_bytes, parts, "{stats:?}");
    assert!(stats.softened_bytes <= stats.cached_bytes, "{stats:?}");
    assert!(stats.live_bytes <= stats.peak_live_bytes, "{stats:?}");
    assert!(stats.locked_bytes <= stats.secret_bytes, "{stats:?}");
    assert_eq!(stats.allocations, stats.hits + stats.misses + stats.fallbacks, "{stats:?}");
    stats
}

#[test]
fn the_numbers_follow_what_the_program_does() {
    let mib = |count: u64| count << 20;
    nalloc::release_cache();
    nalloc::reset_peak();
    let before = checked();

    let block = Block::zeroed(32 << 20, 64).expect("memory");
    let arena = Arena::with_capacity(1 << 30).expect("memory");
    arena.alloc_array::<u64>(1 << 20).fill(3);
    let live = checked();
    assert!(live.live_bytes >= before.live_bytes + mib(32 + 1024), "{live:?}");
    assert!(live.live_bytes <= before.live_bytes + mib(32 + 1024 + 32) + 8192, "{live:?}");

    // Of the arena, only what was handed out is cached.
    drop(block);
    drop(arena);
    let cached = checked();
    assert_eq!(cached.live_bytes, before.live_bytes);
    assert!((mib(40)..mib(41)).contains(&cached.cached_bytes), "{cached:?}");
    assert_eq!(nalloc::cached_bytes(), cached.cached_bytes);
    assert_eq!(cached.peak_live_bytes, live.live_bytes);

    assert_eq!(nalloc::soften_cache(), cached.cached_bytes);
    assert_eq!(checked().softened_bytes, cached.cached_bytes);

    let warm = Block::zeroed(32 << 20, 64).expect("memory");
    let reused = checked();
    assert_eq!((reused.hits, reused.misses), (cached.hits + 1, cached.misses), "{reused:?}");
    drop(warm);

    // Not of what is warm, and gone when it is dropped.
    let mut mapped = Block::mapped(48 << 20, 4096).expect("memory");
    let beside = checked();
    assert!(mapped.as_ptr().addr().is_multiple_of(4096));
    assert_eq!(beside.live_bytes, cached.live_bytes + mib(48));
    assert_eq!(beside.fallbacks, reused.fallbacks + 1, "{beside:?}");
    assert_eq!(beside.cached_bytes, cached.cached_bytes);
    assert!(mapped.as_slice().iter().all(|&byte| byte == 0));
    mapped.as_mut_slice().fill(1);
    drop(mapped);
    assert_eq!(checked().live_bytes, cached.live_bytes);
    let mapped = Block::mapped(48 << 20, 64).expect("memory");
    assert!(mapped.as_slice().iter().all(|&byte| byte == 0));
    drop(mapped);
    assert_eq!(Block::mapped(100, 8).expect("memory").as_slice(), [0; 100]);
    assert!(Block::mapped(1 << 20, 3).is_err() && Block::mapped(1 << 50, 64).is_err());

    nalloc::set_cache_limit(0);
    let resident = nalloc::rss_bytes().expect("statm");
    let released = nalloc::release_cache();
    let after = checked();
    assert!(released >= mib(40) && after.cached_bytes == 0, "{released} {after:?}");
    assert!(nalloc::rss_bytes().expect("statm") < resident);
    assert!(after.evictions > cached.evictions);
    nalloc::reset_peak();
    assert_eq!(checked().peak_live_bytes, after.live_bytes);

    let mut json = String::new();
    after.write_json(&mut json).expect("a string takes everything");
    assert!(json.starts_with("{\"liveBytes\":") && json.ends_with('}'), "{json}");
    assert!(json.contains("\"memoryLimitBytes\":null,"), "{json}");
    assert_eq!(json.matches(':').count(), 30, "{json}");
}
