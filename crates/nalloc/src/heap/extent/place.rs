//! Where a block is placed: in the best-fitting free extent, in warm pages if there are any, and
//! with room for those that grow.

use super::super::bins::{Link, class_of};
use super::{Space, State};
use crate::config::{FIT_CANDIDATES_MAX, SHORT_DIVISOR};
use crate::units::{Extent, Granules, Index};

/// What a block needs.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Need {
    pub(in super::super) len: Granules,
    /// Alignment of the first granule, in bytes.
    pub(in super::super) align: usize,
    /// How much room for it to grow in would be better, `len` or more.
    pub(in super::super) room: Granules,
}

impl Need {
    pub(super) fn is_growing(self) -> bool {
        self.room > self.len
    }
}

/// Where a free extent begins, or nothing, and the granule in it at which a block would. An
/// `Option` of it would not come back in registers: a tenth of a pair of calls.
#[derive(Clone, Copy)]
pub(super) struct Hole {
    pub(super) free: Link,
    pub(super) start: Index,
}

impl Hole {
    const NONE: Self = Self { free: Link::NONE, start: Index(0) };
}

/// Where a place is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// In warm or soft pages only.
    Warm,
    /// In any pages.
    Any,
    /// In any pages, and in room that others may grow into.
    Everywhere,
}

impl Space {
    /// The best-fitting hole of at least `len` granules.
    fn find(&self, need: Need, len: Granules, look: Look) -> Hole {
        let granule = self.range.size().bytes();
        for class in self.bins.filled_from(class_of(len)) {
            let (mut best, mut best_len) = (Hole::NONE, Granules(u32::MAX));
            let mut link = self.bins.head(class);
            for _ in 0..FIT_CANDIDATES_MAX {
                let Some(at) = link.get() else { break };
                let entry = &self.entries[at.slot()];
                link = entry.next;
                let all = Extent { at, len: entry.len };
                let mut free = all;
                if look == Look::Warm {
                    // Above the top nothing was ever touched; below it, the extent may be warm.
                    free = self.known(free);
                    if entry.counts.dirty() < free.len {
                        continue;
                    }
                }
                let Some(start) = self.range.align_up(at, need.align) else { continue };
                if start > free.end() || free.end() - start < len {
                    continue;
                }
                let room = if need.align > granule || look == Look::Everywhere {
                    Some(Granules::ZERO)
                } else if need.is_growing() {
                    Some(self.room_between(free, len, look))
                } else {
                    self.room_below(all, free, len, look)
                };
                let Some(room) = room else { continue };
                let start = start + room;
                // Of two that fit alike, the one freed last: it may still be in a cache.
                if best.free == Link::NONE || free.len < best_len {
                    (best, best_len) = (Hole { free: Link::to(at), start }, free.len);
                }
                if free.len == len {
                    break;
                }
            }
            if best.free != Link::NONE {
                return best;
            }
        }
        Hole::NONE
    }

    /// A hole as needed: wholly warm if one is there, and with room if one is there.
    pub(super) fn find_any(&self, need: Need) -> Hole {
        for look in [Look::Warm, Look::Any] {
            let mut hole = Hole::NONE;
            if need.is_growing() {
                hole = self.find(need, need.room, look);
            }
            if hole.free == Link::NONE {
                hole = self.find(need, need.len, look);
            }
            if hole.free != Link::NONE {
                return hole;
            }
        }
        // Better than a mapping of its own.
        self.find(need, need.len, Look::Everywhere)
    }

    /// How far into a free extent a block of `len` is placed, so that a block below that grew can
    /// grow again: as far as it is expected to, and not into pages that are worse, but for the
    /// fresh ones right above as many warm ones. `free` is the part of `all` that is looked at; if
    /// it is of many kinds, the place counts. None when there is not enough room and the block is
    /// so short that it is better off elsewhere.
    fn room_below(&self, all: Extent, free: Extent, len: Granules, look: Look) -> Option<Granules> {
        let Some(below) = self.ending_at(free.at, State::Live) else { return Some(Granules::ZERO) };
        let room = |part: Extent| Granules(part.len.0.saturating_sub(len.0));
        let more = self.growths.more(below.len);
        let is_short = len.0.saturating_mul(SHORT_DIVISOR) <= more.0;
        let is_fresh = self.entries[free.at.slot()].counts.dirty() == Granules::ZERO;
        if look == Look::Warm || is_fresh {
            let most = Granules(free.len.0.saturating_mul(2)).min(room(all));
            let partial = (!is_short).then(|| more.min(room(free)));
            return if more <= most { Some(more) } else { partial };
        }
        if more > room(free) {
            return (!is_short).then_some(Granules::ZERO);
        }
        let place = self.known(Extent { at: free.at + more, len });
        let is_place_warm = self.pages.count(place).dirty() == len;
        Some(if is_place_warm { more } else { Granules::ZERO })
    }

    /// The same for a block that grows itself: as far as a block like the one below ever grew, for
    /// another thread may be at it. But in warm pages only, where that costs nothing, and not for
    /// a block that is much shorter: two blocks would leave holes as large as they are.
    fn room_between(&self, free: Extent, len: Granules, look: Look) -> Granules {
        let below = self.ending_at(free.at, State::Live).filter(|_| look == Look::Warm);
        let Some(below) = below else { return Granules::ZERO };
        let more = self.growths.longest(below.len) - below.len;
        let is_short = len.0.saturating_mul(SHORT_DIVISOR) <= more.0;
        let fits = len.0.saturating_add(more.0) <= free.len.0;
        if fits && !is_short { more } else { Granules::ZERO }
    }
}
