//! Blocks as the patterns need them: filled, zeroed, grown, straight from the global allocator.
//!
//! A `Vec` would do, but not say when it asks for zeroes and when it writes them. Every block
//! passes through `black_box`, because compilers delete an allocation that is written and freed.

use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc};

const PAGE_BYTES: usize = 4096;

/// A block of bytes, of which the first `written` have a value.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    layout: Layout,
    written: usize,
}

// SAFETY: a buffer owns its block, and any thread may free a block of the global allocator.
unsafe impl Send for Buffer {}

impl Buffer {
    /// A block of which nothing is written, at a multiple of two to the power `log2_align`.
    #[must_use]
    pub fn empty(bytes: usize, log2_align: u32) -> Self {
        Self::of(layout(bytes, log2_align), 0, |layout| {
            // SAFETY: `layout` asserts that blocks are not empty.
            unsafe { alloc(layout) }
        })
    }

    /// A block that the allocator promises to be zero.
    #[must_use]
    pub fn zeroed(bytes: usize) -> Self {
        Self::zeroed_aligned(bytes, 3)
    }

    /// As [`Buffer::zeroed`], at a multiple of two to the power `log2_align`.
    #[must_use]
    pub fn zeroed_aligned(bytes: usize, log2_align: u32) -> Self {
        Self::of(layout(bytes, log2_align), bytes, |layout| {
            // SAFETY: `layout` asserts that blocks are not empty.
            unsafe { alloc_zeroed(layout) }
        })
    }

    /// A block with every byte written.
    #[must_use]
    pub fn filled(bytes: usize, value: u8) -> Self {
        let mut buffer = Self::empty(bytes, 3);
        buffer.fill_rest(value);
        buffer
    }

    fn of(layout: Layout, written: usize, allocate: impl Fn(Layout) -> *mut u8) -> Self {
        let Some(start) = NonNull::new(black_box(allocate(layout))) else {
            handle_alloc_error(layout)
        };
        Self { start, layout, written }
    }

    /// Its length.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.size()
    }

    /// Lets it have another length; what both lengths cover keeps its value.
    pub fn resize(&mut self, bytes: usize) {
        let layout = Layout::from_size_align(bytes, self.layout.align()).expect("a length");
        assert!(bytes > 0, "expected a block that is not empty");
        // SAFETY: the block is of this layout, and the new length is neither 0 nor too long.
        let start = black_box(unsafe { realloc(self.start.as_ptr(), self.layout, bytes) });
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        (self.start, self.layout, self.written) = (start, layout, self.written.min(bytes));
    }

    /// Lets it grow and writes what is new.
    pub fn grow(&mut self, bytes: usize, value: u8) {
        self.resize(bytes);
        self.fill_rest(value);
    }

    /// What has a value.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the first `written` bytes have a value, and the block lives as long as `self`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.written) }
    }

    /// What has a value, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; `self` is borrowed for as long.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.written) }
    }

    /// What has a value, as words; blocks of any origin are aligned for them.
    pub fn words_mut(&mut self) -> &mut [u64] {
        // SAFETY: every bit pattern is a word.
        let (before, words, _) = unsafe { self.bytes_mut().align_to_mut::<u64>() };
        assert!(before.is_empty(), "expected a block aligned to 8");
        words
    }

    /// Writes everything from `from` on; nobody will read it.
    pub fn write_from(&mut self, from: usize) {
        let count = self.len().saturating_sub(from);
        // SAFETY: the block is longer than `from` by this many bytes, if any.
        unsafe { ptr::write_bytes(self.start.as_ptr().add(from.min(self.len())), 1, count) };
        black_box(self.start);
    }

    /// Writes the first byte of every page from `from` on.
    pub fn touch(&mut self, from: usize) {
        let bytes = self.len();
        if from >= bytes {
            return;
        }
        // SAFETY: the block is of this length; that its bytes have no value is what the type says.
        let room = unsafe {
            core::slice::from_raw_parts_mut(self.start.as_ptr().cast::<MaybeUninit<u8>>(), bytes)
        };
        room[from].write(1);
        let address = self.start.addr().get();
        let mut at = (address + from).next_multiple_of(PAGE_BYTES) - address;
        while at < bytes {
            room[at].write(1);
            at += PAGE_BYTES;
        }
        black_box(self.start);
    }

    fn fill_rest(&mut self, value: u8) {
        let count = self.len() - self.written;
        // SAFETY: `written` is at most the length, and the rest of the block lies behind it.
        unsafe { ptr::write_bytes(self.start.as_ptr().add(self.written), value, count) };
        self.written = self.len();
        black_box(self.start);
    }

    /// Whether every byte has this value.
    #[must_use]
    pub fn holds_only(&self, value: u8) -> bool {
        self.written == self.len() && self.bytes().iter().all(|&byte| byte == value)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the block is of this layout and nobody else's.
        unsafe { dealloc(black_box(self.start).as_ptr(), self.layout) };
    }
}

fn layout(bytes: usize, log2_align: u32) -> Layout {
    assert!(bytes > 0, "expected a block that is not empty");
    Layout::from_size_align(bytes, 1 << log2_align.max(3)).expect("a length and an alignment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_what_was_written_while_it_grows_and_shrinks() {
        let mut buffer = Buffer::filled(100_000, 7);
        assert!(buffer.holds_only(7));

        buffer.grow(300_000, 7);
        assert!(buffer.holds_only(7) && buffer.len() == 300_000);
        buffer.resize(70_000);
        assert!(buffer.holds_only(7) && buffer.len() == 70_000);
    }

    #[test]
    fn a_block_that_is_only_touched_shows_nothing() {
        let mut buffer = Buffer::empty(10_000, 12);
        buffer.touch(0);
        buffer.write_from(4000);
        buffer.write_from(10_000);
        assert!(buffer.bytes().is_empty() && !buffer.holds_only(1));
        assert_eq!(buffer.start.as_ptr().addr() % 4096, 0);
        assert!(Buffer::zeroed(100_000).holds_only(0));
    }
}
