//! Lengths, indices and addresses that are easily mistaken for each other.

use core::num::NonZero;
use core::ptr::NonNull;

/// Where zero bytes aligned to `align` (a power of two) may be said to be.
pub(crate) fn nowhere(align: usize) -> NonNull<u8> {
    NonNull::without_provenance(NonZero::new(align).unwrap_or(NonZero::<usize>::MIN))
}
