//! Lengths and positions: `usize` in memory, `u64` in files, `u32` where a format counts.

// Both conversions below lose nothing.
const _: () = assert!(size_of::<usize>() == size_of::<u64>(), "addresses have 64 bits");

/// A length in memory as one in a file.
#[must_use]
pub const fn wide(length: usize) -> u64 {
    length as u64
}

/// A count or index of a format as one in memory.
#[must_use]
pub const fn index(number: u32) -> usize {
    number as usize
}
