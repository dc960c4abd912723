//! `memory.memoryLimit`: which jobs may begin.
//!
//! A limit in the heap would make an allocation fail inside of code that cannot fail, which ends
//! the host. So a job is measured before it takes anything: what is in use, what running jobs were
//! promised and have not taken yet, and what it will need, must fit. The line (`line`) lets it wait
//! for the running ones; what does not fit beside none of them is refused.

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
/// What running jobs will take and have not taken yet.
static PROMISED_BYTES: AtomicU64 = AtomicU64::new(0);

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

/// Whether there is a limit.
pub fn has_limit() -> bool {
    memory_limit_bytes().is_some()
}

/// Sets the limit. What is cached beyond it is given back.
pub fn set_memory_limit(bytes: Option<u64>) {
    let limit = bytes.unwrap_or(NONE);
    LIMIT_BYTES.store(limit, Ordering::Relaxed);
    release_beyond_limit();
}

/// Gives back what is cached when it does not fit the limit beside what is in use. Called when a
/// job has taken its memory: what was cached and fits has become that.
pub fn release_beyond_limit() {
    let cached = nalloc::stats().cached_bytes;
    if memory_limit_bytes().is_some_and(|limit| used_bytes().saturating_add(cached) > limit) {
        nalloc::release_cache();
    }
}

/// Bytes in use, as the limit counts them: keys, witnesses, secrets, arenas, and what proofs took.
pub fn used_bytes() -> u64 {
    let stats = nalloc::stats();
    // Secret arenas, which are those of proofs, lie in the heap.
    let secrets = stats.secret_bytes - stats.secret_arena_bytes;
    let native = stats.live_bytes.saturating_add(secrets);
    native.saturating_add(arena::census().capacity_bytes)
}

/// Whether `what` may take `bytes` bytes now.
pub fn admit(what: &str, bytes: u64) -> Result<(), Failure> {
    Admission::new(None, 0, Room::now()).check(what, bytes)
}

/// What a job takes while it runs, beside what its caller holds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// At most so many bytes.
    Bytes(u64),
    /// Nobody knows before its file is read: under a limit it runs alone.
    Unknown,
}

/// Memory that a job was promised; what it has taken counts as in use, and is promised no more.
pub struct Promise {
    bytes: AtomicU64,
}

impl Promise {
    /// Counts until it is kept or dropped.
    pub fn of(need: Need) -> Self {
        let bytes = match need {
            Need::Bytes(bytes) => bytes,
            Need::Unknown => 0,
        };
        // Relaxed, here and below: the sum stands for itself. A job takes its memory before it
        // keeps the promise: in between it counts twice, never not at all.
        PROMISED_BYTES.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes: AtomicU64::new(bytes) }
    }

    /// The job has taken all that it will take. True the first time, if anything was promised.
    pub fn keep(&self) -> bool {
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        PROMISED_BYTES.fetch_sub(bytes, Ordering::Relaxed);
        bytes > 0
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.keep();
    }
}

/// The limit, and what was in use and promised, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    limit_bytes: Option<u64>,
    used_bytes: u64,
}

impl Room {
    /// As it is now.
    pub fn now() -> Self {
        let promised = PROMISED_BYTES.load(Ordering::Relaxed);
        Self {
            limit_bytes: memory_limit_bytes(),
            used_bytes: used_bytes().saturating_add(promised),
        }
    }

    /// For work that takes nothing worth counting.
    pub fn unlimited() -> Self {
        Self { limit_bytes: None, used_bytes: 0 }
    }

    /// Whether so many bytes more fit.
    pub fn holds(&self, bytes: u64) -> bool {
        self.limit_bytes.is_none_or(|limit| self.used_bytes.saturating_add(bytes) <= limit)
    }

    /// Whether so many bytes fit when nothing else is in use.
    pub fn can_ever_hold(&self, bytes: u64) -> bool {
        self.limit_bytes.is_none_or(|limit| bytes <= limit)
    }

    /// The error of what does not fit.
    pub fn refuse(&self, what: &str, needed: u64) -> Failure {
        let limit = self.limit_bytes.unwrap_or(NONE);
        let [needed, limit, used] = [needed, limit, self.used_bytes].map(number::size_text);
        let message = format!(
            "{what}: needs about {needed}, limit {limit} (memory.memoryLimit) with {used} in use. \
             Raise it, or dispose keys, witnesses and arenas that are not needed"
        );
        Failure::new(LIMIT, message)
    }
}

/// What one job may take.
#[derive(Clone, Copy)]
pub struct Admission {
    /// What its caller allows.
    asked_bytes: Option<u64>,
    /// What there was when it began, less what it held already.
    room: Room,
}

impl Admission {
    /// For a job that began with `room`, whose caller allows `asked_bytes` and which holds
    /// `held_bytes` of its need already.
    pub fn new(asked_bytes: Option<f64>, held_bytes: u64, room: Room) -> Self {
        let used_bytes = room.used_bytes.saturating_sub(held_bytes);
        let room = Room { used_bytes, ..room };
        Self { asked_bytes: asked_bytes.map(number::byte_limit), room }
    }

    /// Refuses what does not fit the limit of the process.
    pub fn check(&self, what: &str, needed: u64) -> Result<(), Failure> {
        if self.room.holds(needed) { Ok(()) } else { Err(self.room.refuse(what, needed)) }
    }

    /// Refuses what does not fit the limit of the process, or that of the caller.
    pub fn allow(&self, what: &'static str, needed: u64) -> Result<(), Failure> {
        match self.bytes_max() {
            Some(limit) if limit < needed => {
                Err(self.explain(Error::Limit { what, needed, limit }))
            }
            _ => Ok(()),
        }
    }

    /// The most that the job may need.
    pub fn bytes_max(&self) -> Option<u64> {
        let left = self.room.limit_bytes.map(|limit| limit.saturating_sub(self.room.used_bytes));
        match (self.asked_bytes, left) {
            (Some(asked), Some(left)) => Some(asked.min(left)),
            (one, other) => one.or(other),
        }
    }

    /// Names the limit that stood in the way, where one did.
    pub fn explain(&self, error: Error) -> Failure {
        let Error::Limit { what, needed, limit: refused } = error else { return error.into() };
        if self.room.limit_bytes.is_some() && self.asked_bytes != Some(refused) {
            return self.room.refuse(what, needed);
        }
        error.into()
    }
}
