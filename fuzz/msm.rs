//! Sums of points times scalars, with the kernels of this CPU, in plain Rust and one by one.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::differential::compare_msm(bytes));
