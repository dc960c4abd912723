//! Asking for memory before it is needed, where no vectors are used.

/// Asks for the cache lines of an element, which need not exist, in the nearest cache. CPUs other
/// than x86-64 are not asked.
#[inline(always)]
pub(crate) fn prefetch<T>(elements: &[T], index: usize) {
    let address = elements.as_ptr().wrapping_add(index).cast::<i8>();
    #[cfg(target_arch = "x86_64")]
    for line in 0..size_of::<T>().div_ceil(LINE_BYTES) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that could fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.wrapping_add(line * LINE_BYTES)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Bytes that a cache reads at once.
#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;
