//! Polynomials over a field, by their coefficients.
//!
//! Promise: the last coefficient is not zero, so that the degree is the length minus one and equal
//! polynomials have equal coefficients. The zero polynomial has no coefficient and no degree.
//!
//! | file | what it does |
//! |---|---|
//! | `evaluate` | values at points |
//! | `linear` | division by X - z |
//! | `scratch` | memory in between, which is wiped |

mod evaluate;
mod linear;
mod scratch;

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use nalloc::Arena;

use crate::buffer::HeapBuffer;
use crate::error::Error;
use crate::field::Field;
use crate::ntt::{Ntt, scratch_bytes};
use crate::pool::Pool;
use crate::vector::Vectors;

use scratch::Scratch;

/// Products with a factor of at most this many coefficients are made term by term. At 32 a square
/// took 19 microseconds by either way, tables included (2-core Zen 5, bench profile, 2026-11-21).
const SCHOOLBOOK_LEN_MAX: usize = 32;
/// Coefficients that one task copies.
const ELEMENTS_PER_TASK: usize = 4096;

/// A polynomial over `F`, whose coefficients are in `S`.
///
/// `Polynomial<F>` owns them, on nalloc's large heap, and is what operations return. Any other
/// array can stand for it: [`over`](Self::over) a `&[F]` reads coefficients where they are, and over
/// a `&mut [F]`, of an [`Arena`] say, operations `_in_place` work without memory of their own.
///
/// Coefficients may be secret. Operations take the same time for all values of them unless they say
/// otherwise, but not for all degrees: zeros at the end are counted and dropped. Scratch is wiped,
/// results are the caller's to [`wipe`](Self::wipe), and [`Pool::scrub_stacks`] reaches what
/// kernels left on stacks.
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

    /// The zero polynomial.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn zero() -> Result<Self, Error> {
        Self::from_coefficients(&[])
    }
}

impl<F: Field, S: Deref<Target = [F]>> Polynomial<F, S> {
    /// The polynomial whose coefficient of X^j is `storage[j]`; zeros at the end are dropped.
    pub fn over(storage: S) -> Self {
        let len = storage.iter().rposition(|c| !c.is_zero()).map_or(0, |last| last + 1);
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

    /// The value at `x`; zero for the zero polynomial.
    #[must_use]
    pub fn evaluate(&self, x: F, pool: &Pool) -> F {
        evaluate::evaluate(self.coefficients(), x, pool)
    }

    /// Quotient and remainder by X - `z`: the polynomial is quotient * (X - `z`) + remainder, and
    /// the remainder is the value at `z`. Both are zero for the zero polynomial.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn divide_by_linear(&self, z: F, pool: &Pool) -> Result<(Polynomial<F>, F), Error> {
        let mut quotient = Polynomial::over(self.copied(self.len, pool)?);
        let remainder = quotient.divide_by_linear_in_place(z, pool)?;
        Ok((quotient, remainder))
    }

    /// The sum; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn add<T>(&self, other: &Polynomial<F, T>, pool: &Pool) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        let mut sum = self.copied(self.len.max(other.len), pool)?;
        Vectors::new(pool).add(&mut sum[..other.len], other.coefficients())?;
        Ok(Polynomial::over(sum))
    }

    /// The difference; its degree is at most the greater one, and less where leading terms cancel.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn sub<T>(&self, other: &Polynomial<F, T>, pool: &Pool) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        let mut difference = self.copied(self.len.max(other.len), pool)?;
        Vectors::new(pool).sub(&mut difference[..other.len], other.coefficients())?;
        Ok(Polynomial::over(difference))
    }

    /// Every coefficient times `factor`; zero for a `factor` of zero.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn scale(&self, factor: F, pool: &Pool) -> Result<Polynomial<F>, Error> {
        let mut multiple = self.copied(self.len, pool)?;
        Vectors::new(pool).scale(&mut multiple, factor);
        Ok(Polynomial::over(multiple))
    }

    /// The product; its degree is the sum of both degrees, and it is zero where a factor is.
    ///
    /// # Errors
    /// [`Error::Memory`], and [`Error::DomainTooLarge`] where the product has more coefficients
    /// than the field has roots of unity in a row.
    pub fn mul<T>(&self, other: &Polynomial<F, T>, pool: &Pool) -> Result<Polynomial<F>, Error>
    where
        T: Deref<Target = [F]>,
    {
        if self.is_zero() || other.is_zero() {
            return Polynomial::zero();
        }
        let (a, b) = (self.coefficients(), other.coefficients());
        let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
        let len = short.len() + long.len() - 1;
        if short.len() <= SCHOOLBOOK_LEN_MAX {
            let mut product = HeapBuffer::zeroed(len)?;
            for (start, &c) in short.iter().enumerate() {
                for (sum, &other) in product[start..].iter_mut().zip(long) {
                    *sum += c * other;
                }
            }
            return Ok(Polynomial::over(product));
        }
        let ntt = Ntt::new(len.next_power_of_two().ilog2())?;
        let mut product = self.copied(ntt.size(), pool)?;
        let mut factor = Scratch::zeroed(ntt.size())?;
        copy(b, &mut factor[..b.len()], pool);
        // Coefficients may be secret, so what the transforms leave behind is wiped.
        let bytes = scratch_bytes(ntt.log2(), pool.thread_count());
        let arena = Arena::builder().capacity_bytes(bytes).secret(true).build()?;
        let mut work = ntt.work(pool, &arena, &())?;
        let mut values = ntt.forward_unordered(&mut product, &mut work)?;
        let factors = ntt.forward_unordered(&mut factor, &mut work)?;
        Vectors::new(pool).mul(values.as_mut_slice(), factors.as_slice())?;
        ntt.inverse_unordered(values, &mut work)?;
        Ok(Polynomial::over(product))
    }

    /// The coefficients and zeros, `len` elements in all.
    fn copied(&self, len: usize, pool: &Pool) -> Result<HeapBuffer<F>, Error> {
        let mut buffer = HeapBuffer::zeroed(len)?;
        copy(self.coefficients(), &mut buffer[..self.len], pool);
        Ok(buffer)
    }
}

impl<F: Field, S: DerefMut<Target = [F]>> Polynomial<F, S> {
    /// As [`divide_by_linear`](Self::divide_by_linear): becomes the quotient and returns the
    /// remainder.
    ///
    /// # Errors
    /// [`Error::Memory`] for scratch of a 119th of the polynomial, which is left as it is then.
    pub fn divide_by_linear_in_place(&mut self, z: F, pool: &Pool) -> Result<F, Error> {
        let remainder = linear::divide(&mut self.storage[..self.len], z, pool)?;
        // The quotient's last coefficient is the dividend's.
        self.len = self.len.saturating_sub(1);
        Ok(remainder)
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

/// Copies `from` to `to`, which has as many elements.
fn copy<F: Field>(from: &[F], to: &mut [F], pool: &Pool) {
    pool.for_each_chunk_mut(to, ELEMENTS_PER_TASK, |start, to| {
        to.copy_from_slice(&from[start..][..to.len()]);
    });
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
