//! Who is compared: every peer at its best for blocks of megabytes, glibc and jemalloc also as they
//! come, and ours, which claims to need no settings. The crate zk-nalloc would belong here; the
//! registry has none (2026-11-21).

use crate::allocator::Allocator;
use crate::contestant::Contestant;

/// What a contestant is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it comes: shown, and no measure for ours.
    Stock,
    /// At its best.
    Tuned,
    /// Ours.
    Ours,
}

/// A contestant and what it is compared as.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its allocator and its settings.
    pub contestant: Contestant,
    /// What it is compared as.
    pub kind: Kind,
}

impl Peer {
    /// Whether this is the C library's allocator at its best.
    #[must_use]
    pub fn is_tuned_glibc(&self) -> bool {
        self.contestant.allocator == Allocator::Glibc && self.kind == Kind::Tuned
    }
}

type Settings = &'static [(&'static str, &'static str)];

/// Blocks of any size come from heaps that never shrink, on huge pages; blocks that do not fit into
/// the 64 MB heap of a further thread's arena are mapped each on its own.
const GLIBC_TUNED: Settings = &[
    ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
    ("MALLOC_TRIM_THRESHOLD_", "68719476736"),
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
];
/// The same with one heap for all threads.
const GLIBC_TUNED_ONE: Settings =
    &[GLIBC_TUNED[0], GLIBC_TUNED[1], GLIBC_TUNED[2], ("MALLOC_ARENA_MAX", "1")];
#[cfg(feature = "jemalloc")]
const JEMALLOC_TUNED: Settings =
    &[("_RJEM_MALLOC_CONF", "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always")];
/// Nothing is ever given back, also not blocks of 2 GiB, and new memory is advised onto huge pages.
#[cfg(feature = "mimalloc")]
const MIMALLOC_TUNED: Settings = &[
    ("MIMALLOC_PURGE_DELAY", "-1"),
    ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
    ("MIMALLOC_ARENA_RESERVE", "8GiB"),
    ("MIMALLOC_ARENA_MAX_OBJECT_SIZE", "4GiB"),
];
/// What does not go to its slabs goes to glibc, which is tuned. Slabs of 3 GiB hold every round of
/// one thread; six of the default 8 GiB would be more memory than most machines have.
#[cfg(feature = "zk-alloc")]
const ZK_ALLOC: Settings = &[
    ("ZK_ALLOC_SLAB_GB", "3"),
    GLIBC_TUNED[0],
    GLIBC_TUNED[1],
    GLIBC_TUNED[2],
    ("MALLOC_ARENA_MAX", "1"),
];

/// The contestants with these allocators.
#[must_use]
pub fn peers(allocators: &[Allocator]) -> Vec<Peer> {
    allocators.iter().flat_map(|&allocator| peers_of(allocator)).collect()
}

fn peers_of(allocator: Allocator) -> Vec<Peer> {
    let peer = |name, kind, environment: Settings| {
        let is_heap_advised = environment.iter().any(|&(name, _)| name == "GLIBC_TUNABLES");
        Peer { contestant: Contestant { name, allocator, environment, is_heap_advised }, kind }
    };
    match allocator {
        Allocator::Glibc => vec![
            peer("glibc", Kind::Stock, &[]),
            peer("glibc tuned", Kind::Tuned, GLIBC_TUNED),
            peer("glibc tuned 1", Kind::Tuned, GLIBC_TUNED_ONE),
        ],
        #[cfg(feature = "jemalloc")]
        Allocator::Jemalloc => vec![
            peer("jemalloc", Kind::Stock, &[]),
            peer("jemalloc tuned", Kind::Tuned, JEMALLOC_TUNED),
        ],
        #[cfg(feature = "mimalloc")]
        Allocator::Mimalloc => vec![peer("mimalloc tuned", Kind::Tuned, MIMALLOC_TUNED)],
        #[cfg(feature = "zk-alloc")]
        Allocator::ZkAlloc => vec![peer("zk-alloc", Kind::Tuned, ZK_ALLOC)],
        Allocator::Nalloc => vec![peer("nalloc", Kind::Ours, &[])],
    }
}
