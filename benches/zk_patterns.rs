//! Allocation patterns of provers: `cargo bench --bench zk_patterns`, with `--features` out of
//! `bench-jemalloc`, `bench-mimalloc` and `bench-global` (ours). glibc, stock and tuned, always
//! takes part; `npm run bench:patterns` compares all of them. `-- --quick` shows that it works,
//! `-- --record` keeps the figures.

use std::process::ExitCode;

use benchkit::{Allocator, Dispatch, patterns};

#[global_allocator]
static GLOBAL: Dispatch = Dispatch;

const ALLOCATORS: &[Allocator] = &[
    Allocator::Glibc,
    #[cfg(feature = "bench-jemalloc")]
    Allocator::Jemalloc,
    #[cfg(feature = "bench-mimalloc")]
    Allocator::Mimalloc,
    #[cfg(feature = "bench-global")]
    Allocator::Nalloc,
];

fn main() -> ExitCode {
    patterns::main(ALLOCATORS)
}
