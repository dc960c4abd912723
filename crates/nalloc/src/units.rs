//! Lengths, indices and addresses that are easily mistaken for each other, and every cast between
//! integers of this crate.

use core::num::NonZero;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::ptr::NonNull;

use crate::zeroable::Zeroable;

// Counts of granules are 32 bits, lengths in memory are `usize`, and statistics are 64 bits.
const _: () = assert!(usize::BITS == 64, "the heap reserves more than a 32-bit address space");

/// A count of granules (4 KiB, or the OS page if larger). Never bytes, never an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Granules(pub(crate) u32);

// SAFETY: zero is a count.
unsafe impl Zeroable for Granules {}

impl Granules {
    /// None at all.
    pub(crate) const ZERO: Self = Self(0);

    /// The count as a length of a slice with one element for each granule.
    pub(crate) const fn slots(self) -> usize {
        self.0 as usize
    }
}

/// The number of a granule in the heap's range, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Index(pub(crate) u32);

impl Index {
    /// The granule that element `slot` of a slice with one element for each stands for.
    pub(crate) fn of_slot(slot: usize) -> Self {
        Self(u32::try_from(slot).unwrap_or(u32::MAX))
    }

    /// The index into a slice with one element for each granule.
    pub(crate) const fn slot(self) -> usize {
        self.0 as usize
    }

    /// The index rounded up to a multiple of `unit`.
    pub(crate) const fn round_up(self, unit: Granules) -> Self {
        Self(self.0.next_multiple_of(unit.0))
    }

    /// The index rounded down to a multiple of `unit`.
    pub(crate) const fn round_down(self, unit: Granules) -> Self {
        Self(self.0 / unit.0 * unit.0)
    }
}

/// A run of granules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first granule.
    pub(crate) at: Index,
    /// How many there are.
    pub(crate) len: Granules,
}

impl Extent {
    /// From `at` up to, and not including, `end`; empty when `end` is lower.
    pub(crate) fn between(at: Index, end: Index) -> Self {
        Self { at, len: Granules(end.0.saturating_sub(at.0)) }
    }

    /// The granule after the last one.
    pub(crate) fn end(self) -> Index {
        self.at + self.len
    }

    /// Whether there is no granule in it.
    pub(crate) fn is_empty(self) -> bool {
        self.len == Granules::ZERO
    }
}

impl Add<Granules> for Index {
    type Output = Self;
    fn add(self, by: Granules) -> Self {
        Self(self.0 + by.0)
    }
}

impl Sub for Index {
    type Output = Granules;
    fn sub(self, from: Self) -> Granules {
        Granules(self.0 - from.0)
    }
}

impl Add for Granules {
    type Output = Self;
    fn add(self, more: Self) -> Self {
        Self(self.0 + more.0)
    }
}

impl Sub for Granules {
    type Output = Self;
    fn sub(self, less: Self) -> Self {
        Self(self.0 - less.0)
    }
}

impl AddAssign for Granules {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl SubAssign for Granules {
    fn sub_assign(&mut self, less: Self) {
        *self = *self - less;
    }
}

/// The length of a granule: 4 KiB, or the OS page if that is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GranuleSize {
    shift: u32,
}

impl GranuleSize {
    /// The granule on a system with pages of `page_bytes`, a power of two.
    pub(crate) fn of_page(page_bytes: usize) -> Self {
        Self { shift: page_bytes.max(4096).trailing_zeros() }
    }

    /// Bytes of one granule.
    pub(crate) const fn bytes(self) -> usize {
        1 << self.shift
    }

    /// Bytes of `count` granules.
    pub(crate) const fn of(self, count: Granules) -> usize {
        count.slots() << self.shift
    }

    /// Granules that lie wholly within `bytes` bytes, at most `u32::MAX`.
    pub(crate) fn count_down(self, bytes: u64) -> Granules {
        Granules(u32::try_from(bytes >> self.shift).unwrap_or(u32::MAX))
    }

    /// Granules that hold `bytes` bytes; None when there is no such count.
    pub(crate) fn count_up(self, bytes: usize) -> Option<Granules> {
        let whole = bytes.checked_add(self.bytes() - 1)? >> self.shift;
        u32::try_from(whole).ok().map(Granules)
    }

    /// Bytes between `address` and the start of its granule.
    pub(crate) const fn offset(self, address: usize) -> usize {
        address & (self.bytes() - 1)
    }
}

/// A length in memory as 64 bits, for errors and statistics.
pub(crate) const fn wide(bytes: usize) -> u64 {
    bytes as u64
}

/// The number of the 4 KiB page that holds `address`, counted from the one that `base` is in.
pub(crate) const fn page_number(address: usize, base: usize) -> i64 {
    (address >> 12).cast_signed() as i64 - (base >> 12).cast_signed() as i64
}

/// A signed number as an unsigned one that is small when the number is near zero.
pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Where zero bytes aligned to `align` (a power of two) may be said to be.
pub(crate) fn nowhere(align: usize) -> NonNull<u8> {
    NonNull::without_provenance(NonZero::new(align).unwrap_or(NonZero::<usize>::MIN))
}
