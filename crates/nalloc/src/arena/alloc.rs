//! The methods by which an arena, a scope, a part of a split and an exclusive handle hand out
//! slices: written once, for each of them.

use crate::error::Error;

/// The methods that hand out slices that live for `'s`.
///
/// `receiver` is how each method takes `self`, `generics` the lifetimes that it declares itself,
/// and `movers` who may move the cursor meanwhile.
macro_rules! allocating_methods {
    (
        receiver: [$($receiver:tt)*],
        generics: [$($generic:tt)*],
        movers: $movers:ty $(,)?
    ) => {
        /// `len` zero values of `T`; pages that are fresh from the kernel are not written.
        ///
        /// Aligned to 64 bytes, and to 4 KiB from 1 MiB on.
        ///
        /// # Panics
        /// When the arena is too full; [`try_alloc_array`](Self::try_alloc_array) says so instead.
        #[must_use]
        #[track_caller]
        #[inline]
        pub fn alloc_array<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
        ) -> &'s mut [T] {
            self.try_alloc_array(len).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_array`](Self::alloc_array).
        ///
        /// # Errors
        /// [`Error::ArenaFull`], [`Error::MemoryLimit`] of this arena, [`Error::LengthOverflow`].
        #[inline]
        pub fn try_alloc_array<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
        ) -> Result<&'s mut [T], Error> {
            let start = self.bump.zeroed::<$movers, T>(len, None)?;
            // SAFETY: the values are zero, which `T` allows, and nobody else has them while the
            // arena keeps them handed out.
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
        #[inline]
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
        /// As [`try_alloc_array`](Self::try_alloc_array), and [`Error::Alignment`] unless `align`
        /// is a power of two and at least that of `T`.
        #[inline]
        pub fn try_alloc_array_aligned<$($generic)* T: Zeroable>(
            $($receiver)* self,
            len: usize,
            align: usize,
        ) -> Result<&'s mut [T], Error> {
            let start = self.bump.zeroed::<$movers, T>(len, Some(align))?;
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
        #[inline]
        pub fn alloc_uninit<$($generic)* T>(
            $($receiver)* self,
            len: usize,
        ) -> &'s mut [MaybeUninit<T>] {
            self.try_alloc_uninit(len).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_uninit`](Self::alloc_uninit).
        ///
        /// # Errors
        /// As [`try_alloc_array`](Self::try_alloc_array).
        #[inline]
        pub fn try_alloc_uninit<$($generic)* T>(
            $($receiver)* self,
            len: usize,
        ) -> Result<&'s mut [MaybeUninit<T>], Error> {
            let start = self.bump.uninit::<$movers, T>(len, None)?;
            // SAFETY: `MaybeUninit` allows every byte, and nobody else has these while the arena
            // keeps them handed out.
            Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr().cast(), len) })
        }

        /// `len` values of `T` that hold anything, the first at a multiple of `align` bytes.
        ///
        /// # Panics
        /// When the arena is too full or the alignment unfit;
        /// [`try_alloc_uninit_aligned`](Self::try_alloc_uninit_aligned) says so instead.
        #[must_use]
        #[track_caller]
        #[inline]
        pub fn alloc_uninit_aligned<$($generic)* T>(
            $($receiver)* self,
            len: usize,
            align: usize,
        ) -> &'s mut [MaybeUninit<T>] {
            self.try_alloc_uninit_aligned(len, align).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_uninit_aligned`](Self::alloc_uninit_aligned).
        ///
        /// # Errors
        /// As [`try_alloc_array_aligned`](Self::try_alloc_array_aligned).
        #[inline]
        pub fn try_alloc_uninit_aligned<$($generic)* T>(
            $($receiver)* self,
            len: usize,
            align: usize,
        ) -> Result<&'s mut [MaybeUninit<T>], Error> {
            let start = self.bump.uninit::<$movers, T>(len, Some(align))?;
            // SAFETY: as in `try_alloc_uninit`.
            Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr().cast(), len) })
        }

        /// A copy of `values`; aligned as those of [`alloc_array`](Self::alloc_array).
        ///
        /// # Panics
        /// When the arena is too full; [`try_alloc_copy`](Self::try_alloc_copy) says so instead.
        #[must_use]
        #[track_caller]
        #[inline]
        pub fn alloc_copy<$($generic)* T: Copy>($($receiver)* self, values: &[T]) -> &'s mut [T] {
            self.try_alloc_copy(values).unwrap_or_else(|error| refuse(error))
        }

        /// As [`alloc_copy`](Self::alloc_copy).
        ///
        /// # Errors
        /// As [`try_alloc_array`](Self::try_alloc_array).
        #[inline]
        pub fn try_alloc_copy<$($generic)* T: Copy>(
            $($receiver)* self,
            values: &[T],
        ) -> Result<&'s mut [T], Error> {
            Ok(self.try_alloc_uninit(values.len())?.write_copy_of_slice(values))
        }

        /// Bytes handed out, alignment included.
        #[must_use]
        pub fn used_bytes(&self) -> usize {
            self.bump.used_bytes(self.first())
        }

        /// Bytes that can be handed out at once, at most.
        #[must_use]
        pub fn capacity_bytes(&self) -> usize {
            self.bump.capacity_bytes(self.first())
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
