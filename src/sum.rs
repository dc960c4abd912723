//! `msm`: the sum of points, each times a scalar.

use nalloc_bn254::{Fq, Fr, msm_scratch_bytes};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8Array},
};
use napi_derive::napi;

use crate::{
    compute::{Computation, ScrubOnDrop, arena_bytes, scratch},
    error::{Failure, LENGTH_MISMATCH, Result},
    line,
    points::{G1VectorHandle, write_point},
    task::Task,
    vector::{ELEMENT_BYTES, FrVectorHandle},
};

/// What messages call it.
const WHAT: &str = "the sum";
/// Scalars that a task makes plain.
const PLAIN_PER_TASK: usize = 4096;
/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 4096;

/// Resolves to the sum of `points[i]` times `scalars[i]`, 64 bytes. Throws `ERR_LENGTH_MISMATCH`,
/// `ERR_BUSY`, `ERR_DISPOSED`.
#[napi(catch_unwind, ts_return_type = "Promise<Uint8Array>")]
pub fn msm<'env>(
    env: &'env Env,
    points: &G1VectorHandle,
    scalars: &FrVectorHandle,
    memory_limit_bytes: Option<f64>,
    task: &Task,
) -> Result<PromiseRaw<'env, Uint8Array>> {
    let points = points.lease()?;
    let scalars = scalars.share()?;
    let len = points.len();
    if scalars.len() != len {
        let got = scalars.len();
        let message = format!("scalars: expected {len} elements, one for each point, got {got}");
        return Err(Failure::new(LENGTH_MISMATCH, message).into());
    }
    let computation = Computation {
        what: WHAT,
        needed_bytes: arena_bytes(scratch_bytes(len, line::thread_count())),
        memory_limit_bytes,
    };
    computation.start(
        env,
        task,
        move |state, grant| {
            let pool = grant.pool;
            let arena = scratch(scratch_bytes(len, pool.thread_count()))?;
            grant.keep_promise();
            let _scrubbed = ScrubOnDrop(pool);
            let plain = arena.try_alloc_array::<[u64; 4]>(len)?;
            pool.for_each_chunk_mut(plain, PLAIN_PER_TASK, |start, plain| {
                for (plain, scalar) in plain.iter_mut().zip(&scalars[start..]) {
                    *plain = Fr::to_plain(*scalar);
                }
            });
            let sum = nalloc_bn254::msm(&points, plain, pool, &arena, state)?;
            Ok(write_point(&sum.to_affine()))
        },
        |sum| Uint8Array::from(sum.to_vec()),
    )
}

fn scratch_bytes(len: usize, threads: usize) -> usize {
    let plain = len.saturating_mul(ELEMENT_BYTES).saturating_add(ARRAY_SLACK_BYTES);
    plain.saturating_add(msm_scratch_bytes::<Fq>(len, threads))
}
