//! What lies in the memory of this process, stack, heap and everything.
//!
//! A needle is kept masked, so that the search itself does not put it into memory.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// Every byte of a needle is kept exclusive-or this.
pub const MASK: u8 = 0xa5;

const CHUNK_BYTES: usize = 1 << 20;

/// Bytes to look for, masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(Vec<u8>);

impl Needle {
    /// A needle whose bytes are already masked; at least four of them.
    ///
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn from_masked(masked: Vec<u8>) -> Self {
        assert!(masked.len() >= 4, "a needle of {} bytes is found anywhere", masked.len());
        Self(masked)
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.iter().zip(&self.0).all(|(&byte, &masked)| byte ^ MASK == masked)
    }
}

/// How often each needle occurs in the writable memory of this process.
///
/// # Panics
/// When the kernel does not show the memory.
#[must_use]
pub fn count(needles: &[Needle]) -> Vec<usize> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the maps of this process");
    let memory = File::open("/proc/self/mem").expect("the memory of this process");
    let mut chunk = vec![0; CHUNK_BYTES];
    let own = chunk.as_ptr().addr() as u64..chunk.as_ptr().addr() as u64 + CHUNK_BYTES as u64;
    let overlap = needles.iter().map(|needle| needle.0.len() - 1).max().unwrap_or(0);
    let mut counts = vec![0; needles.len()];
    for (start, end) in maps.lines().filter_map(writable_range) {
        let mut at = start;
        while at < end {
            let len = usize::try_from(end - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            // Guard pages and the like cannot be read, and hold nothing.
            if memory.read_exact_at(&mut chunk[..len], at).is_ok() {
                blank_overlap(&mut chunk[..len], at, &own);
                for (needle, count) in needles.iter().zip(&mut counts) {
                    *count += occurrences(needle, &chunk[..len]);
                }
            }
            at = if at + len as u64 == end { end } else { at + (len - overlap) as u64 };
        }
    }
    counts
}

/// The search's own buffer holds copies of what was found elsewhere.
fn blank_overlap(chunk: &mut [u8], at: u64, own: &std::ops::Range<u64>) {
    let end = at + chunk.len() as u64;
    if at < own.end && own.start < end {
        let from = own.start.saturating_sub(at);
        let to = own.end.min(end) - at;
        let [from, to] = [from, to].map(|offset| usize::try_from(offset).unwrap_or(usize::MAX));
        chunk[from..to].fill(0);
    }
}

fn occurrences(needle: &Needle, bytes: &[u8]) -> usize {
    let first = needle.0[0] ^ MASK;
    let windows = bytes.windows(needle.0.len());
    windows.filter(|window| window[0] == first && needle.is_at(window)).count()
}

/// The addresses of a line of /proc/self/maps, unless they cannot be written to.
fn writable_range(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split(' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let is_writable = fields.next()?.starts_with("rw");
    let address = |text: &str| u64::from_str_radix(text, 16).ok();
    address(start).zip(address(end)).filter(|_| is_writable)
}
