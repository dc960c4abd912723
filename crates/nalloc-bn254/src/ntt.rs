//! Number-theoretic transforms: coefficients to values on the 2^k-th roots of unity, and back.
//!
//! Convention: output i is the sum over j of input j times w^(ij), w = `F::root_of_unity(k)`, in
//! natural order on both sides. The inverse divides by N = 2^k.
//!
//! Two half-transforms do all the work, and neither permutes:
//!
//! ```text
//! forward  (Cooley-Tukey, decimation in time):       bit-reversed order -> natural order
//! inverse  (Gentleman-Sande, decimation in frequency): natural order -> bit-reversed order
//! ```
//!
//! A layer joins blocks of `half` elements into blocks of twice that many, by butterflies
//! (l, h) -> (l + w h, l - w h) in the forward direction and (l + h, (l - h) / w) in the inverse.
//! Blocks are visited depth first, so that everything within 1024 elements happens in
//! the first-level cache and a larger transform goes through memory once for each doubling. Halves
//! run in parallel, and the butterflies of a wide layer are cut into pieces for the threads.
//!
//! Values on a domain become values on a coset of it by inverse, factors, forward, without any
//! permutation in between: see [`OddPoints`]. A permutation is paid only where natural order is
//! asked for on the coefficients' side.
//!
//! Cost: (N/2) log2 N butterflies of one multiplication; the first of each block has none, so
//! N - 1 of them are saved. Tables: N elements, made once, for both directions.

mod butterfly;
mod odd_points;
mod order;
mod roots;

use crate::error::Error;
use crate::field::Field;
use crate::pool::Pool;

pub use odd_points::OddPoints;
use roots::Roots;

/// Elements that one task multiplies by factors.
const SCALED_PER_TASK: usize = 4096;

/// The tables of one domain: the 2^log2-th roots of unity of `F`.
pub struct Ntt<F: Field> {
    roots: Roots<F>,
    /// 1/N.
    size_inverse: F,
}

impl<F: Field> Ntt<F> {
    /// Makes the tables of the domain of 2^`log2` points: as much memory as the values take.
    ///
    /// # Errors
    /// [`Error::DomainTooLarge`] where the field has no such root, [`Error::Memory`].
    pub fn new(log2: u32) -> Result<Self, Error> {
        let roots = Roots::new(log2)?;
        // 1/2 exists in a field of odd characteristic; 1/N is its power.
        let half = F::from_u64(2).invert().unwrap_or(F::ZERO);
        let size_inverse = half.pow(&[u64::from(log2)]);
        Ok(Self { roots, size_inverse })
    }

    /// log2 of the number of points.
    #[must_use]
    pub fn log2(&self) -> u32 {
        self.roots.len().ilog2()
    }

    /// The number of points N.
    #[must_use]
    pub fn size(&self) -> usize {
        self.roots.len()
    }

    /// Coefficients to values: `values[i]` becomes the sum of `values[j]` * w^(ij) over all j.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values.
    pub fn forward(&self, values: &mut [F], pool: &Pool) -> Result<(), Error> {
        self.check_len(values)?;
        order::reverse_bits(values);
        butterfly::forward(values, &self.roots, pool);
        Ok(())
    }

    /// Values to coefficients: undoes [`forward`](Self::forward).
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values.
    pub fn inverse(&self, values: &mut [F], pool: &Pool) -> Result<(), Error> {
        self.check_len(values)?;
        butterfly::inverse(values, &self.roots, pool);
        order::reverse_bits(values);
        pool.for_each_chunk_mut(values, SCALED_PER_TASK, |_, chunk| {
            for value in chunk {
                *value *= self.size_inverse;
            }
        });
        Ok(())
    }

    /// Coefficients to values on the coset of `shift`: `values[i]` becomes the sum of
    /// `values[j]` * (`shift` * w^i)^j over all j.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values.
    pub fn forward_coset(&self, values: &mut [F], shift: F, pool: &Pool) -> Result<(), Error> {
        self.check_len(values)?;
        multiply_by_powers(values, shift, pool);
        self.forward(values, pool)
    }

    /// Values on the coset of `shift` to coefficients: undoes
    /// [`forward_coset`](Self::forward_coset). A `shift` of zero, which has no coset, gives
    /// the first coefficient and zeros.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values.
    pub fn inverse_coset(&self, values: &mut [F], shift: F, pool: &Pool) -> Result<(), Error> {
        self.inverse(values, pool)?;
        multiply_by_powers(values, shift.invert().unwrap_or(F::ZERO), pool);
        Ok(())
    }

    fn check_len(&self, values: &[F]) -> Result<(), Error> {
        let (expected, got) = (self.size(), values.len());
        if got == expected {
            return Ok(());
        }
        Err(Error::LengthMismatch { what: "values of a transform", expected, got })
    }
}

/// Multiplies element j by `base`^j.
pub fn multiply_by_powers<F: Field>(values: &mut [F], base: F, pool: &Pool) {
    pool.for_each_chunk_mut(values, SCALED_PER_TASK, |start, chunk| {
        let mut power = base.pow(&[start as u64]);
        for value in chunk {
            *value *= power;
            power *= base;
        }
    });
}
