//! A memory allocator, arenas and secret buffers for zero-knowledge provers.
//!
//! Provers allocate blocks of megabytes, fill them, free them, and do it again with other sizes.
//! Page faults are what that costs. [`NAlloc`] keeps the pages of large blocks in one heap that
//! splits and merges them, so that the next phase and the next proof find them warm; small blocks
//! go to another allocator. [`Arena`] hands out slices that all end at once, [`Block`] is one run
//! of bytes, and [`SecretBuf`] holds what must not leak.
//!
//! Nothing has to be set. These variables of the environment are read with the first large
//! allocation; a value that cannot be read is named on standard error, and the default holds.
//!
//! | variable | default | what it sets |
//! |---|---|---|
//! | `NALLOC_CACHE_LIMIT` | an eighth of the memory, at most 1G | what may stay resident while nobody is at work; see [`set_cache_limit`] |
//! | `ZK_NALLOC_CACHE_BYTES` | none | what may be cached at any time, also during work |
//! | `NALLOC_MEMORY_LIMIT` | none | what may be live at once; see [`set_memory_limit`] |
//! | `NALLOC_THP` | `auto` | `never` and `always`: whether huge pages are asked for |
//! | `NALLOC_BACKGROUND` | `1` | `0`: no helper thread; the next call gives pages back |
//! | `NALLOC_STATS` | `0` | `1`: a summary on standard error at exit; else the file for one JSON object |
//! | `NALLOC_TRACE` | none | a file of what happens to large blocks, for `nalloc report`; `%p` is the process |
//! | `NALLOC_VERBOSE` | `0` | `1`: one line that says what holds |
//!
//! Sizes are bytes (`1000000`), have a unit (`512M`, `2G`), or are a part of the memory that this
//! process may use (`25%`).

// Under loom there is nothing but the files that `tests/loom.rs` takes in: no word of loom's can
// stand in a static.
#![cfg(not(loom))]

mod arena;
mod block;
#[cfg(feature = "by-address")]
pub mod by_address;
mod census;
mod config;
mod error;
mod global;
mod heap;
// Miri knows neither the loader nor fork.
#[cfg(not(miri))]
mod load;
mod lock;
mod os;
mod phase;
mod secret;
mod sync;
mod text;
mod units;
mod zeroable;

use core::ops::Range;
use std::io;

pub use arena::{
    Arena, ArenaBuilder, Exclusive, ProverArenas, ProverArenasBuilder, Scope, SubArena,
};
pub use block::Block;
pub use error::{Error, MapFailed};
pub use global::{NAlloc, is_active};
pub use heap::{HugePages, PhaseStats, Phases, Stats};
pub use phase::{Phase, phase};
pub use secret::{
    Backing, Require, SealedSecret, SecretBuf, SecretScope, SecretStatus, secret_scope, wipe,
    wipe_all_secrets, with_variable,
};
pub use zeroable::Zeroable;

use census::{Census, census};
use global::HEAP;
use os::Os as _;
use os::linux::Linux;

/// Runs the heap over a fake kernel through the operations that `bytes` stand for, and panics where
/// it does not what a list of blocks would do.
#[cfg(fuzzing)]
pub fn fuzz_heap(bytes: &[u8]) {
    heap::model::run_bytes(bytes);
}

/// What the large heap did and has, and how much secret memory there is.
#[must_use]
pub fn stats() -> Stats {
    let Census { secret_bytes, secret_arena_bytes, locked_bytes, arenas, retired_bytes } = census();
    let heap = HEAP.stats();
    Stats { secret_bytes, secret_arena_bytes, locked_bytes, arenas, retired_bytes, ..heap }
}

/// Begins a new [`Stats::peak_live_bytes`] at what is live now.
pub fn reset_peak() {
    HEAP.reset_peak();
}

/// Lets the kernel take every cached page when it needs memory; how many bytes. Reusing them costs
/// almost nothing until it does.
pub fn soften_cache() -> u64 {
    HEAP.soften_cache()
}

/// Gives every cached page back to the kernel; how many bytes.
pub fn release_cache() -> u64 {
    HEAP.release_cache()
}

/// Bytes in pages that are free and still resident, or softened.
#[must_use]
pub fn cached_bytes() -> u64 {
    HEAP.stats().cached_bytes
}

/// Sets how many bytes may stay cached once the memory of the last bursts of work is no measure
/// any more; the default is an eighth of the memory that this process may use, at most 1 GiB.
pub fn set_cache_limit(bytes: u64) {
    HEAP.set_cache_limit(bytes);
}

/// Sets how many bytes may be live at once, or takes that limit away. A request beyond it fails:
/// `try_reserve` gets an error, a plain `Vec` aborts.
pub fn set_memory_limit(bytes: Option<u64>) {
    HEAP.set_memory_limit(bytes);
}

/// What this process runs on and under, as the allocator sees it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Bytes of an OS page.
    pub page_bytes: usize,
    /// The smallest memory limit of the process's control group and those above it, version 1 or
    /// 2; None when there is none, or none can be read.
    pub cgroup_limit_bytes: Option<u64>,
    /// Addresses of the large heap, to find it in `/proc/self/smaps`; None when the kernel refused
    /// a range.
    pub heap_addresses: Option<Range<usize>>,
}

/// What this process runs on and under.
#[must_use]
pub fn host() -> Host {
    let limit = os::probe::cgroup_limit_bytes(&Linux);
    Host {
        page_bytes: Linux.page_bytes(),
        // A number that no machine has is how version 1 says that there is no limit.
        cgroup_limit_bytes: Some(limit).filter(|&limit| limit <= Linux.machine().ram_bytes),
        heap_addresses: HEAP.addresses(),
    }
}

/// Bytes of the large heap that are in huge pages, from `/proc/self/smaps`; this reads a line for
/// each mapping of the process.
///
/// # Errors
/// When the file cannot be read.
pub fn huge_bytes() -> io::Result<u64> {
    HEAP.huge_bytes().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// Resident bytes of this process, from `/proc/self/statm`.
///
/// # Errors
/// When the file cannot be read.
pub fn rss_bytes() -> io::Result<u64> {
    os::probe::resident_bytes(&Linux).map_err(|errno| io::Error::from_raw_os_error(errno.0))
}

/// The Rust blocks of the readme are compiled and run as they stand.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
