//! What the allocator says of itself.

use napi_derive::napi;

use crate::number;

/// Bytes and counts of nalloc's heap, and the process's resident memory.
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
    /// What may be live; absent when there is no limit.
    pub memory_limit_bytes: Option<f64>,
    /// Allocations served from memory that was used before.
    pub hits: f64,
    /// Allocations that needed memory from the system.
    pub misses: f64,
    /// Cached blocks given back to the system.
    pub evictions: f64,
    /// Allocations mapped on their own, outside the heap's range.
    pub fallbacks: f64,
}

/// The allocator's figures, now.
#[napi(catch_unwind)]
#[must_use]
pub fn stats() -> MemoryStats {
    let stats = nalloc::stats();
    MemoryStats {
        live_bytes: number::from_u64(stats.live_bytes),
        peak_live_bytes: number::from_u64(stats.peak_live_bytes),
        cached_bytes: number::from_u64(stats.cached_bytes),
        softened_bytes: number::from_u64(stats.softened_bytes),
        mapped_bytes: number::from_u64(stats.mapped_bytes),
        metadata_bytes: number::from_u64(stats.metadata_bytes),
        rss_bytes: number::from_u64(nalloc::rss_bytes().unwrap_or(0)),
        cache_limit_bytes: number::from_u64(stats.cache_limit_bytes),
        memory_limit_bytes: stats.memory_limit_bytes.map(number::from_u64),
        hits: number::from_u64(stats.hits),
        misses: number::from_u64(stats.misses),
        evictions: number::from_u64(stats.evictions),
        fallbacks: number::from_u64(stats.fallbacks),
    }
}
