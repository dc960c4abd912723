//! nalloc as the allocator of a Rust program: `cargo run --release --example global_allocator`.
//!
//! Stands for a prover: each round takes buffers of 32 MiB, fills them and drops them. After the
//! second round no memory comes from the system any more.

use nalloc::NAlloc;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const ROUNDS: usize = 4;
const BUFFERS: usize = 8;
const BUFFER_BYTES: usize = 32 << 20;

fn main() {
    println!("round      ms  hits  misses  live MiB  cached MiB");
    for round in 1..=ROUNDS {
        let started = std::time::Instant::now();
        let buffers: Vec<Vec<u8>> = (0..BUFFERS).map(|_| vec![1; BUFFER_BYTES]).collect();
        assert!(buffers.iter().all(|buffer| buffer.iter().all(|&byte| byte == 1)));
        drop(buffers);
        let stats = nalloc::stats();
        println!(
            "{round:5} {:7.1} {:5} {:7} {:9} {:11}",
            started.elapsed().as_secs_f64() * 1e3,
            stats.hits,
            stats.misses,
            stats.live_bytes >> 20,
            stats.cached_bytes >> 20,
        );
    }
}
