//! Polynomials over a field, by their coefficients.
//!
//! Promise: the last coefficient is not zero, so that the degree is the length minus one and equal
//! polynomials have equal coefficients. The zero polynomial has no coefficient and no degree.
//!
//! | file | what it does |
//! |---|---|
//! | `evaluate` | values at points |
//! | `linear` | division by X - z |
//! | `divide` | division by any polynomial, and by X^n - c |
//! | `product` | products |
//! | `interpolate` | the polynomial through points |
//! | `evaluations` | polynomials by their values on a domain |
//! | `scratch` | memory in between, which is wiped |

mod divide;
mod evaluate;
mod evaluations;
mod interpolate;
mod linear;
mod product;
mod scratch;

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use nalloc::Arena;

use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::observer::{Stop, Watched};
use crate::pool::Pool;
use crate::vector::Vectors;

pub use evaluations::Evaluations;
use scratch::Scratch;

/// Coefficients that one task copies, or joins with others.
const ELEMENTS_PER_TASK: usize = 4096;
/// Numbers that a derivative computes before it multiplies by them.
const NUMBERS_LEN: usize = 256;

/// A polynomial over `F`, whose coefficients are in `S`.
///
/// `Polynomial<F>` owns them, on nalloc's large heap, and is what operations return. Any other
/// array can stand for it: [`over`](Self::over) a `&[F]` reads coefficients where they are, and over
/// a `&mut [F]`, of an [`Arena`] say, operations `_in_place` work without memory of their own.
///
/// Coefficients may be secret. Operations take the same time for all values of them unless they say
/// otherwise, but not for all degrees: zeros at the end are counted and dropped. Scratch is wiped,
/// and so is what an operation that fails had of its result; results are the caller's to
/// [`wipe`](Self::wipe), and [`Pool::scrub_stacks`] reaches what kernels left on stacks.
///
/// Operations that take a [`Watched`] pool may be stopped: `&pool` is one that nobody watches.
/// Its observer is asked from every thread before each piece of less than a millisecond.
///
/// ```
/// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
///
/// let pool = Pool::new(Some(1))?;
/// let x_plus_1 = Polynomial::over([Fr::ONE, Fr::ONE].as_slice());
/// let square = x_plus_1.mul(&x_plus_1, &pool)?;
/// assert_eq!(square.degree(), Some(2));
/// assert_eq!(square.evaluate(Fr::from_u64(9), &pool), Fr::from_u64(100));
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
pub struct Polynomial<F: Field, S = HeapBuffer<F>> {
    storage: S,
    /// Coefficients that count: the last of them is not zero. What follows in the storage is.
    len: usize,
    field: PhantomData<F>,
}

impl<F: Field> Polynomial<F> {
    /// The polynomial whose coefficient of X^j is `coefficients[j]`; zeros at the end are dropped.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn from_coefficients(coefficients: &[F]) -> Result<Self, Error> {
        Ok(Self::over(HeapBuffer::from_slice(coefficients)?))
    }

    /// The polynomial with `values[i]` at `points[i]` that has no more coefficients than there are
    /// points. Values may be secret, points may not: where one is repeated, time tells which.
    ///
    /// Takes as many multiplications as the square of their number. Through values on a domain it is
    /// [`Evaluations::interpolate`], which takes one transform.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let numbers = |numbers: &[u64]| numbers.iter().map(|&n| Fr::from_u64(n)).collect::<Vec<_>>();
    /// let (points, values) = (numbers(&[1, 2, 5]), numbers(&[1, 4, 25]));
    /// let square = Polynomial::interpolate(&points, &values, &pool)?;
    /// assert_eq!(square.coefficients(), numbers(&[0, 0, 1]));
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::PointRepeated`], [`Error::Empty`] for no points, [`Error::LengthMismatch`],
    /// [`Error::Memory`], and [`Error::DomainTooLarge`] where the field has less roots of unity than
    /// products on the way have coefficients, one more than there are points. [`Error::Cancelled`].
    pub fn interpolate<'p>(
        points: &[F],
        values: &[F],
        pool: impl Into<Watched<'p>>,
    ) -> Result<Self, Error> {
        Self::finished(interpolate::interpolate(points, values, pool.into())?)
    }

    /// The zero polynomial.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn zero() -> Result<Self, Error> {
        Self::from_coefficients(&[])
    }

    /// What an operation returns.
    fn finished(coefficients: Scratch<F>) -> Result<Self, Error> {
        Ok(Self::over(coefficients.keep()?))
    }
}

impl<F: Field, S: Deref<Target = [F]>> Polynomial<F, S> {
    /// The polynomial whose coefficient of X^j is `storage[j]`; zeros at the end are dropped.
    pub fn over(storage: S) -> Self {
        let len = significant_len(&storage);
        Self { storage, len, field: PhantomData }
    }

    /// The coefficients, that of X^0 first; the last one is not zero.
    #[must_use]
    pub fn coefficients(&self) -> &[F] {
        &self.storage[..self.len]
    }

    /// The storage: the coefficients, and zeros up to its end.
    #[must_use]
    pub fn into_storage(self) -> S {
        self.storage
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

    /// A copy on the heap.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn to_heap(&self) -> Result<Polynomial<F>, Error> {
        Polynomial::from_coefficients(self.coefficients())
    }

    /// A copy in `arena`.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn to_arena<'a>(&self, arena: &'a Arena) -> Result<Polynomial<F, &'a mut [F]>, Error> {
        let storage = arena.try_alloc_array_aligned(self.len, 64)?;
        storage.copy_from_slice(self.coefficients());
        Ok(Polynomial::over(storage))
    }

    /// The value at `x`; zero for the zero polynomial. For one that can be stopped, ask
    /// [`evaluate_at`](Self::evaluate_at) for one point.
    #[must_use]
    pub fn evaluate(&self, x: F, pool: &Pool) -> F {
        evaluate::evaluate(self.coefficients(), x, pool, &Stop::new(&()))
    }

    /// The value at each of `points`. A value is the work of one thread, where there are as many
    /// points as threads.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let x_plus_1 = Polynomial::over([Fr::ONE, Fr::ONE].as_slice());
    /// let values = x_plus_1.evaluate_at(&[Fr::ZERO, Fr::ONE], &pool)?;
    /// assert_eq!(*values, [Fr::ONE, Fr::from_u64(2)]);
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn evaluate_at<'p>(
        &self,
        points: &[F],
        pool: impl Into<Watched<'p>>,
    ) -> Result<HeapBuffer<F>, Error> {
        let mut values = Scratch::zeroed(points.len())?;
        evaluate::evaluate_at(self.coefficients(), points, &mut values, pool.into())?;
        values.keep()
    }

    /// The value at `x` of each of `polynomials`; the powers of `x` are computed once.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let one = Polynomial::from_coefficients(&[Fr::ONE])?;
    /// let x = Polynomial::from_coefficients(&[Fr::ZERO, Fr::ONE])?;
    /// let values = Polynomial::evaluate_each(&[&one, &x], Fr::from_u64(9), &pool)?;
    /// assert_eq!(*values, [Fr::ONE, Fr::from_u64(9)]);
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn evaluate_each<'p>(
        polynomials: &[&Self],
        x: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<HeapBuffer<F>, Error> {
        let coefficients: Vec<&[F]> = polynomials.iter().map(|p| p.coefficients()).collect();
        let mut values = Scratch::zeroed(coefficients.len())?;
        evaluate::evaluate_each(&coefficients, x, &mut values, pool.into())?;
        values.keep()
    }

    /// Quotient and remainder by X - `z`: the polynomial is quotient * (X - `z`) + remainder, and
    /// the remainder is the value at `z`. Both are zero for the zero polynomial.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// // X^2 - 1 is (X - 1) (X + 1).
    /// let p = Polynomial::from_coefficients(&[-Fr::ONE, Fr::ZERO, Fr::ONE])?;
    /// let (quotient, value) = p.divide_by_linear(Fr::ONE, &pool)?;
    /// assert_eq!((quotient.coefficients(), value), (&[Fr::ONE, Fr::ONE][..], Fr::ZERO));
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn divide_by_linear<'p>(
        &self,
        z: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<(Polynomial<F>, F), Error> {
        let pool = pool.into();
        let mut quotient = copied(self.coefficients(), self.len, pool)?;
        let remainder = linear::divide(&mut quotient, z, pool)?;
        Ok((Polynomial::finished(quotient)?, remainder))
    }

    /// The sum; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn add<'p, T>(
        &self,
        other: &Polynomial<F, T>,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        let pool = pool.into();
        let mut sum = copied(self.coefficients(), self.len.max(other.len), pool)?;
        each(&mut sum[..other.len], other.coefficients(), pool, F::add_each)?;
        Polynomial::finished(sum)
    }

    /// The difference; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn sub<'p, T>(
        &self,
        other: &Polynomial<F, T>,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        let pool = pool.into();
        let mut difference = copied(self.coefficients(), self.len.max(other.len), pool)?;
        each(&mut difference[..other.len], other.coefficients(), pool, F::subtract_each)?;
        Polynomial::finished(difference)
    }

    /// Every coefficient times `factor`; zero for a `factor` of zero.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn scale<'p>(
        &self,
        factor: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Polynomial<F>, Error> {
        let pool = pool.into();
        let mut multiple = copied(self.coefficients(), self.len, pool)?;
        scale(&mut multiple, factor, pool)?;
        Polynomial::finished(multiple)
    }

    /// The product; its degree is the sum of both degrees, and it is zero where a factor is.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`], and [`Error::DomainTooLarge`] where the product has
    /// more coefficients than the field has roots of unity in a row.
    pub fn mul<'p, T>(
        &self,
        other: &Polynomial<F, T>,
        pool: impl Into<Watched<'p>>,
    ) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        let pool = pool.into();
        let product = product::product(self.coefficients(), other.coefficients(), pool)?;
        Polynomial::finished(product)
    }

    /// Quotient and remainder by `divisor`: the polynomial is quotient * `divisor` + remainder, and
    /// the remainder's degree is below the divisor's. The quotient is zero where the divisor has
    /// the greater degree.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let a = Polynomial::over([Fr::ONE; 5].as_slice());
    /// let b = Polynomial::over([Fr::ONE; 3].as_slice());
    /// let (quotient, remainder) = a.divide(&b, &pool)?;
    /// assert_eq!(quotient.mul(&b, &pool)?.add(&remainder, &pool)?, a);
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DivisionByZero`], [`Error::Memory`], [`Error::Cancelled`], and
    /// [`Error::DomainTooLarge`] where products on the way have more coefficients than the field has
    /// roots of unity in a row: up to twice as many as the quotient, or as many as the polynomial.
    pub fn divide<'p, T>(
        &self,
        divisor: &Polynomial<F, T>,
        pool: impl Into<Watched<'p>>,
    ) -> Result<(Polynomial<F>, Polynomial<F>), Error>
    where
        T: Deref<Target = [F]>,
    {
        let divided = divide::divide(self.coefficients(), divisor.coefficients(), pool.into())?;
        Ok((Polynomial::finished(divided.0)?, Polynomial::finished(divided.1)?))
    }

    /// Quotient and remainder by X^`n` - `c`, which vanishes on a domain of `n` points (`c` = 1) and
    /// on its coset of s (`c` = s^`n`). A `c` of zero gives the coefficients from X^`n` on, and
    /// those below.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let p = Polynomial::over([Fr::ONE; 6].as_slice());
    /// let (quotient, remainder) = p.divide_by_vanishing(4, Fr::ONE, &pool)?;
    /// assert_eq!(quotient.coefficients(), [Fr::ONE; 2]);
    /// assert_eq!(remainder.coefficients()[0], Fr::from_u64(2));
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`] for an `n` of zero, [`Error::Memory`], [`Error::Cancelled`].
    pub fn divide_by_vanishing<'p>(
        &self,
        n: usize,
        c: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<(Polynomial<F>, Polynomial<F>), Error> {
        if n == 0 {
            return Err(Error::Empty { what: "points of a vanishing polynomial" });
        }
        let divided = divide::divide_by_vanishing(self.coefficients(), n, c, pool.into())?;
        Ok((Polynomial::finished(divided.0)?, Polynomial::finished(divided.1)?))
    }

    /// The derivative: X^j becomes j X^(j-1). Its degree is one less, or lower yet where the
    /// characteristic of the field divides j; zero for constants and for zero.
    ///
    /// ```
    /// use nalloc_bn254::{Field, Fr, Polynomial, Pool};
    ///
    /// let pool = Pool::new(Some(1))?;
    /// let p = Polynomial::over([Fr::ONE; 3].as_slice());
    /// assert_eq!(p.derivative(&pool)?.coefficients(), [Fr::ONE, Fr::from_u64(2)]);
    /// # Ok::<(), nalloc_bn254::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn derivative<'p>(&self, pool: impl Into<Watched<'p>>) -> Result<Polynomial<F>, Error> {
        let pool = pool.into();
        let above = self.coefficients().get(1..).unwrap_or(&[]);
        let mut derivative = copied(above, above.len(), pool)?;
        pool.for_each_chunk_mut(&mut derivative, ELEMENTS_PER_TASK, |start, part| {
            let mut numbers = [F::ZERO; NUMBERS_LEN];
            let mut number = F::from_u64(start as u64);
            for part in part.chunks_mut(NUMBERS_LEN) {
                for place in &mut numbers {
                    number += F::ONE;
                    *place = number;
                }
                F::multiply_each(Kernels::host(), part, &numbers[..part.len()]);
            }
        })?;
        Polynomial::finished(derivative)
    }
}

impl<F: Field, S: DerefMut<Target = [F]>> Polynomial<F, S> {
    /// Adds `other`. As every sum and multiple in place it is not stopped half-way: 2^20
    /// coefficients take a millisecond.
    ///
    /// # Errors
    /// As [`add_scaled_in_place`](Self::add_scaled_in_place).
    pub fn add_in_place<T>(&mut self, other: &Polynomial<F, T>, pool: &Pool) -> Result<(), Error>
    where
        T: Deref<Target = [F]>,
    {
        self.change(other, |changed, other| Vectors::new(pool).add(changed, other))
    }

    /// Subtracts `other`.
    ///
    /// # Errors
    /// As [`add_scaled_in_place`](Self::add_scaled_in_place).
    pub fn sub_in_place<T>(&mut self, other: &Polynomial<F, T>, pool: &Pool) -> Result<(), Error>
    where
        T: Deref<Target = [F]>,
    {
        self.change(other, |changed, other| Vectors::new(pool).sub(changed, other))
    }

    /// Adds `factor` times `other`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where the storage has less elements than `other` has coefficients;
    /// nothing is changed then.
    pub fn add_scaled_in_place<T>(
        &mut self,
        other: &Polynomial<F, T>,
        factor: F,
        pool: &Pool,
    ) -> Result<(), Error>
    where
        T: Deref<Target = [F]>,
    {
        self.change(other, |changed, other| Vectors::new(pool).add_scaled(changed, other, factor))
    }

    /// Multiplies every coefficient by `factor`.
    pub fn scale_in_place(&mut self, factor: F, pool: &Pool) {
        Vectors::new(pool).scale(&mut self.storage[..self.len], factor);
        self.trim(self.len);
    }

    fn change<T>(
        &mut self,
        other: &Polynomial<F, T>,
        change: impl FnOnce(&mut [F], &[F]) -> Result<(), Error>,
    ) -> Result<(), Error>
    where
        T: Deref<Target = [F]>,
    {
        let (expected, got) = (other.len, self.storage.len());
        if got < expected {
            return Err(Error::LengthMismatch { what: "storage of a sum", expected, got });
        }
        change(&mut self.storage[..expected], other.coefficients())?;
        self.trim(self.len.max(expected));
        Ok(())
    }

    /// Counts the coefficients, of which there are at most `len_max`.
    fn trim(&mut self, len_max: usize) {
        self.len = significant_len(&self.storage[..len_max]);
    }

    /// As [`divide_by_linear`](Self::divide_by_linear): becomes the quotient and returns the
    /// remainder.
    ///
    /// # Errors
    /// [`Error::Memory`] for scratch of a 119th of the polynomial, which is left as it is then;
    /// [`Error::Cancelled`], after which its coefficients are anything.
    pub fn divide_by_linear_in_place<'p>(
        &mut self,
        z: F,
        pool: impl Into<Watched<'p>>,
    ) -> Result<F, Error> {
        let divided = linear::divide(&mut self.storage[..self.len], z, pool.into());
        // The quotient's last coefficient is the dividend's.
        let len = if divided.is_ok() { self.len.saturating_sub(1) } else { self.len };
        self.trim(len);
        divided
    }
}

impl<F: Field> Polynomial<F> {
    /// Becomes the zero polynomial, and every byte of the storage zero, in a way that the compiler
    /// may not leave out.
    pub fn wipe(&mut self) {
        self.storage.wipe();
        self.len = 0;
    }
}

/// How many elements there are up to the last one that is not zero.
fn significant_len<F: Field>(elements: &[F]) -> usize {
    elements.iter().rposition(|element| !element.is_zero()).map_or(0, |last| last + 1)
}

/// The coefficients and zeros, `len` elements in all.
fn copied<F: Field>(
    coefficients: &[F],
    len: usize,
    pool: Watched<'_>,
) -> Result<Scratch<F>, Error> {
    let mut copy_of = Scratch::zeroed(len)?;
    copy(coefficients, &mut copy_of[..coefficients.len()], pool)?;
    Ok(copy_of)
}

/// Copies `from` to `to`, which has as many elements.
fn copy<F: Field>(from: &[F], to: &mut [F], pool: Watched<'_>) -> Result<(), Error> {
    pool.for_each_chunk_mut(to, ELEMENTS_PER_TASK, |start, to| {
        to.copy_from_slice(&from[start..][..to.len()]);
    })
}

/// Does `verb` to each element of `a` and that of `b` at its place; they have equal lengths.
fn each<F: Field>(
    a: &mut [F],
    b: &[F],
    pool: Watched<'_>,
    verb: fn(Kernels, &mut [F], &[F]),
) -> Result<(), Error> {
    pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |start, a| {
        verb(Kernels::host(), a, &b[start..][..a.len()]);
    })
}

/// Multiplies every element by `factor`.
fn scale<F: Field>(a: &mut [F], factor: F, pool: Watched<'_>) -> Result<(), Error> {
    pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |_, a| {
        F::multiply_all(Kernels::host(), a, factor);
    })
}

impl<F, S, T> PartialEq<Polynomial<F, T>> for Polynomial<F, S>
where
    F: Field,
    S: Deref<Target = [F]>,
    T: Deref<Target = [F]>,
{
    fn eq(&self, other: &Polynomial<F, T>) -> bool {
        self.coefficients() == other.coefficients()
    }
}

impl<F: Field, S: Deref<Target = [F]>> Eq for Polynomial<F, S> {}

/// The number of coefficients alone: they may be secret.
impl<F: Field, S> fmt::Debug for Polynomial<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Polynomial({} coefficients)", self.len)
    }
}
