//! Blocks that are known by their address alone, as `free` and `realloc` of C know them.
//!
//! Such a block is asked for in whole granules. However its colour moves it then, the whole
//! granules of what it has are those that were asked for: its length is found again.

use core::ptr::NonNull;

use super::{Content, Heap, Request, Use};
use crate::error::Error;
use crate::os::Os;
use crate::units::GranuleSize;

impl<O: Os> Heap<O> {
    /// A block of at least so many bytes; None when no range has room for it.
    pub(crate) fn alloc_in_range(&self, wanted: Request) -> Result<Option<NonNull<u8>>, Error> {
        let whole = Request { bytes: self.whole(wanted.bytes)?, ..wanted };
        let born = self.place(whole, Content::Anything, |_, placed| placed.born())?;
        Ok(born.map(|born| {
            self.record_birth(wanted, Content::Anything, born);
            born.start
        }))
    }

    /// The same, all of it zero.
    pub(crate) fn alloc_zeroed_in_range(
        &self,
        wanted: Request,
    ) -> Result<Option<NonNull<u8>>, Error> {
        let born = self.place_zeroed(Request { bytes: self.whole(wanted.bytes)?, ..wanted })?;
        Ok(born.map(|born| {
            self.record_birth(wanted, Content::Zeros, born);
            born.start
        }))
    }

    /// Bytes rounded up to whole granules.
    fn whole(&self, bytes: usize) -> Result<usize, Error> {
        let granule = GranuleSize::of_page(self.os.page_bytes()).bytes();
        bytes.checked_next_multiple_of(granule).ok_or(Error::LengthOverflow)
    }

    /// How many bytes the block at `start` has; ends the process where no block begins.
    pub(crate) fn bytes_at(&self, start: NonNull<u8>) -> usize {
        let mut state = self.lock();
        let located = state.locate(start);
        let space = located.and_then(|(home, at)| Some((state.space(home)?, at)));
        let Some((space, at)) = space else {
            self.die("free: expected an address of the large heap, got another one")
        };
        let size = space.range.size();
        match space.entry(at) {
            Some(entry) if entry.state == Use::Live => {
                let bytes = size.of(entry.len) - size.offset(start.addr().get());
                bytes / size.bytes() * size.bytes()
            }
            _ => self.die("free: expected a live block, got a free one (double free?)"),
        }
    }

    /// Takes back the block at `start`.
    ///
    /// # Safety
    /// `start` is that of a block of `alloc_in_range` or `alloc_zeroed_in_range` that was not
    /// freed, and nothing points into it.
    pub(crate) unsafe fn free_at(&self, start: NonNull<u8>) {
        let bytes = self.bytes_at(start);
        // SAFETY: the caller's promise.
        unsafe { self.free(start, bytes, bytes) };
    }

    /// Gives the block at `start` at least `bytes` bytes, and answers where it is now; None when
    /// no range has room for that. On None and on an error it is as it was.
    ///
    /// # Safety
    /// As `free_at`.
    pub(crate) unsafe fn resize_at(
        &self,
        start: NonNull<u8>,
        bytes: usize,
    ) -> Result<Option<NonNull<u8>>, Error> {
        let bytes = self.whole(bytes)?;
        // What `realloc` keeps of a larger alignment, nobody may count on.
        let old = Request::fixed(self.bytes_at(start), 1);
        // SAFETY: the caller's promise.
        unsafe { self.resize_in_range(start, old, bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::IDLE;
    use super::*;
    use crate::os::fake::Fake;

    const MIB: usize = 1 << 20;

    fn heap(fake: &Fake) -> Heap<&Fake> {
        Heap::new(fake, IDLE)
    }

    #[test]
    fn blocks_are_found_again_by_their_address_alone() {
        let fake = Fake::new(1, 4096);
        let heap = heap(&fake);
        for bytes in [65_536, 65_537, 69_632, 100_000, 5_000_000] {
            for _ in 0..70 {
                let start = heap.alloc_in_range(Request::fixed(bytes, 16)).expect("memory");
                let start = start.expect("room");
                assert!(heap.contains(start.addr().get()));
                let found = heap.bytes_at(start);
                assert!(found >= bytes && found - bytes < 4096, "{bytes}: {found}");
                // SAFETY: the block is live and nobody uses it.
                unsafe { heap.free_at(start) };
            }
        }
        assert_eq!(heap.stats().live_bytes, 0);
        heap.check();
    }

    #[test]
    fn a_block_that_is_resized_by_its_address_keeps_its_bytes() {
        let fake = Fake::new(1, 4096);
        let heap = heap(&fake);
        let start = heap.alloc_zeroed_in_range(Request::fixed(MIB, 1)).expect("memory");
        let start = start.expect("room");
        // SAFETY: the block has that many bytes.
        unsafe { start.write_bytes(7, MIB) };
        let wall = heap.alloc_in_range(Request::fixed(MIB, 1)).expect("memory").expect("room");

        // SAFETY: the block is live, and used by its new address from here on.
        let moved = unsafe { heap.resize_at(start, 3 * MIB + 1) }.expect("memory").expect("room");

        assert_eq!(heap.bytes_at(moved), 3 * MIB + 4096);
        // SAFETY: the first bytes were written, wherever the block is.
        let kept = unsafe { core::slice::from_raw_parts(moved.as_ptr(), MIB) };
        assert!(kept.iter().all(|&byte| byte == 7));
        for start in [moved, wall] {
            // SAFETY: the block is live and nobody uses it.
            unsafe { heap.free_at(start) };
        }
        heap.check();
    }

    #[test]
    fn without_room_in_a_range_a_block_stays_as_it_was() {
        let fake = Fake::new(1, 4096);
        let heap = heap(&fake);
        let start = heap.alloc_in_range(Request::fixed(MIB, 1)).expect("memory").expect("room");
        let too_much = usize::try_from(heap.stats().reserved_bytes).expect("64 bits");

        assert_eq!(heap.alloc_in_range(Request::fixed(too_much + 1, 1)).expect("no error"), None);
        // SAFETY: the block is live; it stays where it is.
        let moved = unsafe { heap.resize_at(start, too_much + 1) }.expect("no error");

        assert_eq!(moved, None);
        assert_eq!(heap.bytes_at(start), MIB);
        assert!(!heap.contains(0) && !heap.contains(usize::MAX));
    }
}
