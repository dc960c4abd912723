//! What the heap promises, one promise at a time, over a fake kernel and clock.

mod cache;
mod placement;
mod zeroing;

use std::ptr::NonNull;

use super::helper::{Next, Task};
use super::model::IDLE;
use super::*;
use crate::config::{PHASES_MAX, TICK_MS};
use crate::os::Errno;
use crate::os::fake::{Fake, Fault, Verb};

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
