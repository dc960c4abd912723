//! Random sequences of operations on the heap over a fake kernel, against a naive model: a list of
//! blocks, each filled with a byte of its own. Every equation is recounted after every operation.
//! A failure prints the seed and the operations up to it.

use std::ptr::NonNull;
use std::{slice, thread};

use super::{Heap, Request, State};
use crate::config::{LARGE, PEAK_SLACK_BYTES};
use crate::error::Error;
use crate::os::fake::{Fake, Fault, Random, VERBS, Verb};
use crate::os::{Errno, Machine};
use crate::units::wide;

/// One thing that a program does to the heap.
#[derive(Clone, Copy, Debug)]
enum Op {
    Alloc { bytes: usize, align: usize },
    AllocZeroed { bytes: usize, align: usize },
    Free { index: usize, touched: usize },
    Resize { index: usize, bytes: usize },
    Soften,
    Release,
    SetCacheLimit(u64),
    SetMemoryLimit(Option<u64>),
    WaitMs(u64),
}

/// A block that the heap handed out.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: NonNull<u8>,
    bytes: usize,
    align: usize,
    fill: u8,
    /// Whether bytes beyond its end may have been written when it was longer.
    is_resized: bool,
}

struct Model<'f> {
    fake: &'f Fake,
    heap: Heap<&'f Fake>,
    random: Random,
    blocks: Vec<Block>,
    done: Vec<Op>,
    seed: u64,
    memory_limit: Option<u64>,
    fault: Option<Fault>,
    fills: u8,
}

impl Drop for Model<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let (seed, fault, done) = (self.seed, self.fault, &self.done);
            eprintln!("seed {seed:#x}, fault {fault:?}, after {done:?}");
        }
    }
}

impl<'f> Model<'f> {
    fn new(fake: &'f Fake, seed: u64, fault: Option<Fault>) -> Self {
        fake.set_fault(fault);
        Self {
            fake,
            heap: Heap::new(fake),
            random: Random(seed),
            blocks: Vec::new(),
            done: Vec::new(),
            seed,
            memory_limit: None,
            fault,
            fills: 0,
        }
    }

    fn any_bytes(&mut self) -> usize {
        let most = [LARGE + 1, LARGE * 3, 1 << 20, 5 << 20][self.random.below(4)];
        LARGE + self.random.below(most - LARGE)
    }

    fn any_op(&mut self) -> Op {
        let count = self.blocks.len();
        let align = 1 << [0, 3, 6, 7, 12, 13, 16, 21, 22][self.random.below(9)];
        match self.random.below(100) {
            0..25 => Op::Alloc { bytes: self.any_bytes(), align },
            25..45 => Op::AllocZeroed { bytes: self.any_bytes(), align },
            45..70 if count > 0 => {
                let index = self.random.below(count);
                let bytes = self.blocks[index].bytes;
                let is_whole = self.blocks[index].is_resized || self.random.below(3) > 0;
                let touched = if is_whole { bytes } else { self.random.below(bytes) };
                Op::Free { index, touched }
            }
            70..90 if count > 0 => {
                let index = self.random.below(count);
                Op::Resize { index, bytes: self.any_bytes() }
            }
            90 => Op::Soften,
            91 => Op::Release,
            92 => Op::SetCacheLimit(wide(self.random.below(64 << 20))),
            93 => Op::SetMemoryLimit(Some(wide(self.random.below(32 << 20) + (8 << 20)))),
            94 => Op::SetMemoryLimit(None),
            95..98 => Op::WaitMs(wide(self.random.below(5000))),
            _ => Op::Alloc { bytes: LARGE, align: 8 },
        }
    }

    /// Does one operation and checks everything that can be seen of it.
    fn step(&mut self, op: Op) {
        self.done.push(op);
        let live_before = self.heap.stats().live_bytes;
        match op {
            Op::Alloc { bytes, align } => {
                let result = self.heap.alloc(Request::fixed(bytes, align));
                if let Ok(grant) = result {
                    // SAFETY: the block has `bytes` bytes and is ours.
                    let all = unsafe { slice::from_raw_parts(grant.start.as_ptr(), bytes) };
                    let mut from = 0;
                    for &(start, end) in grant.dirty.as_slice().iter().chain(&[(bytes, bytes)]) {
                        let zeros = &all[from..start];
                        assert!(zeros.iter().all(|&byte| byte == 0), "known zeros of {op:?}");
                        from = end;
                    }
                }
                self.got(result.map(|grant| grant.start), bytes, align, live_before);
            }
            Op::AllocZeroed { bytes, align } => {
                let result = self.heap.alloc_zeroed(Request::fixed(bytes, align));
                if let Ok(start) = result {
                    // SAFETY: as above.
                    let all = unsafe { slice::from_raw_parts(start.as_ptr(), bytes) };
                    assert!(all.iter().all(|&byte| byte == 0), "zeros of {op:?}");
                }
                self.got(result, bytes, align, live_before);
            }
            Op::Free { index, touched } => self.free(index, touched),
            Op::Resize { index, bytes } => self.resize(index, bytes, live_before),
            Op::Soften => _ = self.heap.soften_cache(),
            Op::Release => {
                let cached = self.heap.stats().cached_bytes;
                let released = self.heap.release_cache();
                if self.fault.is_none() {
                    assert_eq!((released, self.heap.stats().cached_bytes), (cached, 0));
                }
            }
            Op::SetCacheLimit(bytes) => self.heap.set_cache_limit(bytes),
            Op::SetMemoryLimit(bytes) => {
                self.memory_limit = bytes;
                self.heap.set_memory_limit(bytes);
            }
            Op::WaitMs(ms) => self.fake.wait_ms(ms),
        }
        self.check();
    }

    /// Checks an answer, fills the block and takes it into the list.
    fn got(&mut self, got: Result<NonNull<u8>, Error>, bytes: usize, align: usize, live: u64) {
        let fits = self.memory_limit.is_none_or(|limit| live + wide(bytes) <= limit);
        match got {
            Ok(start) => {
                assert!(fits, "{bytes} bytes beyond the memory limit");
                assert!(start.as_ptr().addr().is_multiple_of(align), "{start:?} to {align}");
                let block =
                    Block { start, bytes, align, fill: self.next_fill(), is_resized: false };
                for other in &self.blocks {
                    let (one, two) = (block.start.addr().get(), other.start.addr().get());
                    assert!(one + bytes <= two || two + other.bytes <= one, "overlap");
                }
                // SAFETY: the block has `bytes` bytes and is ours.
                unsafe { start.write_bytes(block.fill, bytes) };
                self.blocks.push(block);
            }
            Err(Error::MemoryLimit { .. }) => assert!(self.memory_limit.is_some()),
            Err(error) => assert!(self.fault.is_some(), "{error}"),
        }
    }

    /// Runs `body` as if there were no memory limit.
    fn memory_limit_off(&mut self, body: impl FnOnce(&mut Self)) {
        let limit = self.memory_limit.take();
        body(self);
        self.memory_limit = limit;
    }

    fn next_fill(&mut self) -> u8 {
        self.fills = self.fills.checked_add(1).unwrap_or(1);
        self.fills
    }

    /// Asserts that the first `bytes` bytes of a block still hold its own byte.
    fn assert_filled(block: &Block, bytes: usize) {
        // SAFETY: the block has at least `bytes` bytes and is ours.
        let held = unsafe { slice::from_raw_parts(block.start.as_ptr(), bytes) };
        assert!(held.iter().all(|&byte| byte == block.fill), "bytes of {block:?}");
    }

    fn free(&mut self, index: usize, touched: usize) {
        let block = self.blocks.swap_remove(index);
        Self::assert_filled(&block, block.bytes);
        // What is said not to be touched must be zero, as it is in an arena.
        let clean = block.bytes - touched;
        // SAFETY: the bytes are the end of the block.
        unsafe { block.start.add(touched).write_bytes(0, clean) };
        // SAFETY: the block is ours and is not used again.
        unsafe { self.heap.free(block.start, block.bytes, touched) };
        if self.fault.is_none() {
            let state: &State = &self.heap.lock();
            assert!(!state.is_over_allowance(), "more cached than allowed");
        }
    }

    fn resize(&mut self, index: usize, bytes: usize, live_before: u64) {
        let block = self.blocks[index];
        let old = Request::fixed(block.bytes, block.align);
        // SAFETY: the block is ours.
        match unsafe { self.heap.resize(block.start, old, bytes) } {
            Ok(start) => {
                let now = Block { start, bytes, ..block };
                Self::assert_filled(&now, bytes.min(block.bytes));
                self.blocks.swap_remove(index);
                // A block may always become shorter, also beyond a limit set since.
                let others = live_before.saturating_sub(self.pages(&block));
                if self.pages(&now) <= self.pages(&block) {
                    self.memory_limit_off(|model| model.got(Ok(start), bytes, block.align, 0));
                } else {
                    self.got(Ok(start), bytes, block.align, others);
                }
                if let Some(last) = self.blocks.last_mut() {
                    last.is_resized = true;
                }
            }
            Err(_) => Self::assert_filled(&block, block.bytes),
        }
    }

    fn check(&self) {
        self.heap.check();
        let live: u64 = self.blocks.iter().map(|block| self.pages(block)).sum();
        assert_eq!(self.heap.stats().live_bytes, live, "live bytes");
    }

    /// Bytes of the pages that a block lies in.
    fn pages(&self, block: &Block) -> u64 {
        let granule = self.fake.page_bytes;
        wide((block.start.addr().get() % granule + block.bytes).next_multiple_of(granule))
    }

    /// Frees everything and asserts that nothing is missing.
    fn finish(mut self) {
        self.fake.set_fault(None);
        self.fault = None;
        while let Some(block) = self.blocks.last() {
            let (index, touched) = (self.blocks.len() - 1, block.bytes);
            self.step(Op::Free { index, touched });
        }
        self.step(Op::Release);
        let stats = self.heap.stats();
        assert_eq!((stats.live_bytes, stats.cached_bytes), (0, 0), "{stats:?}");
        assert_eq!(stats.frees, stats.allocations, "{stats:?}");
    }
}

fn run(fake: &Fake, seed: u64, fault: Option<Fault>, steps: usize) {
    let mut model = Model::new(fake, seed, fault);
    for _ in 0..steps {
        let op = model.any_op();
        model.step(op);
    }
    model.finish();
}

#[test]
fn random_operations_agree_with_a_list_of_blocks() {
    for seed in 0..25 {
        run(&Fake::new(seed, 4096), seed, None, 150);
    }
}

#[test]
fn random_operations_agree_on_pages_of_16_and_64_kib() {
    for page_bytes in [16 << 10, 64 << 10] {
        for seed in 100..106 {
            run(&Fake::new(seed, page_bytes), seed, None, 150);
        }
    }
}

#[test]
fn random_operations_agree_when_any_verb_refuses_now_and_then_or_always() {
    for verb in VERBS {
        for one_in in [1, 3, 20] {
            for seed in 200..202 {
                run(&Fake::new(seed, 4096), seed, Some(Fault { verb, one_in }), 100);
            }
        }
    }
}

#[test]
fn random_operations_agree_without_a_range() {
    let machine = Machine {
        ram_bytes: 1 << 30,
        swap_bytes: 0,
        address_bytes_max: 100 << 20,
        locked_bytes_max: u64::MAX,
    };
    for seed in 300..305 {
        let fake = Fake::new(seed, 4096).with_machine(machine);
        run(&fake, seed, None, 100);
        assert_eq!(Heap::new(&fake).stats().reserved_bytes, 0);
    }
}

fn alloc(heap: &Heap<&Fake>, bytes: usize) -> NonNull<u8> {
    heap.alloc(Request::fixed(bytes, 8)).expect("memory").start
}

fn free(heap: &Heap<&Fake>, start: NonNull<u8>, bytes: usize) {
    // SAFETY: the tests free what `alloc` gave them, once.
    unsafe { heap.free(start, bytes, bytes) }
}

#[test]
fn a_proof_every_three_seconds_stays_warm() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);
    heap.set_cache_limit(1 << 20);
    let proof = || {
        // A free before the peak of its own burst: only the burst before knows what is to come.
        let first = alloc(&heap, LARGE);
        free(&heap, first, LARGE);
        let blocks = [40 << 20, 20 << 20, 9 << 20].map(|bytes| (alloc(&heap, bytes), bytes));
        for (start, bytes) in blocks {
            free(&heap, start, bytes);
        }
    };
    proof();
    let cached = heap.stats().cached_bytes;

    for _ in 0..5 {
        fake.wait_ms(3000);
        proof();
    }

    // Each block may need one page more than before for its colour.
    let stats = heap.stats();
    assert!(stats.evictions == 0 && stats.cached_bytes <= cached + 3 * 4096, "{stats:?}");
    heap.check();
}

#[test]
fn after_two_bursts_without_large_work_the_cache_is_down_to_its_limit() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);
    heap.set_cache_limit(1 << 20);
    let big = alloc(&heap, 120 << 20);
    free(&heap, big, 120 << 20);
    assert!(heap.stats().cached_bytes >= 120 << 20);

    for _ in 0..2 {
        fake.wait_ms(3000);
        let small = alloc(&heap, LARGE);
        free(&heap, small, LARGE);
    }

    assert!(heap.stats().cached_bytes <= PEAK_SLACK_BYTES + (1 << 20), "{:?}", heap.stats());
}

#[test]
fn zk_nalloc_cache_bytes_bounds_the_cache_at_any_time() {
    let fake = Fake::new(1, 4096).with_number(c"ZK_NALLOC_CACHE_BYTES", 3 << 20);
    let heap = Heap::new(&fake);
    let blocks = [(); 8].map(|()| alloc(&heap, 1 << 20));

    for block in blocks {
        free(&heap, block, 1 << 20);
        assert!(heap.stats().cached_bytes <= 3 << 20);
    }
}

#[test]
fn no_more_is_given_back_than_is_too_much_and_a_huge_page() {
    let fake = Fake::new(1, 4096).with_number(c"ZK_NALLOC_CACHE_BYTES", 60 << 20);
    let heap = Heap::new(&fake);
    let (large, small) = (alloc(&heap, 60 << 20), alloc(&heap, 1 << 20));
    free(&heap, large, 60 << 20);

    free(&heap, small, 1 << 20);

    let cached = heap.stats().cached_bytes;
    assert!((56 << 20..=60 << 20).contains(&cached), "{cached} bytes");
    heap.check();
}

#[test]
fn nalloc_cache_limit_sets_the_limit() {
    let fake = Fake::new(1, 4096).with_number(c"NALLOC_CACHE_LIMIT", 12_345_678);

    assert_eq!(Heap::new(&fake).stats().cache_limit_bytes, 12_345_678);
}

#[test]
fn the_cache_limit_is_an_eighth_of_the_smallest_control_group_limit() {
    let version_2 = Fake::new(1, 4096).with_files(&[
        (c"/proc/self/cgroup", "0::/a/b\n"),
        (c"/sys/fs/cgroup/a/b/memory.max", "max\n"),
        (c"/sys/fs/cgroup/a/memory.max", "83886080\n"),
        (c"/sys/fs/cgroup/memory.max", "99999999\n"),
    ]);
    let version_1 = Fake::new(1, 4096).with_files(&[
        (c"/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/job\n0::/\n"),
        (c"/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "41943040\n"),
        (c"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    let none = Fake::new(1, 4096);

    assert_eq!(Heap::new(&version_2).stats().cache_limit_bytes, 10 << 20);
    assert_eq!(Heap::new(&version_1).stats().cache_limit_bytes, 5 << 20);
    assert_eq!(Heap::new(&none).stats().cache_limit_bytes, 64 << 20);
}

#[test]
fn a_phase_with_other_sizes_reuses_the_same_pages() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);
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
    let heap = Heap::new(&fake);
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
fn sixty_four_blocks_in_turn_start_at_sixty_four_different_lines() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);

    let mut lines: Vec<_> = (0..64).map(|_| alloc(&heap, LARGE).addr().get() % 4096 / 64).collect();

    lines.sort_unstable();
    assert_eq!(lines, (0..64).collect::<Vec<_>>());
}

#[test]
fn refusals_are_counted_with_the_last_errno() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);
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
    let heap = Heap::new(&fake);
    let block = alloc(&heap, 1 << 20);
    free(&heap, block, 1 << 20);

    free(&heap, block, 1 << 20);
}

#[test]
#[should_panic(expected = "expected the length of the block")]
fn a_free_with_another_length_is_noticed() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);
    let block = alloc(&heap, 1 << 20);

    free(&heap, block, 2 << 20);
}

#[test]
fn a_request_beyond_ram_and_swap_is_no_memory() {
    let fake = Fake::new(1, 4096);
    let heap = Heap::new(&fake);

    for bytes in [(1 << 30) + 1, usize::MAX / 2, usize::MAX] {
        let wanted = heap.alloc(Request::fixed(bytes, 8));
        assert!(matches!(wanted, Err(Error::NoMemory { .. })), "{bytes}");
    }
    assert!(heap.alloc(Request::fixed(1 << 20, 1 << 40)).is_err(), "an alignment of 1 TiB");
    heap.check();
}
