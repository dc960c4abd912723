//! One owned run of bytes of the large heap, whatever the process's global allocator is.
//! Lengths below [`LARGE`] come from [`System`], so that a small block costs no whole page.

use core::ptr::NonNull;
use core::{fmt, slice};
use std::alloc::{GlobalAlloc, Layout, System};

use crate::census;
use crate::config::LARGE;
use crate::error::Error;
use crate::global::HEAP;
use crate::heap::Request;
use crate::os::Run;
use crate::secret::{abandon, scope};
use crate::units::{nowhere, wide};

/// An owned run of bytes of the large heap.
///
/// ```
/// let mut block = nalloc::Block::zeroed(1 << 20, 64)?;
/// assert_eq!(block.len(), 1 << 20);
/// block.as_mut_slice()[7] = 1;
/// # Ok::<(), nalloc::Error>(())
/// ```
pub struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block owns its bytes, which are plain memory.
unsafe impl Send for Block {}
// SAFETY: through `&Block` the bytes can only be read.
unsafe impl Sync for Block {}

impl Block {
    /// A block of `len_bytes` zero bytes whose first is a multiple of `align` bytes.
    ///
    /// # Errors
    /// [`Error::Alignment`] unless `align` is a power of two, [`Error::LengthOverflow`],
    /// [`Error::MemoryLimit`], [`Error::NoMemory`].
    pub fn zeroed(len_bytes: usize, align: usize) -> Result<Self, Error> {
        let layout = layout_of(len_bytes, align)?;
        let start = match len_bytes {
            0 => nowhere(align),
            1..LARGE => {
                // SAFETY: the length is not 0.
                let start = unsafe { System.alloc_zeroed(layout) };
                NonNull::new(start).ok_or(Error::NoMemory { wanted: wide(len_bytes) })?
            }
            _ => HEAP.alloc_zeroed(Request::fixed(len_bytes, align))?,
        };
        Ok(Self { start, layout })
    }

    /// The same with a mapping of its own from 64 KiB on: made in the same time whatever its length,
    /// because the kernel makes a page zero when it is touched first, and unmapped when it is
    /// dropped. For threads that must not wait; a block that is filled at once is there sooner by
    /// [`zeroed`](Self::zeroed), which clears memory that is warm. Counted in
    /// [`Stats::fallbacks`](crate::Stats::fallbacks).
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn mapped(len_bytes: usize, align: usize) -> Result<Self, Error> {
        if len_bytes < LARGE {
            return Self::zeroed(len_bytes, align);
        }
        let layout = layout_of(len_bytes, align)?;
        let start = HEAP.alloc_mapped(Request::fixed(len_bytes, align))?;
        Ok(Self { start, layout })
    }

    /// The first byte; aligned as asked, also when the length is 0.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.start.as_ptr()
    }

    /// The first byte, for writing.
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the block owns `len` bytes, which were zeroed when it was made.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len()) }
    }

    /// The bytes, for writing.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`, and `&mut self` is the only way to them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len()) }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.size()
    }

    /// Whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the block and keeps its addresses mapped for good: zeros, whose whole pages cost no
    /// memory until somebody writes to them. For when a pointer into it may have escaped. Counted
    /// in [`Stats::retired_bytes`](crate::Stats::retired_bytes).
    pub fn retire(mut self) {
        let (page, bytes) = (HEAP.page_bytes(), self.len());
        let skip = self.start.addr().get().next_multiple_of(page) - self.start.addr().get();
        let whole = bytes.saturating_sub(skip) / page * page;
        if bytes >= LARGE && whole != 0 {
            // SAFETY: `skip` is less than a page, and the block is longer.
            let start = unsafe { self.start.add(skip) };
            // SAFETY: the pages lie in the block, whose bytes nobody relies on any more.
            unsafe { abandon(Run { start, bytes: whole }) };
            let (head, rest) = self.as_mut_slice().split_at_mut(skip);
            crate::wipe(head);
            crate::wipe(&mut rest[whole..]);
        } else {
            self.wipe();
        }
        census::retire(wide(bytes));
        core::mem::forget(self);
    }

    /// Overwrites every byte with zero, in a way that the compiler may not leave out.
    pub fn wipe(&mut self) {
        crate::wipe(self.as_mut_slice());
    }
}

fn layout_of(len_bytes: usize, align: usize) -> Result<Layout, Error> {
    if !align.is_power_of_two() {
        return Err(Error::Alignment { wanted: align, least: 1 });
    }
    Layout::from_size_align(len_bytes, align).map_err(|_| Error::LengthOverflow)
}

impl Drop for Block {
    fn drop(&mut self) {
        match self.len() {
            0 => {}
            1..LARGE => {
                // SAFETY: the block is writable, and this is its end.
                unsafe { scope::wipe_freed(self.start, self.len()) };
                // SAFETY: the block came from `System` with this layout, and this is its end.
                unsafe { System.dealloc(self.start.as_ptr(), self.layout) }
            }
            bytes => {
                // SAFETY: as above.
                unsafe { scope::wipe_freed(self.start, bytes) };
                // SAFETY: the block came from the heap with this length, and this is its end.
                unsafe { HEAP.free(self.start, bytes, bytes) }
            }
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", self.len())
    }
}
