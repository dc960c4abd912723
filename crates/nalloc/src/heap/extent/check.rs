//! The equations of the tiling, recounted.

use super::super::bins::Link;
use super::{Entry, Space, State, Totals};
use crate::units::{Extent, Granules, Index};

impl Space {
    /// Walks every extent and recounts every equation of the tiling.
    pub(in super::super) fn check(&self) {
        let mut totals = Totals::default();
        let mut at = Index(0);
        let mut was_free = false;
        let mut free_count = 0;
        while at < self.end() {
            let Entry { len, state, counts, .. } = self.entry(at).expect("an extent above the top");
            let extent = Extent { at, len };
            assert_ne!(len, Granules::ZERO, "an empty extent at {at:?}");
            match state {
                State::Live => {
                    totals.live += len;
                    let back = self.entries[extent.end().slot() - 1].back;
                    assert!(back == Link::NONE || back == Link::to(at), "back of {extent:?}");
                }
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
