//! Transforms, with the kernels of this CPU and in plain Rust.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::differential::compare_ntt(bytes));
