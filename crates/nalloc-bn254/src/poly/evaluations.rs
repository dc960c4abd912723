//! Polynomials by their values on a domain, or on a coset of one.

use core::fmt;

use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::ntt::Ntt;
use crate::observer::Watched;

use super::product::with_work;
use super::scratch::Scratch;
use super::{ELEMENTS_PER_TASK, Polynomial, copied, each, scale};

/// A polynomial by its values: value i is that at `shift` * w^i, w = `F::root_of_unity(k)`, for
/// 2^k values in natural order. They determine one polynomial with at most 2^k coefficients.
///
/// Operations go value by value: a product of higher degree is the one modulo X^N - `shift`^N,
/// which has the same values. Secrets are treated as [`Polynomial`] does.
///
/// ```
/// use nalloc_bn254::{Evaluations, Field, Fr, Polynomial, Pool};
///
/// let pool = Pool::new(Some(1))?;
/// let x_plus_1 = Polynomial::over([Fr::ONE, Fr::ONE].as_slice());
/// let values = Evaluations::of(&x_plus_1, 2, &pool)?;
/// assert_eq!(values.values()[0], Fr::from_u64(2));
/// let square = values.mul(&values, &pool)?.interpolate(&pool)?;
/// assert_eq!(square, x_plus_1.mul(&x_plus_1, &pool)?);
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Evaluations<F: Field> {
    values: HeapBuffer<F>,
    shift: F,
}

impl<F: Field> Evaluations<F> {
    /// These values, on the domain of as many roots of unity.
    ///
    /// # Errors
    /// As [`on_coset`](Self::on_coset).
    pub fn new(values: &[F]) -> Result<Self, Error> {
        Self::on_coset(values, F::ONE)
    }

    /// These values, on `shift` times the roots of unity.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotPowerOfTwo`], [`Error::DomainTooLarge`] where the field does
    /// not have so many roots of unity, [`Error::ShiftIsZero`], [`Error::Memory`].
    pub fn on_coset(values: &[F], shift: F) -> Result<Self, Error> {
        let got = values.len();
        if got == 0 {
            return Err(Error::Empty { what: "values on a domain" });
        }
        if !got.is_power_of_two() {
            return Err(Error::NotPowerOfTwo { what: "values on a domain", got });
        }
        check_domain(got.ilog2(), shift)?;
        Ok(Self { values: HeapBuffer::from_slice(values)?, shift })
    }

    /// The values of `polynomial` on the domain of 2^`log2` roots of unity.
    ///
    /// # Errors
    /// As [`of_on_coset`](Self::of_on_coset).
    pub fn of<'p, S>(
        polynomial: &Polynomial<F, S>,
        log2: u32,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Self, Error>
    where
        S: core::ops::Deref<Target = [F]>,
    {
        Self::of_on_coset(polynomial, log2, F::ONE, pool)
    }

    /// The values of `polynomial` on `shift` times the 2^`log2` roots of unity.
    ///
    /// # Errors
    /// [`Error::TooManyCoefficients`] for more than there are points: what the values lose of such
    /// a polynomial is its quotient by [`divide_by_vanishing`](Polynomial::divide_by_vanishing).
    /// [`Error::DomainTooLarge`], [`Error::ShiftIsZero`], [`Error::Memory`], [`Error::Cancelled`].
    pub fn of_on_coset<'p, S>(
        polynomial: &Polynomial<F, S>,
        log2: u32,
        shift: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Self, Error>
    where
        S: core::ops::Deref<Target = [F]>,
    {
        check_domain(log2, shift)?;
        let pool = pool.into();
        let ntt = Ntt::new(log2)?;
        let (max, got) = (ntt.size(), polynomial.coefficients().len());
        if got > max {
            return Err(Error::TooManyCoefficients { max, got });
        }
        let mut values = copied(polynomial.coefficients(), max, pool)?;
        with_work(&ntt, pool, |work| {
            if shift == F::ONE {
                ntt.forward(&mut values, work)
            } else {
                ntt.forward_coset(&mut values, shift, work)
            }
        })?;
        Ok(Self { values: values.keep()?, shift })
    }

    /// The polynomial with these values, of at most as many coefficients.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn interpolate<'p>(&self, pool: impl Into<Watched<'p>>) -> Result<Polynomial<F>, Error> {
        let pool = pool.into();
        let ntt = Ntt::new(self.log2())?;
        let mut coefficients = copied(&self.values, self.values.len(), pool)?;
        with_work(&ntt, pool, |work| {
            if self.shift == F::ONE {
                ntt.inverse(&mut coefficients, work)
            } else {
                ntt.inverse_coset(&mut coefficients, self.shift, work)
            }
        })?;
        Ok(Polynomial::over(coefficients.keep()?))
    }

    /// The values, that at `shift` first.
    #[must_use]
    pub fn values(&self) -> &[F] {
        &self.values
    }

    /// The values, to be changed in place.
    #[must_use]
    pub fn values_mut(&mut self) -> &mut [F] {
        &mut self.values
    }

    /// log2 of the number of values.
    #[must_use]
    pub fn log2(&self) -> u32 {
        self.values.len().ilog2()
    }

    /// The first point; 1 where the domain is not shifted.
    #[must_use]
    pub fn shift(&self) -> F {
        self.shift
    }

    /// The sums of values at equal points.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] for another number of points, [`Error::CosetMismatch`] for other
    /// points, [`Error::Memory`], [`Error::Cancelled`].
    pub fn add<'p>(&self, other: &Self, pool: impl Into<Watched<'p>>) -> Result<Self, Error> {
        let pool = pool.into();
        let mut values = self.copy_beside(other, pool)?;
        each(&mut values, &other.values, pool, F::add_each)?;
        self.beside(values)
    }

    /// The differences of values at equal points.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn sub<'p>(&self, other: &Self, pool: impl Into<Watched<'p>>) -> Result<Self, Error> {
        let pool = pool.into();
        let mut values = self.copy_beside(other, pool)?;
        each(&mut values, &other.values, pool, F::subtract_each)?;
        self.beside(values)
    }

    /// The products of values at equal points.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn mul<'p>(&self, other: &Self, pool: impl Into<Watched<'p>>) -> Result<Self, Error> {
        let pool = pool.into();
        let mut values = self.copy_beside(other, pool)?;
        each(&mut values, &other.values, pool, F::multiply_each)?;
        self.beside(values)
    }

    /// Every value times `factor`.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn scale<'p>(&self, factor: F, pool: impl Into<Watched<'p>>) -> Result<Self, Error> {
        let pool = pool.into();
        let mut values = copied(&self.values, self.values.len(), pool)?;
        scale(&mut values, factor, pool)?;
        self.beside(values)
    }

    /// 1 / each value. Takes time by whether and where a value is zero.
    ///
    /// # Errors
    /// [`Error::ValueIsZero`] with the first index, [`Error::Memory`], [`Error::Cancelled`].
    pub fn invert<'p>(&self, pool: impl Into<Watched<'p>>) -> Result<Self, Error> {
        if let Some(index) = self.values.iter().position(Field::is_zero) {
            return Err(Error::ValueIsZero { index });
        }
        let pool = pool.into();
        let mut values = copied(&self.values, self.values.len(), pool)?;
        pool.for_each_chunk_mut(&mut values, ELEMENTS_PER_TASK, |_, values| {
            F::invert_each(Kernels::host(), values);
        })?;
        self.beside(values)
    }

    /// Makes every value zero, in a way that the compiler may not leave out.
    pub fn wipe(&mut self) {
        self.values.wipe();
    }

    /// Other values at the same points.
    fn beside(&self, values: Scratch<F>) -> Result<Self, Error> {
        Ok(Self { values: values.keep()?, shift: self.shift })
    }

    /// A copy of the values, to be joined with those of `other`.
    fn copy_beside(&self, other: &Self, pool: Watched<'_>) -> Result<Scratch<F>, Error> {
        let (expected, got) = (self.values.len(), other.values.len());
        if expected != got {
            return Err(Error::LengthMismatch { what: "other values", expected, got });
        }
        if self.shift != other.shift {
            return Err(Error::CosetMismatch);
        }
        copied(&self.values, expected, pool)
    }
}

fn check_domain<F: Field>(log2: u32, shift: F) -> Result<(), Error> {
    if log2 > F::TWO_ADICITY {
        return Err(Error::DomainTooLarge { log2, log2_max: F::TWO_ADICITY });
    }
    if shift.is_zero() { Err(Error::ShiftIsZero) } else { Ok(()) }
}

impl<F: Field> PartialEq for Evaluations<F> {
    fn eq(&self, other: &Self) -> bool {
        self.shift == other.shift && *self.values == *other.values
    }
}

impl<F: Field> Eq for Evaluations<F> {}

/// The number of values alone: they may be secret.
impl<F: Field> fmt::Debug for Evaluations<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evaluations({} values)", self.values.len())
    }
}
