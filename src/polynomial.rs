//! `PolynomialHandle`: a polynomial over the scalar field in native memory. Nothing changes it.
//!
//! Coefficients may be secret: they are overwritten when the last one who uses them has ended, many
//! of them on a thread of the pool.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nalloc_bn254::{Fr, HeapBuffer, Polynomial, ntt_scratch_bytes};
use napi::{
    Env,
    bindgen_prelude::{BigInt, PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    compute::{Computation, ScrubOnDrop, arena_bytes},
    error::{Failure, Result},
    line::{self, Grant},
    number,
    task::{Task, TaskState},
    transform::{self, log2_of, scalar},
    vector::{self, FrVectorHandle, bytes_of},
};

/// What messages call it.
const WHAT: &str = "the polynomial";
/// Coefficients of a factor up to which a product takes no transform: at most those of the crate.
const SHORT_LEN_MAX: usize = 32;
/// Tables of both directions of a transform have at most so many elements for each point.
const TABLE_ELEMENTS_MAX: u64 = 4;

/// A polynomial that is overwritten when it is dropped.
pub struct Wiped {
    polynomial: Option<Polynomial<Fr>>,
}

impl Wiped {
    fn new(polynomial: Polynomial<Fr>) -> Self {
        Self { polynomial: Some(polynomial) }
    }

    /// Its coefficients, that of X^0 first.
    pub fn coefficients(&self) -> &[Fr] {
        self.polynomial.as_ref().map_or(&[], Polynomial::coefficients)
    }

    /// The polynomial, over memory of its own no more.
    fn view(&self) -> Polynomial<Fr, &[Fr]> {
        Polynomial::over(self.coefficients())
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Some(polynomial) = self.polynomial.take() {
            vector::wipe_aside(polynomial.into_storage());
        }
    }
}

/// A polynomial in native memory. Jobs that use it keep it alive beyond `dispose()`.
#[napi]
pub struct PolynomialHandle {
    slot: Mutex<Option<Arc<Wiped>>>,
    len: usize,
}

/// What a division by X - z gives.
#[napi]
pub struct DivisionHandle {
    quotient: Option<PolynomialHandle>,
    remainder: Fr,
}

#[napi]
impl DivisionHandle {
    /// The quotient, once.
    #[napi(catch_unwind)]
    pub fn take_quotient(&mut self) -> Result<PolynomialHandle> {
        self.quotient.take().ok_or_else(|| disposed().into())
    }

    /// The value at z.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn remainder(&self) -> BigInt {
        big_int(self.remainder)
    }
}

fn disposed() -> Failure {
    Failure::disposed("polynomial")
}

/// An element as JavaScript has it.
fn big_int(element: Fr) -> BigInt {
    BigInt { sign_bit: false, words: element.to_plain().to_vec() }
}

impl PolynomialHandle {
    fn new(polynomial: Polynomial<Fr>) -> Self {
        let len = polynomial.coefficients().len();
        Self { slot: Mutex::new(Some(Arc::new(Wiped::new(polynomial)))), len }
    }

    /// The polynomial, for as long as the caller holds it.
    pub fn lease(&self) -> Result<Arc<Wiped>> {
        self.slot().clone().ok_or_else(|| disposed().into())
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Wiped>>> {
        // A slot is whole between any two statements.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what makes a polynomial of `len` coefficients, and takes `beside_bytes` meanwhile.
    fn compute<'env>(
        env: &'env Env,
        task: &Task,
        (len, beside_bytes): (usize, u64),
        memory_limit_bytes: Option<f64>,
        work: impl FnOnce(&TaskState, &Grant) -> std::result::Result<Polynomial<Fr>, Failure>
        + Send
        + 'static,
    ) -> Result<PromiseRaw<'env, PolynomialHandle>> {
        let needed_bytes = bytes_of(len).saturating_add(beside_bytes);
        let computation = Computation { what: WHAT, needed_bytes, memory_limit_bytes };
        let work = move |state: &TaskState, grant: &Grant| {
            let _scrubbed = ScrubOnDrop(grant.pool);
            // Overwritten also when nobody receives it.
            Ok(Wiped::new(work(state, grant)?))
        };
        computation.start(env, task, work, |polynomial: Wiped| {
            let len = polynomial.coefficients().len();
            Self { slot: Mutex::new(Some(Arc::new(polynomial))), len }
        })
    }
}

#[napi]
impl PolynomialHandle {
    /// How many coefficients it has, or had: the last of them is not zero.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn length(&self) -> f64 {
        number::from_usize(self.len)
    }

    /// Resolves to the value at 32 plain little-endian bytes.
    #[napi(catch_unwind, ts_return_type = "Promise<bigint>")]
    pub fn evaluate<'env>(
        &self,
        env: &'env Env,
        x: Uint8ArraySlice<'_>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, BigInt>> {
        let polynomial = self.lease()?;
        let x = scalar("x", &x)?;
        let computation =
            Computation { what: "the value", needed_bytes: 0, memory_limit_bytes: None };
        let work = move |state: &TaskState, grant: &Grant| {
            let _scrubbed = ScrubOnDrop(grant.pool);
            let values = polynomial.view().evaluate_at(&[x], grant.pool.watched_by(state))?;
            Ok(values[0])
        };
        computation.start(env, task, work, big_int)
    }

    /// Resolves to the sum.
    #[napi(catch_unwind, ts_return_type = "Promise<PolynomialHandle>")]
    pub fn add<'env>(
        &self,
        env: &'env Env,
        other: &PolynomialHandle,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, PolynomialHandle>> {
        let (one, other) = (self.lease()?, other.lease()?);
        let len = one.coefficients().len().max(other.coefficients().len());
        let work = move |state: &TaskState, grant: &Grant| {
            Ok(one.view().add(&other.view(), grant.pool.watched_by(state))?)
        };
        Self::compute(env, task, (len, 0), memory_limit_bytes, work)
    }

    /// Resolves to the difference.
    #[napi(catch_unwind, ts_return_type = "Promise<PolynomialHandle>")]
    pub fn sub<'env>(
        &self,
        env: &'env Env,
        other: &PolynomialHandle,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, PolynomialHandle>> {
        let (one, other) = (self.lease()?, other.lease()?);
        let len = one.coefficients().len().max(other.coefficients().len());
        let work = move |state: &TaskState, grant: &Grant| {
            Ok(one.view().sub(&other.view(), grant.pool.watched_by(state))?)
        };
        Self::compute(env, task, (len, 0), memory_limit_bytes, work)
    }

    /// Resolves to the product. Throws `ERR_DOMAIN` where it has more than 2^28 coefficients.
    #[napi(catch_unwind, ts_return_type = "Promise<PolynomialHandle>")]
    pub fn mul<'env>(
        &self,
        env: &'env Env,
        other: &PolynomialHandle,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, PolynomialHandle>> {
        let (one, other) = (self.lease()?, other.lease()?);
        let (a, b) = (one.coefficients().len(), other.coefficients().len());
        let sizes = if a.min(b) <= SHORT_LEN_MAX {
            ((a + b).saturating_sub(1), 0)
        } else {
            let size = (a + b - 1).next_power_of_two();
            let log2 = log2_of("product", size)?;
            let tables = bytes_of(size).saturating_mul(TABLE_ELEMENTS_MAX);
            let scratch = arena_bytes(ntt_scratch_bytes(log2, line::thread_count()));
            (size, bytes_of(size).saturating_add(tables).saturating_add(scratch))
        };
        let work = move |state: &TaskState, grant: &Grant| {
            Ok(one.view().mul(&other.view(), grant.pool.watched_by(state))?)
        };
        Self::compute(env, task, sizes, memory_limit_bytes, work)
    }

    /// Resolves to the product with 32 plain little-endian bytes.
    #[napi(catch_unwind, ts_return_type = "Promise<PolynomialHandle>")]
    pub fn scale<'env>(
        &self,
        env: &'env Env,
        factor: Uint8ArraySlice<'_>,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, PolynomialHandle>> {
        let polynomial = self.lease()?;
        let factor = scalar("factor", &factor)?;
        let len = polynomial.coefficients().len();
        let work = move |state: &TaskState, grant: &Grant| {
            Ok(polynomial.view().scale(factor, grant.pool.watched_by(state))?)
        };
        Self::compute(env, task, (len, 0), memory_limit_bytes, work)
    }

    /// Resolves to quotient and remainder of the division by X - z, z in 32 plain little-endian
    /// bytes.
    #[napi(catch_unwind, ts_return_type = "Promise<DivisionHandle>")]
    pub fn divide_by_linear<'env>(
        &self,
        env: &'env Env,
        z: Uint8ArraySlice<'_>,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, DivisionHandle>> {
        let polynomial = self.lease()?;
        let z = scalar("root", &z)?;
        // Scratch is less than half of it.
        let needed_bytes = 2 * bytes_of(polynomial.coefficients().len());
        let computation = Computation { what: WHAT, needed_bytes, memory_limit_bytes };
        let work = move |state: &TaskState, grant: &Grant| {
            let _scrubbed = ScrubOnDrop(grant.pool);
            let pool = grant.pool.watched_by(state);
            let (quotient, remainder) = polynomial.view().divide_by_linear(z, pool)?;
            Ok((PolynomialHandle::new(quotient), remainder))
        };
        computation.start(env, task, work, |(quotient, remainder)| DivisionHandle {
            quotient: Some(quotient),
            remainder,
        })
    }

    /// Resolves to a vector of the coefficients.
    #[napi(catch_unwind, ts_return_type = "Promise<FrVectorHandle>")]
    pub fn coefficients<'env>(
        &self,
        env: &'env Env,
        memory_limit_bytes: Option<f64>,
        task: &Task,
    ) -> Result<PromiseRaw<'env, FrVectorHandle>> {
        let polynomial = self.lease()?;
        let needed_bytes = bytes_of(polynomial.coefficients().len());
        let computation = Computation { what: "the vector", needed_bytes, memory_limit_bytes };
        let copy = move |_: &TaskState, _: &Grant| {
            Ok(FrVectorHandle::of(HeapBuffer::from_slice(polynomial.coefficients())?))
        };
        computation.start(env, task, copy, |vector| vector)
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        self.slot().is_none()
    }

    /// Overwrites and frees it as soon as no job uses it.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.slot().take();
    }
}

/// Resolves to the polynomial whose coefficients are the elements of `vector`, or, with
/// `isEvaluations`, to the one that has these values at the roots of unity. Throws `ERR_DOMAIN`,
/// `ERR_BUSY`, `ERR_DISPOSED`.
#[napi(catch_unwind, ts_return_type = "Promise<PolynomialHandle>")]
pub fn make_polynomial<'env>(
    env: &'env Env,
    vector: &FrVectorHandle,
    is_evaluations: bool,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, PolynomialHandle>> {
    let len = vector.len();
    let log2 = is_evaluations.then(|| log2_of("evaluations", len)).transpose()?;
    let elements = vector.share()?;
    let beside = log2.map_or(0, |log2| transform::needed_bytes(log2, line::thread_count()));
    let work = move |state: &TaskState, grant: &Grant| {
        let mut polynomial = Polynomial::from_coefficients(&elements)?;
        if let Some(log2) = log2 {
            let mut values = polynomial.into_storage();
            let transformed = transform::run(&mut values, log2, (None, true), state, grant);
            polynomial = Polynomial::over(values);
            if let Err(failure) = transformed {
                drop(Wiped::new(polynomial));
                return Err(failure);
            }
        }
        Ok(polynomial)
    };
    PolynomialHandle::compute(env, task, (len, beside), memory_limit_bytes, work)
}
