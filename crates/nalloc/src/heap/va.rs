//! Address space: the range that blocks live in, and the tables that describe it. Both are reserved
//! once and become readable and writable from their start on, as far as they are used.
//!
//! The only file of the heap that turns indices into addresses and back.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;

use crate::config::{BACK_BYTES, HUGE_BYTES, TABLE_BACK_BYTES};
use crate::os::{Advice, Errno, Os, Run};
use crate::units::{Extent, GranuleSize, Granules, Index, wide};
use crate::zeroable::Zeroable;

/// Reserves `bytes` (a multiple of the page) at a multiple of `align`.
pub(super) fn reserve<O: Os>(os: &O, bytes: usize, align: usize) -> Result<Run, Errno> {
    const NO_MEMORY: Errno = Errno(libc::ENOMEM);
    let page = os.page_bytes();
    let slack = align.saturating_sub(page);
    let wanted = bytes.checked_add(slack).filter(|&n| isize::try_from(n).is_ok());
    let wide = os.reserve(wanted.ok_or(NO_MEMORY)?)?;
    let skip = wide.address().next_multiple_of(align.max(page)) - wide.address();
    for (offset, length) in [(0, skip), (skip + bytes, slack - skip)] {
        if length != 0 {
            // SAFETY: the part is within `wide`, outside the result, and nothing points to it. A
            // refusal leaves address space behind, and no memory.
            let _still_reserved = unsafe { os.unmap(wide.part(offset, length)) };
        }
    }
    Ok(wide.part(skip, bytes))
}

/// The range that blocks live in. Lives as long as the process.
pub(super) struct Range {
    run: Run,
    size: GranuleSize,
    len: Granules,
    backed: Granules,
}

// SAFETY: a range owns its address space; the pointer in it names memory of no thread.
unsafe impl Send for Range {}

impl Range {
    /// Reserves `len` granules and gives `advice` about them; also why that was refused, if it was.
    pub(super) fn reserve<O: Os>(
        os: &O,
        size: GranuleSize,
        len: Granules,
        advice: Option<Advice>,
    ) -> Result<(Self, Option<Errno>), Errno> {
        let run = reserve(os, size.of(len), HUGE_BYTES.max(size.bytes()))?;
        // SAFETY: the run is ours, and nothing is in it yet.
        let refused = advice.and_then(|advice| unsafe { os.advise(run, advice) }.err());
        Ok((Self { run, size, len, backed: Granules::ZERO }, refused))
    }

    /// Gives the address space back, of which nothing is used any more.
    pub(super) fn unreserve<O: Os>(&self, os: &O) {
        // SAFETY: the range is ours and nothing was handed out. A refusal leaves address space
        // behind, and no memory.
        let _still_reserved = unsafe { os.unmap(self.run) };
    }

    /// Granules in all.
    pub(super) fn len(&self) -> Granules {
        self.len
    }

    /// Granules from the start on that can be read and written.
    pub(super) fn backed(&self) -> Granules {
        self.backed
    }

    /// The length of a granule.
    pub(super) fn size(&self) -> GranuleSize {
        self.size
    }

    /// The end of the chunk that ends at or after `end`: as far as is backed at once.
    pub(super) fn chunk_end(&self, end: Index) -> Index {
        let chunk = Granules(self.size.count_down(wide(BACK_BYTES)).0.max(1));
        end.round_up(chunk).min(Index(0) + self.len)
    }

    /// Makes everything before `end`, the end of a chunk, readable and writable.
    pub(super) fn back_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        assert!(end <= Index(0) + self.len, "backing past the range");
        if end.slot() <= self.backed.slots() {
            return Ok(());
        }
        let more = Extent::between(Index(0) + self.backed, end);
        // SAFETY: the run is part of the reserved range, which is ours.
        unsafe { os.back(self.run_of(more)) }?;
        self.backed += more.len;
        Ok(())
    }

    /// All of it.
    pub(super) fn run(&self) -> Run {
        self.run
    }

    /// The pages of an extent.
    pub(super) fn run_of(&self, extent: Extent) -> Run {
        self.run.part(self.size.of(extent.at - Index(0)), self.size.of(extent.len))
    }

    /// The addresses of the range.
    pub(super) fn addresses(&self) -> core::ops::Range<usize> {
        self.run.address()..self.run.address() + self.run.bytes
    }

    /// The granule that `pointer` points into; None outside the range.
    pub(super) fn index_of(&self, pointer: NonNull<u8>) -> Option<Index> {
        let offset = pointer.addr().get().wrapping_sub(self.run.address());
        let inside = offset < self.run.bytes;
        inside.then(|| Index(0) + self.size.count_down(wide(offset)))
    }

    /// The first granule at or after `at` whose address is a multiple of `align` bytes, which is a
    /// power of two.
    pub(super) fn align_up(&self, at: Index, align: usize) -> Option<Index> {
        if align <= self.size.bytes() {
            return Some(at);
        }
        let address = self.run.address() + self.size.of(at - Index(0));
        let up = address.checked_add(align - 1)? & !(align - 1);
        let skip = self.size.count_up(up - address)?;
        at.0.checked_add(skip.0).map(Index)
    }
}

/// A growing table of values that begin as zero. Lives as long as the process.
pub(super) struct Table<T> {
    run: Run,
    backed_bytes: usize,
    values: PhantomData<T>,
}

// SAFETY: a table owns its values.
unsafe impl<T: Send> Send for Table<T> {}

impl<T: Zeroable> Table<T> {
    /// Reserves room for `len` values.
    pub(super) fn reserve<O: Os>(os: &O, len: usize) -> Result<Self, Errno> {
        let bytes = (len * size_of::<T>()).next_multiple_of(os.page_bytes().max(TABLE_BACK_BYTES));
        Ok(Self { run: reserve(os, bytes, 1)?, backed_bytes: 0, values: PhantomData })
    }

    /// Gives the address space back, of which nothing is used any more.
    pub(super) fn unreserve<O: Os>(&self, os: &O) {
        // SAFETY: the table is ours and ends here. A refusal leaves address space behind.
        let _still_reserved = unsafe { os.unmap(self.run) };
    }

    /// Makes the first `len` values usable.
    pub(super) fn back_to<O: Os>(&mut self, os: &O, len: usize) -> Result<(), Errno> {
        let wanted = len * size_of::<T>();
        if wanted <= self.backed_bytes {
            return Ok(());
        }
        let step = TABLE_BACK_BYTES.max(os.page_bytes());
        let bytes = wanted.next_multiple_of(step).min(self.run.bytes);
        // SAFETY: the part is within the table's run, which is ours.
        unsafe { os.back(self.run.part(self.backed_bytes, bytes - self.backed_bytes)) }?;
        self.backed_bytes = bytes;
        Ok(())
    }

    /// Bytes that can be read and written.
    pub(super) fn backed_bytes(&self) -> usize {
        self.backed_bytes
    }
}

impl<T: Zeroable> Deref for Table<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        let len = self.backed_bytes / size_of::<T>();
        // SAFETY: that many values are backed, page-aligned, and zero or written since.
        unsafe { slice::from_raw_parts(self.run.start.as_ptr().cast(), len) }
    }
}

impl<T: Zeroable> DerefMut for Table<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let len = self.backed_bytes / size_of::<T>();
        // SAFETY: as in `deref`, and the table is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.run.start.as_ptr().cast(), len) }
    }
}
