//! Taking a block back.

use core::ptr::NonNull;

use super::{Heap, Home, Record, Use, direct};
use crate::heap::extent::Space;
use crate::os::{Advice, Os, Run};
use crate::units::{Extent, Index, wide};

/// A block whose pages are looked at before it is free.
struct Asked {
    home: Home,
    extent: Extent,
    bytes: usize,
    /// All of its pages.
    run: Run,
    /// Those that say whether it was used sparsely; None when nobody asks.
    sample: Option<Run>,
}

impl<O: Os> Heap<O> {
    /// Takes back a block, of which nothing beyond its first `touched` bytes was written.
    ///
    /// # Safety
    /// `start` and `bytes` are those of a block of this heap that was not freed, and nothing
    /// points into it; `touched` is `bytes` if the block was ever resized.
    pub(crate) unsafe fn free(&self, start: NonNull<u8>, bytes: usize, touched: usize) {
        self.record(&Record::Free { start });
        // SAFETY: the caller's promise.
        unsafe { self.take_back(start, bytes, touched) }
    }

    /// The same, without a word in a trace.
    ///
    /// # Safety
    /// As `free`.
    pub(super) unsafe fn take_back(&self, start: NonNull<u8>, bytes: usize, touched: usize) {
        let mut state = self.lock();
        let located = state.locate(start);
        let Some((home, space, at)) =
            located.and_then(|(home, at)| Some((home, state.space(home)?, at)))
        else {
            drop(state);
            // SAFETY: the caller's promise; what is outside the ranges has its own mapping.
            return unsafe { self.unmap(start, bytes) };
        };
        let extent = self.live_extent(space, at, start, bytes);
        let size = space.range.size();
        if home == Home::Sparse || space.is_asked(extent) {
            let run = space.range.run_of(extent);
            let inner = space.inner_huge_page(extent).unwrap_or(extent);
            let sample = if home == Home::Sparse { run } else { space.range.run_of(inner) };
            let sample = state.sizes.is_look_due(bytes).then_some(sample);
            drop(state);
            return self.free_asked(&Asked { home, extent, bytes, run, sample });
        }
        let touched = size.count_up(touched + size.offset(start.addr().get()));
        space.give(extent, touched.unwrap_or(extent.len));
        state.counters.frees += 1;
        let work = state.work(&self.os);
        drop(state);
        self.do_work(work);
    }

    /// The extent of a block of `bytes` bytes at `start`; ends the process when it is none.
    pub(super) fn live_extent(
        &self,
        space: &Space,
        at: Index,
        start: NonNull<u8>,
        bytes: usize,
    ) -> Extent {
        let size = space.range.size();
        let len = size.count_up(size.offset(start.addr().get()).saturating_add(bytes));
        match space.entry(at) {
            Some(entry) if entry.state == Use::Live && Some(entry.len) == len => {
                Extent { at, len: entry.len }
            }
            Some(entry) if entry.state == Use::Live => {
                self.die("free: expected the length of the block, got another one")
            }
            _ => self.die("free: expected a live block, got a free one (double free?)"),
        }
    }

    /// Takes back a live block, after a look at which of its pages were touched if one is due. In
    /// the range for sparse blocks those are given to the kernel at once: nobody else would have a
    /// use for them.
    #[cold]
    fn free_asked(&self, block: &Asked) {
        let touched = block.sample.map(|sample| {
            let pages = sample.bytes / self.os.page_bytes();
            // SAFETY: the sample is a part of the block, which is still live, and so backed.
            (pages, unsafe { self.os.resident_pages(sample) })
        });
        let dropped = match block.home {
            // A page that was swapped out is not resident, so nothing but this makes it zero.
            // SAFETY: the block is live, and its owner has given it up.
            Home::Sparse => Some(unsafe { self.os.advise(block.run, Advice::Release) }),
            Home::Main => None,
        };
        let mut state = self.lock();
        if let Some((pages, touched)) = touched {
            state.sizes.learn(block.bytes, pages, touched.unwrap_or(pages));
        }
        let refused = touched.and_then(|(_, touched)| touched.err());
        for errno in [refused, dropped.and_then(Result::err)].into_iter().flatten() {
            state.counters.refuse(errno);
        }
        if let Some(space) = state.space(block.home) {
            match dropped {
                Some(Ok(())) => space.give_dropped(block.extent),
                _ => space.give(block.extent, block.extent.len),
            }
        }
        state.counters.frees += 1;
        let work = state.work(&self.os);
        drop(state);
        self.do_work(work);
    }

    /// # Safety
    /// `start` and `bytes` are those of a block of `map`, and nothing points into it.
    #[cold]
    unsafe fn unmap(&self, start: NonNull<u8>, bytes: usize) {
        let Some(bytes) = direct::paged(&self.os, bytes) else { return };
        // SAFETY: the caller's promise.
        let refused = unsafe { direct::unmap(&self.os, start, bytes) }.err();
        let mut state = self.lock();
        state.direct_bytes = state.direct_bytes.saturating_sub(wide(bytes));
        state.counters.frees += 1;
        if let Some(errno) = refused {
            state.counters.refuse(errno);
        }
    }
}
