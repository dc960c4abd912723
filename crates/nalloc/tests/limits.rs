//! Memory that cannot be had is an error or null, never an end. Each promise has a process of its
//! own, for limits are the process's.

#[path = "support/child.rs"]
mod child;

use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;

use nalloc::{Arena, Block, Error, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 64).expect("a layout")
}

/// Runs a test again and asserts that it succeeds there.
fn run_well(test: &str) {
    run_well_with(test, &[]);
}

/// The same with variables in the environment.
fn run_well_with(test: &str, variables: &[(&str, &str)]) {
    let output = child::run(test, variables);
    assert!(output.status.success(), "{test}: {}", String::from_utf8_lossy(&output.stderr));
}

fn limit_address_space(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a readable rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
}

/// Allocates blocks of 16 MiB until one is null; how many there were.
fn blocks_until_null() -> usize {
    let layout = layout(16 << 20);
    let mut blocks = Vec::with_capacity(1000);
    for _ in 0..1000 {
        // SAFETY: the layout is not empty.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            break;
        }
        // SAFETY: the block has that many bytes.
        unsafe { block.write(1) };
        blocks.push(block);
    }
    let count = blocks.len();
    for block in blocks {
        // SAFETY: the block has this layout.
        unsafe { dealloc(block, layout) };
    }
    count
}

#[test]
fn a_limited_address_space_gives_null() {
    const NAME: &str = "a_limited_address_space_gives_null";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    limit_address_space(2 << 30);

    let (first, second) = (blocks_until_null(), blocks_until_null());

    assert!((20..128).contains(&first), "{first} blocks");
    assert_eq!(first, second);
    assert!(nalloc::stats().reserved_bytes >= 256 << 20, "{:?}", nalloc::stats());
}

#[test]
fn without_room_for_a_range_every_block_has_a_mapping_of_its_own() {
    const NAME: &str = "without_room_for_a_range_every_block_has_a_mapping_of_its_own";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    limit_address_space(400 << 20);

    let blocks = blocks_until_null();

    let stats = nalloc::stats();
    assert!((1..25).contains(&blocks), "{blocks} blocks");
    assert_eq!((stats.reserved_bytes, stats.hits + stats.misses), (0, 0), "{stats:?}");
    assert!(stats.fallbacks >= u64::try_from(blocks).expect("few"), "{stats:?}");
    assert!(nalloc::is_active());
    let mut vector = vec![0u8; 100_000];
    vector.resize(1 << 20, 3);
    assert_eq!((vector[99_999], vector[100_000]), (0, 3));
}

#[test]
fn beyond_the_memory_limit_is_null_and_the_error_says_what_is_live() {
    const NAME: &str = "beyond_the_memory_limit_is_null_and_the_error_says_what_is_live";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let limit = 100 << 20;
    nalloc::set_memory_limit(Some(limit));

    assert_eq!(blocks_until_null(), 6);
    let arena = Arena::with_capacity(90 << 20).expect("room after the blocks are free");
    let error = Block::zeroed(20 << 20, 64).expect_err("beyond the limit");
    let live = nalloc::stats().live_bytes;

    assert_eq!(error, Error::MemoryLimit { wanted: 20 << 20, limit, live });
    assert!(Vec::<u8>::new().try_reserve_exact(20 << 20).is_err());
    let stats = nalloc::stats();
    assert!(stats.live_bytes + stats.cached_bytes <= limit, "{stats:?}");
    drop(arena);
    nalloc::set_memory_limit(None);
    assert!(Block::zeroed(200 << 20, 64).is_ok());
}

#[test]
fn zeroed_memory_is_zero_in_a_process_that_locked_its_memory() {
    const NAME: &str = "zeroed_memory_is_zero_in_a_process_that_locked_its_memory";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    drop(vec![0xffu8; 8 << 20]);
    // SAFETY: mlockall has no preconditions.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } != 0 {
        eprintln!("skipped: mlockall is not allowed here");
        return;
    }

    let released = nalloc::release_cache();
    let zeroed = vec![0u8; 8 << 20];

    assert!(zeroed.iter().all(|&byte| byte == 0));
    let stats = nalloc::stats();
    assert!(released == 0 && stats.refusals > 0, "{stats:?}");
    assert_eq!(stats.last_refusal_errno, libc::EINVAL);
}

#[test]
fn sparse_zeroed_memory_is_zero_in_a_process_that_locked_its_memory() {
    const NAME: &str = "sparse_zeroed_memory_is_zero_in_a_process_that_locked_its_memory";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let dirty = || drop(black_box(vec![0xffu8; 12 << 20]));
    let round = |bytes: usize| {
        dirty();
        let mut zeroed = black_box(vec![0u8; bytes]);
        zeroed[bytes / 2] = 1;
        zeroed
    };
    for _ in 0..5 {
        drop(round(10 << 20));
        drop(round(3_000_000));
    }
    let before = nalloc::stats();
    assert!(before.untouched >= 1, "{before:?}");
    // SAFETY: mlockall has no preconditions.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } != 0 {
        eprintln!("skipped: mlockall is not allowed here");
        return;
    }

    for bytes in [10 << 20, 3_000_000, 11 << 20, 4_000_000].repeat(20) {
        let zeroed = round(bytes);
        let ones = zeroed.iter().filter(|&&byte| byte != 0).count();
        assert_eq!((zeroed[bytes / 2], ones), (1, 1), "{bytes} bytes");
    }

    let stats = nalloc::stats();
    assert!(stats.refusals > before.refusals, "{stats:?}");
}

#[test]
fn locking_all_memory_adds_at_most_one_chunk_of_the_range() {
    const NAME: &str = "locking_all_memory_adds_at_most_one_chunk_of_the_range";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let block = black_box(vec![1u8; 3 << 20]);
    assert!(nalloc::stats().reserved_bytes >= 2 << 30);
    let before = nalloc::rss_bytes().expect("statm");
    // SAFETY: mlockall has no preconditions.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } != 0 {
        eprintln!("skipped: mlockall is not allowed here");
        return;
    }

    let added = nalloc::rss_bytes().expect("statm") - before;

    // The chunk, and 16 MiB for program, libraries and stacks.
    assert!(added <= (64 + 16) << 20, "{added} bytes");
    drop(block);
}

/// Makes mappings of a page each until the kernel allows no more; how many there are.
fn use_up_mappings() -> usize {
    let max = std::fs::read_to_string("/proc/sys/vm/max_map_count").expect("a limit");
    let max: usize = max.trim().parse().expect("a count");
    let (page, access) = (64 << 10, libc::PROT_READ | libc::PROT_WRITE);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let none = std::ptr::null_mut();
    // SAFETY: a new mapping, which nobody else knows.
    let all = unsafe { libc::mmap(none, (max + 2) * page, libc::PROT_NONE, flags, -1, 0) };
    assert_ne!(all, libc::MAP_FAILED);
    let split = (1..=max).step_by(2).take_while(|at| {
        // SAFETY: the pages are in that mapping.
        unsafe { libc::mprotect(all.byte_add(at * page), page, access) == 0 }
    });
    2 * split.count()
}

#[test]
fn without_another_mapping_blocks_come_from_the_range_and_are_given_back() {
    const NAME: &str = "without_another_mapping_blocks_come_from_the_range_and_are_given_back";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    drop(black_box(vec![1u8; 1 << 20]));
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(10);
    let mappings = use_up_mappings();

    // More than is usable from the start, and zeroes of which little is used.
    kept.extend((1..6).map(|value| black_box(vec![value; 40 << 20])));
    for _ in 0..8 {
        let mut zeroed = black_box(vec![0u8; 10 << 20]);
        assert!(zeroed.iter().all(|&byte| byte == 0));
        zeroed[5 << 20] = 1;
    }

    assert!(mappings > 1000, "{mappings}");
    assert!(kept.iter().zip(1..).all(|(block, value)| block.iter().all(|&byte| byte == value)));
    let beyond = Block::zeroed(1 << 50, 64).expect_err("no such memory");
    assert!(matches!(beyond, Error::NoMemory { .. }), "{beyond:?}");
    drop(kept);
    assert!(nalloc::release_cache() >= 200 << 20, "{:?}", nalloc::stats());
    assert_eq!(nalloc::stats().fallbacks, 0);
}

#[test]
fn a_limited_data_size_gives_null() {
    const NAME: &str = "a_limited_data_size_gives_null";
    if !child::is_child(NAME) {
        return run_well(NAME);
    }
    let bytes = 1 << 30;
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a readable rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) }, 0);

    let (first, second) = (blocks_until_null(), blocks_until_null());

    // The kernel counts what is writable, as it does with overcommit 2.
    assert!((40..64).contains(&first) && second >= first, "{first} and {second} blocks");
    assert!(nalloc::stats().refusals > 0);
}

#[test]
fn the_environment_sets_the_memory_limit() {
    const NAME: &str = "the_environment_sets_the_memory_limit";
    if !child::is_child(NAME) {
        return run_well_with(NAME, &[("NALLOC_MEMORY_LIMIT", "100M")]);
    }
    assert_eq!(nalloc::stats().memory_limit_bytes, Some(100 << 20));
    assert_eq!(blocks_until_null(), 6);
}

#[test]
fn the_environment_sets_the_cache_limit() {
    const NAME: &str = "the_environment_sets_the_cache_limit";
    if !child::is_child(NAME) {
        return run_well_with(NAME, &[("NALLOC_CACHE_LIMIT", "54321")]);
    }
    assert_eq!(nalloc::stats().cache_limit_bytes, 54321);
}
