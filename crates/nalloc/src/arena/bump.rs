//! One window of an arena: a cursor that only goes up, and what is known about the bytes above it.
//!
//! ```text
//! root      |--- handed out ---|cursor ............................. end|
//! a scope                      |--- handed out ---|cursor .......... end|
//! ```
//!
//! A scope or a part of a split is a window over the free end of its parent, with a cursor of its
//! own. While it lives the parent is borrowed mutably and hands nothing out, so nothing has to be
//! put back when it ends, and forgetting one does no harm: each allocation tells every ancestor
//! at once that the bytes are no longer known to be zero.
//!
//! Equations, in bytes from the arena's first one: cursor <= end; every byte above the cursor is
//! zero unless it lies below `dirty` or in `first_dirty`; nothing at `high` or above was ever
//! handed out.

use core::mem::{MaybeUninit, needs_drop, size_of};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::heap::DirtyBytes;
use crate::secret::clear;
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

/// A window of an arena, shared by threads.
pub(super) struct Bump<'p> {
    base: NonNull<u8>,
    start: usize,
    end: usize,
    cursor: AtomicUsize,
    /// What held something when the arena was made.
    first_dirty: DirtyBytes,
    dirty: AtomicUsize,
    high: AtomicUsize,
    parent: Option<&'p Bump<'p>>,
}

// SAFETY: a window hands out disjoint bytes through an atomic cursor, whichever thread asks; each
// slice belongs to the thread that asked, and no value moves from one thread to another here.
unsafe impl Send for Bump<'_> {}
// SAFETY: as above.
unsafe impl Sync for Bump<'_> {}

impl<'p> Bump<'p> {
    /// A window over `end` bytes at `base`, all of them zero but those in `dirty`.
    ///
    /// # Safety
    /// The bytes are writable, belong to the window, and stay until its slices have ended.
    pub(super) const unsafe fn root(base: NonNull<u8>, end: usize, dirty: DirtyBytes) -> Self {
        Self {
            base,
            start: 0,
            end,
            cursor: AtomicUsize::new(0),
            first_dirty: dirty,
            dirty: AtomicUsize::new(0),
            high: AtomicUsize::new(0),
            parent: None,
        }
    }

    /// A window over part `index` of `count` equal parts of what is free.
    ///
    /// # Safety
    /// While the window and its slices live, the parent hands nothing out, and no other window
    /// covers the same part.
    pub(super) unsafe fn part(parent: &'p Bump<'p>, index: usize, count: usize) -> Self {
        let (from, free) = (parent.cursor(), parent.end - parent.cursor());
        let share = (free / count) & !(LINE - 1);
        let start = from + index * share;
        let end = if index + 1 == count { parent.end } else { start + share };
        Self {
            base: parent.base,
            start,
            end,
            cursor: AtomicUsize::new(start),
            first_dirty: parent.first_dirty,
            // Relaxed: the parent is borrowed mutably by the caller, so nobody writes it now.
            dirty: AtomicUsize::new(parent.dirty.load(Ordering::Relaxed)),
            high: AtomicUsize::new(start),
            parent: Some(parent),
        }
    }

    /// The first byte of the arena.
    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn cursor(&self) -> usize {
        // Relaxed: the cursor stands for itself; slices reach other threads by their own ways.
        self.cursor.load(Ordering::Relaxed)
    }

    /// Bytes handed out and not given back, alignment included.
    pub(super) fn used_bytes(&self) -> usize {
        self.cursor() - self.start
    }

    /// Bytes between the first one and the end of the highest slice ever handed out.
    pub(super) fn high_water_bytes(&self) -> usize {
        // Relaxed: as in `cursor`.
        self.high.load(Ordering::Relaxed) - self.start
    }

    /// Bytes of the window.
    pub(super) fn capacity_bytes(&self) -> usize {
        self.end - self.start
    }

    /// Takes everything back; every byte ever handed out counts as written.
    pub(super) fn rewind(&mut self) {
        let high = *self.high.get_mut();
        *self.dirty.get_mut() = high;
        *self.cursor.get_mut() = self.start;
    }

    /// Takes everything back and clears every byte that was ever handed out.
    pub(super) fn wipe(&mut self) {
        self.rewind();
        let high = self.high_water_bytes();
        // SAFETY: the bytes belong to the window, and `&mut self` ended every slice.
        unsafe { clear(self.at(self.start), high) };
        *self.dirty.get_mut() = self.start;
    }

    /// The byte at `offset` from the arena's first one.
    fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset <= self.end, "offset {offset} past the end {}", self.end);
        // SAFETY: `offset` is at most `end`, and the arena has that many bytes.
        unsafe { self.base.add(offset) }
    }

    /// Moves the cursor over `bytes` bytes and answers where they begin.
    fn take(&self, bytes: usize, place: Placement) -> Result<usize, Error> {
        let base = self.base.addr().get();
        let fit = |cursor: usize, skew: usize| {
            let first = base.checked_add(cursor)?.checked_add(skew)?;
            let start = first.checked_next_multiple_of(place.align)? - base;
            let end = start.checked_add(bytes)?;
            (end <= self.end).then_some((start, end))
        };
        let mut cursor = self.cursor();
        loop {
            let skew = if cursor == self.start { 0 } else { place.skew };
            let Some((start, end)) = fit(cursor, skew).or_else(|| fit(cursor, 0)) else {
                let wanted = bytes.saturating_add(place.align - 1);
                return Err(Error::ArenaFull {
                    wanted: u64::try_from(wanted).unwrap_or(u64::MAX),
                    left: u64::try_from(self.end - cursor).unwrap_or(u64::MAX),
                });
            };
            // Relaxed: the exchange makes the ranges disjoint, and orders no other memory.
            match self.cursor.compare_exchange_weak(
                cursor,
                end,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.mark(end);
                    return Ok(start);
                }
                Err(now) => cursor = now,
            }
        }
    }

    /// Tells this window and its ancestors that the bytes before `end` were handed out.
    fn mark(&self, end: usize) {
        // Relaxed: the marks are read after the borrows that allowed this call have ended.
        self.high.fetch_max(end, Ordering::Relaxed);
        let mut above = self.parent;
        while let Some(bump) = above {
            bump.high.fetch_max(end, Ordering::Relaxed);
            bump.dirty.fetch_max(end, Ordering::Relaxed);
            above = bump.parent;
        }
    }

    /// `len` values of `T` that nobody else has, uninitialised.
    pub(super) fn uninit<T>(
        &self,
        len: usize,
        align: Option<usize>,
    ) -> Result<NonNull<MaybeUninit<T>>, Error> {
        const { assert!(!needs_drop::<T>(), "an arena drops nothing: T must need no drop") };
        let bytes = len.checked_mul(size_of::<T>()).ok_or(Error::LengthOverflow)?;
        let place = Placement::of(bytes, align, align_of::<T>())?;
        if bytes == 0 {
            return Ok(crate::units::nowhere(place.align).cast());
        }
        let start = self.take(bytes, place)?;
        Ok(self.at(start).cast())
    }

    /// `len` values of `T` that nobody else has, all of them zero.
    pub(super) fn zeroed<T: Zeroable>(
        &self,
        len: usize,
        align: Option<usize>,
    ) -> Result<NonNull<T>, Error> {
        let start = self.uninit::<T>(len, align)?;
        let bytes = len * size_of::<T>();
        if bytes == 0 {
            return Ok(start.cast());
        }
        // Relaxed: only a rewind and a child move the mark, and neither happens during this call.
        let dirty = self.dirty.load(Ordering::Relaxed);
        let offset = start.addr().get() - self.base.addr().get();
        for &(from, to) in [(0, dirty)].iter().chain(self.first_dirty.as_slice()) {
            let (from, to) = (from.max(offset), to.min(offset + bytes));
            if from < to {
                // SAFETY: the bytes lie within the allocation.
                unsafe { self.at(from).write_bytes(0, to - from) };
            }
        }
        Ok(start.cast())
    }
}

/// The methods by which an arena or a scope hands out slices that live for `'s`.
///
/// `[self]` is the receiver and `[generics]` the lifetimes that each method declares itself.
macro_rules! allocating_methods {
    (receiver: [$($receiver:tt)*], generics: [$($generic:tt)*]) => {
        /// `len` zero values of `T`; pages that are fresh from the kernel are not written.
        ///
        /// Aligned to 64 bytes, and to 4 KiB from 1 MiB on.
        ///
        /// # Panics
        /// When the arena is too full; [`try_alloc_array`](Self::try_alloc_array) says so instead.
        #[must_use]
        #[track_caller]
        pub fn alloc_array<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
        ) -> &'s mut [T] {
            self.try_alloc_array(len).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_array`](Self::alloc_array).
        ///
        /// # Errors
        /// [`Error::ArenaFull`], [`Error::LengthOverflow`].
        pub fn try_alloc_array<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
        ) -> Result<&'s mut [T], Error> {
            let start = self.bump.zeroed(len, None)?;
            // SAFETY: the values are zero, which `T` allows, and nobody else has them while the
            // window lives.
            Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) })
        }

        /// `len` zero values of `T`, the first at a multiple of `align` bytes.
        ///
        /// Who walks many arrays at once asks for 64: such arrays do not begin in the same cache
        /// sets.
        ///
        /// # Panics
        /// When the arena is too full or the alignment unfit;
        /// [`try_alloc_array_aligned`](Self::try_alloc_array_aligned) says so instead.
        #[must_use]
        #[track_caller]
        pub fn alloc_array_aligned<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
            align: usize,
        ) -> &'s mut [T] {
            self.try_alloc_array_aligned(len, align).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_array_aligned`](Self::alloc_array_aligned).
        ///
        /// # Errors
        /// [`Error::ArenaFull`], [`Error::LengthOverflow`], and [`Error::Alignment`] unless
        /// `align` is a power of two and at least that of `T`.
        pub fn try_alloc_array_aligned<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
            align: usize,
        ) -> Result<&'s mut [T], Error> {
            let start = self.bump.zeroed(len, Some(align))?;
            // SAFETY: as in `try_alloc_array`.
            Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) })
        }

        /// `len` values of `T` that hold anything; aligned as those of
        /// [`alloc_array`](Self::alloc_array).
        ///
        /// # Panics
        /// When the arena is too full; [`try_alloc_uninit`](Self::try_alloc_uninit) says so
        /// instead.
        #[must_use]
        #[track_caller]
        pub fn alloc_uninit<$($generic)* T>(
            $($receiver)* self,
            len: usize,
        ) -> &'s mut [MaybeUninit<T>] {
            self.try_alloc_uninit(len).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_uninit`](Self::alloc_uninit).
        ///
        /// # Errors
        /// [`Error::ArenaFull`], [`Error::LengthOverflow`].
        pub fn try_alloc_uninit<$($generic)* T>(
            $($receiver)* self,
            len: usize,
        ) -> Result<&'s mut [MaybeUninit<T>], Error> {
            let start = self.bump.uninit(len, None)?;
            // SAFETY: `MaybeUninit` allows every byte, and nobody else has these while the window
            // lives.
            Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) })
        }

        /// A copy of `values`; aligned as those of [`alloc_array`](Self::alloc_array).
        ///
        /// # Panics
        /// When the arena is too full; [`try_alloc_copy`](Self::try_alloc_copy) says so instead.
        #[must_use]
        #[track_caller]
        pub fn alloc_copy<$($generic)* T: Copy>($($receiver)* self, values: &[T]) -> &'s mut [T] {
            self.try_alloc_copy(values).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_copy`](Self::alloc_copy).
        ///
        /// # Errors
        /// [`Error::ArenaFull`], [`Error::LengthOverflow`].
        pub fn try_alloc_copy<$($generic)* T: Copy>(
            $($receiver)* self,
            values: &[T],
        ) -> Result<&'s mut [T], Error> {
            Ok(self.try_alloc_uninit(values.len())?.write_copy_of_slice(values))
        }

        /// Bytes handed out, alignment included.
        #[must_use]
        pub fn used_bytes(&self) -> usize {
            self.bump.used_bytes()
        }

        /// Bytes up to the end of the highest slice that was ever handed out, scopes included.
        #[must_use]
        pub fn high_water_bytes(&self) -> usize {
            self.bump.high_water_bytes()
        }

        /// Bytes in all.
        #[must_use]
        pub fn capacity_bytes(&self) -> usize {
            self.bump.capacity_bytes()
        }
    };
}

pub(super) use allocating_methods;

/// The end of the methods that do not return a `Result`.
#[cold]
#[track_caller]
pub(super) fn refuse(error: Error) -> ! {
    panic!("{error}")
}
