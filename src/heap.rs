//! What the allocator says of itself, and what it can be told.

use napi_derive::napi;

use crate::preloaded::{self, Preloaded};
use crate::{arena, key, limit, line, number, region};

/// Bytes and counts of nalloc's heap, and of the one that serves the whole process where that was
/// preloaded; and the process's resident memory.
#[napi(object)]
pub struct MemoryStats {
    /// Asked for by the program and not freed.
    pub live_bytes: f64,
    /// The most that `liveBytes` has been.
    pub peak_live_bytes: f64,
    /// Freed and kept for the next allocation.
    pub cached_bytes: f64,
    /// The part of `cachedBytes` that the kernel may take back.
    pub softened_bytes: f64,
    /// Address space in use by the heap.
    pub mapped_bytes: f64,
    /// The heap's own records.
    pub metadata_bytes: f64,
    /// Resident memory of the whole process, from /proc/self/statm; 0 where it cannot be read.
    pub rss_bytes: f64,
    /// What may stay cached.
    pub cache_limit_bytes: f64,
    /// What is in use, as `memoryLimitBytes` bounds it.
    pub used_bytes: f64,
    /// What may be in use when a job begins; absent when there is no limit.
    pub memory_limit_bytes: Option<f64>,
    /// Allocations served from memory that was used before.
    pub hits: f64,
    /// Allocations that needed memory from the system.
    pub misses: f64,
    /// Cached blocks given back to the system.
    pub evictions: f64,
    /// Allocations mapped on their own, outside the heap's range.
    pub fallbacks: f64,
    /// In the pages of witnesses and the arenas of proofs.
    pub secret_bytes: f64,
    /// In secret pages that the kernel keeps out of swap.
    pub locked_bytes: f64,
    /// Arenas in use.
    pub arenas: f64,
    /// Proving keys in memory.
    pub keys: f64,
    /// Buffers that JavaScript kept beyond their time.
    pub escapes: f64,
    /// What was live in each named span of time, in the order in which the names first appeared.
    pub phases: Vec<PhaseFigures>,
    /// Spans of time for whose names there was no room.
    pub phases_missed: f64,
}

/// What happened in the spans of time under one name.
#[napi(object)]
pub struct PhaseFigures {
    pub name: String,
    /// How many began.
    pub times: f64,
    /// How many of them have not ended.
    pub open: f64,
    /// The most bytes that were live while one of them was open.
    pub peak_live_bytes: f64,
}

impl PhaseFigures {
    fn of(phase: &nalloc::PhaseStats) -> Self {
        let beside_bytes = preloaded::phase_peak_bytes(phase.name);
        Self {
            name: phase.name.to_owned(),
            times: number::from_u64(phase.times),
            open: number::from_u64(phase.open),
            peak_live_bytes: number::from_u64(phase.peak_live_bytes + beside_bytes),
        }
    }
}

/// The allocator's figures, now.
#[napi(catch_unwind)]
#[must_use]
pub fn stats() -> MemoryStats {
    let stats = nalloc::stats();
    let arenas = arena::census();
    let beside = Preloaded::now();
    MemoryStats {
        live_bytes: number::from_u64(stats.live_bytes + beside.live_bytes),
        peak_live_bytes: number::from_u64(stats.peak_live_bytes + beside.peak_live_bytes),
        cached_bytes: number::from_u64(stats.cached_bytes + beside.cached_bytes),
        softened_bytes: number::from_u64(stats.softened_bytes + beside.softened_bytes),
        mapped_bytes: number::from_u64(stats.mapped_bytes + beside.mapped_bytes),
        metadata_bytes: number::from_u64(stats.metadata_bytes + beside.metadata_bytes),
        rss_bytes: number::from_u64(nalloc::rss_bytes().unwrap_or(0)),
        cache_limit_bytes: number::from_u64(stats.cache_limit_bytes),
        used_bytes: number::from_u64(limit::used_bytes()),
        memory_limit_bytes: limit::memory_limit_bytes().map(number::from_u64),
        hits: number::from_u64(stats.hits + beside.hits),
        misses: number::from_u64(stats.misses + beside.misses),
        evictions: number::from_u64(stats.evictions + beside.evictions),
        fallbacks: number::from_u64(stats.fallbacks + beside.fallbacks),
        secret_bytes: number::from_u64(stats.secret_bytes + arenas.secret_bytes),
        locked_bytes: number::from_u64(stats.locked_bytes + arenas.locked_bytes),
        arenas: number::from_u64(stats.arenas + arenas.arenas),
        keys: number::from_u64(key::open_keys()),
        escapes: number::from_u64(region::escapes()),
        phases: stats.phases.iter().map(PhaseFigures::of).collect(),
        phases_missed: number::from_u64(stats.phases.missed()),
    }
}

/// Begins a new `peakLiveBytes` at what is live now.
#[napi(catch_unwind)]
pub fn reset_peak() {
    nalloc::reset_peak();
    preloaded::reset_peak();
}

/// Sets how many bytes may stay cached, and gives back what is more.
#[napi(catch_unwind)]
pub fn set_cache_limit(bytes: f64) {
    nalloc::set_cache_limit(number::byte_limit(bytes));
}

/// Sets how many bytes may be in use when a job begins, its own included; absent for no limit.
/// What is cached beyond it is given back.
#[napi(catch_unwind)]
pub fn set_memory_limit(bytes: Option<f64>) {
    limit::set_memory_limit(bytes.map(number::byte_limit));
    line::advance();
}

/// Lets the kernel take every cached page when it needs memory; how many bytes.
#[napi(catch_unwind)]
#[must_use]
pub fn soften_cache() -> f64 {
    number::from_u64(nalloc::soften_cache() + preloaded::soften_cache())
}

/// Gives every cached page back to the kernel; how many bytes.
#[napi(catch_unwind)]
#[must_use]
pub fn release_cache() -> f64 {
    number::from_u64(nalloc::release_cache() + preloaded::release_cache())
}
