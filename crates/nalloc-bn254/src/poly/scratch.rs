//! Arrays that are wiped when their owner is done: they hold coefficients, which may be secret.
//!
//! What an operation returns is one of them until it is finished: nothing is left of it when the
//! operation fails or is stopped.

use core::mem;
use core::ops::{Deref, DerefMut};

use nalloc::Zeroable;

use crate::buffer::HeapBuffer;
use crate::error::Error;

/// A [`HeapBuffer`] that wipes itself.
pub(super) struct Scratch<T>(HeapBuffer<T>);

impl<T: Zeroable + Copy> Scratch<T> {
    /// `len` zero elements.
    pub(super) fn zeroed(len: usize) -> Result<Self, Error> {
        Ok(Self(HeapBuffer::zeroed(len)?))
    }

    /// The array, finished: from now on it is the caller's to wipe.
    pub(super) fn keep(mut self) -> Result<HeapBuffer<T>, Error> {
        let nothing = HeapBuffer::zeroed(0)?;
        Ok(mem::replace(&mut self.0, nothing))
    }
}

impl<T> Deref for Scratch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Scratch<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}
