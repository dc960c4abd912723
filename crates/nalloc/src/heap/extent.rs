//! Who owns which granule. Extents tile the range without gaps: each is free, live (a block), or
//! held (out of the heap while the kernel is asked to take its pages). Free neighbours are always
//! merged; live ones never are.
//!
//! An extent is described in the entry of its first granule; a free one, and a live one that grew,
//! also leave a link back from the entry of the last granule, so that the neighbour above finds it:
//! free neighbours merge, and nothing is placed right above what may grow again while there is room
//! elsewhere. The entry of a granule inside an extent holds nothing. The free extent at the very
//! top reaches the end of the range, and its far end needs no link, for nothing lies above.
//!
//! Equations, in granules: live + held + free = len; the granules before `top` and no others may
//! be warm or soft; cached = the warm and soft granules of free extents.
//!
//! Of each huge page it is known how much was freed since it was last in use: its age. `age` picks
//! by it what is given back.

#[cfg(any(test, fuzzing))]
mod check;
mod place;
mod resize;

use super::age::Ages;
use super::backing::{Backing, Counts, DirtyRuns, Pages};
use super::bins::{Bins, Link, class_of};
use super::growth::Growths;
use super::va::{Range, Table};
use crate::os::{Advice, Errno, Os};
use crate::units::{Extent, GranuleSize, Granules, Index};
use crate::zeroable::Zeroable;

pub(super) use place::Need;

/// What an extent is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    #[default]
    Free = 0,
    Live,
    Held,
}

/// What is known of the extent that begins, or, for `back`, ends at a granule.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct Entry {
    pub(super) len: Granules,
    pub(super) state: State,
    /// Of a live extent: whether all of its pages were warm when it became live.
    is_warm: bool,
    /// Of a live extent: whether somebody wants to know which of its pages were touched.
    is_asked: bool,
    prev: Link,
    next: Link,
    /// To the first granule of the free extent, or the live one that grew, that ends here.
    back: Link,
    /// Pages of a free extent; nothing for others.
    counts: Counts,
}

// SAFETY: zero is a length, `Free`, false, no link, and no pages.
unsafe impl Zeroable for Entry {}

/// An extent that became live.
pub(super) struct Taken {
    pub(super) extent: Extent,
    /// Whether no page of it was fresh.
    pub(super) is_warm: bool,
}

/// Granules of the range by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) live: Granules,
    pub(super) held: Granules,
    /// Of free extents.
    pub(super) cached: Counts,
}

/// The range and everything that is known about its granules.
pub(super) struct Space {
    pub(super) range: Range,
    entries: Table<Entry>,
    pub(super) pages: Pages,
    pub(super) ages: Ages,
    bins: Bins,
    pub(super) growths: Growths,
    /// Everything before it is usable.
    usable: Index,
    /// No granule at or above it was ever handed out.
    pub(super) top: Index,
    pub(super) totals: Totals,
}

impl Space {
    /// Reserves `bytes` of address space and gives `advice` about its pages; also why that was
    /// refused, if it was.
    pub(super) fn reserve<O: Os>(
        os: &O,
        bytes: u64,
        advice: Option<Advice>,
    ) -> Result<(Self, Option<Errno>), Errno> {
        let size = GranuleSize::of_page(os.page_bytes());
        let (range, refused) = Range::reserve(os, size, size.count_down(bytes), advice)?;
        let len = range.len();
        let tables = || {
            let entries = Table::reserve(os, len.slots() + 1)?;
            let pages = Pages::reserve(os, len).inspect_err(|_| entries.unreserve(os))?;
            match Ages::reserve(os, size, len) {
                Ok(ages) => Ok((entries, pages, ages)),
                Err(errno) => {
                    entries.unreserve(os);
                    pages.unreserve(os);
                    Err(errno)
                }
            }
        };
        let (entries, pages, ages) = tables().inspect_err(|_| range.unreserve(os))?;
        let (bins, growths, totals) = (Bins::new(), Growths::NONE, Totals::default());
        let start = Index(0);
        let mut space =
            Self { range, entries, pages, ages, bins, growths, usable: start, top: start, totals };
        if let Err(errno) = space.back_all_to(os, start) {
            space.range.unreserve(os);
            space.entries.unreserve(os);
            space.pages.unreserve(os);
            space.ages.unreserve(os);
            return Err(errno);
        }
        space.insert(Extent { at: start, len }, Counts::default());
        Ok((space, refused))
    }

    /// Makes the granules before `end` usable, and the entries up to and with that of `end`.
    fn back_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        if end <= self.usable { Ok(()) } else { self.back_all_to(os, end) }
    }

    #[cold]
    fn back_all_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        let end = self.range.chunk_end(end);
        self.entries.back_to(os, end.slot() + 1)?;
        self.pages.back_to(os, end)?;
        self.ages.back_to(os, end)?;
        self.range.back_to(os, end)?;
        self.usable = end;
        Ok(())
    }

    /// Bytes that entries and page states take.
    pub(super) fn metadata_bytes(&self) -> usize {
        self.entries.backed_bytes() + self.pages.backed_bytes() + self.ages.backed_bytes()
    }

    /// The entry of the extent that begins at `at`; None where no extent can begin yet.
    pub(super) fn entry(&self, at: Index) -> Option<Entry> {
        (at <= self.top).then(|| self.entries[at.slot()])
    }

    fn end(&self) -> Index {
        Index(0) + self.range.len()
    }

    /// The part of an extent whose pages may be anything but zero.
    pub(super) fn known(&self, extent: Extent) -> Extent {
        Extent::between(extent.at, extent.end().min(self.top))
    }

    /// Puts an extent with free neighbours on neither side into its bin.
    fn insert(&mut self, extent: Extent, counts: Counts) {
        let class = class_of(extent.len);
        let next = self.bins.head(class);
        if let Some(next) = next.get() {
            self.entries[next.slot()].prev = Link::to(extent.at);
        }
        self.bins.set_head(class, Link::to(extent.at));
        let entry = &mut self.entries[extent.at.slot()];
        (entry.len, entry.state) = (extent.len, State::Free);
        (entry.prev, entry.next, entry.counts) = (Link::NONE, next, counts);
        if extent.end() < self.end() {
            let last = extent.end().slot() - 1;
            self.entries[last].back = Link::to(extent.at);
        }
        self.totals.cached = self.totals.cached.plus(counts);
    }

    /// Takes a free extent out of its bin.
    fn remove(&mut self, at: Index) -> (Extent, Counts) {
        let Entry { len, state, prev, next, counts, .. } = self.entries[at.slot()];
        debug_assert!(state == State::Free && len != Granules::ZERO, "{state:?} extent of {len:?}");
        match prev.get() {
            Some(prev) => self.entries[prev.slot()].next = next,
            None => self.bins.set_head(class_of(len), next),
        }
        if let Some(next) = next.get() {
            self.entries[next.slot()].prev = prev;
        }
        let extent = Extent { at, len };
        if extent.end() < self.end() {
            self.entries[extent.end().slot() - 1].back = Link::NONE;
        }
        self.totals.cached = self.totals.cached.minus(counts);
        (extent, counts)
    }

    /// The extent in this state that ends where `at` begins and is linked from its last granule.
    fn ending_at(&self, at: Index, state: State) -> Option<Extent> {
        let last = at.0.checked_sub(1).map(Index)?;
        let first = self.entries[last.slot()].back.get()?;
        let entry = &self.entries[first.slot()];
        (entry.state == state).then_some(Extent { at: first, len: entry.len })
    }

    /// Links a live extent from its last granule, or no longer.
    pub(super) fn link_grown(&mut self, extent: Extent, is_grown: bool) {
        let last = extent.end().slot() - 1;
        self.entries[last].back = if is_grown { Link::to(extent.at) } else { Link::NONE };
    }

    /// Takes an extent as needed: wholly warm if one is there, else whatever fits best, which
    /// joins warm pages with the fresh ones above them. None when nothing fits.
    pub(super) fn take<O: Os>(&mut self, os: &O, need: Need) -> Result<Option<Taken>, Errno> {
        let hole = self.find_any(need);
        let Some(free) = hole.free.get() else { return Ok(None) };
        let extent = Extent { at: hole.start, len: need.len };
        self.back_to(os, extent.end())?;

        let counts = self.cut_out(free, extent);
        self.set_live(extent, counts);
        self.growths.arrived(extent.len);
        if need.is_growing() {
            self.link_grown(extent, true);
        }
        Ok(Some(Taken { extent, is_warm: counts.dirty() == extent.len }))
    }

    /// Where a live extent may hold something else than zeros.
    pub(super) fn dirty_runs(&self, extent: Extent) -> DirtyRuns {
        if self.entries[extent.at.slot()].is_warm {
            return DirtyRuns::whole(extent);
        }
        self.pages.dirty_runs(extent)
    }

    /// Marks a live extent: whoever frees it looks first which of its pages were touched.
    pub(super) fn ask(&mut self, extent: Extent) {
        self.entries[extent.at.slot()].is_asked = true;
    }

    /// Whether somebody wants to know which pages of a live extent were touched.
    pub(super) fn is_asked(&self, extent: Extent) -> bool {
        self.entries[extent.at.slot()].is_asked
    }

    /// Counts the pages of a part of a free extent, of which `all` are counted.
    fn count_part(&self, free: Extent, all: Counts, part: Extent) -> Counts {
        let part = self.known(part);
        if all.warm == self.known(free).len {
            return Counts::warm(part.len);
        }
        if all.dirty() == Granules::ZERO { Counts::default() } else { self.pages.count(part) }
    }

    /// Takes the free extent at `at` out of its bin, puts back what of it lies below and above
    /// `middle`, and answers what the pages of `middle` are.
    ///
    /// The longer of the two rests is not counted: it may be the whole cache.
    pub(super) fn cut_out(&mut self, at: Index, middle: Extent) -> Counts {
        let (free, all) = self.remove(at);
        let below = Extent::between(free.at, middle.at);
        let above = Extent::between(middle.end(), free.end());
        let counts = self.count_part(free, all, middle);
        let (shorter, longer) =
            if below.len <= above.len { (below, above) } else { (above, below) };
        let counts_shorter = self.count_part(free, all, shorter);
        let counts_longer = all.minus(counts).minus(counts_shorter);
        for (rest, counts) in [(shorter, counts_shorter), (longer, counts_longer)] {
            if !rest.is_empty() {
                self.insert(rest, counts);
            }
        }
        counts
    }

    fn set_live(&mut self, extent: Extent, counts: Counts) {
        self.top = self.top.max(extent.end());
        let entry = &mut self.entries[extent.at.slot()];
        (entry.len, entry.state) = (extent.len, State::Live);
        (entry.is_warm, entry.is_asked) = (counts.warm == extent.len, false);
        self.totals.live += extent.len;
    }

    /// Takes a live extent back; its first `touched` granules become warm.
    pub(super) fn give(&mut self, extent: Extent, touched: Granules) {
        self.totals.live -= extent.len;
        let counts = if self.entries[extent.at.slot()].is_warm {
            Counts::warm(extent.len)
        } else {
            let touched = touched.min(extent.len);
            self.pages.set(Extent { at: extent.at, len: touched }, Backing::Warm);
            self.pages.count(extent)
        };
        self.ages.renew(extent);
        self.merge(extent, counts);
    }

    /// Takes a live extent back whose pages were given to the kernel.
    pub(super) fn give_dropped(&mut self, extent: Extent) {
        self.totals.live -= extent.len;
        self.pages.set(extent, Backing::Zero);
        self.merge(extent, Counts::default());
    }

    /// Makes an extent, together with its free neighbours, one free extent.
    fn merge(&mut self, extent: Extent, mut counts: Counts) {
        let mut all = extent;
        self.entries[extent.at.slot()].state = State::Free;
        self.link_grown(extent, false);
        if let Some(below) = self.ending_at(extent.at, State::Free) {
            let (free, more) = self.remove(below.at);
            counts = counts.plus(more);
            all = Extent::between(free.at, all.end());
        }
        if all.end() < self.end() && self.entries[all.end().slot()].state == State::Free {
            let (free, more) = self.remove(all.end());
            counts = counts.plus(more);
            all = Extent::between(all.at, free.end());
        }
        self.insert(all, counts);
    }

    /// Takes a part of the free extent at `at` out of the heap.
    pub(super) fn hold_part(&mut self, at: Index, piece: Extent) {
        self.cut_out(at, piece);
        let entry = &mut self.entries[piece.at.slot()];
        (entry.len, entry.state) = (piece.len, State::Held);
        self.totals.held += piece.len;
    }

    /// Every free extent, with what its pages are.
    pub(super) fn free_extents(&self) -> impl Iterator<Item = (Extent, Counts)> {
        self.bins.filled_from(0).flat_map(move |class| {
            let mut link = self.bins.head(class);
            core::iter::from_fn(move || {
                let at = link.get()?;
                let entry = &self.entries[at.slot()];
                link = entry.next;
                Some((Extent { at, len: entry.len }, entry.counts))
            })
        })
    }

    /// Puts held pages back, in the state that they are in now; None when that did not change.
    pub(super) fn unhold(&mut self, piece: Extent, now: Option<Backing>) {
        self.totals.held -= piece.len;
        match now {
            Some(Backing::Soft) => self.pages.soften(piece),
            Some(state) => self.pages.set(piece, state),
            None => {}
        }
        let counts = self.pages.count(piece);
        self.merge(piece, counts);
    }
}
