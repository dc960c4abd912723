//! From what a caller wants to an extent: which range, which colour, and what of it may hold
//! something else than zeros.

use super::extent::Need;
use super::zero::Plan;
use super::{DirtyBytes, Home, Placed, Request, State};
use crate::config::{COLOUR_LINES, COLOUR_STEP, LINE_BYTES};
use crate::os::{Errno, Os};
use crate::units::Index;

impl State {
    /// Takes an extent from a range. None when there is no such range, or no room in it.
    pub(super) fn place<O: Os>(
        &mut self,
        os: &O,
        wanted: Request,
        home: Home,
    ) -> Result<Option<Placed>, Errno> {
        let is_coloured = wanted.align <= LINE_BYTES;
        let turn = self.colours * COLOUR_STEP % COLOUR_LINES;
        let colour = if is_coloured { turn * LINE_BYTES } else { 0 };
        let Some(space) = self.space(home) else { return Ok(None) };
        let size = space.range.size();
        let bytes = wanted.bytes.checked_add(colour);
        let Some(len) = bytes.and_then(|n| size.count_up(n)) else { return Ok(None) };
        let align = wanted.align.max(size.bytes());
        let room = space.growths.room(len, wanted.is_growing);
        let need = Need { len, align, room };
        let Some(taken) = space.take(os, need)? else { return Ok(None) };
        let extent = taken.extent;
        // SAFETY: the colour is less than 4 KiB, so the byte is in the extent's first granule.
        let start = unsafe { space.range.run_of(extent).start.add(colour) };
        self.colours = self.colours.wrapping_add(usize::from(is_coloured));
        *(if taken.is_warm { &mut self.counters.hits } else { &mut self.counters.misses }) += 1;
        let is_warm = taken.is_warm;
        Ok(Some(Placed { start, size, colour, home, extent, is_warm, left_out: None }))
    }

    /// Takes an extent for a block of zeros: where, and what of it is not cleared, is learnt.
    pub(super) fn place_zeros<O: Os>(
        &mut self,
        os: &O,
        wanted: Request,
    ) -> Result<Option<Placed>, Errno> {
        let plan = self.sizes.plan(wanted.bytes);
        if plan == Plan::Untouched {
            if self.sparse.is_none() && !self.is_sparse_refused {
                self.reserve_sparse(os);
            }
            // What the kernel refuses here, it may still have in the main range.
            if let Ok(Some(placed)) = self.place(os, wanted, Home::Sparse) {
                self.counters.untouched += 1;
                return Ok(Some(placed));
            }
        }
        let mut placed = self.place(os, wanted, Home::Main)?;
        if let (Plan::LeaveOut, Some(placed), Some(space)) = (plan, &mut placed, &mut self.main)
            && let Some(inner) = space.inner_huge_page(placed.extent)
        {
            space.ask(placed.extent);
            placed.left_out = Some(space.range.run_of(inner));
        }
        Ok(placed)
    }

    /// The dirty bytes of a block of `bytes` bytes.
    pub(super) fn dirty_bytes(&self, placed: &Placed, bytes: usize) -> DirtyBytes {
        let space = match placed.home {
            Home::Main => &self.main,
            Home::Sparse => &self.sparse,
        };
        let mut dirty = DirtyBytes::NONE;
        let Some(space) = space else { return dirty };
        for run in space.dirty_runs(placed.extent).as_slice() {
            let offset = |at: Index| placed.size.of(at - placed.extent.at);
            let from = offset(run.at).saturating_sub(placed.colour);
            let to = offset(run.end()).saturating_sub(placed.colour);
            if from < to.min(bytes) {
                dirty.runs[dirty.used] = (from, to.min(bytes));
                dirty.used += 1;
            }
        }
        dirty
    }
}
