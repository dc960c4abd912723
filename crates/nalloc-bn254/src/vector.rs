//! Verbs over whole vectors of field elements, on the threads of a pool.
//!
//! Each verb works in place on its first vector; `_into` writes to a third one instead. Vectors
//! that belong together have equal lengths, of any number. Pieces of 4096 elements go to the
//! threads; within a piece, kernels of the CPU do eight elements at a time. Results are the same
//! with all kernels and numbers of threads.
//!
//! Cost, ns an element with AVX-512 IFMA and in plain Rust, one thread, 2^12 elements (`cargo bench
//! --bench bn254 -- vector`, 2-core Zen 5, 2026-11-21): add 1.1 and 1.3, subtract 1.1 and 1.4,
//! multiply 2.1 and 14, scale 1.8 and 13, square 2.2 and 13, inner product 1.0 and 17, sum 0.22 and
//! 3.9, invert 7.7 and 49. With 2^18 elements addition takes 1.4 and sum 0.48: they wait for
//! memory.

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::pool::Pool;

/// Elements that one task does: 128 KiB of each vector, 4 microseconds of additions.
const ELEMENTS_PER_TASK: usize = 4096;
/// Elements that `_into` copies before it works on them, so that they lie in the nearest cache.
const ELEMENTS_PER_COPY: usize = 256;

/// Where verbs over vectors run: on which threads, with which kernels.
///
/// ```
/// use nalloc_bn254::{Field, Fr, Pool, Vectors};
///
/// let pool = Pool::new(Some(1))?;
/// let vectors = Vectors::new(&pool);
/// let (two, three) = (Fr::from_u64(2), Fr::from_u64(3));
/// let mut a = [two, three];
/// vectors.mul(&mut a, &[three, three])?;
/// assert_eq!(a, [Fr::from_u64(6), Fr::from_u64(9)]);
/// assert_eq!(vectors.inner_product(&a, &[Fr::ONE, two])?, Fr::from_u64(24));
/// # Ok::<(), nalloc_bn254::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Vectors<'p> {
    pool: &'p Pool,
    kernels: Kernels,
}

impl<'p> Vectors<'p> {
    /// Verbs on the threads of `pool`, with the kernels of this machine.
    #[must_use]
    pub fn new(pool: &'p Pool) -> Self {
        Self::with_kernels(pool, Kernels::host())
    }

    /// As [`new`](Self::new), with the kernels of the caller's choice.
    #[must_use]
    pub fn with_kernels(pool: &'p Pool, kernels: Kernels) -> Self {
        Self { pool, kernels }
    }

    /// `a[i] += b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn add<F: Field>(&self, a: &mut [F], b: &[F]) -> Result<(), Error> {
        self.each(a, b, F::add_each)
    }

    /// `sum[i] = a[i] + b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn add_into<F: Field>(&self, a: &[F], b: &[F], sum: &mut [F]) -> Result<(), Error> {
        self.each_into(a, b, sum, F::add_each)
    }

    /// `a[i] -= b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn sub<F: Field>(&self, a: &mut [F], b: &[F]) -> Result<(), Error> {
        self.each(a, b, F::subtract_each)
    }

    /// `difference[i] = a[i] - b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn sub_into<F: Field>(&self, a: &[F], b: &[F], difference: &mut [F]) -> Result<(), Error> {
        self.each_into(a, b, difference, F::subtract_each)
    }

    /// `a[i] *= b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn mul<F: Field>(&self, a: &mut [F], b: &[F]) -> Result<(), Error> {
        self.each(a, b, F::multiply_each)
    }

    /// `product[i] = a[i] * b[i]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn mul_into<F: Field>(&self, a: &[F], b: &[F], product: &mut [F]) -> Result<(), Error> {
        self.each_into(a, b, product, F::multiply_each)
    }

    /// `a[i] *= factor`.
    pub fn scale<F: Field>(&self, a: &mut [F], factor: F) {
        let work = |_, a: &mut [F]| F::multiply_all(self.kernels, a, factor);
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, work);
    }

    /// `a[i] *= ratio^i`: the coefficients of f(X) become those of f(`ratio` X).
    pub fn scale_by_powers<F: Field>(&self, a: &mut [F], ratio: F) {
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |start, a| {
            F::multiply_by_powers(self.kernels, a, ratio.pow(&[start as u64]), ratio);
        });
    }

    /// `a[i] += b[i] * factor`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn add_scaled<F: Field>(&self, a: &mut [F], b: &[F], factor: F) -> Result<(), Error> {
        check_length("second vector", a.len(), b.len())?;
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |start, a| {
            add_scaled(self.kernels, a, &b[start..][..a.len()], factor);
        });
        Ok(())
    }

    /// `a[i] *= a[i]`.
    pub fn square<F: Field>(&self, a: &mut [F]) {
        let work = |_, a: &mut [F]| F::square_each(self.kernels, a);
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, work);
    }

    /// `a[i] = 1 / a[i]`; zeros stay zero.
    ///
    /// Three multiplications an element and a share of an inversion. Allocates nothing; up to
    /// 80 KiB of products stay behind on the stacks of the threads.
    pub fn invert<F: Field>(&self, a: &mut [F]) {
        let work = |_, a: &mut [F]| F::invert_each(self.kernels, a);
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, work);
    }

    /// The sum of `a[i] * b[i]`; zero for vectors without elements.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn inner_product<F: Field>(&self, a: &[F], b: &[F]) -> Result<F, Error> {
        check_length("second vector", a.len(), b.len())?;
        let work = |start, a: &[F]| F::inner_product(self.kernels, a, &b[start..][..a.len()]);
        Ok(self.pool.sum_chunks(a, ELEMENTS_PER_TASK, work))
    }

    /// The sum of `a[i]`; zero for a vector without elements.
    #[must_use]
    pub fn sum<F: Field>(&self, a: &[F]) -> F {
        self.pool.sum_chunks(a, ELEMENTS_PER_TASK, |_, a| F::sum(self.kernels, a))
    }

    fn each<F: Field>(&self, a: &mut [F], b: &[F], verb: Verb<F>) -> Result<(), Error> {
        check_length("second vector", a.len(), b.len())?;
        self.pool.for_each_chunk_mut(a, ELEMENTS_PER_TASK, |start, a| {
            verb(self.kernels, a, &b[start..][..a.len()]);
        });
        Ok(())
    }

    fn each_into<F: Field>(
        &self,
        a: &[F],
        b: &[F],
        result: &mut [F],
        verb: Verb<F>,
    ) -> Result<(), Error> {
        check_length("second vector", a.len(), b.len())?;
        check_length("result", a.len(), result.len())?;
        self.pool.for_each_chunk_mut(result, ELEMENTS_PER_TASK, |start, result| {
            let operands =
                a[start..].chunks(ELEMENTS_PER_COPY).zip(b[start..].chunks(ELEMENTS_PER_COPY));
            for (result, (a, b)) in result.chunks_mut(ELEMENTS_PER_COPY).zip(operands) {
                result.copy_from_slice(&a[..result.len()]);
                verb(self.kernels, result, &b[..result.len()]);
            }
        });
        Ok(())
    }
}

/// `a[i] += b[i] * factor`, for slices of equal length, on this thread.
pub(crate) fn add_scaled<F: Field>(kernels: Kernels, a: &mut [F], b: &[F], factor: F) {
    let mut products = [F::ZERO; ELEMENTS_PER_COPY];
    for (a, b) in a.chunks_mut(ELEMENTS_PER_COPY).zip(b.chunks(ELEMENTS_PER_COPY)) {
        let products = &mut products[..a.len()];
        products.copy_from_slice(b);
        F::multiply_all(kernels, products, factor);
        F::add_each(kernels, a, products);
    }
}

/// What [`Field`] does to two slices of equal length, the first of them in place.
type Verb<F> = fn(Kernels, &mut [F], &[F]);

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got { Ok(()) } else { Err(Error::LengthMismatch { what, expected, got }) }
}
