//! From values on a domain to values on its odd points, as Groth16's quotient needs them.
//!
//! Let w have order N = 2^k and e order 2N, e^2 = w. The values of a polynomial of degree below N
//! on w^i become its values on e^(2i+1) = e * w^i: inverse transform, coefficient j times e^j,
//! forward transform. The coefficients are met in bit-reversed order, so the factors e^j / N are
//! stored in that order, and nothing is permuted.

use super::{Ntt, SCALED_PER_TASK, butterfly, order};
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::pool::Pool;

/// The tables for moving from a domain to its odd points.
pub struct OddPoints<F: Field> {
    ntt: Ntt<F>,
    /// e^j / N at the bit-reversed index of j.
    factors: HeapBuffer<F>,
}

impl<F: Field> OddPoints<F> {
    /// Makes the tables for the domain of 2^`log2` points: twice the memory of the values.
    ///
    /// # Errors
    /// [`Error::DomainTooLarge`] where the field has no root of order 2^(`log2` + 1),
    /// [`Error::Memory`].
    pub fn new(log2: u32) -> Result<Self, Error> {
        let double = log2.checked_add(1).and_then(F::root_of_unity);
        let log2_max = F::TWO_ADICITY.saturating_sub(1);
        let shift = double.ok_or(Error::DomainTooLarge { log2, log2_max })?;
        let ntt = Ntt::new(log2)?;
        let mut factors = HeapBuffer::zeroed(ntt.size())?;
        let mut factor = ntt.size_inverse;
        for entry in factors.iter_mut() {
            *entry = factor;
            factor *= shift;
        }
        order::reverse_bits(&mut factors);
        Ok(Self { ntt, factors })
    }

    /// The domain's own transforms.
    #[must_use]
    pub fn ntt(&self) -> &Ntt<F> {
        &self.ntt
    }

    /// Values on w^i become values on e^(2i+1), in natural order on both sides.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values.
    pub fn extend(&self, values: &mut [F], pool: &Pool) -> Result<(), Error> {
        self.ntt.check_len(values)?;
        butterfly::inverse(values, &self.ntt.roots, pool);
        pool.for_each_chunk_mut(values, SCALED_PER_TASK, |start, chunk| {
            for (value, &factor) in chunk.iter_mut().zip(&self.factors[start..]) {
                *value *= factor;
            }
        });
        butterfly::forward(values, &self.ntt.roots, pool);
        Ok(())
    }
}
