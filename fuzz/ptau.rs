//! Ceremonies: bytes as a .ptau, and checks of what could be read.

#![no_main]

mod measured;
#[path = "../crates/nalloc-bn254/tests/bn254/kzg/ptau_fuzz.rs"]
mod ptau_fuzz;

#[global_allocator]
static GLOBAL: measured::Counted = measured::Counted;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ptau_fuzz::read_ptau(bytes, measured::bounded));
