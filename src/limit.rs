//! `memory.memoryLimit`: which jobs may begin.
//!
//! A limit in the heap would make an allocation fail inside of code that cannot fail, which ends
//! the host. So a job is measured before it takes anything: what is in use, and what it will need,
//! must fit. Such jobs run one after another (`line`), so nothing comes in between.

use std::sync::atomic::{AtomicU64, Ordering};

use nalloc_groth16::Error;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

use crate::{
    arena,
    error::{Failure, LIMIT},
    number,
};

/// Stands for no limit.
const NONE: u64 = u64::MAX;

static LIMIT_BYTES: AtomicU64 = AtomicU64::new(NONE);

/// Takes `NALLOC_MEMORY_LIMIT` over from the heap, which would enforce it by failing. The addon is
/// initialised once in each worker; only the first time finds a limit there.
#[napi(module_exports)]
pub fn take_limit_over(_exports: Object) {
    if let Some(limit) = nalloc::stats().memory_limit_bytes {
        nalloc::set_memory_limit(None);
        LIMIT_BYTES.store(limit, Ordering::Relaxed);
    }
}

/// The limit for all jobs together, if there is one.
pub fn memory_limit_bytes() -> Option<u64> {
    // Relaxed, also in the stores: the number stands for itself.
    Some(LIMIT_BYTES.load(Ordering::Relaxed)).filter(|&limit| limit != NONE)
}

/// Sets how many bytes may be in use when a job begins, its own included; absent for no limit.
/// What is cached beyond it is given back.
#[napi(catch_unwind)]
pub fn set_memory_limit(bytes: Option<f64>) {
    let limit = bytes.map_or(NONE, number::byte_limit);
    LIMIT_BYTES.store(limit, Ordering::Relaxed);
    let stats = nalloc::stats();
    if stats.live_bytes.saturating_add(stats.cached_bytes) > limit {
        nalloc::release_cache();
    }
}

/// Bytes in use, as the limit counts them.
fn used_bytes() -> u64 {
    let stats = nalloc::stats();
    // Secret arenas of proofs would be counted twice, but only a proof that runs has one.
    let native = stats.live_bytes.saturating_add(stats.secret_bytes);
    native.saturating_add(arena::census().capacity_bytes)
}

/// Whether `what` may take `bytes` bytes now.
pub fn admit(what: &str, bytes: u64) -> Result<(), Failure> {
    let Some(limit) = memory_limit_bytes() else { return Ok(()) };
    let used = used_bytes();
    if used.saturating_add(bytes) <= limit { Ok(()) } else { Err(over(what, bytes, limit, used)) }
}

fn over(what: &str, needed: u64, limit: u64, used: u64) -> Failure {
    let [needed, limit, used] = [needed, limit, used].map(number::size_text);
    let message = format!(
        "{what}: needs about {needed}, limit {limit} (memory.memoryLimit) with {used} in use. \
         Raise it, or dispose keys, witnesses and arenas that are not needed"
    );
    Failure::new(LIMIT, message)
}

/// What one job may take.
#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
pub struct Admission {
    /// What its caller allows.
    asked_bytes: Option<u64>,
    limit_bytes: Option<u64>,
    /// What others have.
    used_bytes: u64,
}

impl Admission {
    /// For a job that begins now, whose caller allows `asked_bytes` and which holds `held_bytes` of
    /// its need already.
    pub fn new(asked_bytes: Option<f64>, held_bytes: u64) -> Self {
        Self {
            asked_bytes: asked_bytes.map(number::byte_limit),
            limit_bytes: memory_limit_bytes(),
            used_bytes: used_bytes().saturating_sub(held_bytes),
        }
    }

    /// The most that the job may need.
    pub fn bytes_max(&self) -> Option<u64> {
        let left = self.limit_bytes.map(|limit| limit.saturating_sub(self.used_bytes));
        match (self.asked_bytes, left) {
            (Some(asked), Some(left)) => Some(asked.min(left)),
            (one, other) => one.or(other),
        }
    }

    /// Names the limit that stood in the way, where one did.
    pub fn explain(&self, error: Error) -> Failure {
        let Error::Limit { what, needed, limit: refused } = error else { return error.into() };
        match self.limit_bytes {
            Some(limit) if self.asked_bytes != Some(refused) => {
                over(what, needed, limit, self.used_bytes)
            }
            _ => error.into(),
        }
    }
}
