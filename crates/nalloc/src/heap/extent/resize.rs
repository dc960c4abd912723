//! A live extent that becomes longer or shorter where it is.

use super::super::backing::Counts;
use super::{Space, State};
use crate::os::Os;
use crate::units::{Extent, Granules, Index};

impl Space {
    /// Gives back the end of a live extent from `len` granules on.
    pub(in super::super) fn shrink(&mut self, extent: Extent, len: Granules) {
        let tail = Extent::between(extent.at + len, extent.end());
        self.link_grown(extent, false);
        let entry = &mut self.entries[extent.at.slot()];
        (entry.len, entry.is_asked) = (len, false);
        self.entries[tail.at.slot()].is_warm = self.entries[extent.at.slot()].is_warm;
        self.give(tail, tail.len);
    }

    /// Adds to a live extent what is missing to `len` granules from its free neighbour above;
    /// false when that is not free, too short, or cannot be backed.
    pub(in super::super) fn grow<O: Os>(&mut self, os: &O, extent: Extent, len: Granules) -> bool {
        let next = extent.end();
        let Some(entry) = self.entry(next).filter(|_| next < self.end()) else { return false };
        let more = Extent { at: next, len: len - extent.len };
        if entry.state != State::Free || entry.len < more.len {
            return false;
        }
        if self.back_to(os, more.end()).is_err() {
            return false;
        }
        let counts = self.cut_out(next, more);
        self.top = self.top.max(more.end());
        let entry = &mut self.entries[extent.at.slot()];
        (entry.len, entry.is_asked) = (len, false);
        entry.is_warm &= counts.warm == more.len;
        self.totals.live += more.len;
        self.growths.arrived(len);
        self.link_grown(extent, false);
        self.link_grown(Extent { at: extent.at, len }, true);
        true
    }

    /// Whether all pages of the live extent at `at` were in the cache when it was taken or grew.
    pub(in super::super) fn is_warm(&self, at: Index) -> bool {
        self.entries[at.slot()].is_warm
    }

    /// What a live extent would be with its free neighbours, as far as `len` granules from the
    /// lowest start reach; it ends no lower than it does now. None when there is no free neighbour
    /// below, or not enough room.
    pub(in super::super) fn widest(
        &self,
        extent: Extent,
        len: Granules,
        align: usize,
    ) -> Option<Extent> {
        let below = self.ending_at(extent.at, State::Free)?;
        let start = self.range.align_up(below.at, align)?;
        let end = Index(start.0.checked_add(len.0)?);
        let above = self.entry(extent.end()).filter(|_| extent.end() < self.end())?;
        let room = if above.state == State::Free { above.len } else { Granules::ZERO };
        let fits = start < extent.at && end <= extent.end() + room;
        fits.then(|| Extent::between(start, end.max(extent.end())))
    }

    /// Adds to a live extent its free neighbours, as far as `widest` said; false when that cannot
    /// be backed. The bytes are where they were.
    pub(in super::super) fn widen<O: Os>(&mut self, os: &O, extent: Extent, all: Extent) -> bool {
        if self.back_to(os, all.end()).is_err() {
            return false;
        }
        self.link_grown(extent, false);
        let mut is_warm = self.entries[extent.at.slot()].is_warm;
        if let Some(free) = self.ending_at(extent.at, State::Free) {
            let below = Extent::between(all.at, extent.at);
            is_warm &= self.cut_out(free.at, below).warm == below.len;
        }
        let above = Extent::between(extent.end(), all.end());
        if !above.is_empty() {
            is_warm &= self.cut_out(above.at, above).warm == above.len;
        }
        self.entries[extent.at.slot()].state = State::Free;
        self.totals.live -= extent.len;
        let warm = if is_warm { all.len } else { Granules::ZERO };
        self.set_live(all, Counts::warm(warm));
        self.link_grown(all, true);
        true
    }
}
