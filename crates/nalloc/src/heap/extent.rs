//! Who owns which granule. Extents tile the range without gaps: each is free, live (a block), or
//! held (out of the heap while the kernel is asked to take its pages). Free neighbours are always
//! merged; live ones never are.
//!
//! An extent is described in the entry of its first granule; a free one also leaves a link back
//! from the entry of its last granule, so that the neighbour above finds it. The entry of a granule
//! inside an extent holds nothing. The free extent at the very top reaches the end of the range,
//! and its far end needs no link, for nothing lies above.
//!
//! Equations, in granules: live + held + free = len; the granules before `top` and no others may
//! be warm or soft; cached = the warm and soft granules of free extents.

use super::backing::{Backing, Counts, DirtyRuns, Pages, Wanted};
use super::bins::{Bins, Link, class_of};
use super::va::{Range, Table};
use crate::config::{FIT_CANDIDATES_MAX, HUGE_BYTES, TRIM_BYTES};
use crate::os::{Errno, Os};
use crate::units::{Extent, GranuleSize, Granules, Index, wide};
use crate::zeroable::Zeroable;

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
pub(super) struct Entry {
    pub(super) len: Granules,
    pub(super) state: State,
    prev: Link,
    next: Link,
    /// To the first granule of the free extent that ends here.
    back: Link,
    /// Pages of a free extent; nothing for others.
    counts: Counts,
}

// SAFETY: zero is a length, `Free`, no link, and no pages.
unsafe impl Zeroable for Entry {}

/// What a block needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) len: Granules,
    /// Alignment of the first granule, in bytes.
    pub(super) align: usize,
    /// Whether a place with as much room again behind it is better.
    pub(super) is_growing: bool,
}

/// A free extent and the granule in it at which a block would begin.
#[derive(Clone, Copy)]
struct Hole {
    free: Extent,
    start: Index,
}

/// An extent that became live.
pub(super) struct Taken {
    pub(super) extent: Extent,
    pub(super) dirty: DirtyRuns,
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
    bins: Bins,
    /// No granule at or above it was ever handed out.
    pub(super) top: Index,
    pub(super) totals: Totals,
}

impl Space {
    /// Reserves `bytes` of address space; also why huge pages were refused, if they were.
    pub(super) fn reserve<O: Os>(os: &O, bytes: u64) -> Result<(Self, Option<Errno>), Errno> {
        let size = GranuleSize::of_page(os.page_bytes());
        let (range, refused) = Range::reserve(os, size, size.count_down(bytes))?;
        let len = range.len();
        let entries = match Table::reserve(os, len.slots() + 1) {
            Ok(entries) => entries,
            Err(errno) => {
                range.unreserve(os);
                return Err(errno);
            }
        };
        let pages = match Pages::reserve(os, len) {
            Ok(pages) => pages,
            Err(errno) => {
                range.unreserve(os);
                entries.unreserve(os);
                return Err(errno);
            }
        };
        let (bins, totals) = (Bins::new(), Totals::default());
        let mut space = Self { range, entries, pages, bins, top: Index(0), totals };
        if let Err(errno) = space.back_to(os, Index(0)) {
            space.unreserve(os);
            return Err(errno);
        }
        space.insert(Extent { at: Index(0), len }, Counts::default());
        Ok((space, refused))
    }

    fn unreserve<O: Os>(self, os: &O) {
        self.range.unreserve(os);
        self.entries.unreserve(os);
        self.pages.unreserve(os);
    }

    /// Makes the granules before `end` usable, and the entries up to and with that of `end`.
    fn back_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        self.entries.back_to(os, end.slot() + 1)?;
        self.pages.back_to(os, end)?;
        self.range.back_to(os, end)
    }

    /// Bytes that entries and page states take.
    pub(super) fn metadata_bytes(&self) -> usize {
        self.entries.backed_bytes() + self.pages.backed_bytes()
    }

    /// The entry of the extent that begins at `at`; None where no extent can begin yet.
    pub(super) fn entry(&self, at: Index) -> Option<Entry> {
        (at <= self.top).then(|| self.entries[at.slot()])
    }

    fn end(&self) -> Index {
        Index(0) + self.range.len()
    }

    /// The part of an extent whose pages may be anything but zero.
    fn known(&self, extent: Extent) -> Extent {
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
        let back = entry.back;
        *entry =
            Entry { len: extent.len, state: State::Free, prev: Link::NONE, next, back, counts };
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

    /// The best-fitting hole of at least `len` granules, wholly warm or soft if so wanted.
    fn find(&self, len: Granules, align: usize, is_warm: bool) -> Option<Hole> {
        for class in self.bins.filled_from(class_of(len)) {
            let mut best: Option<Hole> = None;
            let mut link = self.bins.head(class);
            for _ in 0..FIT_CANDIDATES_MAX {
                let Some(at) = link.get() else { break };
                let entry = &self.entries[at.slot()];
                link = entry.next;
                if is_warm && entry.counts.dirty() < entry.len {
                    continue;
                }
                let free = Extent { at, len: entry.len };
                let Some(start) = self.range.align_up(at, align) else { continue };
                if start > free.end() || free.end() - start < len {
                    continue;
                }
                if best.is_none_or(|best| (free.len, free.at) < (best.free.len, best.free.at)) {
                    best = Some(Hole { free, start });
                }
            }
            if best.is_some() {
                return best;
            }
        }
        None
    }

    /// Takes an extent as needed: wholly warm if one is there, else whatever fits best, which
    /// joins warm pages with the fresh ones above them. None when nothing fits.
    pub(super) fn take<O: Os>(&mut self, os: &O, need: Need) -> Result<Option<Taken>, Errno> {
        let roomy = Granules(need.len.0.saturating_mul(2));
        let ladder = [(roomy, true), (need.len, true), (roomy, false), (need.len, false)];
        let found = ladder
            .into_iter()
            .filter(|&(len, _)| need.is_growing || len == need.len)
            .find_map(|(len, is_warm)| self.find(len, need.align, is_warm));
        let Some(hole) = found else { return Ok(None) };
        let extent = Extent { at: hole.start, len: need.len };
        self.back_to(os, extent.end())?;

        let counts = self.cut_out(hole.free.at, extent);
        self.set_live(extent);
        let dirty = self.pages.dirty_runs(extent);
        Ok(Some(Taken { extent, dirty, is_warm: counts.dirty() == extent.len }))
    }

    /// Takes the free extent at `at` out of its bin, puts back what of it lies below and above
    /// `middle`, and answers what the pages of `middle` are.
    ///
    /// The longer of the two rests is not counted: it may be the whole cache.
    fn cut_out(&mut self, at: Index, middle: Extent) -> Counts {
        let (free, all) = self.remove(at);
        let below = Extent::between(free.at, middle.at);
        let above = Extent::between(middle.end(), free.end());
        let counts = self.pages.count(self.known(middle));
        let (shorter, longer) =
            if below.len <= above.len { (below, above) } else { (above, below) };
        let counts_shorter = self.pages.count(self.known(shorter));
        let counts_longer = all.minus(counts).minus(counts_shorter);
        for (rest, counts) in [(shorter, counts_shorter), (longer, counts_longer)] {
            if !rest.is_empty() {
                self.insert(rest, counts);
            }
        }
        counts
    }

    fn set_live(&mut self, extent: Extent) {
        self.top = self.top.max(extent.end());
        let entry = &mut self.entries[extent.at.slot()];
        entry.len = extent.len;
        entry.state = State::Live;
        self.totals.live += extent.len;
    }

    /// Takes a live extent back; its first `touched` granules become warm.
    pub(super) fn give(&mut self, extent: Extent, touched: Granules) {
        self.totals.live -= extent.len;
        let touched = touched.min(extent.len);
        self.pages.set(Extent { at: extent.at, len: touched }, Backing::Warm);
        self.merge(extent);
    }

    /// Makes an extent, together with its free neighbours, one free extent.
    fn merge(&mut self, extent: Extent) {
        let mut counts = self.pages.count(extent);
        let mut all = extent;
        self.entries[extent.at.slot()].state = State::Free;
        let below = extent.at.0.checked_sub(1).map(Index);
        if let Some(at) = below.and_then(|last| self.entries[last.slot()].back.get()) {
            let (free, more) = self.remove(at);
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

    /// Gives back the end of a live extent from `len` granules on.
    pub(super) fn shrink(&mut self, extent: Extent, len: Granules) {
        let tail = Extent::between(extent.at + len, extent.end());
        self.entries[extent.at.slot()].len = len;
        self.give(tail, tail.len);
    }

    /// Adds to a live extent what is missing to `len` granules from its free neighbour above;
    /// false when that is not free, too short, or cannot be backed.
    pub(super) fn grow<O: Os>(&mut self, os: &O, extent: Extent, len: Granules) -> bool {
        let next = extent.end();
        let Some(entry) = self.entry(next).filter(|_| next < self.end()) else { return false };
        let more = Extent { at: next, len: len - extent.len };
        if entry.state != State::Free || entry.len < more.len {
            return false;
        }
        if self.back_to(os, more.end()).is_err() {
            return false;
        }
        self.cut_out(next, more);
        self.top = self.top.max(more.end());
        self.entries[extent.at.slot()].len = len;
        self.totals.live += more.len;
        true
    }

    /// Takes out of the heap the highest free pages as wanted: whole huge pages, or, where there
    /// are none, any. No more than `excess` rounded up to huge pages, and no more than one call may
    /// give back. None when no such pages are free.
    pub(super) fn hold(&mut self, wanted: Wanted, excess: Granules) -> Option<Extent> {
        let huge = self.range.size().count_down(wide(HUGE_BYTES));
        let unit = Granules(huge.0.max(1));
        let piece = self.highest(wanted, unit).or_else(|| self.highest(wanted, Granules(1)))?;
        let most = self.range.size().count_down(wide(TRIM_BYTES)).min(excess);
        let most = Granules(most.0.max(1).next_multiple_of(unit.0));
        let rest = Granules(piece.len.0.saturating_sub(most.0));
        let piece = Extent::between(piece.at + rest, piece.end());

        let at = self.containing(piece.at)?;
        self.cut_out(at, piece);
        let entry = &mut self.entries[piece.at.slot()];
        entry.len = piece.len;
        entry.state = State::Held;
        self.totals.held += piece.len;
        Some(piece)
    }

    /// The highest run of free pages, in whole units, that begins and ends with wanted ones.
    fn highest(&self, wanted: Wanted, unit: Granules) -> Option<Extent> {
        let free = self.free_extents().filter_map(|(free, counts)| {
            let is_promising = match wanted {
                Wanted::Warm => counts.warm != Granules::ZERO,
                Wanted::Dirty => counts.dirty() != Granules::ZERO,
            };
            let known = self.known(free);
            let whole = Extent::between(known.at.round_up(unit), known.end().round_down(unit));
            (is_promising && !whole.is_empty()).then_some(whole)
        });
        let spans = free.filter_map(|whole| {
            let span = self.pages.span(whole, wanted);
            let out = Extent::between(span.at.round_down(unit), span.end().round_up(unit));
            (!span.is_empty()).then_some(out)
        });
        spans.max_by_key(|span| span.at)
    }

    /// The free extent that holds a granule.
    fn containing(&self, granule: Index) -> Option<Index> {
        let holds = |free: &Extent| free.at <= granule && granule < free.end();
        self.free_extents().map(|(free, _)| free).find(holds).map(|free| free.at)
    }

    fn free_extents(&self) -> impl Iterator<Item = (Extent, Counts)> {
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
        if let Some(state) = now {
            self.pages.set(piece, state);
        }
        self.merge(piece);
    }

    /// Walks every extent and recounts every equation of this file.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut totals = Totals::default();
        let mut at = Index(0);
        let mut was_free = false;
        let mut free_count = 0;
        while at < self.end() {
            let Entry { len, state, counts, .. } = self.entry(at).expect("an extent above the top");
            let extent = Extent { at, len };
            assert_ne!(len, Granules::ZERO, "an empty extent at {at:?}");
            match state {
                State::Live => totals.live += len,
                State::Held => totals.held += len,
                State::Free => {
                    assert!(!was_free, "two free neighbours at {at:?}");
                    assert_eq!(self.pages.count(self.known(extent)), counts, "pages of {extent:?}");
                    totals.cached = totals.cached.plus(counts);
                    let in_bin = self.free_extents().filter(|(free, _)| *free == extent).count();
                    assert_eq!(in_bin, 1, "{extent:?} in its bin");
                    if extent.end() < self.end() {
                        let last = extent.end().slot() - 1;
                        assert_eq!(self.entries[last].back.get(), Some(at), "back of {extent:?}");
                    }
                    free_count += 1;
                }
            }
            was_free = state == State::Free;
            at = extent.end();
        }
        assert_eq!(at, self.end(), "extents past the end");
        assert_eq!(totals, self.totals, "recounted totals");
        assert_eq!(self.free_extents().count(), free_count, "extents in bins");
        assert!(
            self.top.slot() <= self.range.backed().slots(),
            "handed out beyond the backed part"
        );
    }
}
