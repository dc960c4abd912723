//! How long ago each huge page was in use, and which free pages go first: the oldest, huge page by
//! huge page.
//!
//! The age of a huge page is how much was freed since a block in it was freed last, in steps of
//! `AGE_BYTES`. It needs no clock, it is exact enough to tell this phase from the last one, and
//! blocks that were freed together stay together, so that one call gives many of them back.

use super::backing::Wanted;
use super::extent::Space;
use super::va::Table;
use crate::config::{AGE_BYTES, HUGE_BYTES, TRIM_BYTES};
use crate::os::{Errno, Os};
use crate::units::{Extent, GranuleSize, Granules, Index, wide};

/// When each huge page of the range was last in use.
pub(super) struct Ages {
    renewed: Table<u32>,
    /// Granules of a huge page.
    unit: Granules,
    /// Granules of a step.
    step: u32,
    now: u32,
    /// Granules that were freed in this step.
    freed: u32,
}

impl Ages {
    /// Room for the ages of `len` granules.
    pub(super) fn reserve<O: Os>(os: &O, size: GranuleSize, len: Granules) -> Result<Self, Errno> {
        let count = |bytes| Granules(size.count_down(wide(bytes)).0.max(1));
        let unit = count(HUGE_BYTES);
        let renewed = Table::reserve(os, len.slots().div_ceil(unit.slots()))?;
        Ok(Self { renewed, unit, step: count(AGE_BYTES).0, now: 0, freed: 0 })
    }

    /// Gives the address space back, of which nothing is used any more.
    pub(super) fn unreserve<O: Os>(&self, os: &O) {
        self.renewed.unreserve(os);
    }

    /// Makes the ages of the granules before `end` usable.
    pub(super) fn back_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        self.renewed.back_to(os, end.slot().div_ceil(self.unit.slots()))
    }

    /// Bytes that the ages take.
    pub(super) fn backed_bytes(&self) -> usize {
        self.renewed.backed_bytes()
    }

    fn place(&self, at: Index) -> usize {
        // A shift: the huge page and the granule are powers of two.
        at.slot() >> self.unit.0.trailing_zeros()
    }

    /// Notes that an extent is freed.
    pub(super) fn renew(&mut self, extent: Extent) {
        self.freed += extent.len.0.min(self.step);
        if self.freed >= self.step {
            self.freed = 0;
            self.now = self.now.wrapping_add(1);
        }
        let (first, end) = (self.place(extent.at), self.place(extent.end() + self.unit_less_one()));
        self.renewed[first..end].fill(self.now);
    }

    fn unit_less_one(&self) -> Granules {
        Granules(self.unit.0 - 1)
    }

    /// The age of the huge page that a granule lies in.
    fn of(&self, at: Index) -> u32 {
        self.now.wrapping_sub(self.renewed[self.place(at)])
    }
}

/// A part of a free extent.
struct Found {
    free: Extent,
    piece: Extent,
    age: u32,
}

impl Space {
    /// Takes out of the heap the oldest free pages as wanted: whole huge pages, or, where there
    /// are none, any. No more than `excess` rounded up to huge pages, and no more than one call may
    /// give back. None when no such pages are free.
    pub(super) fn hold(&mut self, wanted: Wanted, excess: Granules) -> Option<Extent> {
        let unit = self.ages.unit;
        let most = self.range.size().count_down(wide(TRIM_BYTES)).min(excess);
        let most = Granules(most.0.max(1).next_multiple_of(unit.0));
        let found = self.oldest_huge(wanted).map(|found| self.with_equals(found, wanted, most));
        let Found { free, piece, .. } = found.or_else(|| self.oldest_part(wanted, most))?;
        self.hold_part(free.at, piece);
        Some(piece)
    }

    /// The whole huge pages of a free extent.
    fn whole(&self, free: Extent) -> Extent {
        let (known, unit) = (self.known(free), self.ages.unit);
        Extent::between(known.at.round_up(unit), known.end().round_down(unit))
    }

    /// A huge page within a live extent, next to that of its middle: a program that uses a block
    /// sparsely may well write its first, middle and last elements.
    pub(super) fn inner_huge_page(&self, extent: Extent) -> Option<Extent> {
        let unit = self.ages.unit;
        let middle = (extent.at + Granules(extent.len.0 / 2)).round_down(unit);
        let after = middle + unit;
        let before = middle.0.checked_sub(unit.0).map(Index);
        let mut pieces =
            [Some(after), before].into_iter().flatten().map(|at| Extent { at, len: unit });
        pieces.find(|piece| extent.at < piece.at && piece.end() < extent.end())
    }

    /// Free extents that hold a wanted page.
    fn promising(&self, wanted: Wanted) -> impl Iterator<Item = Extent> {
        self.free_extents()
            .filter_map(move |(free, counts)| (counts.of(wanted) != Granules::ZERO).then_some(free))
    }

    /// The oldest free huge page with a wanted page in it.
    fn oldest_huge(&self, wanted: Wanted) -> Option<Found> {
        let unit = self.ages.unit;
        let mut oldest: Option<Found> = None;
        for free in self.promising(wanted) {
            let whole = self.whole(free);
            let mut at = whole.at;
            while at < whole.end() {
                let (piece, age) = (Extent { at, len: unit }, self.ages.of(at));
                let is_older = oldest.as_ref().is_none_or(|oldest| age > oldest.age);
                if is_older && self.pages.has(piece, wanted) {
                    oldest = Some(Found { free, piece, age });
                }
                at = at + unit;
            }
        }
        oldest
    }

    /// A huge page with those above it in the same free extent that are as old.
    fn with_equals(&self, mut found: Found, wanted: Wanted, most: Granules) -> Found {
        let (whole, unit) = (self.whole(found.free), self.ages.unit);
        while found.piece.end() < whole.end() && found.piece.len < most {
            let next = Extent { at: found.piece.end(), len: unit };
            if self.ages.of(next.at) != found.age || !self.pages.has(next, wanted) {
                break;
            }
            found.piece.len += unit;
        }
        found
    }

    /// The wanted pages of the free extent where they are oldest, in one run.
    fn oldest_part(&self, wanted: Wanted, most: Granules) -> Option<Found> {
        let parts = self.promising(wanted).map(|free| {
            let span = self.pages.span(self.known(free), wanted);
            let piece = Extent { at: span.at, len: span.len.min(most) };
            Found { free, piece, age: self.ages.of(piece.at) }
        });
        parts.max_by_key(|found| found.age)
    }
}
