//! Bytes to look for: made where they are written, so that no copy of them lies elsewhere.

/// Bytes of a needle.
pub const LEN: usize = 64;

/// Writes needle `number` to the beginning of `room`, word by word.
pub fn write(room: &mut [u8], number: u64) {
    for (at, word) in room[..LEN].as_chunks_mut::<8>().0.iter_mut().zip(0_u64..) {
        // Odd factors keep the words different; nothing else in a process looks like them.
        let mixed = (number * 1000 + word + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        at.copy_from_slice(&(mixed ^ (mixed >> 29)).to_le_bytes());
    }
}

/// Whether needle `number` lies in `haystack`, at any byte.
pub fn is_in(haystack: &[u8], number: u64) -> bool {
    let mut needle = [0; LEN];
    write(&mut needle, number);
    let (first, rest) = needle.split_at(8);
    let is_here =
        |at: usize| haystack[at..].strip_prefix(first).is_some_and(|bytes| bytes.starts_with(rest));
    (0..haystack.len().saturating_sub(LEN - 1)).any(is_here)
}
