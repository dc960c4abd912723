//! Threads that take and touch large buffers at the same time: `cargo run --release --example
//! contention --features bench-global -- 64 3` for buffers of 64 MB and 3 s per step, with
//! `--features` out of `bench-jemalloc`, `bench-mimalloc` and `bench-global` (ours). glibc, stock
//! and tuned, always takes part. `--record` keeps the figures.

use std::process::ExitCode;

use benchkit::{Allocator, Dispatch, contention};

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
    contention::main(ALLOCATORS)
}
