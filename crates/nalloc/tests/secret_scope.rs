//! While a secret scope is open, nothing that is freed keeps its bytes. The small blocks come from
//! an allocator that looks at each one it gets back; large ones stay mapped and are looked at.
//! One test alone: the scope is the process's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nalloc::{Arena, Block, NAlloc, secret_scope};

/// The system's allocator, and how many blocks came back with something in them. Blocks that are
/// not as long as those of this test do not count.
struct Looking;

const MARKED: [usize; 3] = [1111, 2222, 3333];
static DIRTY: AtomicUsize = AtomicUsize::new(0);
static CLEAN: AtomicUsize = AtomicUsize::new(0);
static RESIZED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if MARKED.contains(&layout.size()) {
            // SAFETY: the block is as long as its layout says, and was written by this test.
            let bytes = unsafe { slice::from_raw_parts(block, layout.size()) };
            let is_clean = bytes.iter().all(|&byte| byte == 0);
            (if is_clean { &CLEAN } else { &DIRTY }).fetch_add(1, Ordering::SeqCst);
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if MARKED.contains(&layout.size()) {
            RESIZED.fetch_add(1, Ordering::SeqCst);
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[global_allocator]
static GLOBAL: NAlloc<Looking> = NAlloc::with_small(Looking);

/// Small blocks that came back since the last call: with something in them, clean, resized.
fn small_blocks() -> [usize; 3] {
    [&DIRTY, &CLEAN, &RESIZED].map(|count| count.swap(0, Ordering::SeqCst))
}

fn full(len: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(len);
    block.resize(len, 0xa5);
    black_box(block)
}

/// Where a block was, for a look after its end.
#[derive(Clone, Copy)]
struct Trace(*const u8, usize);

impl Trace {
    fn of(bytes: &[u8]) -> Self {
        Self(bytes.as_ptr(), bytes.len())
    }

    /// Whether all of it is zero now.
    fn is_wiped(self) -> bool {
        // SAFETY: the heap's range stays mapped, and no other thread of this program allocates.
        unsafe { slice::from_raw_parts(self.0, self.1) }.iter().all(|&byte| byte == 0)
    }
}

/// Frees and resizes blocks of every kind; for each kind of large block, whether it was wiped.
fn free_everything() -> Vec<(&'static str, bool)> {
    drop(full(1111));
    thread::spawn(|| drop(full(2222))).join().expect("a thread");
    let mut grown = full(3333);
    grown.reserve_exact(3000);
    grown.resize(5000, 0xa5);
    assert!(grown.iter().all(|&byte| byte == 0xa5), "what was copied stays");

    let mut found = Vec::with_capacity(8);
    let mut look = |what, trace: Trace| found.push((what, trace.is_wiped()));
    let large = full(300_000);
    let trace = Trace::of(&large);
    drop(large);
    look("a large block", trace);

    let mut shrunk = full(400_000);
    let trace = Trace::of(&shrunk);
    shrunk.truncate(100_000);
    shrunk.shrink_to_fit();
    // What the smaller block kept, if it stayed, lies before.
    let tail = Trace(trace.0.wrapping_add(200_000), 200_000);
    look("the end of a block that shrank", tail);
    drop(shrunk);

    let mut grown = full(200_000);
    let (trace, kept) = (Trace::of(&grown), full(100_000));
    grown.reserve_exact(600_000);
    assert!(grown.iter().all(|&byte| byte == 0xa5), "what was copied stays");
    assert_ne!(grown.as_ptr(), trace.0, "another block lies behind it");
    look("a block that moved to grow", trace);
    drop((grown, kept));

    let mut block = Block::zeroed(500_000, 64).expect("memory");
    block.as_mut_slice().fill(0xa5);
    let trace = Trace::of(block.as_slice());
    drop(block);
    look("a block", trace);

    let arena = Arena::with_capacity(1 << 20).expect("memory");
    let array = arena.alloc_array::<u8>(500_000);
    array.fill(0xa5);
    let trace = Trace::of(array);
    drop(arena);
    look("an arena", trace);
    found
}

#[test]
fn everything_that_is_freed_while_a_scope_is_open_is_wiped() {
    assert!(free_everything().iter().all(|(_, is_wiped)| !is_wiped), "the control");
    assert_eq!(small_blocks(), [2, 0, 1], "the control");

    let outer = secret_scope().expect("this program's allocator");
    let inner = secret_scope().expect("as above");
    drop(outer);
    for (what, is_wiped) in free_everything() {
        assert!(is_wiped, "{what}");
    }
    assert_eq!(small_blocks(), [0, 3, 0], "small blocks move by the wrapper when they grow");

    let early = full(1111);
    drop(inner);
    drop(early);
    assert_eq!(small_blocks(), [1, 0, 0], "the scope is over");
}
