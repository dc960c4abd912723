//! The pool of this process, and the waiting line in front of it.
//!
//! A proof uses every thread and a known amount of memory, so proofs run one after another and wait
//! in the order of their calls: eight calls at once then cost the memory of one. The line has a limit;
//! a job that is cancelled while it waits is settled at once.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::available_parallelism,
};

use nalloc_bn254::{Observer, Pool};
use napi_derive::napi;

use crate::{
    error::{BUSY, Failure, INTERNAL, INVALID_ARG, QUEUE_FULL, Result},
    task::TaskState,
};

/// Jobs that may wait; one more is refused with `ERR_QUEUE_FULL`.
const WAITING_MAX: usize = 1000;
/// Jobs that run at the same time. Each of them uses all threads of the pool.
const RUNNING_MAX: usize = 1;
/// The most threads of a pool.
const THREADS_MAX: usize = 1024;

/// A job and the task that may cancel it.
pub struct Job {
    state: Arc<TaskState>,
    run: Box<dyn FnOnce() + Send>,
}

impl Job {
    /// `run` must not unwind, and must settle its promise whether or not `state` was cancelled.
    pub fn new(state: Arc<TaskState>, run: impl FnOnce() + Send + 'static) -> Self {
        Self { state, run: Box::new(run) }
    }
}

struct Line {
    waiting: VecDeque<Job>,
    running: usize,
}

static LINE: Mutex<Line> = Mutex::new(Line { waiting: VecDeque::new(), running: 0 });

fn line() -> MutexGuard<'static, Line> {
    // No code that can panic runs under this lock, and a queue is whole between any two statements.
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

static POOL: OnceLock<Pool> = OnceLock::new();
/// How many threads the pool shall have, if that was said. Held while the pool is made, so that
/// what is said either counts or is refused.
static THREADS: Mutex<Option<usize>> = Mutex::new(None);

fn wanted_threads() -> MutexGuard<'static, Option<usize>> {
    // A number is whole whenever the lock is free.
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As many threads as this process may use at once, unless another number was said.
fn threads_of(wanted: Option<usize>) -> usize {
    let available = || available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX);
    wanted.unwrap_or_else(available)
}

/// The pool that all jobs of this process share; made by the first of them.
pub fn pool() -> std::result::Result<&'static Pool, Failure> {
    if let Some(pool) = POOL.get() {
        return Ok(pool);
    }
    let wanted = wanted_threads();
    if let Some(pool) = POOL.get() {
        return Ok(pool);
    }
    // A refusal is not remembered: fewer threads may be asked for next.
    let pool = Pool::new(Some(threads_of(*wanted)))
        .map_err(|error| Failure::new(INTERNAL, format!("no threads for the pool: {error}")))?;
    Ok(POOL.get_or_init(|| pool))
}

/// Threads that the pool has, or will have.
pub fn thread_count() -> usize {
    let wanted = wanted_threads();
    POOL.get().map_or_else(|| threads_of(*wanted), Pool::thread_count)
}

/// Sets the number of threads of the pool that all jobs of this process share, 1 to 1024. Throws
/// `ERR_BUSY` once there is a pool of another number.
#[napi(catch_unwind)]
pub fn configure_pool(threads: u32) -> Result<()> {
    let count = usize::try_from(threads).unwrap_or(usize::MAX);
    if count == 0 || count > THREADS_MAX {
        let message = format!("threads: expected an integer in 1..{THREADS_MAX}, got {count}");
        return Err(Failure::new(INVALID_ARG, message).into());
    }
    let mut wanted = wanted_threads();
    let made = POOL.get().map(Pool::thread_count);
    if let Some(made) = made.filter(|&made| made != count) {
        let message = format!(
            "threads: expected to be set before the first call that needs them, got {count} after \
             {made} had been started. Call configure() at the start of the program"
        );
        return Err(Failure::new(BUSY, message).into());
    }
    *wanted = Some(count);
    Ok(())
}

/// When a job begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// After those that wait already.
    InLine,
    /// At once: for work of a few milliseconds that needs no memory.
    AtOnce,
}

/// The pool for a job that is about to be made; refuses while nothing has been made yet.
///
/// Callers of other threads may come in between; the limit is then passed by as many.
pub fn pool_for(turn: Turn) -> std::result::Result<&'static Pool, Failure> {
    let pool = pool()?;
    let waiting = line().waiting.len();
    if turn == Turn::AtOnce || waiting < WAITING_MAX {
        return Ok(pool);
    }
    let message = format!(
        "{waiting} calls are waiting, expected fewer than {WAITING_MAX}: retry later (HTTP 503)"
    );
    Err(Failure::new(QUEUE_FULL, message))
}

/// Lets `job` begin when its turn comes.
pub fn enter(pool: &Pool, turn: Turn, job: Job) {
    if turn == Turn::AtOnce {
        return pool.spawn(job.run);
    }
    let mut line = line();
    line.waiting.push_back(job);
    if line.running < RUNNING_MAX {
        line.running += 1;
        drop(line);
        pool.spawn(run_waiting);
    }
}

/// Takes the cancelled jobs out of the line and settles them.
pub fn settle_cancelled() {
    let cancelled: VecDeque<Job> = {
        let mut line = line();
        let (cancelled, waiting) = line.waiting.drain(..).partition(|job| job.state.is_cancelled());
        line.waiting = waiting;
        cancelled
    };
    for job in cancelled {
        (job.run)();
    }
}

fn run_waiting() {
    loop {
        let job = {
            let mut line = line();
            let Some(job) = line.waiting.pop_front() else {
                line.running -= 1;
                return;
            };
            job
        };
        // Outside the lock: a job takes as long as a proof.
        (job.run)();
    }
}
