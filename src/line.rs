//! The pools of this process, and the waiting line in front of them.
//!
//! A proof uses every thread of a pool and a known amount of memory, so proofs run one after
//! another unless `configure_line` says otherwise, and wait in the order of their calls: eight
//! calls at once then cost the memory of one. Each place where a job runs has a pool of its own,
//! because a job that waits for its threads takes up whatever its pool has, and would end when that
//! has ended.
//!
//! Under a memory limit (`limit`) the first one in the line waits until what it needs fits beside
//! what the running ones have and were promised; those behind it wait for it. The line has an end;
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
    error::{BUSY, Failure, INVALID_ARG, QUEUE_FULL, Result},
    limit::{self, Need, Promise, Room},
    number,
    task::TaskState,
};

/// Jobs that may wait, unless it was said otherwise; one more is refused with `ERR_QUEUE_FULL`.
const WAITING_MAX: usize = 1000;
/// Jobs that run at the same time, unless it was said otherwise.
const RUNNING_MAX: usize = 1;
/// The most jobs that can be let run at the same time.
const PLACES: usize = 64;
/// The most threads of a pool.
const THREADS_MAX: usize = 1024;

/// What a job may use once its turn has come.
pub struct Grant {
    /// Threads that no other job of the line has meanwhile.
    pub pool: &'static Pool,
    /// The memory that there was when the job began.
    pub room: Room,
    /// Memory that the job will take and has not taken yet.
    pub promise: Promise,
}

impl Grant {
    /// The job has taken all the memory that it will take: whoever waits for memory may begin.
    pub fn keep_promise(&self) {
        if self.promise.keep() {
            limit::release_beyond_limit();
            advance();
        }
    }
}

/// What tells a job's caller how it ended.
pub type Settle = Box<dyn FnOnce() + Send>;

/// A job and the task that may cancel it.
pub struct Job {
    state: Arc<TaskState>,
    need: Need,
    run: Box<dyn FnOnce(Option<Grant>) -> Settle + Send>,
}

impl Job {
    /// `run` must not unwind. Without a grant it was cancelled while it waited.
    pub fn new(
        state: Arc<TaskState>,
        need: Need,
        run: impl FnOnce(Option<Grant>) -> Settle + Send + 'static,
    ) -> Self {
        Self { state, need, run: Box::new(run) }
    }
}

/// A job that runs.
struct Running {
    /// The index of its pool.
    place: usize,
    need: Need,
}

struct Line {
    waiting: VecDeque<Job>,
    running: Vec<Running>,
    waiting_max: usize,
    running_max: usize,
}

static LINE: Mutex<Line> = Mutex::new(Line {
    waiting: VecDeque::new(),
    running: Vec::new(),
    waiting_max: WAITING_MAX,
    running_max: RUNNING_MAX,
});

fn line() -> MutexGuard<'static, Line> {
    // A line is whole between any two statements under this lock.
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// Where the next job can run.
    fn free_place(&self) -> Option<usize> {
        let is_free = |place: &usize| self.running.iter().all(|running| running.place != *place);
        (self.running.len() < self.running_max).then(|| (0..PLACES).find(is_free)).flatten()
    }

    /// The memory that there is for a job of this need, if it can begin beside those that run.
    fn room_for(&self, need: Need) -> Option<Room> {
        let room = Room::now();
        let is_known = |need: Need| matches!(need, Need::Bytes(_));
        let begins = match need {
            // Nothing that could be waited for: it begins, and is refused if it does not fit.
            _ if self.running.is_empty() || !limit::has_limit() => true,
            Need::Bytes(bytes) if self.running.iter().all(|running| is_known(running.need)) => {
                room.holds(bytes)
            }
            _ => false,
        };
        begins.then_some(room)
    }
}

/// One pool for each place, made when it is used for the first time.
static POOLS: [OnceLock<Pool>; PLACES] = [const { OnceLock::new() }; PLACES];
/// How many threads each pool shall have, if that was said. Held while a pool is made, so that what
/// is said either counts or is refused.
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

/// The first pool: that of every job that runs alone.
pub fn pool() -> std::result::Result<&'static Pool, Failure> {
    pool_at(0)
}

fn pool_at(place: usize) -> std::result::Result<&'static Pool, Failure> {
    let slot = &POOLS[place];
    if let Some(pool) = slot.get() {
        return Ok(pool);
    }
    let wanted = wanted_threads();
    if let Some(pool) = slot.get() {
        return Ok(pool);
    }
    // A refusal is not remembered: fewer threads may be asked for next.
    let count = POOLS[0].get().map_or_else(|| threads_of(*wanted), Pool::thread_count);
    let pool = Pool::new(Some(count))?;
    Ok(slot.get_or_init(|| pool))
}

/// How many calls may wait.
#[napi(catch_unwind)]
#[must_use]
pub fn queue_max() -> f64 {
    number::from_usize(line().waiting_max)
}

/// How many threads a job has, or will have.
#[napi(catch_unwind)]
#[must_use]
pub fn job_threads() -> f64 {
    number::from_usize(thread_count())
}

/// Threads that a pool has, or will have.
pub fn thread_count() -> usize {
    let wanted = wanted_threads();
    POOLS[0].get().map_or_else(|| threads_of(*wanted), Pool::thread_count)
}

/// Sets the number of threads that a job has, 1 to 1024. Throws `ERR_BUSY` once there is a pool of
/// another number.
#[napi(catch_unwind)]
pub fn configure_pool(threads: u32) -> Result<()> {
    let count = usize::try_from(threads).unwrap_or(usize::MAX);
    if count == 0 || count > THREADS_MAX {
        let message = format!("threads: expected an integer in 1..{THREADS_MAX}, got {count}");
        return Err(Failure::new(INVALID_ARG, message).into());
    }
    let mut wanted = wanted_threads();
    let made = POOLS[0].get().map(Pool::thread_count);
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

/// Sets how many jobs run at the same time, 1 to 64, and how many may wait; absent leaves it.
#[napi(catch_unwind)]
pub fn configure_line(running_max: Option<u32>, waiting_max: Option<u32>) -> Result<()> {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    if let Some(got) = running_max.filter(|&number| !(1..=PLACES).contains(&count(number))) {
        let message = format!("concurrency: expected an integer in 1..{PLACES}, got {got}");
        return Err(Failure::new(INVALID_ARG, message).into());
    }
    {
        let mut line = line();
        line.running_max = running_max.map_or(line.running_max, count);
        line.waiting_max = waiting_max.map_or(line.waiting_max, count);
    }
    advance();
    Ok(())
}

/// When a job begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// After those that wait already, and when there is memory for it.
    InLine(Need),
    /// At once: for work of a few milliseconds that needs no memory.
    AtOnce,
}

impl Turn {
    /// What a job that waits in the line asks for.
    pub fn need(self) -> Need {
        match self {
            Self::InLine(need) => need,
            Self::AtOnce => Need::Bytes(0),
        }
    }
}

/// Refuses a job that is about to be made when nothing has been made yet.
///
/// Callers of other threads may come in between; the limit is then passed by as many.
pub fn check_turn(turn: Turn) -> std::result::Result<(), Failure> {
    pool()?;
    let Turn::InLine(need) = turn else { return Ok(()) };
    let line = line();
    let (waiting, max) = (line.waiting.len(), line.waiting_max);
    let begins = waiting == 0 && line.free_place().is_some() && line.room_for(need).is_some();
    if begins || waiting < max {
        return Ok(());
    }
    let message =
        format!("{waiting} calls are waiting, and maxQueue allows {max}: retry later (HTTP 503)");
    Err(Failure::new(QUEUE_FULL, message))
}

/// Lets `job` begin when its turn comes.
pub fn enter(turn: Turn, job: Job) -> std::result::Result<(), Failure> {
    if turn == Turn::AtOnce {
        let pool = pool()?;
        let grant = Grant { pool, room: Room::unlimited(), promise: Promise::of(turn.need()) };
        pool.spawn(move || (job.run)(Some(grant))());
        return Ok(());
    }
    line().waiting.push_back(job);
    advance();
    Ok(())
}

/// Runs `work`, which must not unwind, on a thread of the first pool; here where there is none yet.
pub fn run_aside(work: impl FnOnce() + Send + 'static) {
    match POOLS[0].get() {
        Some(pool) => pool.spawn(work),
        None => work(),
    }
}

/// Lets every job begin whose turn has come: after one has ended or has taken its memory, and after
/// a limit has changed.
pub fn advance() {
    while let Some((place, job, grant)) = next() {
        let pool = grant.pool;
        pool.spawn(move || {
            let settle = (job.run)(Some(grant));
            // Before its caller knows: whoever awaited it finds the place free.
            line().running.retain(|running| running.place != place);
            settle();
            advance();
        });
    }
}

fn next() -> Option<(usize, Job, Grant)> {
    let mut line = line();
    let need = line.waiting.front()?.need;
    let place = line.free_place()?;
    let room = line.room_for(need)?;
    // Without threads for one more job, it waits for those of another.
    let pool = pool_at(place).ok()?;
    let job = line.waiting.pop_front()?;
    line.running.push(Running { place, need });
    Some((place, job, Grant { pool, room, promise: Promise::of(need) }))
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
        (job.run)(None)();
    }
    advance();
}
