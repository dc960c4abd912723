//! `NAlloc` as the global allocator of a process: what the standard library's collections and
//! direct calls get from it.

#[path = "support/child.rs"]
mod child;

use std::alloc::{GlobalAlloc, Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc;
use std::{slice, thread};

use nalloc::{Block, HugePages, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const LARGE: usize = 64 << 10;

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).expect("a layout")
}

/// A block with a known content, checked and freed when it is dropped.
struct Filled {
    start: *mut u8,
    layout: Layout,
    fill: u8,
}

// SAFETY: the block belongs to this value alone.
unsafe impl Send for Filled {}

impl Filled {
    fn new(bytes: usize, fill: u8) -> Self {
        let layout = layout(bytes, 8);
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc(layout) };
        assert!(!start.is_null());
        // SAFETY: the block has `bytes` bytes.
        unsafe { start.write_bytes(fill, bytes) };
        Self { start, layout, fill }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the block has that many bytes, all of them written.
        unsafe { slice::from_raw_parts(self.start, self.layout.size()) }
    }

    fn resize(&mut self, bytes: usize) {
        let common = bytes.min(self.layout.size());
        // SAFETY: the block has this layout.
        let start = unsafe { realloc(self.start, self.layout, bytes) };
        assert!(!start.is_null());
        (self.start, self.layout) = (start, layout(bytes, 8));
        assert!(self.bytes()[..common].iter().all(|&byte| byte == self.fill), "{bytes} bytes");
        // Another fill each time: bytes that were not copied hold an old one.
        self.fill = self.fill.wrapping_add(1);
        // SAFETY: the block has `bytes` bytes.
        unsafe { start.write_bytes(self.fill, bytes) };
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        assert!(self.bytes().iter().all(|&byte| byte == self.fill), "content of {}", self.fill);
        // SAFETY: the block has this layout and ends here.
        unsafe { dealloc(self.start, self.layout) }
    }
}

#[test]
fn the_allocator_that_runs_is_ours() {
    assert!(nalloc::is_active());
    let before = nalloc::stats().allocations;

    let block = Filled::new(1 << 20, 1);

    let stats = nalloc::stats();
    assert!(stats.allocations > before && stats.live_bytes >= 1 << 20, "{stats:?}");
    drop(block);
}

#[test]
fn zeroed_memory_is_zero_after_every_kind_of_reuse() {
    let sizes = [LARGE, LARGE + 1, 300_000, 1 << 20, (2 << 20) + 12_345, 9 << 20];
    let reuses: [(&str, fn()); 3] = [
        ("warm", || ()),
        ("softened", || _ = nalloc::soften_cache()),
        ("released", || _ = nalloc::release_cache()),
    ];
    for (name, reuse) in reuses {
        for bytes in sizes {
            let mut dirty: Vec<_> = (0..4).map(|_| Filled::new(bytes, 0xff)).collect();
            dirty[0].resize(bytes / 2 + LARGE);
            dirty[1].resize(bytes * 2);
            drop(dirty);
            reuse();

            let zeroed: Vec<_> = (0..6).map(|_| vec![0u8; bytes]).collect();

            for block in &zeroed {
                assert!(block.iter().all(|&byte| byte == 0), "{bytes} {name} bytes");
            }
        }
    }
}

#[test]
fn zeroed_memory_of_any_use_is_zero_whatever_was_there_before() {
    for bytes in [3_000_000, 9 << 20, (20 << 20) + 77] {
        for round in 0..40 {
            drop(Filled::new(bytes + (1 << 20), 0xee));
            let mut zeroed = vec![0u8; bytes];
            assert!(zeroed.iter().all(|&byte| byte == 0), "{bytes} bytes, round {round}");
            match round % 10 {
                0..5 => zeroed[bytes / 3] = 1,
                5 | 6 => zeroed.fill(2),
                7 => zeroed.resize(bytes * 2, 3),
                8 => zeroed.truncate(bytes / 2),
                _ => zeroed[..bytes / 8].fill(4),
            }
            zeroed.shrink_to_fit();
            if round == 20 {
                nalloc::soften_cache();
            }
        }
    }
    assert!(nalloc::stats().untouched > 0, "{:?}", nalloc::stats());
}

#[test]
fn memory_in_huge_pages_is_seen_where_the_system_gives_them() {
    let block = Filled::new(64 << 20, 1);

    let huge = nalloc::huge_bytes().expect("smaps");

    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    match std::fs::read_to_string(path) {
        Ok(text) if !text.contains("[never]") => {
            assert_eq!(nalloc::stats().huge_pages, HugePages::Asked);
            // A machine short of free huge pages may give a few; none at all is an error of ours.
            assert!(huge >= 2 << 20, "{huge} bytes");
        }
        _ => {
            assert_eq!(nalloc::stats().huge_pages, HugePages::Off);
            assert_eq!(huge, 0);
        }
    }
    drop(block);
}

#[test]
fn realloc_keeps_the_bytes_across_64_kib_both_ways() {
    let sizes = [100, LARGE - 1, LARGE, LARGE + 1, 5 << 20, LARGE, LARGE - 1, 1];
    for start in 0..sizes.len() {
        let mut block = Filled::new(sizes[start], 7);
        for &bytes in sizes[start..].iter().chain(&sizes) {
            block.resize(bytes);
        }
    }
}

#[test]
fn zeroed_memory_is_zero_on_both_sides_of_64_kib() {
    for bytes in [LARGE - 1, LARGE, LARGE + 1] {
        for _ in 0..10 {
            drop(Filled::new(bytes, 0xee));
            // SAFETY: the layout is not empty.
            let start = unsafe { alloc_zeroed(layout(bytes, 16)) };
            // SAFETY: the block has that many bytes, all of them zeroed.
            let all = unsafe { slice::from_raw_parts(start, bytes) };
            assert!(all.iter().all(|&byte| byte == 0), "{bytes} bytes");
            // SAFETY: the block has this layout.
            unsafe { dealloc(start, layout(bytes, 16)) };
        }
    }
}

#[test]
fn every_alignment_is_kept_through_realloc() {
    for shift in 0..=24 {
        let align = 1 << shift;
        let (small, large) = (layout(LARGE, align), layout(3 << 20, align));
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(small) };
        assert!(!start.is_null() && start.addr() % align == 0, "{align}");
        // SAFETY: the block has this layout.
        let grown = unsafe { realloc(start, small, large.size()) };
        assert!(!grown.is_null() && grown.addr() % align == 0, "{align} grown");
        // SAFETY: the block has this layout.
        let shrunk = unsafe { realloc(grown, large, 1000) };
        assert!(!shrunk.is_null() && shrunk.addr() % align == 0, "{align} shrunk");
        // SAFETY: the block has this layout.
        unsafe { dealloc(shrunk, layout(1000, align)) };
    }
}

#[test]
fn what_cannot_be_had_is_null_and_try_reserve_says_so() {
    for bytes in [1 << 46, usize::MAX / 2 - 4096] {
        // A block that nobody looks at need not be asked for: an optimising compiler leaves it out.
        // SAFETY: the layout is not empty.
        assert!(black_box(unsafe { alloc(layout(bytes, 1)) }).is_null());
        // SAFETY: the layout is not empty.
        assert!(black_box(unsafe { alloc_zeroed(layout(bytes, 1)) }).is_null());
        let mut vector = black_box(Vec::<u8>::new());
        assert!(vector.try_reserve_exact(bytes).is_err());
        black_box(vector);
    }
    let mut block = Filled::new(LARGE, 1);
    // SAFETY: the block has this layout.
    assert!(black_box(unsafe { realloc(block.start, block.layout, 1 << 46) }).is_null());
    block.resize(2 * LARGE);
}

#[test]
fn sixteen_threads_free_each_others_blocks_and_find_their_bytes() {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..16).map(|_| mpsc::channel::<Filled>()).unzip();
    thread::scope(|scope| {
        for (k, inbox) in (0u8..).zip(receivers) {
            let senders = senders.clone();
            scope.spawn(move || {
                let mut state = u64::from(k) + 1;
                let mut kept = Vec::new();
                for step in 0..300 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let bytes = usize::try_from((state >> 33) % (512 << 10)).expect("small");
                    let mut block = Filled::new(bytes + 1000, k + 1);
                    if step % 5 == 0 {
                        block.resize(bytes / 2 + 1000);
                    }
                    if step % 2 == 0 {
                        let to = usize::try_from((state >> 20) % 16).expect("small");
                        // The receiver may have finished; then the block comes back.
                        drop(senders[to].send(block));
                    } else {
                        kept.push(block);
                    }
                    if kept.len() > 8 {
                        kept.remove(step % 8);
                    }
                    drop(inbox.try_recv());
                }
            });
        }
        drop(senders);
    });
}

#[test]
fn small_blocks_come_from_the_allocator_that_was_given() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Counting(AtomicUsize);
    // SAFETY: every call goes to the system's allocator.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.fetch_add(1, Ordering::SeqCst);
            // SAFETY: the caller's promise.
            unsafe { std::alloc::System.alloc(layout) }
        }
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.0.fetch_add(100, Ordering::SeqCst);
            // SAFETY: the caller's promise.
            unsafe { std::alloc::System.dealloc(block, layout) }
        }
    }
    static COUNTING: Counting = Counting(AtomicUsize::new(0));
    struct Shared;
    // SAFETY: every call goes to `COUNTING`.
    unsafe impl GlobalAlloc for Shared {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { COUNTING.alloc(layout) }
        }
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { COUNTING.dealloc(block, layout) }
        }
    }
    let allocator = NAlloc::with_small(Shared);

    for bytes in [1, LARGE - 1, LARGE, 1 << 20] {
        // SAFETY: the layout is not empty.
        let block = unsafe { allocator.alloc(layout(bytes, 8)) };
        // SAFETY: the block has this layout.
        unsafe { allocator.dealloc(block, layout(bytes, 8)) };
    }

    assert_eq!(COUNTING.0.load(Ordering::SeqCst), 202);
}

#[test]
fn a_double_free_dies_with_a_message() {
    const NAME: &str = "a_double_free_dies_with_a_message";
    if child::is_child(NAME) {
        let layout = layout(1 << 20, 8);
        // SAFETY: the layout is not empty.
        // The black box keeps an optimising compiler from leaving out all three calls.
        let block = black_box(unsafe { alloc(layout) });
        for _ in 0..2 {
            // SAFETY: the first time the block has this layout; the second time is what is tested,
            // and the heap answers it without touching the block.
            unsafe { dealloc(block, layout) };
        }
        return;
    }

    let output = child::run(NAME, &[]);

    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{message}");
    assert!(message.contains("double free"), "{message}");
}

#[test]
fn the_heap_lies_where_the_host_says() {
    let block = Block::zeroed(1 << 20, 64).expect("memory");

    let host = nalloc::host();

    assert!(host.page_bytes.is_power_of_two() && host.page_bytes >= 4096, "{host:?}");
    assert!(host.cgroup_limit_bytes.is_none_or(|limit| limit >= 1 << 20), "{host:?}");
    let addresses = host.heap_addresses.expect("a range");
    let start = block.as_ptr().addr();
    assert!(addresses.contains(&start) && addresses.contains(&(start + block.len() - 1)));
}
