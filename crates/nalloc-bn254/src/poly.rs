//! Polynomials over a field, by their coefficients.
//!
//! Promise: the last coefficient is not zero, so that the degree is the length minus one and equal
//! polynomials have equal coefficients. The zero polynomial has no coefficient and no degree.

use core::fmt;

use nalloc::Arena;

use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::ntt::{Ntt, scratch_bytes};
use crate::pool::Pool;
use crate::vector::Vectors;

/// Products with a factor of at most this many coefficients are made term by term. At 32 a square
/// took 19 microseconds by either way, tables included (2-core Zen 5, bench profile, 2026-11-21).
const SCHOOLBOOK_LEN_MAX: usize = 32;

/// A polynomial, on nalloc's large heap.
///
/// ```
/// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
///
/// let pool = Pool::new(Some(1))?;
/// let x_plus_1 = Polynomial::from_coefficients(&[Fr::ONE, Fr::ONE])?;
/// let square = x_plus_1.mul(&x_plus_1, &pool)?;
/// assert_eq!(square.degree(), Some(2));
/// assert_eq!(square.evaluate(Fr::from_u64(9)), Fr::from_u64(100));
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Polynomial<F: Field> {
    buffer: HeapBuffer<F>,
    /// Coefficients that count: the last of them is not zero.
    len: usize,
}

impl<F: Field> Polynomial<F> {
    /// The polynomial whose coefficient of x^j is `coefficients[j]`; zeros at the end are dropped.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn from_coefficients(coefficients: &[F]) -> Result<Self, Error> {
        Ok(Self::trimmed(HeapBuffer::from_slice(coefficients)?))
    }

    fn trimmed(buffer: HeapBuffer<F>) -> Self {
        let len = buffer.iter().rposition(|c| !c.is_zero()).map_or(0, |last| last + 1);
        Self { buffer, len }
    }

    /// The coefficients, that of x^0 first; the last one is not zero.
    #[must_use]
    pub fn coefficients(&self) -> &[F] {
        &self.buffer[..self.len]
    }

    /// The highest power with a coefficient, or none for the zero polynomial.
    #[must_use]
    pub fn degree(&self) -> Option<usize> {
        self.len.checked_sub(1)
    }

    /// Whether this is the zero polynomial.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.len == 0
    }

    /// The value at `x`, by Horner's rule.
    #[must_use]
    pub fn evaluate(&self, x: F) -> F {
        self.coefficients().iter().rev().fold(F::ZERO, |value, &c| value * x + c)
    }

    /// The sum; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn add(&self, other: &Self) -> Result<Self, Error> {
        self.combine(other, F::add_each)
    }

    /// The difference; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn sub(&self, other: &Self) -> Result<Self, Error> {
        self.combine(other, F::subtract_each)
    }

    fn combine(&self, other: &Self, verb: fn(Kernels, &mut [F], &[F])) -> Result<Self, Error> {
        let mut buffer = HeapBuffer::zeroed(self.len.max(other.len))?;
        buffer[..self.len].copy_from_slice(self.coefficients());
        verb(Kernels::host(), &mut buffer[..other.len], other.coefficients());
        Ok(Self::trimmed(buffer))
    }

    /// Every coefficient times `factor`; zero for a `factor` of zero.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn scale(&self, factor: F) -> Result<Self, Error> {
        let mut buffer = HeapBuffer::from_slice(self.coefficients())?;
        F::multiply_all(Kernels::host(), &mut buffer, factor);
        Ok(Self::trimmed(buffer))
    }

    /// The product; its degree is the sum of both degrees.
    ///
    /// # Errors
    /// [`Error::Memory`], and [`Error::DomainTooLarge`] where the product has more coefficients
    /// than the field has roots of unity in a row.
    pub fn mul(&self, other: &Self, pool: &Pool) -> Result<Self, Error> {
        let (short, long) = if self.len < other.len { (self, other) } else { (other, self) };
        if short.is_zero() {
            return Self::from_coefficients(&[]);
        }
        let len = short.len + long.len - 1;
        if short.len <= SCHOOLBOOK_LEN_MAX {
            let mut product = HeapBuffer::zeroed(len)?;
            for (start, &c) in short.coefficients().iter().enumerate() {
                for (sum, &other) in product[start..].iter_mut().zip(long.coefficients()) {
                    *sum += c * other;
                }
            }
            return Ok(Self::trimmed(product));
        }
        let ntt = Ntt::new(len.next_power_of_two().ilog2())?;
        let mut product = self.padded(&ntt)?;
        let mut other = other.padded(&ntt)?;
        // Coefficients may be secret, so what the transforms leave behind is wiped.
        let bytes = scratch_bytes(ntt.log2(), pool.thread_count());
        let arena = Arena::builder().capacity_bytes(bytes).secret(true).build()?;
        let mut work = ntt.work(pool, &arena, &())?;
        let mut values = ntt.forward_unordered(&mut product, &mut work)?;
        let others = ntt.forward_unordered(&mut other, &mut work)?;
        let vectors = Vectors::new(pool);
        vectors.mul(values.as_mut_slice(), others.as_slice())?;
        ntt.inverse_unordered(values, &mut work)?;
        Ok(Self::trimmed(product))
    }

    /// The coefficients and zeros up to the size of a domain that has room for them.
    fn padded(&self, ntt: &Ntt<F>) -> Result<HeapBuffer<F>, Error> {
        let mut buffer = HeapBuffer::zeroed(ntt.size())?;
        buffer[..self.len].copy_from_slice(self.coefficients());
        Ok(buffer)
    }
}

impl<F: Field> PartialEq for Polynomial<F> {
    fn eq(&self, other: &Self) -> bool {
        self.coefficients() == other.coefficients()
    }
}

impl<F: Field> Eq for Polynomial<F> {}

/// The degree alone: the coefficients may be secret.
impl<F: Field> fmt::Debug for Polynomial<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Polynomial({} coefficients)", self.len)
    }
}
