//! Collections in an arena: `Vec`, `HashMap` and others that take an allocator of the crate
//! `allocator-api2`.
//!
//! What a collection gives back stays handed out until the reset; the block that was taken last
//! grows where it is. Elements are dropped by their collection, not by the arena.

use core::alloc::Layout;
use core::ptr::NonNull;

use allocator_api2::alloc::{AllocError, Allocator};

use super::bump::{Anyone, Bump};
use super::{Arena, Scope, SubArena};

fn take(bump: &Bump, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
    let align = layout.align();
    let start = bump.bytes::<Anyone>(layout.size(), Some(align), align).map_err(|_| AllocError)?;
    Ok(NonNull::slice_from_raw_parts(start, layout.size()))
}

fn take_zeroed(bump: &Bump, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
    let block = take(bump, layout)?;
    bump.zero(block.cast(), layout.size());
    Ok(block)
}

/// # Safety
/// As `Allocator::grow`.
unsafe fn grow(
    bump: &Bump,
    block: NonNull<u8>,
    old: Layout,
    new: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    let is_aligned = block.addr().get().is_multiple_of(new.align());
    if is_aligned && old.size() != 0 && bump.lengthen(block, old.size(), new.size()) {
        return Ok(NonNull::slice_from_raw_parts(block, new.size()));
    }
    let moved = take(bump, new)?;
    // SAFETY: the old block has that many bytes, and the new one is another and as long at least.
    unsafe { moved.cast::<u8>().copy_from_nonoverlapping(block, old.size()) };
    Ok(moved)
}

macro_rules! allocates {
    ($($handle:ty),*) => {$(
        // SAFETY: a block stays valid until the borrow of the handle ends, whichever copy of the
        // reference is asked; a handle that is borrowed is neither reset nor wiped.
        unsafe impl Allocator for &$handle {
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                take(&self.bump, layout)
            }

            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                take_zeroed(&self.bump, layout)
            }

            unsafe fn deallocate(&self, _block: NonNull<u8>, _layout: Layout) {}

            unsafe fn grow(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                unsafe { grow(&self.bump, block, old, new) }
            }

            unsafe fn shrink(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                if block.addr().get().is_multiple_of(new.align()) {
                    return Ok(NonNull::slice_from_raw_parts(block, new.size()));
                }
                let moved = take(&self.bump, new)?;
                // SAFETY: both blocks have that many bytes, and one of them is new.
                unsafe { moved.cast::<u8>().copy_from_nonoverlapping(block, new.size()) };
                let _stays_handed_out = old;
                Ok(moved)
            }
        }
    )*};
}

allocates!(Arena, Scope<'_>, SubArena<'_>);
