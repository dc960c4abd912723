//! How a caller watches and stops a long operation.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::pool::Pool;

/// Watches a long operation. Methods are called from any thread of the pool, every few
/// milliseconds, and should return at once.
///
/// `()` watches nothing and never stops.
pub trait Observer: Sync {
    /// Whether the operation should stop; it then returns [`Error::Cancelled`](crate::Error).
    fn is_cancelled(&self) -> bool {
        false
    }

    /// `done` of `total` steps of `phase` are finished. Calls may arrive out of order.
    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        let _ = (phase, done, total);
    }
}

impl Observer for () {}

/// A pool, and who may stop what runs on it: what operations on polynomials take.
///
/// A `&Pool` becomes one that nobody watches, so that they are called with `&pool`, or with
/// [`pool.watched_by(&observer)`](Pool::watched_by).
///
/// ```
/// use nalloc_bn254::{Error, Field, Fr, Observer, Polynomial, Pool};
///
/// struct Impatient;
///
/// impl Observer for Impatient {
///     fn is_cancelled(&self) -> bool {
///         true
///     }
/// }
///
/// let pool = Pool::new(Some(1))?;
/// let x_plus_1 = Polynomial::over([Fr::ONE, Fr::ONE].as_slice());
/// assert_eq!(x_plus_1.mul(&x_plus_1, &pool)?.degree(), Some(2));
/// let stopped = x_plus_1.mul(&x_plus_1, pool.watched_by(&Impatient));
/// assert_eq!(stopped.err(), Some(Error::Cancelled));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) observer: &'a dyn Observer,
}

impl<'a> From<&'a Pool> for Watched<'a> {
    fn from(pool: &'a Pool) -> Self {
        pool.watched_by(&())
    }
}

impl Watched<'_> {
    /// Asks whether to go on.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn go_on(&self) -> Result<(), Error> {
        if self.observer.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// As the method of [`Pool`], and asks before each piece. Where it shall stop, some pieces are
    /// done and others are not.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn for_each_chunk_mut<T: Send>(
        &self,
        elements: &mut [T],
        chunk_len: usize,
        work: impl Fn(usize, &mut [T]) + Send + Sync,
    ) -> Result<(), Error> {
        let stop = Stop::new(self.observer);
        self.pool.for_each_chunk_mut(elements, chunk_len, |start, chunk| {
            if !stop.is_wanted() {
                work(start, chunk);
            }
        });
        stop.result()
    }
}

impl fmt::Debug for Watched<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({:?})", self.pool)
    }
}

/// Asks an observer from several threads, and remembers that it wanted to stop: it may say so to
/// one of them alone.
pub(crate) struct Stop<'a> {
    observer: &'a dyn Observer,
    is_wanted: AtomicBool,
}

impl<'a> Stop<'a> {
    pub(crate) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, is_wanted: AtomicBool::new(false) }
    }

    /// Who is asked.
    pub(crate) fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// Asks, unless it is known.
    pub(crate) fn is_wanted(&self) -> bool {
        // Relaxed: nothing is published by the flag; whoever reads the result has waited for all
        // threads.
        if self.is_wanted.load(Ordering::Relaxed) {
            return true;
        }
        let is_wanted = self.observer.is_cancelled();
        if is_wanted {
            self.is_wanted.store(true, Ordering::Relaxed);
        }
        is_wanted
    }

    /// What came of it, once all threads are done.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn result(&self) -> Result<(), Error> {
        // Relaxed: as in `is_wanted`.
        if self.is_wanted.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}
