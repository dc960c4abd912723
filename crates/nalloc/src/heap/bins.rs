//! Free extents by size class: a list for each class and a bit for each list that is not empty, so
//! that the next class with something in it is found in constant time.
//!
//! Up to 63 granules each length is a class of its own; above, there are eight to a doubling.

use crate::units::Granules;
use crate::units::Index;
use crate::zeroable::Zeroable;

/// Lengths below this are classes of their own.
const EXACT: u32 = 64;
/// Classes in all: the last is that of 2^31 granules and more.
pub(super) const CLASSES: usize = 64 + 26 * 8;

const _: () = assert!(class_of(Granules(u32::MAX)) == CLASSES - 1);
const _: () = assert!(class_of(Granules(EXACT - 1)) + 1 == class_of(Granules(EXACT)));

/// The class of a length.
pub(super) const fn class_of(len: Granules) -> usize {
    let n = len.0;
    if n < EXACT {
        return len.slots();
    }
    let doubling = n.ilog2();
    Granules(EXACT + (doubling - 6) * 8 + ((n >> (doubling - 3)) & 7)).slots()
}

/// The index of a granule, or none; all zero bytes are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link(u32);

// SAFETY: zero is no link.
unsafe impl Zeroable for Link {}

impl Link {
    pub(super) const NONE: Self = Self(0);

    pub(super) fn to(at: Index) -> Self {
        Self(at.0 + 1)
    }

    pub(super) fn get(self) -> Option<Index> {
        self.0.checked_sub(1).map(Index)
    }
}

/// The first extent of each class.
pub(super) struct Bins {
    heads: [Link; CLASSES],
    is_filled: [u64; CLASSES.div_ceil(64)],
}

impl Bins {
    pub(super) const fn new() -> Self {
        Self { heads: [Link::NONE; CLASSES], is_filled: [0; CLASSES.div_ceil(64)] }
    }

    /// The first extent of a class.
    pub(super) fn head(&self, class: usize) -> Link {
        self.heads[class]
    }

    /// Makes `link` the first extent of a class.
    pub(super) fn set_head(&mut self, class: usize, link: Link) {
        self.heads[class] = link;
        let bit = 1 << (class % 64);
        let word = &mut self.is_filled[class / 64];
        *word = if link == Link::NONE { *word & !bit } else { *word | bit };
    }

    /// The classes from `class` on that have an extent, in order.
    pub(super) fn filled_from(&self, class: usize) -> impl Iterator<Item = usize> {
        (class / 64..self.is_filled.len()).flat_map(move |word| {
            let skip = if word == class / 64 { class % 64 } else { 0 };
            let mut bits = self.is_filled[word] & (u64::MAX << skip);
            core::iter::from_fn(move || {
                let bit = Granules(bits.trailing_zeros()).slots();
                let found = (bits != 0).then_some(word * 64 + bit);
                bits &= bits.wrapping_sub(1);
                found
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_above_that_of_a_length_holds_only_longer_extents() {
        for n in (1..100_000).chain((17..32).flat_map(|k| [(1u32 << k) - 1, 1 << k, (1 << k) + 1]))
        {
            let class = class_of(Granules(n));
            assert!(class < CLASSES && class_of(Granules(n - 1)) <= class, "length {n}");
        }
    }

    #[test]
    fn filled_classes_are_found_in_order() {
        let mut bins = Bins::new();
        for class in [0, 63, 64, 200, CLASSES - 1] {
            bins.set_head(class, Link::to(Index(7)));
        }
        bins.set_head(200, Link::NONE);

        assert_eq!(bins.filled_from(1).collect::<Vec<_>>(), [63, 64, CLASSES - 1]);
    }
}
