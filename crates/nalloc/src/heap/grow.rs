//! Making a block longer or shorter: in place where that is possible, else by a copy into a place
//! with room to grow. Moving pages with `mremap` gained only in the first cold growth, split
//! mappings, and raised the peak by half, so nothing moves pages.

use core::ptr::NonNull;

use super::{Heap, Request, direct};
use crate::error::Error;
use crate::os::Os;
use crate::units::wide;

/// What became of a block that was to have another length.
enum InPlace {
    Done,
    /// It has to move.
    No,
}

impl<O: Os> Heap<O> {
    /// Gives the block of `old` another length, and answers where it is now. On an error it is
    /// where it was.
    ///
    /// # Safety
    /// `start` is that of a block of this heap with `old.bytes` bytes, allocated with `old.align`,
    /// which nobody else uses now.
    pub(crate) unsafe fn resize(
        &self,
        start: NonNull<u8>,
        old: Request,
        bytes: usize,
    ) -> Result<NonNull<u8>, Error> {
        if let InPlace::Done = self.resize_in_place(start, old.bytes, bytes)? {
            return Ok(start);
        }
        let wanted = Request { bytes, align: old.align, is_growing: bytes > old.bytes };
        let moved = self.alloc(wanted)?;
        let common = bytes.min(old.bytes);
        // SAFETY: both blocks have at least `common` bytes, and they are different blocks.
        unsafe { moved.copy_from_nonoverlapping(start, common) };
        // SAFETY: the caller's promise; the block is not used again.
        unsafe { self.free(start, old.bytes, old.bytes) };
        Ok(moved)
    }

    fn resize_in_place(
        &self,
        start: NonNull<u8>,
        old_bytes: usize,
        bytes: usize,
    ) -> Result<InPlace, Error> {
        let mut state = self.lock();
        let Some((home, at)) = state.locate(start) else {
            let same = direct::paged(&self.os, bytes) == direct::paged(&self.os, old_bytes);
            return Ok(if same { InPlace::Done } else { InPlace::No });
        };
        let Some(space) = state.space(home) else { return Ok(InPlace::No) };
        let extent = self.live_extent(space, at, start, old_bytes);
        let size = space.range.size();
        let offset = size.offset(start.addr().get());
        let len = bytes.checked_add(offset).and_then(|n| size.count_up(n));
        let len = len.ok_or(Error::LengthOverflow)?;
        if len <= extent.len {
            if len < extent.len {
                space.shrink(extent, len);
            }
        } else {
            let more = wide(size.of(len - extent.len));
            state.admit(more, bytes)?;
            let Some(space) = state.space(home) else { return Ok(InPlace::No) };
            if !space.grow(&self.os, extent, len) {
                return Ok(InPlace::No);
            }
            state.note();
        }
        let work = state.work(&self.os);
        drop(state);
        self.do_work(work);
        Ok(InPlace::Done)
    }
}
