//! The global allocator of a benchmark: the one that the environment names.
//!
//! Every process asks once, at its first allocation, which is before `main`; then a call costs one
//! load and one branch that is always predicted. [`dispatch_ns`] measures that in every run: 0.1 to
//! 0.3 ns per call, where the smallest block that is measured here takes 100 times as long.
//! Nothing in these programs sets environment variables, so the answer cannot change.

use core::ffi::CStr;
use core::hint::black_box;
use core::sync::atomic::{AtomicU8, Ordering};
use std::alloc::{GlobalAlloc, Layout, System};
use std::time::Instant;

use nalloc::NAlloc;

/// Names the allocator of a process; absent in the process that measures, which is glibc's.
pub const VARIABLE: &str = "BENCHKIT_ALLOCATOR";
const VARIABLE_C: &CStr = c"BENCHKIT_ALLOCATOR";

static NALLOC: NAlloc = NAlloc::new();
#[cfg(feature = "jemalloc")]
static JEMALLOC: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
#[cfg(feature = "mimalloc")]
static MIMALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;
#[cfg(feature = "zk-alloc")]
static ZK_ALLOC: zk_alloc::ZkAllocator = zk_alloc::ZkAllocator;

/// An allocator that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Allocator {
    /// The C library's.
    Glibc = 1,
    /// jemalloc 5, by tikv-jemallocator.
    #[cfg(feature = "jemalloc")]
    Jemalloc = 2,
    /// mimalloc 3.
    #[cfg(feature = "mimalloc")]
    Mimalloc = 3,
    /// Ours.
    Nalloc = 4,
    /// The crate zk-alloc: bumps a pointer while a [`phase`] runs, and is glibc outside of phases.
    #[cfg(feature = "zk-alloc")]
    ZkAlloc = 5,
}

impl Allocator {
    /// Every allocator that is compiled in.
    pub const ALL: &[Self] = &[
        Self::Glibc,
        #[cfg(feature = "jemalloc")]
        Self::Jemalloc,
        #[cfg(feature = "mimalloc")]
        Self::Mimalloc,
        #[cfg(feature = "zk-alloc")]
        Self::ZkAlloc,
        Self::Nalloc,
    ];

    /// Its name in tables, in records and in [`VARIABLE`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            #[cfg(feature = "jemalloc")]
            Self::Jemalloc => "jemalloc",
            #[cfg(feature = "mimalloc")]
            Self::Mimalloc => "mimalloc",
            Self::Nalloc => "nalloc",
            #[cfg(feature = "zk-alloc")]
            Self::ZkAlloc => "zk-alloc",
        }
    }

    /// What serves this process; an unknown name is glibc's, which the proof then tells.
    #[inline]
    fn chosen() -> Self {
        // Relaxed: the byte stands for itself, and every thread would write the same one.
        match CHOSEN.load(Ordering::Relaxed) {
            GLIBC => Self::Glibc,
            #[cfg(feature = "jemalloc")]
            JEMALLOC_BYTE => Self::Jemalloc,
            #[cfg(feature = "mimalloc")]
            MIMALLOC_BYTE => Self::Mimalloc,
            NALLOC_BYTE => Self::Nalloc,
            #[cfg(feature = "zk-alloc")]
            ZK_ALLOC_BYTE => Self::ZkAlloc,
            _ => choose(),
        }
    }
}

const GLIBC: u8 = Allocator::Glibc as u8;
#[cfg(feature = "jemalloc")]
const JEMALLOC_BYTE: u8 = Allocator::Jemalloc as u8;
#[cfg(feature = "mimalloc")]
const MIMALLOC_BYTE: u8 = Allocator::Mimalloc as u8;
const NALLOC_BYTE: u8 = Allocator::Nalloc as u8;
#[cfg(feature = "zk-alloc")]
const ZK_ALLOC_BYTE: u8 = Allocator::ZkAlloc as u8;

/// The allocator of this process, or 0 before the first allocation.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

#[cold]
fn choose() -> Allocator {
    // SAFETY: the name ends with a zero byte, and nobody changes the environment.
    let value = unsafe { libc::getenv(VARIABLE_C.as_ptr()) };
    let mut chosen = Allocator::Glibc;
    if !value.is_null() {
        // SAFETY: what `getenv` returns is a string that lives as long as the process.
        let name = unsafe { CStr::from_ptr(value) }.to_bytes();
        for allocator in Allocator::ALL {
            if allocator.name().as_bytes() == name {
                chosen = *allocator;
            }
        }
    }
    // Relaxed: as in `chosen`.
    CHOSEN.store(chosen as u8, Ordering::Relaxed);
    chosen
}

/// Runs a piece of work whose blocks all end with it, and says so to an allocator that asks for it.
pub fn phase<R>(work: impl FnOnce() -> R) -> R {
    begin_phase();
    let result = work();
    end_phase();
    result
}

/// Begins what [`phase`] runs.
pub fn begin_phase() {
    #[cfg(feature = "zk-alloc")]
    if Allocator::chosen() == Allocator::ZkAlloc {
        zk_alloc::begin_phase();
    }
}

/// Ends what [`begin_phase`] began.
pub fn end_phase() {
    #[cfg(feature = "zk-alloc")]
    if Allocator::chosen() == Allocator::ZkAlloc {
        zk_alloc::end_phase();
    }
}

/// Lets glibc read its settings before anything else runs in this process, on a clean stack.
///
/// glibc 2.36 reads the kernel's mode of huge pages into a buffer on the stack, does not write the
/// end of that text, and compares the whole: `hugetlb=1` works only where a zero happens to follow.
/// Without this it failed in 6 of 6 starts of one binary and in some starts of another (Debian 12);
/// with it, in 0 of 300.
extern "C" fn settle_glibc() {
    clear_stack();
    // SAFETY: any length may be asked for.
    let block = black_box(unsafe { libc::malloc(1) });
    // SAFETY: the block is from `malloc` or null.
    unsafe { libc::free(block) };
}

/// Leaves zeroes below the caller's frame.
#[inline(never)]
fn clear_stack() {
    black_box([0_u64; 1024]);
}

// SAFETY: the section holds functions without arguments that run once, before `main`; this one
// needs nothing that another of them makes, and comes before those without a number.
#[used]
#[unsafe(link_section = ".init_array.00200")]
static SETTLE_GLIBC: extern "C" fn() = settle_glibc;

/// The global allocator of every benchmark that compares allocators.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispatch;

/// Passes a call on to the allocator of this process.
macro_rules! pass_on {
    ($call:ident, $($argument:expr),+) => {
        // SAFETY: the caller's promise about layout and block; the allocator of a process never
        // changes, so a block goes back to where it came from.
        unsafe {
            match Allocator::chosen() {
                Allocator::Glibc => System.$call($($argument),+),
                #[cfg(feature = "jemalloc")]
                Allocator::Jemalloc => JEMALLOC.$call($($argument),+),
                #[cfg(feature = "mimalloc")]
                Allocator::Mimalloc => MIMALLOC.$call($($argument),+),
                Allocator::Nalloc => NALLOC.$call($($argument),+),
                #[cfg(feature = "zk-alloc")]
                Allocator::ZkAlloc => ZK_ALLOC.$call($($argument),+),
            }
        }
    };
}

// SAFETY: every block comes from one sound allocator and goes back to it, with the same layout.
unsafe impl GlobalAlloc for Dispatch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        pass_on!(alloc, layout)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        pass_on!(alloc_zeroed, layout)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        pass_on!(dealloc, block, layout);
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        pass_on!(realloc, block, layout, new_size)
    }
}

/// What the choice costs per call, in nanoseconds: a small block through [`Dispatch`], less the
/// same block straight from glibc, the best of some rounds each.
#[must_use]
pub fn dispatch_ns() -> f64 {
    const ROUNDS: usize = 7;
    const PAIRS: u32 = 200_000;
    fn once(allocator: &impl GlobalAlloc) -> f64 {
        let started = Instant::now();
        (0..PAIRS).for_each(|_| small_pair(allocator));
        started.elapsed().as_secs_f64() * 1e9 / f64::from(2 * PAIRS)
    }
    let pairs = (0..ROUNDS).map(|_| (once(&Dispatch), once(&System)));
    let (chosen, direct) = pairs.fold((f64::INFINITY, f64::INFINITY), |best, pair| {
        (best.0.min(pair.0), best.1.min(pair.1))
    });
    chosen - direct
}

/// Takes a small block and gives it back.
#[inline]
fn small_pair(allocator: &impl GlobalAlloc) {
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout is not empty.
    let block = black_box(unsafe { allocator.alloc(layout) });
    if !block.is_null() {
        // SAFETY: the block was allocated above with this layout.
        unsafe { allocator.dealloc(block, layout) };
    }
}
