//! Polynomials by their values on a domain, or on a coset of one.

use core::fmt;

use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::ntt::Ntt;
use crate::pool::Pool;
use crate::vector::Vectors;

use super::product::with_work;
use super::{Polynomial, copied};

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
    pub fn of<S>(polynomial: &Polynomial<F, S>, log2: u32, pool: &Pool) -> Result<Self, Error>
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
    /// [`Error::DomainTooLarge`], [`Error::ShiftIsZero`], [`Error::Memory`].
    pub fn of_on_coset<S>(
        polynomial: &Polynomial<F, S>,
        log2: u32,
        shift: F,
        pool: &Pool,
    ) -> Result<Self, Error>
    where
        S: core::ops::Deref<Target = [F]>,
    {
        check_domain(log2, shift)?;
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
        Ok(Self { values, shift })
    }

    /// The polynomial with these values, of at most as many coefficients.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn interpolate(&self, pool: &Pool) -> Result<Polynomial<F>, Error> {
        let ntt = Ntt::new(self.log2())?;
        let mut coefficients = copied(&self.values, self.values.len(), pool)?;
        with_work(&ntt, pool, |work| {
            if self.shift == F::ONE {
                ntt.inverse(&mut coefficients, work)
            } else {
                ntt.inverse_coset(&mut coefficients, self.shift, work)
            }
        })?;
        Ok(Polynomial::over(coefficients))
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
    /// points, [`Error::Memory`].
    pub fn add(&self, other: &Self, pool: &Pool) -> Result<Self, Error> {
        let mut values = self.copy_beside(other, pool)?;
        Vectors::new(pool).add(&mut values, &other.values)?;
        Ok(Self { values, shift: self.shift })
    }

    /// The differences of values at equal points.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn sub(&self, other: &Self, pool: &Pool) -> Result<Self, Error> {
        let mut values = self.copy_beside(other, pool)?;
        Vectors::new(pool).sub(&mut values, &other.values)?;
        Ok(Self { values, shift: self.shift })
    }

    /// The products of values at equal points.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn mul(&self, other: &Self, pool: &Pool) -> Result<Self, Error> {
        let mut values = self.copy_beside(other, pool)?;
        Vectors::new(pool).mul(&mut values, &other.values)?;
        Ok(Self { values, shift: self.shift })
    }

    /// Every value times `factor`.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn scale(&self, factor: F, pool: &Pool) -> Result<Self, Error> {
        let mut values = copied(&self.values, self.values.len(), pool)?;
        Vectors::new(pool).scale(&mut values, factor);
        Ok(Self { values, shift: self.shift })
    }

    /// 1 / each value. Takes time by whether and where a value is zero.
    ///
    /// # Errors
    /// [`Error::ValueIsZero`] with the first index, [`Error::Memory`].
    pub fn invert(&self, pool: &Pool) -> Result<Self, Error> {
        if let Some(index) = self.values.iter().position(Field::is_zero) {
            return Err(Error::ValueIsZero { index });
        }
        let mut values = copied(&self.values, self.values.len(), pool)?;
        Vectors::new(pool).invert(&mut values);
        Ok(Self { values, shift: self.shift })
    }

    /// Makes every value zero, in a way that the compiler may not leave out.
    pub fn wipe(&mut self) {
        self.values.wipe();
    }

    /// A copy of the values, to be joined with those of `other`.
    fn copy_beside(&self, other: &Self, pool: &Pool) -> Result<HeapBuffer<F>, Error> {
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
