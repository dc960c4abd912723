//! A job whose need of memory is known before it begins, and what such jobs work with.

use nalloc::Arena;
use nalloc_bn254::Pool;
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, ToNapiValue},
};

use crate::{
    error::{Failure, Result},
    limit::{Admission, Need, Room},
    line::{Grant, Turn},
    number,
    task::{Task, TaskState},
};

/// An arena takes a 32nd more than was asked for, and whole pages.
const ARENA_SLACK_DIVISOR: u64 = 32;
const ARENA_SLACK_BYTES: u64 = 64 << 10;

/// What a job takes, and may take.
pub struct Computation {
    /// How messages call it.
    pub what: &'static str,
    /// Bytes that it takes at most, its result included.
    pub needed_bytes: u64,
    /// Bytes that its caller allows.
    pub memory_limit_bytes: Option<f64>,
}

impl Computation {
    /// Starts `work` when its turn has come and there is memory for it; `finish` runs on the
    /// JavaScript thread. Throws `ERR_LIMIT` where there never is.
    pub fn start<'env, T, D>(
        self,
        env: &'env Env,
        task: &Task,
        work: impl FnOnce(&TaskState, &Grant) -> std::result::Result<T, Failure> + Send + 'static,
        finish: fn(T) -> D,
    ) -> Result<PromiseRaw<'env, D>>
    where
        T: Send + 'static,
        D: ToNapiValue + 'static,
    {
        let Self { what, needed_bytes, memory_limit_bytes } = self;
        let room = Room::now();
        if !room.can_ever_hold(needed_bytes) {
            return Err(room.refuse(what, needed_bytes).into());
        }
        task.start(
            env,
            Turn::InLine(Need::Bytes(needed_bytes)),
            move |state, grant| {
                let admission = Admission::new(memory_limit_bytes, 0, grant.room);
                admission.allow(what, needed_bytes)?;
                work(state, grant)
            },
            finish,
        )
    }
}

/// An arena for what may be secret: overwritten when it is dropped.
pub fn scratch(bytes: usize) -> std::result::Result<Arena, Failure> {
    Ok(Arena::builder().capacity_bytes(bytes).secret(true).build()?)
}

/// What such an arena takes.
pub fn arena_bytes(bytes: usize) -> u64 {
    let bytes = number::wide(bytes);
    bytes.saturating_add(bytes / ARENA_SLACK_DIVISOR).saturating_add(ARENA_SLACK_BYTES)
}

/// Overwrites the stacks of a pool when it goes out of scope.
pub struct ScrubOnDrop<'a>(pub &'a Pool);

impl Drop for ScrubOnDrop<'_> {
    fn drop(&mut self) {
        self.0.scrub_stacks();
    }
}
