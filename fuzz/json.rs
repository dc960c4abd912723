//! Texts of verification keys, public signals and proofs.

#![no_main]

#[expect(dead_code, reason = "each target runs one of its functions")]
#[path = "../crates/nalloc-groth16/tests/groth16/formats.rs"]
mod formats;
mod measured;

#[global_allocator]
static GLOBAL: measured::Counted = measured::Counted;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| formats::read_json(bytes, measured::bounded));
