//! What the heap promises, one promise at a time, over a fake kernel and clock.

use std::ptr::NonNull;
use std::slice;

use super::helper::{Next, Task};
use super::model::IDLE;
use super::*;
use crate::config::{
    LARGE, LEFT_OUT_BYTES_MIN, PEAK_SLACK_BYTES, PHASES_MAX, SPARSE_LOOKS, TICK_MS,
};
use crate::os::fake::{Fake, Fault, Verb};
use crate::units::Granules;

fn heap(fake: &Fake) -> Heap<&Fake> {
    Heap::new(fake, IDLE)
}

fn alloc(heap: &Heap<&Fake>, bytes: usize) -> NonNull<u8> {
    heap.alloc(Request::fixed(bytes, 8)).expect("memory")
}

fn free(heap: &Heap<&Fake>, start: NonNull<u8>, bytes: usize) {
    // SAFETY: the tests free what `alloc` gave them, once.
    unsafe { heap.free(start, bytes, bytes) }
}

/// Lets time pass, and the helper tick when it lives. True when it ended itself.
fn wait(fake: &Fake, helper: &mut Task<&Fake>, ms: u64) -> bool {
    for _ in 0..ms / TICK_MS {
        fake.wait_ms(TICK_MS);
        if helper.tick() == Next::End {
            return true;
        }
    }
    false
}

#[test]
fn two_seconds_after_the_last_call_the_cache_is_down_to_its_limit_and_the_helper_gone() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "10M");
    let heap = heap(&fake);
    let blocks = [50 << 20, 30 << 20, 1 << 20].map(|bytes| (alloc(&heap, bytes), bytes));
    assert_eq!(fake.threads_started(), 0);
    for (start, bytes) in blocks {
        free(&heap, start, bytes);
    }
    assert_eq!((fake.threads_started(), heap.stats().has_helper), (1, true));

    let mut helper = Task::new(&heap);
    assert!(!wait(&fake, &mut helper, 1500));
    assert!(heap.stats().cached_bytes >= 81 << 20, "still at work");
    let is_ended = wait(&fake, &mut helper, 750);

    let stats = heap.stats();
    assert!(is_ended && !stats.has_helper, "{stats:?}");
    assert!(stats.cached_bytes <= 10 << 20 && stats.cached_bytes >= 8 << 20, "{stats:?}");
    heap.check();
}

#[test]
fn a_proof_every_second_stays_warm() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    heap.set_cache_limit(1 << 20);
    let proof = || {
        let blocks = [40 << 20, 20 << 20, 9 << 20].map(|bytes| (alloc(&heap, bytes), bytes));
        for (start, bytes) in blocks {
            free(&heap, start, bytes);
        }
    };
    proof();
    let cached = heap.stats().cached_bytes;
    let mut helper = Task::new(&heap);

    for _ in 0..100 {
        assert!(!wait(&fake, &mut helper, 1000));
        proof();
    }

    // Each block may need one page more than before for its colour.
    let stats = heap.stats();
    assert!(stats.evictions == 0 && stats.cached_bytes <= cached + 3 * 4096, "{stats:?}");
    assert_eq!(fake.threads_started(), 1);
}

#[test]
fn a_helper_with_nothing_to_give_back_for_two_seconds_ends_during_work() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "10M");
    let heap = heap(&fake);
    let block = alloc(&heap, 50 << 20);
    free(&heap, block, 50 << 20);
    let mut helper = Task::new(&heap);
    let block = alloc(&heap, 50 << 20);
    let mut ticks = 0;

    loop {
        let small = alloc(&heap, LARGE);
        free(&heap, small, LARGE);
        ticks += 1;
        if wait(&fake, &mut helper, TICK_MS) {
            break;
        }
    }

    assert!((7..=9).contains(&ticks), "{ticks}");
    free(&heap, block, 50 << 20);
    assert_eq!((fake.threads_started(), heap.stats().has_helper), (2, true));
}

#[test]
fn a_child_made_by_fork_starts_a_helper_of_its_own_when_it_has_a_reason() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "1M");
    let heap = heap(&fake);
    let blocks = [(); 2].map(|()| alloc(&heap, 5 << 20));
    free(&heap, blocks[0], 5 << 20);
    assert_eq!(fake.threads_started(), 1);

    heap.before_fork();
    // SAFETY: the locks were taken above.
    unsafe { heap.after_fork() };
    heap.forget_helper();
    assert_eq!((fake.threads_started(), heap.stats().has_helper), (1, false));
    free(&heap, blocks[1], 5 << 20);

    assert_eq!((fake.threads_started(), heap.stats().has_helper), (2, true));
}

#[test]
fn without_a_helper_the_next_call_gives_back_what_was_not_used_for_half_a_minute() {
    let make = || Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "1M");
    let refused = make();
    refused.set_fault(Some(Fault { verb: Verb::StartThread, one_in: 1 }));
    for fake in [make().with_variable("NALLOC_BACKGROUND", "0"), refused] {
        let heap = heap(&fake);
        let big = alloc(&heap, 120 << 20);
        free(&heap, big, 120 << 20);
        let call = || {
            let small = alloc(&heap, LARGE);
            free(&heap, small, LARGE);
        };
        call();
        assert!(heap.stats().cached_bytes >= 120 << 20, "{:?}", heap.stats());

        fake.wait_ms(29_000);
        call();
        assert!(heap.stats().cached_bytes >= 120 << 20, "{:?}", heap.stats());
        fake.wait_ms(4_000);
        call();

        let stats = heap.stats();
        assert!(stats.cached_bytes <= PEAK_SLACK_BYTES + (1 << 20), "{stats:?}");
        assert_eq!((fake.threads_started(), stats.has_helper), (0, false));
    }
}

#[test]
fn a_helper_whose_pages_the_kernel_will_not_take_ends_all_the_same() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "1M");
    let heap = heap(&fake);
    let block = alloc(&heap, 5 << 20);
    free(&heap, block, 5 << 20);
    fake.set_fault(Some(Fault { verb: Verb::Release, one_in: 1 }));

    let is_ended = wait(&fake, &mut Task::new(&heap), 2500);

    let stats = heap.stats();
    assert!(is_ended && stats.refusals == 1 && stats.cached_bytes >= 5 << 20, "{stats:?}");
    heap.check();
}

#[test]
fn the_pages_that_were_used_last_stay_wherever_they_are() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "41M");
        let heap = heap(&fake);
        // A live block between two keeps their extents apart.
        let blocks = [(); 3].map(|()| (alloc(&heap, 40 << 20), alloc(&heap, LARGE)));
        for k in order {
            free(&heap, blocks[k].0, 40 << 20);
        }

        assert!(wait(&fake, &mut Task::new(&heap), 2500));

        let state = heap.lock();
        let space = state.main.as_ref().expect("a range");
        let warm = blocks.map(|(start, _)| {
            let at = space.range.index_of(start).expect("in the range");
            space.pages.count(Extent { at, len: Granules((40 << 20) >> 12) }).warm.0
        });
        let last = order[2];
        for k in 0..3 {
            // Parts of huge pages go after all whole ones.
            let kept_mib = warm[k] >> 8;
            let is_kept = if k == last { kept_mib >= 36 } else { kept_mib <= 4 };
            assert!(is_kept, "{order:?}: {warm:?}");
        }
    }
}

#[test]
fn a_size_that_is_used_sparsely_is_served_untouched_until_it_is_used_densely() {
    for bytes in [3_000_000, 9 << 20] {
        let fake = Fake::new(1, 4096);
        let heap = heap(&fake);
        let round = |is_sparse: bool| {
            let dirty = alloc(&heap, 10 << 20);
            // SAFETY: the block has that many bytes.
            unsafe { dirty.write_bytes(7, 10 << 20) };
            free(&heap, dirty, 10 << 20);
            let start = heap.alloc_zeroed(Request::fixed(bytes, 8)).expect("memory");
            // SAFETY: the block has that many bytes.
            let all = unsafe { slice::from_raw_parts_mut(start.as_ptr(), bytes) };
            assert!(all.iter().all(|&byte| byte == 0), "{bytes}");
            let used = if is_sparse { 10_000 } else { bytes };
            all[..used].fill(9);
            free(&heap, start, bytes);
            heap.check();
        };
        let untouched = || heap.stats().untouched;
        (0..3).for_each(|_| round(true));
        let first = untouched();
        (0..10).for_each(|_| round(true));
        assert_eq!(untouched() - first, 10, "{bytes}");
        assert!(heap.stats().cached_bytes < 14 << 20, "{:?}", heap.stats());

        let sparse = untouched();
        (0..SPARSE_LOOKS).for_each(|_| round(false));
        let until_seen = untouched();
        (0..4).for_each(|_| round(false));

        assert!(until_seen > sparse, "{bytes}");
        assert_eq!(untouched(), until_seen, "{bytes}");
    }
}

#[test]
fn the_huge_page_that_is_asked_about_is_not_that_of_the_first_middle_or_last_byte() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    for bytes in [LEFT_OUT_BYTES_MIN, (9 << 20) + 12_345, 64 << 20] {
        let start = alloc(&heap, bytes);

        let state = heap.lock();
        let space = state.main.as_ref().expect("a range");
        let granule = |offset: usize| {
            // SAFETY: the offset is within the block.
            space.range.index_of(unsafe { start.add(offset) }).expect("in the range")
        };
        let extent = Extent::between(granule(0), granule(bytes - 1) + Granules(1));
        let inner = space.inner_huge_page(extent).expect("a block has one from this size on");

        assert_eq!(inner.len, Granules(512));
        for offset in [0, bytes / 2, bytes - 1] {
            let at = granule(offset);
            assert!(at < inner.at || inner.end() <= at, "{offset} of {bytes} bytes");
        }
        drop(state);
        free(&heap, start, bytes);
    }
}

#[test]
fn sparse_pages_that_the_kernel_will_not_take_are_cleared() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let bytes = 3_000_000;
    let zeroed = || heap.alloc_zeroed(Request::fixed(bytes, 8)).expect("memory");
    for round in 0..8 {
        if round == 5 {
            fake.set_fault(Some(Fault { verb: Verb::Release, one_in: 1 }));
        }
        let start = zeroed();
        // SAFETY: the block has that many bytes.
        let all = unsafe { slice::from_raw_parts_mut(start.as_ptr(), bytes) };
        assert!(all.iter().all(|&byte| byte == 0), "round {round}");
        all[5000..6000].fill(1);
        free(&heap, start, bytes);
        heap.check();
    }
    let stats = heap.stats();
    assert!(stats.untouched >= 5 && stats.refusals >= 3, "{stats:?}");
}

#[test]
fn pressure_softens_the_cache_and_pressure_that_lasts_releases_it() {
    let some = |total: u64| format!("some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\n");
    let group = c"/sys/fs/cgroup/a/memory.pressure";
    let machine = c"/proc/pressure/memory";
    for path in [group, machine] {
        let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "1M");
        let fake = fake.with_files(&[(c"/proc/self/cgroup", "0::/a\n"), (path, &some(5000))]);
        let heap = heap(&fake);
        let block = alloc(&heap, 50 << 20);
        free(&heap, block, 50 << 20);
        let mut helper = Task::new(&heap);
        let mut second = |total: u64| {
            fake.set_file(path, &some(total));
            let small = alloc(&heap, LARGE);
            free(&heap, small, LARGE);
            assert!(!wait(&fake, &mut helper, 1000));
            let stats = heap.stats();
            (stats.pressures, stats.cached_bytes > 40 << 20, stats.softened_bytes > 40 << 20)
        };

        assert_eq!(second(50_000), (0, true, false));
        assert_eq!(second(110_000), (0, true, false));
        assert_eq!(second(180_000), (1, true, true));
        assert_eq!(second(250_000), (2, false, false));
    }
}

#[test]
fn huge_pages_are_asked_for_unless_the_system_or_the_user_never_wants_them() {
    let never = (c"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
    let madvise = (c"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    let asked = |file, setting: &str| {
        let fake = Fake::new(1, 4096).with_files(&[file]).with_variable("NALLOC_THP", setting);
        heap(&fake).stats().huge_pages
    };
    assert_eq!(asked(madvise, "auto"), HugePages::Asked);
    assert_eq!(asked(never, "auto"), HugePages::Off);
    assert_eq!(asked(never, "always"), HugePages::Asked);
    assert_eq!(asked(madvise, "never"), HugePages::Off);
    let fake = Fake::new(1, 4096);
    fake.set_fault(Some(Fault { verb: Verb::PreferHuge, one_in: 1 }));
    assert_eq!(heap(&fake).stats().huge_pages, HugePages::Refused);
}

#[test]
fn huge_bytes_are_those_of_the_mappings_in_the_range() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 9 << 20);
    assert_eq!(heap.huge_bytes(), None);
    let range = heap.lock().main.as_ref().map(|space| space.range.run()).expect("a range");
    let mapping = |from: usize, to: usize, kib: u64| {
        let noise = "Rss:        9000 kB\nVmFlags: rd wr mr mw me ac sd hg\n";
        format!("{from:x}-{to:x} rw-p 0000 00:00 0 [x]\nAnonHugePages:   {kib:>8} kB\n{noise}")
    };
    let (start, middle, end) =
        (range.address(), range.address() + 4096, range.address() + range.bytes);
    let text = [
        mapping(start - 4096, start, 4096),
        mapping(start, middle, 8192),
        mapping(middle, end, 2048),
        mapping(end, end + 4096, 6144),
    ];
    fake.set_file(c"/proc/self/smaps", &text.concat());

    assert_eq!(heap.huge_bytes(), Some(10 << 20));
    free(&heap, block, 9 << 20);
}

#[test]
fn when_the_kernel_backs_no_more_the_cache_goes_first_and_then_it_is_no_memory() {
    // Each range is backed by 64 MiB at a time, and the heap's tables take a little.
    let fake = Fake::new(1, 4096).with_backed_bytes_max(135 << 20);
    let heap = heap(&fake);
    let block = alloc(&heap, 100 << 20);

    let refused = heap.alloc(Request::fixed(60 << 20, 8));
    assert_eq!(refused, Err(Error::NoMemory { wanted: 60 << 20 }));
    free(&heap, block, 100 << 20);
    let block = alloc(&heap, 60 << 20);

    assert!(heap.stats().refusals >= 2);
    free(&heap, block, 60 << 20);
    heap.check();
}

#[test]
fn phases_know_the_peaks_of_their_own_time() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let mib = |count: u64| count << 20;
    let before = alloc(&heap, 50 << 20);
    free(&heap, before, 50 << 20);
    let outer = heap.begin_phase("outer").expect("room");
    let small = alloc(&heap, 10 << 20);
    let inner = heap.begin_phase("inner").expect("room");
    let more = alloc(&heap, 5 << 20);
    free(&heap, more, 5 << 20);
    heap.end_phase(inner);
    let most = alloc(&heap, 20 << 20);
    free(&heap, most, 20 << 20);
    heap.end_phase(outer);
    free(&heap, small, 10 << 20);
    let again = heap.begin_phase("inner").expect("room");
    heap.end_phase(again);

    let stats = heap.stats();
    let seen: Vec<_> = stats.phases.iter().map(|phase| (phase.name, phase.times)).collect();
    assert_eq!(seen, [("outer", 1), ("inner", 2)]);
    let peak = |k: usize| stats.phases[k].peak_live_bytes;
    assert!((mib(30)..mib(31)).contains(&peak(0)) && (mib(15)..mib(16)).contains(&peak(1)));
    assert!(stats.peak_live_bytes >= mib(50), "{stats:?}");
}

#[test]
fn phases_beyond_the_table_are_counted_and_harmless() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let names = "0123456789abcdefghijklmnopqrstuvwxyz";
    for k in 0..PHASES_MAX + 3 {
        let place = heap.begin_phase(&names[k..=k]);
        assert_eq!(place.is_some(), k < PHASES_MAX, "{k}");
        if let Some(place) = place {
            heap.end_phase(place);
        }
    }

    let phases = heap.stats().phases;
    assert_eq!((phases.len(), phases.missed()), (PHASES_MAX, 3));
    assert!(heap.begin_phase("0").is_some());
}

#[test]
fn the_banner_names_every_setting_and_the_statistics_at_exit_are_json_in_a_file() {
    let fake = Fake::new(1, 4096)
        .with_variable("NALLOC_VERBOSE", "1")
        .with_variable("NALLOC_STATS", "/stats")
        .with_variable("NALLOC_MEMORY_LIMIT", "100M")
        .with_files(&[(c"/stats", "")]);
    let heap = heap(&fake);
    let block = alloc(&heap, 9 << 20);
    free(&heap, block, 9 << 20);
    let told = fake.told();
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in ["NALLOC_CACHE_LIMIT=67108864 ", "ZK_NALLOC_CACHE_BYTES=none ", "NALLOC_THP=auto "]
    {
        assert!(told.contains(part), "{told}");
    }
    assert!(told.contains("NALLOC_MEMORY_LIMIT=104857600 "), "{told}");

    heap.tell(&heap.stats());

    let json = fake.file(c"/stats").expect("the file");
    assert!(json.starts_with("{\"liveBytes\":0,") && json.ends_with("}\n"), "{json}");
    assert_eq!(fake.told(), told);
}

#[test]
fn zk_nalloc_cache_bytes_bounds_the_cache_at_any_time() {
    let fake = Fake::new(1, 4096).with_variable("ZK_NALLOC_CACHE_BYTES", "3M");
    let heap = heap(&fake);
    let blocks = [(); 8].map(|()| alloc(&heap, 1 << 20));

    for block in blocks {
        free(&heap, block, 1 << 20);
        assert!(heap.stats().cached_bytes <= 3 << 20);
    }
}

#[test]
fn no_more_is_given_back_than_is_too_much_and_a_huge_page() {
    let fake = Fake::new(1, 4096).with_variable("ZK_NALLOC_CACHE_BYTES", "60M");
    let heap = heap(&fake);
    let (large, small) = (alloc(&heap, 60 << 20), alloc(&heap, 1 << 20));
    free(&heap, large, 60 << 20);

    free(&heap, small, 1 << 20);

    let cached = heap.stats().cached_bytes;
    assert!((56 << 20..=60 << 20).contains(&cached), "{cached} bytes");
    heap.check();
}

#[test]
fn nalloc_cache_limit_sets_the_limit() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_CACHE_LIMIT", "12345678");

    assert_eq!(heap(&fake).stats().cache_limit_bytes, 12_345_678);
}

#[test]
fn the_cache_limit_is_an_eighth_of_the_smallest_control_group_limit() {
    let version_2 = Fake::new(1, 4096).with_files(&[
        (c"/proc/self/cgroup", "0::/a/b\n"),
        (c"/sys/fs/cgroup/a/b/memory.max", "max\n"),
        (c"/sys/fs/cgroup/a/memory.high", "83886080\n"),
        (c"/sys/fs/cgroup/memory.max", "99999999\n"),
    ]);
    let version_1 = Fake::new(1, 4096).with_files(&[
        (c"/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/job\n0::/\n"),
        (c"/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "41943040\n"),
        (c"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    let none = Fake::new(1, 4096);

    assert_eq!(heap(&version_2).stats().cache_limit_bytes, 10 << 20);
    assert_eq!(heap(&version_1).stats().cache_limit_bytes, 5 << 20);
    assert_eq!(heap(&none).stats().cache_limit_bytes, 64 << 20);
}

#[test]
fn a_phase_with_other_sizes_reuses_the_same_pages() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let first = [(); 6].map(|()| alloc(&heap, 12 << 20));
    for block in first {
        free(&heap, block, 12 << 20);
    }

    let second = [(); 2].map(|()| alloc(&heap, 35 << 20));

    let stats = heap.stats();
    assert!(stats.live_bytes + stats.cached_bytes <= 73 << 20, "{stats:?}");
    for block in second {
        free(&heap, block, 35 << 20);
    }
    heap.check();
}

#[test]
fn growth_by_doubling_stays_in_place_when_nothing_is_above() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let mut bytes = 1 << 20;
    let first = alloc(&heap, bytes);

    while bytes < 64 << 20 {
        // SAFETY: the block is ours and has `bytes` bytes.
        let now = unsafe { heap.resize(first, Request::fixed(bytes, 8), bytes * 2) };
        assert_eq!(now, Ok(first));
        bytes *= 2;
    }

    free(&heap, first, bytes);
    heap.check();
}

#[test]
fn a_block_that_grew_has_room_to_grow_again_in_place() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let first = alloc(&heap, 1 << 20);
    // SAFETY: the block is ours and has that many bytes.
    let grown = unsafe { heap.resize(first, Request::fixed(1 << 20, 8), 2 << 20) };
    let other = alloc(&heap, LARGE);

    // SAFETY: as above.
    let again = unsafe { heap.resize(first, Request::fixed(2 << 20, 8), 4 << 20) };

    assert_eq!((grown, again), (Ok(first), Ok(first)));
    free(&heap, other, LARGE);
    free(&heap, first, 4 << 20);
    heap.check();
}

#[test]
fn a_block_with_another_above_grows_down_and_needs_no_second_place() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let blocks = [(); 3].map(|()| alloc(&heap, 8 << 20));
    free(&heap, blocks[0], 8 << 20);
    // SAFETY: the block has that many bytes.
    unsafe { blocks[1].write_bytes(5, 8 << 20) };
    let peak = heap.stats().peak_live_bytes;

    // SAFETY: the block is ours and has that many bytes.
    let grown = unsafe { heap.resize(blocks[1], Request::fixed(8 << 20, 8), 15 << 20) };

    let grown = grown.expect("memory");
    // SAFETY: the block has at least that many bytes.
    let bytes = unsafe { slice::from_raw_parts(grown.as_ptr(), 8 << 20) };
    assert!(grown < blocks[1] && bytes.iter().all(|&byte| byte == 5));
    assert!(heap.stats().peak_live_bytes <= peak, "{:?}", heap.stats());
    free(&heap, grown, 15 << 20);
    free(&heap, blocks[2], 8 << 20);
    heap.check();
}

#[test]
fn a_block_that_becomes_shorter_stays_and_gives_its_end_back() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 8 << 20);
    let live = heap.stats().live_bytes;

    // SAFETY: the block is ours and has that many bytes.
    let shrunk = unsafe { heap.resize(block, Request::fixed(8 << 20, 8), LARGE) };

    assert_eq!(shrunk, Ok(block));
    assert_eq!(heap.stats().live_bytes, live - ((8 << 20) - wide(LARGE)));
    free(&heap, block, LARGE);
    heap.check();
}

#[test]
fn sixty_four_blocks_in_turn_start_at_sixty_four_different_lines() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);

    let mut lines: Vec<_> = (0..64).map(|_| alloc(&heap, LARGE).addr().get() % 4096 / 64).collect();

    lines.sort_unstable();
    assert_eq!(lines, (0..64).collect::<Vec<_>>());
}

#[test]
fn refusals_are_counted_with_the_last_errno() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 1 << 20);
    free(&heap, block, 1 << 20);
    fake.set_fault(Some(Fault { verb: Verb::Release, one_in: 1 }));

    let released = heap.release_cache();

    let stats = heap.stats();
    let expected = (0, 1, Errno(libc::ENOMEM).0);
    assert_eq!((released, stats.refusals, stats.last_refusal_errno), expected);
    assert!(stats.cached_bytes >= 1 << 20);
    heap.check();
}

#[test]
#[should_panic(expected = "double free")]
fn a_double_free_is_noticed() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 1 << 20);
    free(&heap, block, 1 << 20);

    free(&heap, block, 1 << 20);
}

#[test]
#[should_panic(expected = "expected the length of the block")]
fn a_free_with_another_length_is_noticed() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 1 << 20);

    free(&heap, block, 2 << 20);
}

#[test]
fn a_request_beyond_ram_and_swap_is_no_memory() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);

    for bytes in [(1 << 30) + 1, usize::MAX / 2, usize::MAX] {
        let wanted = heap.alloc(Request::fixed(bytes, 8));
        assert!(matches!(wanted, Err(Error::NoMemory { .. })), "{bytes}");
    }
    assert!(heap.alloc(Request::fixed(1 << 20, 1 << 40)).is_err(), "an alignment of 1 TiB");
    heap.check();
}

#[test]
fn a_vector_that_grows_as_others_did_stays_in_place_between_small_blocks() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let round = || {
        let mut bytes = 1 << 20;
        let mut block = alloc(&heap, bytes);
        let mut others = Vec::new();
        let mut moves = 0;
        while bytes < 16 << 20 {
            others.push(alloc(&heap, 2 * LARGE));
            // SAFETY: the block is ours and has `bytes` bytes.
            let grown = unsafe { heap.resize(block, Request::fixed(bytes, 8), bytes * 2) };
            let grown = grown.expect("memory");
            moves += usize::from(grown != block);
            (block, bytes) = (grown, bytes * 2);
        }
        free(&heap, block, bytes);
        for other in others {
            free(&heap, other, 2 * LARGE);
        }
        heap.check();
        moves
    };

    let moves: Vec<usize> = (0..100).map(|_| round()).collect();

    assert_eq!(moves[..2], [1, 1]);
    assert_eq!(moves[2..], [0; 98]);
    let long = alloc(&heap, 64 << 20);
    // SAFETY: the block is ours; its end was never written.
    unsafe { heap.free(long, 64 << 20, 40 << 20) };
    assert_eq!(round(), 0, "in a hole of which not all is warm");
}
