//! Making a block longer or shorter: in place where that is possible, else down into the free
//! extent below it, which needs no second place for the bytes, else by a copy into a place with
//! room to grow. Moving pages with `mremap` gained only in the first cold growth, split
//! mappings, and raised the peak by half, so nothing moves pages.

use core::ptr::NonNull;

use super::{Born, Content, Heap, Home, Origin, Record, Request, State, direct};
use crate::error::Error;
use crate::os::Os;
use crate::units::{Extent, Granules, wide};

/// What became of a block that was to have another length.
enum InPlace {
    Done,
    /// It was widened to this extent, and its bytes are to go to the start of it.
    Widened(Widened),
    /// It has to move.
    No,
}

/// A block that has more room below it.
struct Widened {
    home: Home,
    /// Where the bytes go.
    start: NonNull<u8>,
    all: Extent,
    origin: Origin,
    /// How long the block is to be.
    len: Granules,
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
        // SAFETY: the caller's promise.
        if let Some(start) = unsafe { self.resize_in_range(start, old, bytes) }? {
            return Ok(start);
        }
        let moved = self.map(grown(old, bytes))?;
        // SAFETY: the caller's promise; the new block is another one.
        unsafe { self.move_to(moved, start, old, bytes) };
        Ok(moved.start)
    }

    /// As `resize`; None when no range has room for that.
    ///
    /// # Safety
    /// As `resize`.
    pub(super) unsafe fn resize_in_range(
        &self,
        start: NonNull<u8>,
        old: Request,
        bytes: usize,
    ) -> Result<Option<NonNull<u8>>, Error> {
        match self.resize_in_place(start, old, bytes)? {
            InPlace::Done => {
                self.record_resize(start, grown(old, bytes), None);
                return Ok(Some(start));
            }
            InPlace::Widened(widened) => {
                // SAFETY: the extent from the new start on holds both, and is the caller's.
                unsafe { widened.start.copy_from(start, old.bytes) };
                // Before anybody can have the page in which the block began.
                let moved = Born { start: widened.start, origin: widened.origin };
                self.record_resize(start, grown(old, bytes), Some(moved));
                self.end_widening(&widened);
                return Ok(Some(widened.start));
            }
            InPlace::No => {}
        }
        let wanted = grown(old, bytes);
        let moved = self.place(wanted, Content::Anything, |_, placed| placed.born())?;
        if let Some(moved) = moved {
            // SAFETY: the caller's promise; the new block is another one.
            unsafe { self.move_to(moved, start, old, bytes) };
        }
        Ok(moved.map(|moved| moved.start))
    }

    /// Records that the block at `start` is as wanted, and perhaps elsewhere.
    fn record_resize(&self, start: NonNull<u8>, wanted: Request, moved: Option<Born>) {
        let Request { bytes, align, .. } = wanted;
        let moved = moved.map(|born| (born.start, born.origin));
        self.record(&Record::Resized { start, bytes, align, moved });
    }

    /// Copies what both blocks have room for, and frees the old one.
    ///
    /// # Safety
    /// `moved` is a block of `bytes` bytes, and `start` another one, of `old`, which nobody uses
    /// any more.
    unsafe fn move_to(&self, moved: Born, start: NonNull<u8>, old: Request, bytes: usize) {
        let common = bytes.min(old.bytes);
        // SAFETY: both blocks have at least `common` bytes, and they are different blocks.
        unsafe { moved.start.copy_from_nonoverlapping(start, common) };
        self.record_resize(start, grown(old, bytes), Some(moved));
        // SAFETY: the caller's promise.
        unsafe { self.take_back(start, old.bytes, old.bytes) };
    }

    fn resize_in_place(
        &self,
        start: NonNull<u8>,
        old: Request,
        bytes: usize,
    ) -> Result<InPlace, Error> {
        let mut state = self.lock();
        let Some((home, at)) = state.locate(start) else {
            let same = direct::paged(&self.os, bytes) == direct::paged(&self.os, old.bytes);
            return Ok(if same { InPlace::Done } else { InPlace::No });
        };
        let Some(space) = state.space(home) else { return Ok(InPlace::No) };
        let extent = self.live_extent(space, at, start, old.bytes);
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
            space.growths.grew(extent.len, len);
            let is_grown = space.grow(&self.os, extent, len);
            if !is_grown {
                let block = Block { home, extent, offset };
                return Ok(state.widen(&self.os, &block, len, old.align));
            }
            state.note();
        }
        let work = state.work(&self.os);
        drop(state);
        self.do_work(work);
        Ok(InPlace::Done)
    }

    /// Gives back what a widened block does not need, once its bytes are at the start of it.
    fn end_widening(&self, widened: &Widened) {
        let mut state = self.lock();
        if let Some(space) = state.space(widened.home)
            && widened.len < widened.all.len
        {
            space.shrink(widened.all, widened.len);
            space.link_grown(Extent { at: widened.all.at, len: widened.len }, true);
        }
        let work = state.work(&self.os);
        drop(state);
        self.do_work(work);
    }
}

/// What a block of `old` wants that is to have `bytes` bytes.
fn grown(old: Request, bytes: usize) -> Request {
    Request { bytes, align: old.align, is_growing: bytes > old.bytes }
}

/// A live block.
struct Block {
    home: Home,
    extent: Extent,
    /// Bytes of the first granule before it.
    offset: usize,
}

impl State {
    /// Adds to a block the free extent below it, and as much above as it needs to have `len`
    /// granules.
    fn widen<O: Os>(&mut self, os: &O, block: &Block, len: Granules, align: usize) -> InPlace {
        let memory_limit = self.memory_limit_bytes;
        let live = self.live_bytes();
        let Some(space) = self.space(block.home) else { return InPlace::No };
        let size = space.range.size();
        let Some(all) = space.widest(block.extent, len, align.max(size.bytes())) else {
            return InPlace::No;
        };
        // All of it is live for a moment.
        let more = wide(size.of(all.len - block.extent.len));
        let is_within = memory_limit.is_none_or(|limit| more <= limit.saturating_sub(live));
        if !is_within || !space.widen(os, block.extent, all) {
            return InPlace::No;
        }
        space.growths.arrived(len);
        let origin = if space.is_warm(all.at) { Origin::Warm } else { Origin::Fresh };
        // SAFETY: the offset is less than a granule, so the byte is in the extent's first one.
        let start = unsafe { space.range.run_of(all).start.add(block.offset) };
        self.high_bytes = self.high_bytes.max(live + wide(size.of(len - block.extent.len)));
        InPlace::Widened(Widened { home: block.home, start, all, origin, len })
    }
}
