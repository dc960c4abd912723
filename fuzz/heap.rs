//! Operations on the heap over a fake kernel with faults, against a list of blocks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nalloc::fuzz_heap(bytes));
