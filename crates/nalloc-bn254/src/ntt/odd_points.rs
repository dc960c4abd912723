//! From values on a domain to values on its odd points, as Groth16's quotient needs them.
//!
//! Let w have order N = 2^k and e order 2N, e^2 = w. The values of a polynomial of degree below N
//! on w^i become its values on e^(2i+1) = e * w^i: inverse transform, coefficient j times e^j,
//! forward transform. In lanes, e^j is part of the forward transform's own tables. The portable
//! half-transforms meet the coefficients in bit-reversed order, so the factors e^j / N are stored
//! in that order, and nothing is permuted.

use std::sync::Arc;

use super::four_step::{self, Direction};
use super::shared::Tables;
use super::{Ntt, SCALED_PER_TASK, Work, order};
use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;

/// The tables for moving from a domain to its odd points.
pub struct OddPoints<F: Field> {
    ntt: Ntt<F>,
    extension: Extension<F>,
}

enum Extension<F> {
    /// The forward transform that multiplies coefficient j by e^j.
    Lanes(Arc<Tables<F>>),
    /// e^j / N at the bit-reversed index of j.
    Factors(HeapBuffer<F>),
}

impl<F: Field> OddPoints<F> {
    /// Makes the tables for the domain of 2^`log2` points: twice the memory of the values.
    ///
    /// # Errors
    /// [`Error::DomainTooLarge`] where the field has no root of order 2^(`log2` + 1),
    /// [`Error::Memory`].
    pub fn new(log2: u32) -> Result<Self, Error> {
        Self::with_kernels(log2, Kernels::host())
    }

    /// As [`new`](Self::new), with the kernels of the caller's choice.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_kernels(log2: u32, kernels: Kernels) -> Result<Self, Error> {
        let double = log2.checked_add(1).and_then(F::root_of_unity);
        let log2_max = F::TWO_ADICITY.saturating_sub(1);
        let shift = double.ok_or(Error::DomainTooLarge { log2, log2_max })?;
        let ntt = Ntt::with_kernels(log2, kernels)?;
        let direction = Direction { root: ntt.root, scale: F::ONE, shift };
        if let Some(tables) = Tables::of(kernels, log2, &direction, &())? {
            ntt.inverse_tables(&())?;
            return Ok(Self { ntt, extension: Extension::Lanes(tables) });
        }
        ntt.roots(&())?;
        let mut factors = HeapBuffer::zeroed(ntt.size())?;
        let mut factor = ntt.size_inverse;
        for entry in factors.iter_mut() {
            *entry = factor;
            factor *= shift;
        }
        order::reverse_bits_here(&mut factors);
        Ok(Self { ntt, extension: Extension::Factors(factors) })
    }

    /// Bytes of the tables that [`new`](Self::new) makes, but for what rounding them to pages adds.
    #[must_use]
    pub fn table_bytes(log2: u32) -> usize {
        let of_lanes = Kernels::host().lanes().and_then(|_| four_step::table_bytes(log2));
        of_lanes.unwrap_or(size_of::<F>() << (log2 + 1))
    }

    /// The domain's own transforms.
    #[must_use]
    pub fn ntt(&self) -> &Ntt<F> {
        &self.ntt
    }

    /// Values on w^i become values on e^(2i+1), in natural order on both sides.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values, [`Error::Cancelled`].
    pub fn extend(&self, values: &mut [F], work: &mut Work<'_>) -> Result<(), Error> {
        self.ntt.check_len(values)?;
        let factors = match &self.extension {
            Extension::Lanes(tables) => {
                self.ntt.inverse(values, work)?;
                return tables.transform().run(values, work);
            }
            Extension::Factors(factors) => factors,
        };
        let stop = work.stop();
        let butterflies = self.ntt.butterflies(work.pool, &stop)?;
        butterflies.inverse(values);
        work.watched().for_each_chunk_mut(values, SCALED_PER_TASK, |start, chunk| {
            let end = start + chunk.len();
            F::multiply_each(self.ntt.kernels, chunk, &factors[start..end]);
        })?;
        butterflies.forward(values);
        stop.result()
    }
}
