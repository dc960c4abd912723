//! Every constant and every setting of the heap, once: name, default, limit and reason.

pub(crate) mod environment;

use core::ffi::CStr;

/// Blocks of this many bytes or more come from the large heap. Below it, the libraries' own size
/// classes do better than whole pages.
pub(crate) const LARGE: usize = 64 << 10;

/// A huge page on x86-64, and on 64-bit ARM with pages of 4 KiB. The range begins at a multiple.
pub(crate) const HUGE_BYTES: usize = 2 << 20;

/// The address range is this many times the RAM: splitting leaves holes, and address space is
/// free.
pub(crate) const RANGE_RAM_FACTOR: u64 = 4;
/// No range is smaller at first, so that a small machine may still promise a large sparse block.
pub(crate) const RANGE_BYTES_MIN_AT_FIRST: u64 = 64 << 30;
/// No range is larger: 2^30 granules of 4 KiB.
pub(crate) const RANGE_BYTES_MAX: u64 = 4 << 40;
/// When the kernel refuses even this, every block gets a mapping of its own.
pub(crate) const RANGE_BYTES_MIN: u64 = 256 << 20;

/// The range for sparse blocks is this fraction of the main one; what does not fit is cleared.
pub(crate) const SPARSE_RANGE_DIVISOR: u64 = 4;

/// The range becomes readable and writable by this many bytes at a time: one cheap call each, and
/// `mlockall` or `RLIMIT_DATA` see no more than one of them too many.
pub(crate) const BACK_BYTES: usize = 64 << 20;
/// Metadata becomes readable and writable by this many bytes at a time.
pub(crate) const TABLE_BACK_BYTES: usize = 256 << 10;

/// A block starts up to 63 cache lines into its first page, each 23 lines after the one before:
/// blocks that are equal modulo 4 KiB would share cache sets, and column walks be up to 70 times
/// slower (64 columns of 256 KiB on a Zen 5).
pub(crate) const COLOUR_LINES: usize = 64;
/// Odd, so that 64 blocks in turn start at 64 different lines. Of the odd steps, those next to
/// multiples of 8 that are not multiples of 16 walk 32 columns of 2 MiB in 0.89-0.98 ns per element
/// and all others in 1.14-1.29 (Zen 5, 2026-11-21; other shapes do not tell them apart).
pub(crate) const COLOUR_STEP: usize = 23;
/// Alignment up to which a block is coloured: one cache line.
pub(crate) const LINE_BYTES: usize = 64;

/// Free extents that are looked at in one size class before the next class is tried, in which
/// each one fits.
pub(crate) const FIT_CANDIDATES_MAX: usize = 64;
/// Lengths that a block is expected to pass through as it grows: from 64 KiB by doubling to 64 GiB.
pub(crate) const GROWTH_STEPS_MAX: usize = 20;
/// A block of less than this fraction of what the one below it still needs is put elsewhere.
pub(crate) const SHORT_DIVISOR: u32 = 4;
/// A length gains this much credit by each block that grows on from it, and loses the other much
/// by each that arrives: it is trusted while two in three grow.
pub(crate) const GROWTH_GAIN: u32 = 3;
pub(crate) const GROWTH_LOSS: u32 = 2;
/// The least credit that is trusted: two blocks in a row that grew.
pub(crate) const GROWTH_CREDIT_MIN: u32 = 4;
/// The most: after it, three blocks that do not grow end the trust.
pub(crate) const GROWTH_CREDIT_MAX: u32 = 8;
/// Separate runs of a block that are cleared one by one; what lies between further ones is cleared
/// with them.
pub(crate) const DIRTY_RUNS_MAX: usize = 8;

/// Bytes that one call gives back to the kernel, so that it takes less than 0.1 ms with huge pages.
pub(crate) const TRIM_BYTES: usize = 32 << 20;
/// Secrets of up to this many bytes lie in `memfd_secret` where the kernel has it. Such pages are
/// written for the first time at 0.2 GB/s, so that a longer one would take more than 0.1 ms.
pub(crate) const MEMFD_BYTES_MAX: usize = 16 << 10;

/// Secrets of this many bytes or more are compared with the memory that the machine and the
/// container have; to read that takes up to 0.1 ms.
pub(crate) const PROBED_SECRET_BYTES_MIN: usize = 64 << 20;

/// Without a large allocation or free for this long, nobody is at work.
pub(crate) const QUIET_MS: u64 = 2000;
/// The helper thread looks this often; 250 ms of a quiet time of 2000 cost four wake-ups a second.
pub(crate) const TICK_MS: u64 = 250;
/// The recent peak is that of this many stretches of this length: half a minute, so that one large
/// phase long ago does not keep its pages as long as small ones go on.
pub(crate) const PEAK_SLOTS: usize = 16;
pub(crate) const PEAK_SLOT_MS: u64 = 2000;
/// Kept above the recent peak, because extents that do not fit each other leave holes: recorded
/// provers need up to 5 % (Groth16); an eighth and this many bytes leave room.
pub(crate) const PEAK_SLACK_BYTES: u64 = 32 << 20;
pub(crate) const PEAK_SLACK_DIVISOR: u64 = 8;

/// Pages carry the age of their last use by this many bytes that were freed since: what is freed
/// together is given back together, and a walk over all ages stays short.
pub(crate) const AGE_BYTES: usize = 32 << 20;

/// Zeroed blocks below this are cleared: the calls that would learn more cost as much.
pub(crate) const SPARSE_BYTES_MIN: usize = 2 << 20;
/// Zeroed blocks of this size and more have a huge page inside that may be left out of clearing.
pub(crate) const LEFT_OUT_BYTES_MIN: usize = 8 << 20;
/// The call of one size that is looked at first; before it a size may be used just once.
pub(crate) const PROBE_FIRST: u32 = 3;
/// A size in small pages is tried again after this many times the calls so far: a wrong guess costs
/// a fault for each page.
pub(crate) const PROBE_GROWTH: u32 = 8;
/// One with a huge page left out is tried again after this many calls: a wrong guess costs one
/// fault of a huge page.
pub(crate) const PROBE_CALLS: u32 = 16;
/// Of a size that is used sparsely, each so manieth block is looked at when it comes back: to look
/// (`mincore`) takes 60 % of what is left of a call, and a size that turns dense costs faults for
/// so many blocks.
pub(crate) const SPARSE_LOOKS: u32 = 4;
/// A block of which more than one page in this many was touched is dense.
pub(crate) const SPARSE_PAGES: usize = 16;
/// Sizes of zeroed blocks that are known at one time; each has one place.
pub(crate) const SIZES_KNOWN: usize = 256;

/// The helper reads the kernel's account of memory pressure every so many ticks: each second.
pub(crate) const PRESSURE_TICKS: u64 = 4;
/// Tasks that waited for memory this long in one second are pressure: 70 ms, the threshold that
/// `GLib` gives its memory monitor.
pub(crate) const PRESSURE_STALL_US: u64 = 70_000;

/// Phases with different names that are told apart; more are counted and nothing else.
pub(crate) const PHASES_MAX: usize = 32;

/// Buffers of a trace, of which one is filled while others are written: 1 MiB in all, which is
/// 30 ms of threads that do nothing but allocate.
pub(crate) const TRACE_BUFFERS: usize = 16;
/// The least time between two samples of a trace: 100 a second, of 5 us each.
pub(crate) const TRACE_SAMPLE_US: u64 = 10_000;
/// What was recorded goes to the file when it is this old, should the process be killed.
pub(crate) const TRACE_WRITE_US: u64 = 1_000_000;
/// Names that are tried for the file of a trace: what exists is never overwritten.
pub(crate) const TRACE_NAMES_MAX: u32 = 99;
/// How long an exit waits for a thread that writes the trace.
pub(crate) const TRACE_EXIT_MS: u64 = 1000;

/// The cache limit is this fraction of the memory that the process may use ...
pub(crate) const CACHE_LIMIT_DIVISOR: u64 = 8;
/// ... and never more than this, unless it is set.
pub(crate) const CACHE_LIMIT_BYTES_MAX: u64 = 1 << 30;

/// A variable of the environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its name.
    pub(crate) name: &'static CStr,
    /// What can be written.
    pub(crate) forms: &'static str,
    /// What holds when it is unset or cannot be read.
    pub(crate) default: &'static str,
}

const BYTE_FORMS: &str = "bytes, or a number with K, M, G or T, or a percentage of the memory \
                          that this process may use (1000000, 512M, 2G, 25%)";

/// Bytes that may stay resident once nobody is at work.
pub(crate) const CACHE_LIMIT: Setting = Setting {
    name: c"NALLOC_CACHE_LIMIT",
    forms: BYTE_FORMS,
    default: "an eighth of the memory, at most 1G",
};
/// Bytes that may be cached at any time, also during work.
pub(crate) const CACHE_BOUND: Setting =
    Setting { name: c"ZK_NALLOC_CACHE_BYTES", forms: BYTE_FORMS, default: "none" };
/// Bytes that may be live at once.
pub(crate) const MEMORY_LIMIT: Setting =
    Setting { name: c"NALLOC_MEMORY_LIMIT", forms: BYTE_FORMS, default: "none" };
/// Whether huge pages are asked for: `auto` does unless the system never gives any.
pub(crate) const HUGE_PAGES: Setting =
    Setting { name: c"NALLOC_THP", forms: "auto, always or never", default: "auto" };
/// Whether a helper thread gives pages back by the clock; without it, the next call does.
pub(crate) const BACKGROUND: Setting =
    Setting { name: c"NALLOC_BACKGROUND", forms: "0 or 1", default: "1" };
/// Where the statistics go when the process exits: 1 is standard error.
pub(crate) const STATS: Setting =
    Setting { name: c"NALLOC_STATS", forms: "0, 1 or the path of a file", default: "0" };
/// Whether one line at the start says what holds.
pub(crate) const VERBOSE: Setting =
    Setting { name: c"NALLOC_VERBOSE", forms: "0 or 1", default: "0" };

/// Where a trace goes.
pub(crate) const TRACE: Setting = Setting {
    name: c"NALLOC_TRACE",
    forms: "0 or the path of a file, in which %p is the number of the process",
    default: "0",
};

/// Which arithmetic kernels run. The prover reads it; the heap, which reads all others, checks it.
pub(crate) const CPU: Setting =
    Setting { name: c"NALLOC_CPU", forms: "auto, avx2 or baseline", default: "auto" };

/// Whether snarkjs proves where there is no addon. JavaScript reads it; the heap checks it.
pub(crate) const FALLBACK: Setting =
    Setting { name: c"NALLOC_FALLBACK", forms: "0 or 1", default: "0" };

/// The file in which `nalloc run` looks for whom it serves. The preload reads it.
const RUN_MARKER: &CStr = c"NALLOC_RUN_MARKER";

/// Every variable that is read; others with our prefix are told to the user.
pub(crate) const NAMES: [&CStr; 11] = [
    CACHE_LIMIT.name,
    CACHE_BOUND.name,
    MEMORY_LIMIT.name,
    HUGE_PAGES.name,
    BACKGROUND.name,
    STATS.name,
    VERBOSE.name,
    TRACE.name,
    CPU.name,
    FALLBACK.name,
    RUN_MARKER,
];
/// Variables that begin like this belong to programs that test.
pub(crate) const TEST_PREFIX: &[u8] = b"NALLOC_TEST";
