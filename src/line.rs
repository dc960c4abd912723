//! The waiting line in front of the pool.
//!
//! A proof uses every thread and a known amount of memory, so proofs run one after another and wait
//! in the order of their calls: eight calls at once then cost the memory of one. The line has a limit;
//! a job that is cancelled while it waits is settled at once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use nalloc_bn254::{Observer, Pool};

use crate::{
    error::{Failure, INTERNAL, QUEUE_FULL},
    task::TaskState,
};

/// Jobs that may wait; one more is refused with `ERR_QUEUE_FULL`.
const WAITING_MAX: usize = 1000;
/// Jobs that run at the same time. Each of them uses all threads of the pool.
const RUNNING_MAX: usize = 1;

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

/// The pool that all jobs of this process share; made by the first of them.
pub fn pool() -> Result<&'static Pool, Failure> {
    static POOL: OnceLock<Result<Pool, String>> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(None).map_err(|error| error.to_string()))
        .as_ref()
        .map_err(|reason| Failure::new(INTERNAL, format!("no threads for the pool: {reason}")))
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
pub fn pool_for(turn: Turn) -> Result<&'static Pool, Failure> {
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
