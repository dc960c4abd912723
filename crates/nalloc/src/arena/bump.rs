//! The cursor of an arena, or of one part of a split, and what is known about the bytes above it.
//!
//! ```text
//! an arena   |--- handed out ---|cursor ............................. end|
//! in a scope |--- handed out ---|--- the scope's ---|cursor ......... end|
//! ```
//!
//! A scope moves the same cursor: while it lives the arena is borrowed mutably and hands nothing
//! out itself, and `Rewind`, which the scope's user never holds, puts the cursor back. A part of a
//! split has a cursor of its own; until the last part has ended, the bytes above the parent's
//! cursor count as handed out, so that forgetting a part does no harm.
//!
//! Equations, in bytes from the arena's first one: start <= cursor <= end; every byte above the
//! cursor is zero unless it lies below `dirty` or in `first_dirty`; nothing at `high` or above, nor
//! at the cursor or above, was ever handed out.

use core::mem::{needs_drop, size_of};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::heap::DirtyBytes;
use crate::secret::clear;
use crate::units::wide;
use crate::zeroable::Zeroable;

/// Alignment of an array whose caller asked for none: one cache line.
const LINE: usize = 64;
/// Arrays of this many bytes or more begin on a page of 4 KiB.
const PAGED_BYTES_MIN: usize = 1 << 20;
const PAGE: usize = 4096;
/// Arrays of this many bytes or more are moved a little, so that arrays of equal length do not
/// start in the same cache sets: 17 lines, odd and so different 64 times within a page.
const COLOURED_BYTES_MIN: usize = 64 << 10;
const COLOUR: usize = 17 * LINE;

/// Where an allocation may begin.
#[derive(Clone, Copy)]
struct Placement {
    /// Alignment of the first byte, a power of two.
    align: usize,
    /// Bytes to leave free before it, if there is room.
    skew: usize,
}

impl Placement {
    /// The placement of `bytes` bytes for which `asked`, or nothing, was asked.
    #[inline]
    fn of(bytes: usize, asked: Option<usize>, least: usize) -> Result<Self, Error> {
        let align = match asked {
            Some(align) if !align.is_power_of_two() || align < least => {
                return Err(Error::Alignment { wanted: align, least });
            }
            Some(align) => align,
            None if bytes >= PAGED_BYTES_MIN => PAGE.max(least),
            None => LINE.max(least),
        };
        let skew = match align {
            _ if bytes < COLOURED_BYTES_MIN => 0,
            LINE => COLOUR,
            PAGE if bytes >= PAGED_BYTES_MIN => PAGE,
            _ => 0,
        };
        Ok(Self { align, skew })
    }
}

/// Who may move the cursor during a call.
pub(super) trait Movers {
    /// Moves the cursor from `from` to `to`, or answers where it was instead.
    fn advance(cursor: &AtomicUsize, from: usize, to: usize) -> Result<(), usize>;
}

/// Any thread.
pub(super) struct Anyone;

/// This thread alone, by a borrow that its caller holds.
pub(super) struct OneAlone;

impl Movers for Anyone {
    #[inline]
    fn advance(cursor: &AtomicUsize, from: usize, to: usize) -> Result<(), usize> {
        // Relaxed: the exchange makes the ranges disjoint, and orders no other memory.
        cursor.compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed).map(|_| ())
    }
}

impl Movers for OneAlone {
    #[inline]
    fn advance(cursor: &AtomicUsize, _from: usize, to: usize) -> Result<(), usize> {
        // Relaxed: nobody else looks at the cursor now.
        cursor.store(to, Ordering::Relaxed);
        Ok(())
    }
}

/// The marks that the parts of a split leave when the last of them ends.
#[derive(Debug, Default)]
struct Parting {
    /// Parts that have not ended.
    parts: AtomicUsize,
    /// The end of the highest slice of those that have.
    top: AtomicUsize,
    /// `dirty` and `high` before the split.
    before: (usize, usize),
}

/// A cursor over bytes that threads share.
pub(super) struct Bump {
    base: NonNull<u8>,
    start: usize,
    end: usize,
    cursor: AtomicUsize,
    /// Bytes below it may hold something, as far as this cursor knows.
    dirty: AtomicUsize,
    /// Where the last of `first_dirty` ends.
    first_dirty_end: usize,
    /// Nothing at or above it was handed out before the cursor was last put back.
    high: AtomicUsize,
    /// Whether `end` is a limit that somebody set.
    is_limited: bool,
    parting: Parting,
    /// What held something when the arena was made.
    first_dirty: DirtyBytes,
}

// SAFETY: a cursor hands out disjoint bytes, whichever thread asks; each slice belongs to the
// thread that asked, and no value moves from one thread to another here.
unsafe impl Send for Bump {}
// SAFETY: as above.
unsafe impl Sync for Bump {}

/// What a cursor is over.
pub(super) struct Window {
    /// The first byte of the arena.
    pub(super) base: NonNull<u8>,
    /// How many there are.
    pub(super) bytes: usize,
    /// How many of them may be handed out at once; None for all.
    pub(super) limit_bytes: Option<usize>,
    /// Which bytes are not zero.
    pub(super) dirty: DirtyBytes,
}

impl Bump {
    /// A cursor over `window`.
    ///
    /// # Safety
    /// The bytes are writable, belong to the cursor, and stay until its slices have ended.
    pub(super) unsafe fn over(window: &Window) -> Self {
        let end = window.limit_bytes.map_or(window.bytes, |limit| limit.min(window.bytes));
        Self {
            base: window.base,
            start: 0,
            end,
            cursor: AtomicUsize::new(0),
            dirty: AtomicUsize::new(0),
            first_dirty_end: window.dirty.as_slice().last().map_or(0, |&(_, to)| to),
            high: AtomicUsize::new(0),
            is_limited: end < window.bytes,
            parting: Parting::default(),
            first_dirty: window.dirty,
        }
    }

    /// Cursors over `count` equal parts of what is free, rounded down to 64 bytes; nothing is done
    /// when there is no memory for so many.
    ///
    /// # Safety
    /// Until the last slice of a part has ended, this cursor hands nothing out. `end_part` is
    /// called once for each part, unless it is forgotten.
    pub(super) unsafe fn split(&mut self, count: usize) -> Result<Vec<Self>, Error> {
        let mut parts = Vec::new();
        let wanted = wide(count.saturating_mul(size_of::<Self>()));
        parts.try_reserve_exact(count).map_err(|_| Error::NoMemory { wanted })?;
        let (from, free) = (self.cursor(), self.end - self.cursor());
        let share = free.checked_div(count).unwrap_or(0) & !(LINE - 1);
        let (dirty, high) = (*self.dirty.get_mut(), *self.high.get_mut());
        self.parting = Parting {
            parts: AtomicUsize::new(count),
            top: AtomicUsize::new(from),
            before: (dirty, high),
        };
        if count != 0 {
            *self.dirty.get_mut() = self.end;
            *self.high.get_mut() = self.end;
        }
        let part = |index: usize| {
            let start = from + index * share;
            Self {
                base: self.base,
                start,
                end: if index + 1 == count { self.end } else { start + share },
                cursor: AtomicUsize::new(start),
                dirty: AtomicUsize::new(dirty),
                first_dirty_end: self.first_dirty_end,
                high: AtomicUsize::new(start),
                is_limited: self.is_limited && index + 1 == count,
                parting: Parting::default(),
                first_dirty: self.first_dirty,
            }
        };
        parts.extend((0..count).map(part));
        Ok(parts)
    }

    /// Takes the marks of a part that ends; the last one lets the marks of the whole be exact.
    pub(super) fn end_part(&self, part: &Self) {
        let (dirty, high) = self.parting.before;
        // Release and acquire: the last part sees what the others, on other threads, have said.
        self.parting.top.fetch_max(part.high_end(), Ordering::Release);
        if self.parting.parts.fetch_sub(1, Ordering::AcqRel) == 1 {
            let top = self.parting.top.load(Ordering::Acquire);
            // Relaxed: the cursor's owner reads the marks after the borrows of the parts.
            self.dirty.store(dirty.max(top), Ordering::Relaxed);
            self.high.store(high.max(top), Ordering::Relaxed);
        }
    }

    /// The first byte of the arena.
    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    #[inline]
    pub(super) fn cursor(&self) -> usize {
        // Relaxed: the cursor stands for itself; slices reach other threads by their own ways.
        self.cursor.load(Ordering::Relaxed)
    }

    /// Bytes handed out since the cursor was at `from`, alignment included.
    pub(super) fn used_bytes(&self, from: usize) -> usize {
        self.cursor() - from
    }

    /// Where the highest slice ever handed out ends.
    fn high_end(&self) -> usize {
        // Relaxed: as in `cursor`.
        self.high.load(Ordering::Relaxed).max(self.cursor())
    }

    /// Bytes between the first one and the end of the highest slice ever handed out.
    pub(super) fn high_water_bytes(&self) -> usize {
        self.high_end() - self.start
    }

    /// Where this cursor's bytes begin.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Bytes that can be handed out from `from` on.
    pub(super) fn capacity_bytes(&self, from: usize) -> usize {
        self.end - from
    }

    /// Puts the cursor at `to`; every byte above it that was handed out counts as written.
    ///
    /// # Safety
    /// Every slice above `to` has ended, and nobody else moves the cursor.
    pub(super) unsafe fn rewind(&self, to: usize) {
        let high = self.high_end();
        // Relaxed: nobody else looks now.
        self.high.store(high, Ordering::Relaxed);
        let dirty = self.dirty.load(Ordering::Relaxed).max(self.cursor());
        self.dirty.store(dirty, Ordering::Relaxed);
        self.cursor.store(to, Ordering::Relaxed);
    }

    /// Takes everything back.
    pub(super) fn reset(&mut self) {
        // SAFETY: `&mut self` ended every slice.
        unsafe { self.rewind(self.start) }
    }

    /// Takes everything back and clears every byte that was ever handed out.
    pub(super) fn wipe(&mut self) {
        self.reset();
        // SAFETY: `&mut self` ended every slice.
        unsafe { self.clear_handed_out() }
        *self.dirty.get_mut() = self.start;
    }

    /// Clears every byte that was ever handed out, in one pass.
    ///
    /// # Safety
    /// Nobody relies on what the slices hold.
    pub(super) unsafe fn clear_handed_out(&self) {
        // SAFETY: the bytes belong to the arena, and the caller's promise.
        unsafe { clear(self.at(self.start), self.high_water_bytes()) }
    }

    /// Counts the first `bytes` bytes as handed out, if fewer are.
    pub(super) fn skip(&mut self, bytes: usize) -> Result<(), Error> {
        let cursor = self.cursor();
        let left = self.end - cursor;
        match bytes.checked_sub(cursor - self.start) {
            Some(more) if more > left => Err(self.refusal(wide(more), cursor)),
            more => {
                *self.cursor.get_mut() = cursor + more.unwrap_or(0);
                Ok(())
            }
        }
    }

    /// The byte at `offset` from the arena's first one.
    #[inline]
    fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset <= self.end, "offset {offset} past the end {}", self.end);
        // SAFETY: `offset` is at most `end`, and the arena has that many bytes.
        unsafe { self.base.add(offset) }
    }

    /// Where `bytes` bytes begin and end when the cursor is at `cursor`; None without room.
    #[inline]
    fn fit(&self, cursor: usize, bytes: usize, place: Placement) -> Option<(usize, usize)> {
        let room = |skew: usize| {
            // No sum wraps: an arena lies within the address space, `skew` is at most a page, and
            // the padding is less than 2^63.
            let from = cursor + skew;
            let padding = (self.base.addr().get() + from).wrapping_neg() & (place.align - 1);
            let start = from + padding;
            (start <= self.end && bytes <= self.end - start).then(|| (start, start + bytes))
        };
        if place.skew == 0 || cursor == self.start {
            return room(0);
        }
        room(place.skew).or_else(|| room(0))
    }

    /// Moves the cursor over `bytes` bytes and answers where they begin.
    #[inline]
    fn take<M: Movers>(&self, bytes: usize, place: Placement) -> Result<usize, Error> {
        let mut cursor = self.cursor();
        loop {
            let Some((start, end)) = self.fit(cursor, bytes, place) else {
                return Err(self.refusal(wide(bytes.saturating_add(place.align - 1)), cursor));
            };
            match M::advance(&self.cursor, cursor, end) {
                Ok(()) => return Ok(start),
                Err(now) => cursor = now,
            }
        }
    }

    /// Why `wanted` bytes cannot be had with the cursor at `cursor`.
    #[cold]
    fn refusal(&self, wanted: u64, cursor: usize) -> Error {
        if self.is_limited {
            let (limit, live) = (wide(self.end - self.start), wide(cursor - self.start));
            return Error::MemoryLimit { wanted, limit, live };
        }
        Error::ArenaFull { wanted, left: wide(self.end - cursor) }
    }

    /// `len` values of `T` that nobody else has, uninitialised; `align` is asked, or the default.
    ///
    /// With `OneAlone` the caller holds the cursor by a mutable borrow.
    #[inline]
    pub(super) fn uninit<M: Movers, T>(
        &self,
        len: usize,
        align: Option<usize>,
    ) -> Result<NonNull<T>, Error> {
        const { assert!(!needs_drop::<T>(), "an arena drops nothing: T must need no drop") };
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Error::LengthOverflow)?;
        let start = self.bytes::<M>(bytes, align, align_of::<T>())?;
        Ok(start.cast())
    }

    /// `bytes` bytes that nobody else has, at a multiple of `align`, which is at least `least`.
    #[inline]
    pub(super) fn bytes<M: Movers>(
        &self,
        bytes: usize,
        align: Option<usize>,
        least: usize,
    ) -> Result<NonNull<u8>, Error> {
        let place = Placement::of(bytes, align, least)?;
        if bytes == 0 {
            return Ok(crate::units::nowhere(place.align));
        }
        Ok(self.at(self.take::<M>(bytes, place)?))
    }

    /// `len` values of `T` that nobody else has, all of them zero.
    #[inline]
    pub(super) fn zeroed<M: Movers, T: Zeroable>(
        &self,
        len: usize,
        align: Option<usize>,
    ) -> Result<NonNull<T>, Error> {
        let start = self.uninit::<M, T>(len, align)?;
        self.zero(start.cast(), len * size_of::<T>());
        Ok(start)
    }

    /// Makes the `bytes` bytes at `start`, just handed out, zero where they may not be.
    #[inline]
    pub(super) fn zero(&self, start: NonNull<u8>, bytes: usize) {
        let offset = start.addr().get().wrapping_sub(self.base.addr().get());
        // Relaxed: only a rewind and a part's end move the mark, and neither happens during this
        // call.
        let dirty = self.dirty.load(Ordering::Relaxed);
        if bytes != 0 && offset < dirty.max(self.first_dirty_end) {
            self.clear_dirty(offset, bytes, dirty);
        }
    }

    #[inline(never)]
    fn clear_dirty(&self, offset: usize, bytes: usize, dirty: usize) {
        for &(from, to) in [(0, dirty)].iter().chain(self.first_dirty.as_slice()) {
            let (from, to) = (from.max(offset), to.min(offset + bytes));
            if from < to {
                // SAFETY: the bytes lie within the allocation.
                unsafe { self.at(from).write_bytes(0, to - from) };
            }
        }
    }

    /// Lengthens the block of `old` bytes at `start` to `new` bytes where it is; false when another
    /// one follows it, or there is no room.
    #[cfg(feature = "allocator-api2")]
    pub(super) fn lengthen(&self, start: NonNull<u8>, old: usize, new: usize) -> bool {
        let from = start.addr().get().wrapping_sub(self.base.addr().get());
        from <= self.end
            && new <= self.end - from
            && Anyone::advance_surely(&self.cursor, from + old, from + new)
    }
}

#[cfg(feature = "allocator-api2")]
impl Anyone {
    /// As `advance`, and without failing for no reason.
    fn advance_surely(cursor: &AtomicUsize, from: usize, to: usize) -> bool {
        // Relaxed: as in `advance`.
        cursor.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
