//! The table of roots of unity that both directions read.
//!
//! For each layer that joins blocks of `half` elements, the powers 0 .. half-1 of the root of order
//! 2 `half` lie in a row, at index `half`; index 0 is unused:
//!
//! ```text
//! index   1 | 2    3 | 4    5    6    7 | ..
//! root    1 | 1    i | 1    w8   i  w8^3 | ..
//! ```
//!
//! The inverse needs no table of its own: of order 2 `half`, w^-j = -w^(half - j).

use std::sync::Arc;

use nalloc::MapFailed;

use super::shared::{Table, shared};
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::observer::Observer;

/// Roots that are computed between two questions whether to go on: some 50 microseconds.
const ROOTS_PER_QUESTION: usize = 4096;

/// The roots of every layer of one domain.
pub(super) struct Roots<F: Field>(HeapBuffer<F>);

impl<F: Field> Table for Roots<F> {
    fn bytes(&self) -> usize {
        size_of_val::<[F]>(&self.0)
    }
}

impl<F: Field> Roots<F> {
    /// The table of the domain of 2^`log2` points: somebody's, or a new one, whose making the observer
    /// may stop.
    pub(super) fn of(log2: u32, observer: &dyn Observer) -> Result<Arc<Self>, Error> {
        shared(|roots: &Self| roots.0.len() >> log2 == 1, || Self::new(log2, observer))
    }

    pub(super) fn new(log2: u32, observer: &dyn Observer) -> Result<Self, Error> {
        let too_large = Error::DomainTooLarge { log2, log2_max: F::TWO_ADICITY };
        let root = F::root_of_unity(log2).ok_or(too_large)?;
        let len = 1usize.checked_shl(log2).ok_or(MapFailed::LengthOverflow)?;
        let mut table = HeapBuffer::zeroed(len)?;

        let mut power = F::ONE;
        for entries in table[len / 2..].chunks_mut(ROOTS_PER_QUESTION) {
            if observer.is_cancelled() {
                return Err(Error::Cancelled);
            }
            for entry in entries {
                *entry = power;
                power *= root;
            }
        }
        // The root of half the order is the square: every other entry of the layer above.
        for index in (1..len / 2).rev() {
            table[index] = table[2 * index];
        }
        Ok(Self(table))
    }

    /// The roots of the layer that joins blocks of `half` elements: w^0 .. w^(half-1).
    pub(super) fn layer(&self, half: usize) -> &[F] {
        &self.0[half..2 * half]
    }
}
