//! Random sequences of operations on the heap over a fake kernel, against a naive model: a list of
//! blocks, each filled with a byte of its own. Every equation is recounted after every operation.
//!
//! The machine and the operations are read from a string of bytes, so that any string is a test:
//! those of a fixed generator in `tests`, with `NALLOC_TEST_FUZZ_ROUNDS=n` that many more, and
//! those of a fuzzer (`npm run fuzz`). A failure prints the sequence as a call of `replay`, to be
//! pasted into `tests`.

#[cfg(test)]
mod tests;

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::{slice, thread};

use super::helper::{Next, Task};
#[cfg(test)]
use super::trace::tests::decoder::{Record, decode};
use super::{Heap, Hooks, Request, State};
use crate::config::{LARGE, SPARSE_BYTES_MIN, TICK_MS};
use crate::error::Error;
use crate::os::Machine;
use crate::os::fake::{Fake, Fault, VERBS};
use crate::units::wide;

/// The fake kernel starts no thread, and no test ends by itself.
pub(super) const IDLE: Hooks = Hooks { help: nothing, at_exit: nothing_at_exit };

extern "C" fn nothing(_: *mut c_void) -> *mut c_void {
    ptr::null_mut()
}

extern "C" fn nothing_at_exit() {}

/// Sizes of zeroed blocks that come again and again, so that something is learnt of them.
const KNOWN_BYTES: [usize; 4] = [SPARSE_BYTES_MIN, 3_000_000, 8 << 20, (9 << 20) + 12_345];
/// Names of phases.
const NAMES: [&str; 3] = ["commit", "quotient", "open"];

/// One thing that a program does to the heap.
#[derive(Clone, Copy, Debug)]
enum Op {
    Alloc { bytes: usize, align: usize },
    AllocZeroed { bytes: usize, align: usize, is_sparse: bool },
    Free { index: usize, touched: usize },
    Resize { index: usize, bytes: usize },
    Soften,
    Release,
    SetCacheLimit(u64),
    SetMemoryLimit(Option<u64>),
    WaitMs(u64),
    Tick,
    BeginPhase(usize),
    EndPhase,
    TellStats,
}

/// The machine that a sequence runs on.
#[derive(Clone, Copy, Debug)]
struct Setup {
    page_bytes: usize,
    has_helper: bool,
    has_range: bool,
    fault: Option<Fault>,
}

impl Setup {
    fn any(choices: &mut Choices) -> Self {
        let fault =
            Fault { verb: VERBS[choices.below(VERBS.len())], one_in: choices.below(30) + 1 };
        Self {
            page_bytes: [4096, 4096, 16 << 10, 64 << 10][choices.below(4)],
            has_helper: choices.below(2) == 0,
            has_range: choices.below(8) > 0,
            fault: (choices.below(2) == 0).then_some(fault),
        }
    }

    fn fake(self, seed: u64) -> Fake {
        let fake = Fake::new(seed, self.page_bytes)
            .with_variable("NALLOC_BACKGROUND", if self.has_helper { "1" } else { "0" })
            .with_variable("NALLOC_STATS", "/stats")
            .with_variable("NALLOC_TRACE", "/trace")
            .with_files(&[(c"/stats", "")]);
        let machine = Machine {
            ram_bytes: 1 << 30,
            swap_bytes: 0,
            address_bytes_max: if self.has_range { 512 << 20 } else { 100 << 20 },
            locked_bytes_max: u64::MAX,
        };
        fake.set_fault(self.fault);
        fake.with_machine(machine)
    }
}

/// A string of bytes that is read as a sequence of choices.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    /// A number below `end`, from as many bytes as `end` needs.
    fn below(&mut self, end: usize) -> usize {
        let mut value = 0;
        let mut range = 1usize;
        while range < end {
            let Some((&byte, rest)) = self.0.split_first() else { break };
            (value, range, self.0) = (value << 8 | usize::from(byte), range << 8, rest);
        }
        value % end
    }
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    /// The same byte everywhere.
    All(u8),
    /// That byte at both ends, and zeros between.
    Ends(u8),
}

/// A block that the heap handed out.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: NonNull<u8>,
    bytes: usize,
    align: usize,
    fill: Fill,
    /// Whether bytes beyond its end may have been written when it was longer.
    is_resized: bool,
}

struct Model<'f> {
    fake: &'f Fake,
    heap: &'f Heap<&'f Fake>,
    helper: Option<Task<'f, &'f Fake>>,
    seed: u64,
    setup: Setup,
    fault: Option<Fault>,
    blocks: Vec<Block>,
    places: Vec<Option<usize>>,
    done: Vec<Op>,
    memory_limit: Option<u64>,
    fills: u8,
}

impl Drop for Model<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Setup { page_bytes, has_helper, has_range, fault } = self.setup;
            let fault = fault.map(|fault| (fault.verb, fault.one_in));
            eprintln!("let fault = {fault:?}.map(|(verb, one_in)| Fault {{ verb, one_in }});");
            let switches = format!("has_helper: {has_helper}, has_range: {has_range}");
            eprintln!("let setup = Setup {{ page_bytes: {page_bytes}, {switches}, fault }};");
            eprintln!("replay({:#x}, setup, &[", self.seed);
            for op in &self.done {
                eprintln!("    Op::{op:?},");
            }
            eprintln!("]);");
        }
    }
}

impl<'f> Model<'f> {
    fn new(fake: &'f Fake, heap: &'f Heap<&'f Fake>, seed: u64, setup: Setup) -> Self {
        Self {
            fake,
            heap,
            helper: None,
            seed,
            setup,
            fault: setup.fault,
            blocks: Vec::new(),
            places: Vec::new(),
            done: Vec::new(),
            memory_limit: None,
            fills: 0,
        }
    }

    fn any_bytes(choices: &mut Choices) -> usize {
        let most = [LARGE + 1, LARGE * 3, 1 << 20, 5 << 20][choices.below(4)];
        LARGE + choices.below(most - LARGE)
    }

    fn any_op(&self, choices: &mut Choices) -> Op {
        let count = self.blocks.len();
        let align = 1 << [0, 3, 6, 7, 12, 13, 16, 21, 22][choices.below(9)];
        match choices.below(128) {
            0..25 => Op::Alloc { bytes: Self::any_bytes(choices), align },
            25..35 => Op::AllocZeroed { bytes: Self::any_bytes(choices), align, is_sparse: false },
            35..50 => {
                let bytes = KNOWN_BYTES[choices.below(KNOWN_BYTES.len())];
                Op::AllocZeroed { bytes, align: 8, is_sparse: choices.below(4) > 0 }
            }
            50..80 if count > 0 => {
                let index = choices.below(count);
                let Block { bytes, is_resized, fill, .. } = self.blocks[index];
                let is_whole = is_resized || matches!(fill, Fill::Ends(_)) || choices.below(3) > 0;
                let touched = if is_whole { bytes } else { choices.below(bytes) };
                Op::Free { index, touched }
            }
            80..100 if count > 0 => {
                let index = choices.below(count);
                Op::Resize { index, bytes: Self::any_bytes(choices) }
            }
            100 => Op::Soften,
            101 => Op::Release,
            102 => Op::SetCacheLimit(wide(choices.below(64 << 20))),
            103 => Op::SetMemoryLimit(Some(wide(choices.below(32 << 20) + (8 << 20)))),
            104 => Op::SetMemoryLimit(None),
            105..110 => Op::WaitMs(wide(choices.below(5000))),
            110..120 => Op::Tick,
            120..123 => Op::BeginPhase(choices.below(NAMES.len())),
            123..126 => Op::EndPhase,
            126 => Op::TellStats,
            _ => Op::Alloc { bytes: LARGE, align: 8 },
        }
    }

    /// Does one operation and checks everything that can be seen of it.
    fn step(&mut self, op: Op) {
        self.done.push(op);
        match op {
            Op::Alloc { bytes, align } => self.alloc(bytes, align),
            Op::AllocZeroed { bytes, align, is_sparse } => {
                self.alloc_zeroed(bytes, align, is_sparse);
            }
            Op::Free { index, touched } => self.free(index, touched),
            Op::Resize { index, bytes } => self.resize(index, bytes),
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
            Op::Tick => self.tick(),
            Op::BeginPhase(name) => self.places.push(self.heap.begin_phase(NAMES[name])),
            Op::EndPhase => {
                if let Some(Some(place)) = self.places.pop() {
                    self.heap.end_phase(place);
                }
            }
            Op::TellStats => self.heap.tell(&self.heap.stats()),
        }
        self.check();
    }

    fn alloc(&mut self, bytes: usize, align: usize) {
        let live_before = self.heap.stats().live_bytes;
        let result = self.heap.alloc_known(Request::fixed(bytes, align));
        if let Ok(grant) = result {
            // SAFETY: the block has `bytes` bytes and is ours.
            let all = unsafe { slice::from_raw_parts(grant.start.as_ptr(), bytes) };
            let mut from = 0;
            for &(start, end) in grant.dirty.as_slice().iter().chain(&[(bytes, bytes)]) {
                assert!(all[from..start].iter().all(|&byte| byte == 0), "known zeros");
                from = end;
            }
        }
        let fill = Fill::All(self.next_fill());
        self.got(result.map(|grant| grant.start), bytes, align, fill, live_before);
    }

    fn alloc_zeroed(&mut self, bytes: usize, align: usize, is_sparse: bool) {
        let live_before = self.heap.stats().live_bytes;
        let result = self.heap.alloc_zeroed(Request::fixed(bytes, align));
        if let Ok(start) = result {
            // SAFETY: the block has `bytes` bytes and is ours.
            let all = unsafe { slice::from_raw_parts(start.as_ptr(), bytes) };
            assert!(all.iter().all(|&byte| byte == 0), "zeros");
        }
        let byte = self.next_fill();
        let fill = if is_sparse { Fill::Ends(byte) } else { Fill::All(byte) };
        self.got(result, bytes, align, fill, live_before);
    }

    /// Checks an answer, fills the block and takes it into the list.
    fn got(
        &mut self,
        got: Result<NonNull<u8>, Error>,
        bytes: usize,
        align: usize,
        fill: Fill,
        live: u64,
    ) {
        let fits = self.memory_limit.is_none_or(|limit| live + wide(bytes) <= limit);
        match got {
            Ok(start) => {
                assert!(fits, "{bytes} bytes beyond the memory limit");
                assert!(start.as_ptr().addr().is_multiple_of(align), "{start:?} to {align}");
                for other in &self.blocks {
                    let (one, two) = (start.addr().get(), other.start.addr().get());
                    assert!(one + bytes <= two || two + other.bytes <= one, "overlap");
                }
                // SAFETY: the block has `bytes` bytes and is ours.
                let all = unsafe { slice::from_raw_parts_mut(start.as_ptr(), bytes) };
                match fill {
                    Fill::All(byte) => all.fill(byte),
                    Fill::Ends(byte) => (all[0], all[bytes - 1]) = (byte, byte),
                }
                self.blocks.push(Block { start, bytes, align, fill, is_resized: false });
            }
            Err(Error::MemoryLimit { .. }) => assert!(self.memory_limit.is_some()),
            Err(error) => assert!(self.fault.is_some(), "{error}"),
        }
    }

    fn next_fill(&mut self) -> u8 {
        self.fills = self.fills.checked_add(1).unwrap_or(1);
        self.fills
    }

    /// Asserts that the first `bytes` bytes of a block still hold what was written.
    fn assert_filled(block: &Block, bytes: usize) {
        // SAFETY: the block has at least `bytes` bytes and is ours.
        let held = unsafe { slice::from_raw_parts(block.start.as_ptr(), bytes) };
        let is_held = match block.fill {
            Fill::All(byte) => held.iter().all(|&held| held == byte),
            Fill::Ends(byte) => {
                let (last, inner) = (block.bytes - 1, &held[1..bytes.min(block.bytes - 1)]);
                let is_end_held = bytes <= last || held[last] == byte;
                held[0] == byte && is_end_held && inner.iter().all(|&held| held == 0)
            }
        };
        assert!(is_held, "bytes of {block:?}");
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
            let is_callers = !self.setup.has_helper || state.is_bound();
            assert!(!is_callers || !state.is_over_allowance(), "more cached than allowed");
        }
    }

    fn resize(&mut self, index: usize, bytes: usize) {
        let live_before = self.heap.stats().live_bytes;
        let block = self.blocks[index];
        let old = Request::fixed(block.bytes, block.align);
        // SAFETY: the block is ours.
        let Ok(start) = (unsafe { self.heap.resize(block.start, old, bytes) }) else {
            return Self::assert_filled(&block, block.bytes);
        };
        let now = Block { start, bytes, ..block };
        let common = bytes.min(block.bytes);
        Self::assert_filled(&Block { bytes: block.bytes, ..now }, common);
        self.blocks.swap_remove(index);
        // A block may always become shorter, also beyond a limit set since.
        let limit = self.memory_limit;
        let others = live_before.saturating_sub(self.pages(&block));
        if self.pages(&now) <= self.pages(&block) {
            self.memory_limit = None;
        }
        let fill = Fill::All(self.next_fill());
        self.got(Ok(start), bytes, block.align, fill, others);
        self.memory_limit = limit;
        if let Some(last) = self.blocks.last_mut() {
            last.is_resized = true;
        }
    }

    /// Lets the helper tick, as long as it lives.
    fn tick(&mut self) {
        self.fake.wait_ms(TICK_MS);
        if self.helper.is_none() && self.heap.stats().has_helper {
            self.helper = Some(Task::new(self.heap));
        }
        let Some(helper) = &mut self.helper else { return };
        let next = helper.tick();
        if next == Next::End {
            self.helper = None;
        }
        assert_eq!(next == Next::Sleep, self.heap.stats().has_helper, "{next:?}");
        if self.fault.is_none() && next == Next::Sleep {
            assert!(!self.heap.lock().is_over_allowance(), "more cached than allowed");
        }
    }

    fn check(&self) {
        self.heap.check();
        let live: u64 = self.blocks.iter().map(|block| self.pages(block)).sum();
        let stats = self.heap.stats();
        assert_eq!(stats.live_bytes, live, "live bytes");
        if self.setup.has_helper && self.fault.is_none() && self.setup.has_range {
            let is_over = stats.cached_bytes > stats.cache_limit_bytes;
            assert!(!is_over || stats.has_helper, "nobody to give back {stats:?}");
        }
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
        #[cfg(test)]
        self.check_trace(&stats);
    }

    /// Asserts that the trace, if there was memory for one, has every block's life in order.
    #[cfg(test)]
    fn check_trace(&self, stats: &super::Stats) {
        self.heap.end_trace();
        let Some(file) = self.fake.made(c"/trace.4711") else { return };
        let trace = decode(&file);
        assert!(trace.live().is_empty() && trace.has_end() && trace.cut_bytes == 0);
        let births = wide(trace.count("alloc") + trace.count("zeroed"));
        let is_moved = |record: &&Record| record.kind == "realloc" && record.is_moved;
        let moves = wide(trace.records().filter(is_moved).count());
        assert!(births <= stats.allocations && stats.allocations <= births + moves, "{stats:?}");
        assert_eq!(trace.count("begin"), trace.count("end") + self.places.len(), "phases");
    }
}

/// Runs the sequence that choices stand for.
fn run(seed: u64, setup: Setup, mut choices: Choices) {
    let fake = setup.fake(seed);
    let heap = Heap::new(&fake, IDLE);
    let mut model = Model::new(&fake, &heap, seed, setup);
    while !choices.0.is_empty() {
        let op = model.any_op(&mut choices);
        model.step(op);
    }
    model.finish();
}

/// Runs the machine and the sequence that a string of bytes stands for.
pub(crate) fn run_bytes(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let seed = wide(choices.below(256));
    run(seed, Setup::any(&mut choices), choices);
}
