//! Owned arrays on nalloc's large heap: fallible to make, aligned to a cache line, zeroed.
//!
//! And arrays of an arena that are zeroed piece by piece, by who fills them: while the piece is in
//! his cache anyway, and not all of them before, by one thread.
//!
//! This is the only file of the crate that turns memory into slices. It relies on two marks of a
//! type: `Zeroable` (zero bytes are a value) and [`PlainBytes`] (any bytes are a value).

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::slice;
use core::sync::atomic::{AtomicUsize, Ordering};

use nalloc::{Block, MapFailed, Zeroable};

/// Alignment of the first element, in bytes: a cache line, and the width of a 512-bit register.
const ALIGNMENT: usize = 64;

/// Types that are nothing but their bytes, so that a file's bytes can be read into place.
///
/// A value may break its type's own promise afterwards (limbs at or above the modulus, a point off
/// its curve); such values are safe to hold and must be checked before they are used.
///
/// # Safety
/// The type has no padding, and every bit pattern is a valid value.
pub unsafe trait PlainBytes: Zeroable + Copy {}

// SAFETY: an integer has no padding and allows every bit pattern.
unsafe impl PlainBytes for u8 {}
// SAFETY: as above.
unsafe impl PlainBytes for u32 {}
// SAFETY: as above.
unsafe impl PlainBytes for u64 {}
// SAFETY: an array is its elements one after the other, without padding of its own.
unsafe impl<T: PlainBytes, const N: usize> PlainBytes for [T; N] {}

/// An owned array of `T` on nalloc's large heap, aligned to 64 bytes.
///
/// ```
/// use nalloc_bn254::{Field, Fr, HeapBuffer};
///
/// let mut numbers = HeapBuffer::<Fr>::zeroed(1000)?;
/// numbers[7] = Fr::ONE;
/// assert_eq!(numbers.iter().filter(|number| number.is_zero()).count(), 999);
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct HeapBuffer<T> {
    block: Block,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Zeroable + Copy> HeapBuffer<T> {
    /// `len` zero elements.
    ///
    /// # Errors
    /// Memory that cannot be had, or a length in bytes that does not fit the address space.
    pub fn zeroed(len: usize) -> Result<Self, MapFailed> {
        Self::of(len, Block::zeroed)
    }

    /// The same from pages that nobody has touched, in a time that does not depend on `len`; see
    /// [`Block::mapped`].
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn untouched(len: usize) -> Result<Self, MapFailed> {
        Self::of(len, Block::mapped)
    }

    /// `make` makes zero bytes: so many, with such an alignment.
    fn of(
        len: usize,
        make: fn(usize, usize) -> Result<Block, MapFailed>,
    ) -> Result<Self, MapFailed> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(MapFailed::LengthOverflow)?;
        let block = make(bytes, ALIGNMENT.max(align_of::<T>()))?;
        Ok(Self { block, len, element: PhantomData })
    }

    /// A copy of `elements`.
    ///
    /// # Errors
    /// As [`zeroed`](Self::zeroed).
    pub fn from_slice(elements: &[T]) -> Result<Self, MapFailed> {
        let mut buffer = Self::zeroed(elements.len())?;
        buffer.copy_from_slice(elements);
        Ok(buffer)
    }
}

impl<T> HeapBuffer<T> {
    /// Overwrites every byte with zero, in a way that the compiler may not leave out.
    pub fn wipe(&mut self) {
        self.block.wipe();
    }
}

impl<T: PlainBytes> HeapBuffer<T> {
    /// The bytes of the elements, in the machine's order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.block.as_slice()
    }

    /// The bytes of the elements, for reading a file into place.
    #[must_use]
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        self.block.as_mut_slice()
    }
}

impl<T> Deref for HeapBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the block holds `len` elements aligned for `T`; they began as zero bytes, which
        // `T: Zeroable` allows (checked by the constructors), and only values of `T`, or bytes of
        // a `T: PlainBytes`, were written since.
        unsafe { slice::from_raw_parts(self.block.as_ptr().cast(), self.len) }
    }
}

impl<T> DerefMut for HeapBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` is the only way to the block.
        unsafe { slice::from_raw_parts_mut(self.block.as_mut_ptr().cast(), self.len) }
    }
}

/// The length alone: the elements may be secret.
impl<T> fmt::Debug for HeapBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeapBuffer({} elements)", self.len)
    }
}

/// An array that holds anything, until each of its pieces was zeroed.
pub(crate) struct Pieces<'a, T> {
    all: &'a mut [MaybeUninit<T>],
    /// Elements of the pieces that were zeroed.
    zeroed: AtomicUsize,
}

/// A part of an array that holds anything yet.
pub(crate) struct Piece<'a, T> {
    elements: &'a mut [MaybeUninit<T>],
    zeroed: &'a AtomicUsize,
}

impl<'a, T: Zeroable> Pieces<'a, T> {
    pub(crate) fn new(all: &'a mut [MaybeUninit<T>]) -> Self {
        Self { all, zeroed: AtomicUsize::new(0) }
    }

    /// The pieces of `len` elements; the last one may be shorter.
    ///
    /// # Panics
    /// When `len` is 0.
    pub(crate) fn chunks(&mut self, len: usize) -> impl Iterator<Item = Piece<'_, T>> {
        *self.zeroed.get_mut() = 0;
        let zeroed = &self.zeroed;
        self.all.chunks_mut(len).map(move |elements| Piece { elements, zeroed })
    }

    /// The array.
    ///
    /// # Panics
    /// Unless every piece was zeroed.
    pub(crate) fn finish(mut self) -> &'a mut [T] {
        assert_eq!(*self.zeroed.get_mut(), self.all.len(), "elements of all pieces are zeroed");
        // SAFETY: as many elements as there are were zeroed since the last call of `chunks`, whose
        // pieces share none and are zeroed once; zero bytes are a value of `T`.
        unsafe { self.all.assume_init_mut() }
    }
}

impl<'a, T: Zeroable> Piece<'a, T> {
    /// Its elements, all of them zero.
    pub(crate) fn zeroed(self) -> &'a mut [T] {
        // SAFETY: the slice may be written.
        unsafe { self.elements.as_mut_ptr().write_bytes(0, self.elements.len()) };
        // Relaxed: the elements reach whoever reads the count by the end of a scope of threads.
        self.zeroed.fetch_add(self.elements.len(), Ordering::Relaxed);
        // SAFETY: all elements are zero bytes, which `T: Zeroable` allows.
        unsafe { self.elements.assume_init_mut() }
    }
}
