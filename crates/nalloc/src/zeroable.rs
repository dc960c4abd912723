//! Types that memory full of zero bytes is a valid value of.

use core::mem::MaybeUninit;

/// Types for which all-zero bytes are a valid value, so that fresh pages need no initialisation.
///
/// # Safety
/// A value whose bytes, padding included, are all zero must be a valid value of the type.
pub unsafe trait Zeroable: Sized {}

macro_rules! zeroable {
    ($($t:ty),* $(,)?) => {
        $(
            // SAFETY: every bit pattern is a value of an integer or a float, and zero is `false`,
            // `'\0'` and `()`.
            unsafe impl Zeroable for $t {}
        )*
    };
}

zeroable!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, ());

// SAFETY: an array is its elements one after the other, and each of them may be zero.
unsafe impl<T: Zeroable, const N: usize> Zeroable for [T; N] {}
// SAFETY: `MaybeUninit` allows every byte.
unsafe impl<T> Zeroable for MaybeUninit<T> {}

macro_rules! zeroable_tuple {
    ($($name:ident)*) => {
        // SAFETY: a tuple is its fields and padding, and each field may be zero.
        unsafe impl<$($name: Zeroable),*> Zeroable for ($($name,)*) {}
    };
}

zeroable_tuple!(A);
zeroable_tuple!(A B);
zeroable_tuple!(A B C);
zeroable_tuple!(A B C D);
