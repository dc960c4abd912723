//! Every constant and every setting of the heap, once: name, default, limit and reason.

use core::ffi::CStr;

use crate::os::{Os, probe};

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

/// The range becomes readable and writable by this many bytes at a time: one cheap call each, and
/// `mlockall` or `RLIMIT_DATA` see no more than one of them too many.
pub(crate) const BACK_BYTES: usize = 64 << 20;
/// Metadata becomes readable and writable by this many bytes at a time.
pub(crate) const TABLE_BACK_BYTES: usize = 256 << 10;

/// A block starts up to 63 cache lines into its first page, each 17 lines after the one before:
/// blocks that are equal modulo 4 KiB would share cache sets, and column walks be up to 70 times
/// slower (64 columns of 256 KiB on a Zen 5).
pub(crate) const COLOUR_LINES: usize = 64;
/// Odd, so that 64 blocks in turn start at 64 different lines.
pub(crate) const COLOUR_STEP: usize = 17;
/// Alignment up to which a block is coloured: one cache line.
pub(crate) const LINE_BYTES: usize = 64;

/// Free extents that are looked at in one size class before the next class is tried, in which
/// each one fits.
pub(crate) const FIT_CANDIDATES_MAX: usize = 64;
/// Separate runs of a block that are cleared one by one; what lies between further ones is cleared
/// with them.
pub(crate) const DIRTY_RUNS_MAX: usize = 8;

/// Bytes that one call gives back to the kernel, so that it takes less than 0.1 ms with huge pages.
pub(crate) const TRIM_BYTES: usize = 32 << 20;
/// Without a large allocation for this long, the time after it counts as a new burst of work.
pub(crate) const QUIET_MS: u64 = 2000;
/// Kept above the recent peak, because extents that do not fit each other leave holes: recorded
/// provers need up to 5 % (Groth16); an eighth and this many bytes leave room.
pub(crate) const PEAK_SLACK_BYTES: u64 = 32 << 20;
pub(crate) const PEAK_SLACK_DIVISOR: u64 = 8;

/// The cache limit is this fraction of the memory that the process may use ...
pub(crate) const CACHE_LIMIT_DIVISOR: u64 = 8;
/// ... and never more than this, unless it is set.
pub(crate) const CACHE_LIMIT_BYTES_MAX: u64 = 1 << 30;

/// Bytes that may stay resident once nobody is at work, as a decimal number.
const CACHE_LIMIT_NAME: &CStr = c"NALLOC_CACHE_LIMIT";
/// Bytes that may be cached at any time, also during work, as a decimal number.
const CACHE_BOUND_NAME: &CStr = c"ZK_NALLOC_CACHE_BYTES";

/// What the heap was told at start-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Length of the address range to ask for first.
    pub(crate) range_bytes: u64,
    /// No single request beyond RAM and swap can succeed, as in the kernel's own heuristic.
    pub(crate) request_bytes_max: u64,
    /// See `set_cache_limit`.
    pub(crate) cache_limit_bytes: u64,
    /// Whether the cache limit holds during work too.
    pub(crate) is_always_bound: bool,
}

impl Settings {
    /// Reads limits and environment.
    pub(crate) fn read<O: Os>(os: &O) -> Self {
        let machine = os.machine();
        let wanted = machine.ram_bytes.saturating_mul(RANGE_RAM_FACTOR);
        let wanted = wanted.clamp(RANGE_BYTES_MIN_AT_FIRST, RANGE_BYTES_MAX);
        // Half of a limited address space stays for everybody else.
        let range_bytes = wanted.min(machine.address_bytes_max / 2);

        let usable = machine.ram_bytes.min(machine.address_bytes_max);
        let usable = usable.min(probe::cgroup_limit_bytes(os));
        let default = (usable / CACHE_LIMIT_DIVISOR).min(CACHE_LIMIT_BYTES_MAX);
        let bound = os.number_from_environment(CACHE_BOUND_NAME);
        let limit = os.number_from_environment(CACHE_LIMIT_NAME);
        Self {
            range_bytes,
            request_bytes_max: machine.ram_bytes.saturating_add(machine.swap_bytes),
            cache_limit_bytes: match (bound, limit) {
                (Some(bound), Some(limit)) => bound.min(limit),
                (one, other) => one.or(other).unwrap_or(default),
            },
            is_always_bound: bound.is_some(),
        }
    }
}
