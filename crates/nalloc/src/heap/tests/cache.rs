//! What is kept of free pages, how long, and who gives them back.

use super::*;
use crate::config::{LARGE, PEAK_SLACK_BYTES, TICK_MS};
use crate::heap::helper::Task;
use crate::os::fake::{Fake, Fault, Verb};
use crate::units::Granules;

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
    heap.begin_child();
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
