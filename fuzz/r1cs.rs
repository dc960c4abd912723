//! Circuits: bytes as an .r1cs, and keys for development of what could be read.

#![no_main]

#[expect(dead_code, reason = "each target runs one of its functions")]
#[path = "../crates/nalloc-groth16/tests/groth16/formats.rs"]
mod formats;
mod measured;

#[global_allocator]
static GLOBAL: measured::Counted = measured::Counted;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| formats::read_r1cs(bytes, measured::bounded));
