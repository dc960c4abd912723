//! An allocator with settings: what is compared.
//!
//! Every peer enters twice, as it comes and at its best for blocks of megabytes. nalloc enters
//! once: to need no settings is what it claims.

use crate::allocator::Allocator;

/// How the variables begin that set up an allocator: a contestant inherits none of them.
pub const FOREIGN: &[&str] =
    &["GLIBC_TUNABLES", "MALLOC_", "MIMALLOC_", "NALLOC_", "ZK_ALLOC_", "ZK_NALLOC_", "_RJEM_"];

/// An allocator with settings.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// Its name in tables and records.
    pub name: &'static str,
    /// What must serve its process.
    pub allocator: Allocator,
    /// Its settings: variables of the environment and their values.
    pub environment: &'static [(&'static str, &'static str)],
    /// Whether its settings ask for a heap on huge pages, which must then be seen.
    pub is_heap_advised: bool,
}

impl Contestant {
    /// The settings as one text, or "stock".
    #[must_use]
    pub fn settings(&self) -> String {
        let pairs: Vec<_> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { "stock".to_owned() } else { pairs.join(" ") }
    }
}

/// Blocks of any size come from one heap that never shrinks, on huge pages. One arena, because
/// blocks of 64 MB do not fit into the arenas of further threads, which then map each on its own.
const GLIBC_TUNED: &[(&str, &str)] = &[
    ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
    ("MALLOC_TRIM_THRESHOLD_", "68719476736"),
    ("MALLOC_ARENA_MAX", "1"),
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
];
#[cfg(feature = "jemalloc")]
const JEMALLOC_TUNED: &[(&str, &str)] =
    &[("_RJEM_MALLOC_CONF", "dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always")];
#[cfg(feature = "mimalloc")]
const MIMALLOC_TUNED: &[(&str, &str)] = &[("MIMALLOC_PURGE_DELAY", "-1")];

/// Those of an allocator: stock first, then tuned.
#[must_use]
pub fn contestants(allocator: Allocator) -> Vec<Contestant> {
    let one = |name, environment| Contestant {
        name,
        allocator,
        environment,
        is_heap_advised: environment == GLIBC_TUNED,
    };
    match allocator {
        Allocator::Glibc => vec![one("glibc", &[]), one("glibc tuned", GLIBC_TUNED)],
        #[cfg(feature = "jemalloc")]
        Allocator::Jemalloc => vec![one("jemalloc", &[]), one("jemalloc tuned", JEMALLOC_TUNED)],
        #[cfg(feature = "mimalloc")]
        Allocator::Mimalloc => vec![one("mimalloc", &[]), one("mimalloc tuned", MIMALLOC_TUNED)],
        #[cfg(feature = "zk-alloc")]
        Allocator::ZkAlloc => vec![one("zk-alloc", &[])],
        Allocator::Nalloc => vec![one("nalloc", &[])],
    }
}
