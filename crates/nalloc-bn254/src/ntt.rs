//! Number-theoretic transforms: coefficients to values on the 2^k-th roots of unity, and back.
//!
//! Convention: output i is the sum over j of input j times w^(ij), w = `F::root_of_unity(k)`, in
//! natural order on both sides. Where another order between a transform and its inverse saves time,
//! `Unordered` is its type. The inverse divides by N = 2^k.
//!
//! Three ways lead there, with the same results. Where [`Kernels`] have lanes and 2^8 <= N <= 2^24,
//! `four_step` goes over memory twice, with tables of one element a point for each direction, made
//! when it is first used; above that, `three_sweeps` goes over it thrice, with small tables. Else,
//! and as the oracle of both, `butterfly` does it in plain Rust, in place, with one table for both
//! directions. It has two half-transforms, and neither permutes:
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
//! Cost: (N/2) log2 N butterflies of one multiplication; the first of each block has none, so N - 1
//! of them are saved. Between layers values may exceed p: one conditional subtraction for each
//! butterfly instead of three, and two for each value at the end (2^16: 9.8 -> 8.2 ms, Zen 5).

mod butterfly;
pub(crate) mod four_step;
mod odd_points;
mod order;
mod roots;
mod shared;
pub(crate) mod three_sweeps;
mod unordered;
pub(crate) mod work;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nalloc::Arena;

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::{Observer, Stop};
use crate::pool::Pool;
use crate::vector::Vectors;

use butterfly::Butterflies;
use four_step::{Direction, FourStep};
pub use odd_points::OddPoints;
use roots::Roots;
use shared::Tables;
pub use shared::{kept_table_bytes, set_table_budget};
pub use unordered::Unordered;
pub use work::{Work, scratch_bytes};

/// Elements that one task multiplies by factors.
const SCALED_PER_TASK: usize = 4096;

/// The transforms of one domain: the 2^log2-th roots of unity of `F`.
///
/// ```
/// use nalloc::Arena;
/// use nalloc_bn254::{Field, Fr, Ntt, Pool, ntt_scratch_bytes};
///
/// let pool = Pool::new(Some(1))?;
/// let arena = Arena::with_capacity(ntt_scratch_bytes(3, pool.thread_count()))?;
/// let ntt = Ntt::<Fr>::new(3)?;
/// let mut values = [Fr::ONE; 8];
/// let mut work = ntt.work(&pool, &arena, &())?;
/// ntt.forward(&mut values, &mut work)?;
/// assert_eq!((values[0], values[1]), (Fr::from_u64(8), Fr::ZERO));
/// ntt.inverse(&mut values, &mut work)?;
/// assert_eq!(values, [Fr::ONE; 8]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ntt<F: Field> {
    log2: u32,
    kernels: Kernels,
    root: F,
    /// 1/N.
    size_inverse: F,
    /// Once they are used; none where there are no lanes.
    forward: OnceLock<Option<Arc<Tables<F>>>>,
    inverse: OnceLock<Option<Arc<Tables<F>>>>,
    /// Of the coset that was asked for last.
    coset: Mutex<Option<Arc<Tables<F>>>>,
    roots: OnceLock<Arc<Roots<F>>>,
}

impl<F: Field> Ntt<F> {
    /// The domain of 2^`log2` points, with the kernels of this machine.
    ///
    /// # Errors
    /// [`Error::DomainTooLarge`] where the field has no such root.
    pub fn new(log2: u32) -> Result<Self, Error> {
        Self::with_kernels(log2, Kernels::host())
    }

    /// As [`new`](Self::new), with the kernels of the caller's choice.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_kernels(log2: u32, kernels: Kernels) -> Result<Self, Error> {
        let too_large = Error::DomainTooLarge { log2, log2_max: F::TWO_ADICITY };
        let root = F::root_of_unity(log2).ok_or(too_large)?;
        // 1/2 exists in a field of odd characteristic; 1/N is its power.
        let half = F::from_u64(2).invert().unwrap_or(F::ZERO);
        let size_inverse = half.pow(&[u64::from(log2)]);
        let (forward, inverse, roots) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let coset = Mutex::new(None);
        Ok(Self { log2, kernels, root, size_inverse, forward, inverse, coset, roots })
    }

    /// log2 of the number of points.
    #[must_use]
    pub fn log2(&self) -> u32 {
        self.log2
    }

    /// The number of points N.
    #[must_use]
    pub fn size(&self) -> usize {
        1 << self.log2
    }

    /// Threads, and memory from `arena`, for transforms of this size, one after the other.
    /// They leave what they worked on in the arena: wipe it where that is secret.
    ///
    /// # Errors
    /// [`Error::Memory`] unless `arena` has [`scratch_bytes`] left.
    pub fn work<'a>(
        &self,
        pool: &'a Pool,
        arena: &'a Arena,
        observer: &'a dyn Observer,
    ) -> Result<Work<'a>, Error> {
        Work::new(self.log2, pool, arena, observer)
    }

    /// Coefficients to values: `values[i]` becomes the sum of `values[j]` * w^(ij) over all j.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are N values, [`Error::Memory`] for the tables,
    /// [`Error::Cancelled`], after which values are anything: wipe or overwrite them.
    pub fn forward(&self, values: &mut [F], work: &mut Work<'_>) -> Result<(), Error> {
        self.check_len(values)?;
        if let Some(transform) = self.forward_tables(work.observer())? {
            return transform.run(values, work);
        }
        let stop = work.stop();
        order::reverse_bits(values, work.pool);
        self.butterflies(work.pool, &stop)?.forward(values);
        stop.result()
    }

    /// Values to coefficients: undoes [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn inverse(&self, values: &mut [F], work: &mut Work<'_>) -> Result<(), Error> {
        self.check_len(values)?;
        if let Some(transform) = self.inverse_tables(work.observer())? {
            return transform.run(values, work);
        }
        let stop = work.stop();
        self.butterflies(work.pool, &stop)?.inverse(values);
        stop.result()?;
        order::reverse_bits(values, work.pool);
        self.divide_by_size(values, work)
    }

    /// Ends an inverse transform.
    fn divide_by_size(&self, values: &mut [F], work: &Work<'_>) -> Result<(), Error> {
        work.watched().for_each_chunk_mut(values, SCALED_PER_TASK, |_, chunk| {
            F::multiply_all(self.kernels, chunk, self.size_inverse);
        })
    }

    /// [`forward`](Self::forward) for each of several vectors. Small ones are done at once, one on
    /// each thread; large ones follow each other, each on all threads.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), before anything is transformed where a length is wrong.
    pub fn forward_each(&self, vectors: &mut [&mut [F]], work: &mut Work<'_>) -> Result<(), Error> {
        vectors.iter().try_for_each(|values| self.check_len(values))?;
        let tables = self.forward_tables(work.observer())?;
        if self.size() > butterfly::IN_CACHE_LEN || tables.is_some() {
            return vectors.iter_mut().try_for_each(|values| self.forward(values, work));
        }
        let stop = work.stop();
        let butterflies = self.butterflies(work.pool, &stop)?;
        work.pool.for_each_chunk_mut(vectors, 1, |_, vectors| {
            for values in vectors {
                order::reverse_bits_here(values);
                butterflies.forward(values);
            }
        });
        stop.result()
    }

    /// Coefficients to values on the coset of `shift`: `values[i]` becomes the sum of
    /// `values[j]` * (`shift` * w^i)^j over all j. In lanes that has tables of its own, made when
    /// a `shift` is first used and left where the next call has another one.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_coset(
        &self,
        values: &mut [F],
        shift: F,
        work: &mut Work<'_>,
    ) -> Result<(), Error> {
        self.check_len(values)?;
        if let Some(tables) = self.coset_tables(shift, work.observer())? {
            return tables.transform().run(values, work);
        }
        Vectors::with_kernels(work.pool, self.kernels).scale_by_powers(values, shift);
        self.forward(values, work)
    }

    /// Values on the coset of `shift` to coefficients: undoes
    /// [`forward_coset`](Self::forward_coset). A `shift` of zero, which has no coset, gives
    /// the first coefficient and zeros.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn inverse_coset(
        &self,
        values: &mut [F],
        shift: F,
        work: &mut Work<'_>,
    ) -> Result<(), Error> {
        self.inverse(values, work)?;
        let inverse = shift.invert().unwrap_or(F::ZERO);
        Vectors::with_kernels(work.pool, self.kernels).scale_by_powers(values, inverse);
        Ok(())
    }

    fn forward_tables(&self, observer: &dyn Observer) -> Result<Option<&dyn FourStep<F>>, Error> {
        let direction = || Direction { root: self.root, scale: F::ONE, shift: F::ONE };
        self.tables(&self.forward, direction, observer)
    }

    /// The tables of the forward transform on the coset of `shift`, which this holds until it is
    /// asked for those of another.
    fn coset_tables(
        &self,
        shift: F,
        observer: &dyn Observer,
    ) -> Result<Option<Arc<Tables<F>>>, Error> {
        let direction = Direction { root: self.root, scale: F::ONE, shift };
        let last = || self.coset.lock().unwrap_or_else(PoisonError::into_inner);
        let held = last().clone().filter(|tables| tables.are_for(&direction));
        if held.is_some() {
            return Ok(held);
        }
        let tables = Tables::of(self.kernels, self.log2, &direction, observer)?;
        last().clone_from(&tables);
        Ok(tables)
    }

    fn inverse_tables(&self, observer: &dyn Observer) -> Result<Option<&dyn FourStep<F>>, Error> {
        // 1/w = w^(N-1).
        let root = || self.root.pow(&[(1 << self.log2) - 1]);
        let direction = || Direction { root: root(), scale: self.size_inverse, shift: F::ONE };
        self.tables(&self.inverse, direction, observer)
    }

    /// The tables in `place`, found or made where it has none yet.
    fn tables<'a>(
        &self,
        place: &'a OnceLock<Option<Arc<Tables<F>>>>,
        direction: impl FnOnce() -> Direction<F>,
        observer: &dyn Observer,
    ) -> Result<Option<&'a dyn FourStep<F>>, Error> {
        if place.get().is_none() {
            // Of two threads, both have the same.
            let _ = place.set(Tables::of(self.kernels, self.log2, &direction(), observer)?);
        }
        Ok(place.get().and_then(Option::as_deref).map(Tables::transform))
    }

    /// The transforms without tables of lanes.
    fn butterflies<'a>(
        &'a self,
        pool: &'a Pool,
        stop: &'a Stop<'a>,
    ) -> Result<Butterflies<'a, F>, Error> {
        let roots = self.roots(stop.observer())?;
        Ok(Butterflies { roots, kernels: self.kernels, pool, stop })
    }

    /// The portable transforms' table.
    fn roots(&self, observer: &dyn Observer) -> Result<&Roots<F>, Error> {
        if let Some(roots) = self.roots.get() {
            return Ok(roots);
        }
        let roots = Roots::of(self.log2, observer)?;
        Ok(self.roots.get_or_init(|| roots))
    }

    fn check_len(&self, values: &[F]) -> Result<(), Error> {
        let (expected, got) = (self.size(), values.len());
        if got == expected {
            return Ok(());
        }
        Err(Error::LengthMismatch { what: "values of a transform", expected, got })
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::field::Fr;

    /// Stops at the question after so many.
    struct StopAfter(AtomicUsize);

    impl Observer for StopAfter {
        fn is_cancelled(&self) -> bool {
            let left = |left: usize| left.checked_sub(1);
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err()
        }
    }

    /// Asks `make`, which asks so many questions, to stop at each of them.
    fn check(questions: usize, make: impl Fn(&dyn Observer) -> Result<(), Error>) {
        let stopped = |question: usize| make(&StopAfter(question.into()));
        for question in 0..questions {
            assert_eq!(stopped(question), Err(Error::Cancelled), "{question} of {questions}");
        }
        assert_eq!(stopped(questions), Ok(()));
    }

    #[test]
    fn the_making_of_tables_stops_at_every_question() {
        let root = Fr::root_of_unity(14).expect("a domain of the field");
        let direction = Direction { root, scale: Fr::ONE, shift: Fr::ONE };

        // 2^13 roots of the last layer; 2^7 columns, eight at once.
        check(2, |observer| Roots::<Fr>::new(14, observer).map(drop));
        let Some(kernels) = Kernels::ifma() else {
            println!("skipped with ifma: this CPU has no AVX-512 IFMA");
            return;
        };
        check(16, |observer| {
            Fr::four_step(kernels, 14, &direction, observer).map(|made| assert!(made.is_some()))
        });
    }
}
