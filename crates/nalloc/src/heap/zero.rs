//! Which zeroed blocks are cleared, and which come from pages that nobody has touched.
//!
//! Memory that is fresh from the kernel is never cleared. Warm memory is cleared by writing to it,
//! which costs half of what a program does that then uses all of it. A program that touches only a
//! few pages does better with untouched ones, and one that asked for a size before will do with it
//! as it did then. So the heap asks, now and then, which pages of a zeroed block were touched when
//! it comes back:
//!
//! * from 8 MiB on, one huge page inside the block is left out of the clearing and given back
//!   instead; a block that comes back without it was used sparsely;
//! * from 1 to 8 MiB, where that would cost too much, the block comes from small pages for once.
//!
//! Sizes that are used sparsely are served from a second range without huge pages, whose blocks
//! give their pages back when they are freed, and are looked at now and then. Dropping warm huge
//! pages instead loses over the whole round: the next user of that memory faults them in again. A
//! wrong guess costs small page faults for a few blocks; then the size counts as dense, until it is
//! asked about again.
//!
//! Sizes are told apart exactly, and each has one place in a table; a size that shares its place
//! with another one takes it over.

use crate::config::{
    LEFT_OUT_BYTES_MIN, PROBE_CALLS, PROBE_FIRST, PROBE_GROWTH, SIZES_KNOWN, SPARSE_BYTES_MIN,
    SPARSE_LOOKS, SPARSE_PAGES,
};

/// Where the zeros of a block come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// What is dirty is cleared.
    Clear,
    /// As `Clear`, but for one huge page, which is given back.
    LeaveOut,
    /// From small pages that nobody has touched.
    Untouched,
}

/// What is known of a size.
#[derive(Clone, Copy, Debug)]
struct Size {
    bytes: usize,
    /// Blocks that had to be cleared, and which of them is the next one to be asked about.
    calls: u32,
    next: u32,
    is_sparse: bool,
    /// Blocks that came back since it is sparse.
    returned: u32,
}

/// What is known of the sizes of zeroed blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    known: [Size; SIZES_KNOWN],
}

impl Sizes {
    pub(super) const NONE: Self = Self {
        known: [Size { bytes: 0, calls: 0, next: 0, is_sparse: false, returned: 0 }; SIZES_KNOWN],
    };

    fn of(&mut self, bytes: usize) -> &mut Size {
        // Fibonacci hashing: sizes of one program often differ in a few high bits only.
        let hash = bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - 16);
        &mut self.known[hash % SIZES_KNOWN]
    }

    /// How to serve a block of `bytes` zero bytes.
    pub(super) fn plan(&mut self, bytes: usize) -> Plan {
        if bytes < SPARSE_BYTES_MIN {
            return Plan::Clear;
        }
        let size = self.of(bytes);
        if size.bytes != bytes {
            *size = Size { bytes, calls: 0, next: PROBE_FIRST, is_sparse: false, returned: 0 };
        }
        if size.is_sparse {
            return Plan::Untouched;
        }
        size.calls = size.calls.saturating_add(1);
        if size.calls < size.next {
            return Plan::Clear;
        }
        if bytes < LEFT_OUT_BYTES_MIN {
            size.next = size.calls.saturating_mul(PROBE_GROWTH);
            return Plan::Untouched;
        }
        size.next = size.calls.saturating_add(PROBE_CALLS);
        Plan::LeaveOut
    }

    /// Whether the touched pages of a block of `bytes` bytes that comes back are to be counted.
    pub(super) fn is_look_due(&mut self, bytes: usize) -> bool {
        let size = self.of(bytes);
        if size.bytes == bytes && size.is_sparse {
            size.returned = size.returned.wrapping_add(1);
            return size.returned.is_multiple_of(SPARSE_LOOKS);
        }
        size.bytes == bytes
    }

    /// Notes that of `pages` pages of a block of `bytes` bytes, `touched` were touched.
    pub(super) fn learn(&mut self, bytes: usize, pages: usize, touched: usize) {
        let size = self.of(bytes);
        if size.bytes == bytes {
            size.is_sparse = touched <= pages / SPARSE_PAGES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: usize = 6_000_000;
    const LARGE: usize = 64 << 20;

    fn plans(sizes: &mut Sizes, bytes: usize, count: u32) -> Vec<u32> {
        (1..=count).filter(|_| sizes.plan(bytes) != Plan::Clear).collect()
    }

    #[test]
    fn small_sizes_are_never_asked_about() {
        let mut sizes = Sizes::NONE;
        assert_eq!(plans(&mut sizes, SPARSE_BYTES_MIN - 1, 5000), []);
    }

    #[test]
    fn dense_sizes_are_asked_about_now_and_then() {
        let mut sizes = Sizes::NONE;
        assert_eq!(plans(&mut sizes, SMALL, 2000), [3, 24, 192, 1536]);
        assert_eq!(plans(&mut sizes, LARGE, 60), [3, 19, 35, 51]);
    }

    #[test]
    fn a_sparse_size_stays_so_until_it_is_used_densely() {
        let mut sizes = Sizes::NONE;
        for bytes in [SMALL, LARGE] {
            assert_eq!((sizes.plan(bytes), sizes.plan(bytes)), (Plan::Clear, Plan::Clear));
            assert_ne!(sizes.plan(bytes), Plan::Clear);
            sizes.learn(bytes, 512, 0);
            for _ in 0..3 {
                assert_eq!(sizes.plan(bytes), Plan::Untouched, "{bytes}");
                sizes.learn(bytes, 16_000, 1000);
            }
            sizes.learn(bytes, 16_000, 1001);
            assert_eq!(sizes.plan(bytes), Plan::Clear, "{bytes}");
        }
    }

    #[test]
    fn a_sparse_size_is_looked_at_now_and_then() {
        let mut sizes = Sizes::NONE;
        sizes.plan(SMALL);
        assert!(sizes.is_look_due(SMALL) && !sizes.is_look_due(SMALL + 1));
        sizes.learn(SMALL, 512, 0);
        let looks = (1..=12).filter(|_| sizes.is_look_due(SMALL));
        assert_eq!(looks.count(), 3);
    }

    #[test]
    fn another_size_in_the_same_place_starts_anew() {
        let mut sizes = Sizes::NONE;
        assert_eq!(plans(&mut sizes, SMALL, 3), [3]);
        sizes.learn(SMALL, 1000, 0);
        let same = (SPARSE_BYTES_MIN..SMALL).find(|&other| {
            let place: *const Size = sizes.of(other);
            core::ptr::eq(place, sizes.of(SMALL))
        });

        sizes.learn(same.expect("one of 256"), 1000, 1000);
        assert_eq!(sizes.plan(SMALL), Plan::Untouched);
        assert_eq!(sizes.plan(same.expect("one of 256")), Plan::Clear);
        assert_eq!(sizes.plan(SMALL), Plan::Clear);
    }
}
