//! What lies in the memory of this process: stacks, heaps and everything that can be written to.
//!
//! Needles are words of 64 bits. They are kept masked, so that the search does not put them into
//! memory itself.

use std::collections::HashMap;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Every needle is kept exclusive-or this.
const MASK: u64 = 0xa55a_c33c_9669_0ff0;
const CHUNK_BYTES: usize = 1 << 20;
const WORD_BYTES: usize = size_of::<u64>();
/// Low bits of a masked needle that the first look compares.
const FILTER_BITS: u32 = 20;

/// Words to look for.
pub struct Needles {
    /// The position of each needle by its masked word.
    positions: HashMap<u64, usize>,
    /// Whether a needle has these low bits.
    filter: Vec<bool>,
}

/// The masked form of words, as bytes, for the process that will look for them.
#[must_use]
pub fn masked(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| (word ^ MASK).to_le_bytes()).collect()
}

impl Needles {
    /// The needles whose masked form this is.
    ///
    /// # Panics
    /// When two needles are equal, or one is so small that it is found anywhere.
    #[must_use]
    pub fn from_masked(bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<WORD_BYTES>();
        let mut needles = Self { positions: HashMap::new(), filter: vec![false; 1 << FILTER_BITS] };
        for (position, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            assert!(word ^ MASK > u64::from(u32::MAX), "needle {position} is a small number");
            let other = needles.positions.insert(word, position);
            assert_eq!(other, None, "needle {position} is there twice");
            needles.filter[low_bits(word)] = true;
        }
        needles
    }

    /// How often each needle occurs, at any byte.
    ///
    /// # Panics
    /// When the kernel does not show the memory.
    #[must_use]
    pub fn count(&self) -> Vec<usize> {
        let maps = fs::read_to_string("/proc/self/maps").expect("the maps of this process");
        let memory = File::open("/proc/self/mem").expect("the memory of this process");
        let mut chunk = vec![0; CHUNK_BYTES];
        let own = chunk.as_ptr().addr() as u64..(chunk.as_ptr().addr() + CHUNK_BYTES) as u64;
        let mut counts = vec![0; self.positions.len()];
        for range in maps.lines().filter_map(writable_range) {
            let mut at = range.start;
            while at < range.end {
                let len = usize::try_from(range.end - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
                // What cannot be read, such as a device's pages, holds nothing of ours.
                if memory.read_exact_at(&mut chunk[..len], at).is_ok() {
                    blank_own(&mut chunk[..len], at, &own);
                    self.count_in(&chunk[..len], &mut counts);
                }
                // Chunks overlap, so that a word on the border is seen once.
                let is_last = at + len as u64 == range.end;
                at += if is_last { len } else { len + 1 - WORD_BYTES } as u64;
            }
        }
        counts
    }

    fn count_in(&self, bytes: &[u8], counts: &mut [usize]) {
        for window in bytes.windows(WORD_BYTES) {
            let mut word = [0; WORD_BYTES];
            word.copy_from_slice(window);
            let masked = u64::from_le_bytes(word) ^ MASK;
            if self.filter[low_bits(masked)]
                && let Some(&position) = self.positions.get(&masked)
            {
                counts[position] += 1;
            }
        }
    }
}

fn low_bits(word: u64) -> usize {
    usize::try_from(word & ((1 << FILTER_BITS) - 1)).unwrap_or(0)
}

/// The search's own buffer holds copies of what was found elsewhere.
fn blank_own(chunk: &mut [u8], at: u64, own: &Range<u64>) {
    let end = at + chunk.len() as u64;
    if at < own.end && own.start < end {
        let [from, to] = [own.start.saturating_sub(at), own.end.min(end) - at]
            .map(|offset| usize::try_from(offset).unwrap_or(usize::MAX));
        chunk[from..to].fill(0);
    }
}

/// The addresses of a line of /proc/self/maps, unless they cannot be written to.
fn writable_range(line: &str) -> Option<Range<u64>> {
    let mut fields = line.split(' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let is_writable = fields.next()?.starts_with("rw");
    let address = |text: &str| u64::from_str_radix(text, 16).ok();
    address(start).zip(address(end)).filter(|_| is_writable).map(|(start, end)| start..end)
}
