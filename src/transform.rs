//! `transform`: a number-theoretic transform of a vector, in place.

use nalloc_bn254::{Field, Fr, Ntt, Observer, ntt_scratch_bytes};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    compute::{Computation, ScrubOnDrop, arena_bytes, scratch},
    error::{DOMAIN, Failure, NON_CANONICAL, Result},
    line::{self, Grant},
    task::{Task, TaskState},
    vector::{FrVectorHandle, bytes_of},
};

/// What messages call it.
const WHAT: &str = "the transform";
/// The phase that it reports.
const PHASE: &str = "ntt";
/// Tables of one direction have at most so many elements for each one of the vector.
const TABLE_ELEMENTS_MAX: u64 = 2;

/// Which transform.
#[napi(object)]
pub struct TransformOptions {
    /// Values to coefficients, in place of coefficients to values.
    pub is_inverse: bool,
    /// Refuse with `ERR_LIMIT` when more bytes are needed.
    pub memory_limit_bytes: Option<f64>,
}

/// Transforms a vector in place; with 32 plain little-endian bytes, on the coset of that number.
/// A transform that was stopped leaves zeros. Throws `ERR_DOMAIN`, `ERR_BUSY`, `ERR_DISPOSED`.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn transform<'env>(
    env: &'env Env,
    vector: &FrVectorHandle,
    coset: Option<Uint8ArraySlice<'_>>,
    options: TransformOptions,
    task: &Task,
) -> Result<PromiseRaw<'env, ()>> {
    let log2 = log2_of("vector", vector.len())?;
    let coset = coset.map(|bytes| scalar("coset", &bytes)).transpose()?;
    let mut elements = vector.take()?;
    let computation = Computation {
        what: WHAT,
        needed_bytes: needed_bytes(log2, line::thread_count()),
        memory_limit_bytes: options.memory_limit_bytes,
    };
    computation.start(
        env,
        task,
        move |state, grant| {
            elements.change(|values| run(values, log2, (coset, options.is_inverse), state, grant))
        },
        |()| (),
    )
}

/// Transforms `values`, whose number is 2^`log2`.
pub fn run(
    values: &mut [Fr],
    log2: u32,
    (coset, is_inverse): (Option<Fr>, bool),
    state: &TaskState,
    grant: &Grant,
) -> std::result::Result<(), Failure> {
    let pool = grant.pool;
    state.progress(PHASE, 0, 1);
    let ntt = Ntt::<Fr>::new(log2)?;
    let arena = scratch(ntt_scratch_bytes(log2, pool.thread_count()))?;
    let _scrubbed = ScrubOnDrop(pool);
    let mut work = ntt.work(pool, &arena, state)?;
    match (coset, is_inverse) {
        (None, false) => ntt.forward(values, &mut work),
        (None, true) => ntt.inverse(values, &mut work),
        (Some(shift), false) => ntt.forward_coset(values, shift, &mut work),
        (Some(shift), true) => ntt.inverse_coset(values, shift, &mut work),
    }?;
    state.progress(PHASE, 1, 1);
    Ok(())
}

/// The domain of so many elements.
pub fn log2_of(name: &str, len: usize) -> std::result::Result<u32, Failure> {
    let log2_max = Fr::TWO_ADICITY;
    if len.is_power_of_two() && len.ilog2() <= log2_max {
        return Ok(len.ilog2());
    }
    let message = format!("{name}: expected 2^0..2^{log2_max} elements, a power of two, got {len}");
    Err(Failure::new(DOMAIN, message))
}

/// A scalar of 32 plain little-endian bytes.
pub fn scalar(name: &str, bytes: &[u8]) -> std::result::Result<Fr, Failure> {
    bytes.try_into().ok().and_then(Fr::from_le_bytes).ok_or_else(|| {
        let message = format!("{name}: expected a number below r, got one at or above it");
        Failure::new(NON_CANONICAL, message)
    })
}

/// Bytes that one transform takes.
pub fn needed_bytes(log2: u32, threads: usize) -> u64 {
    let tables = bytes_of(1 << log2).saturating_mul(TABLE_ELEMENTS_MAX);
    tables.saturating_add(arena_bytes(ntt_scratch_bytes(log2, threads)))
}
