//! One asynchronous call: its cancellation, its progress, its promise.
//!
//! A `Task` is made in TypeScript for one call and handed to it. The call puts a job in the line
//! (`line`), which runs it on the pool; the promise is settled on the JavaScript thread through
//! napi-rs's deferred, which survives the end of its environment by dropping the result. A hook per
//! environment (one for the main thread, one per worker) cancels its jobs when it goes away, so
//! that a terminated worker does not leave two cores proving for nobody. A job never touches the
//! `Env`.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use nalloc_bn254::Observer;
use napi::{
    Env, JsDeferred, Status,
    bindgen_prelude::{FnArgs, Function, PromiseRaw, ToNapiValue},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;

use crate::{
    error::{Failure, Result, guard},
    limit::Need,
    line::{self, Grant, Settle, Turn},
    number,
};

/// Shortest time between two progress reports in one phase. A call has at most ten phases, each of
/// which is reported when it begins: 20 reports a second at most.
const PROGRESS_INTERVAL_MS_MIN: u64 = 100;
/// Progress reports that may wait for a busy event loop; later ones are dropped. A small proof
/// begins all of its six phases before the loop looks.
const PROGRESS_WAITING_MAX: usize = 16;

type ProgressArgs = FnArgs<(String, f64, f64)>;
/// Weak: a progress callback alone never keeps the process alive.
type ProgressFunction =
    ThreadsafeFunction<ProgressArgs, (), ProgressArgs, Status, false, true, PROGRESS_WAITING_MAX>;

/// One native call in progress. A task serves one call.
#[napi]
pub struct Task {
    state: Arc<TaskState>,
}

#[napi]
impl Task {
    /// `onProgress(phase, done, total)` is called from the event loop, at most 20 times a second.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "((phase: string, done: number, total: number) => void) | null")]
        on_progress: Option<Function<'_, ProgressArgs, ()>>,
    ) -> napi::Result<Self> {
        let on_progress = on_progress
            .map(|callback| {
                callback
                    .build_threadsafe_function::<ProgressArgs>()
                    .weak::<true>()
                    .max_queue_size::<PROGRESS_WAITING_MAX>()
                    .build()
            })
            .transpose()?;
        let state = Arc::new(TaskState {
            is_cancelled: AtomicBool::new(false),
            on_progress,
            started: Instant::now(),
            reported_ms: AtomicU64::new(0),
            phases: Mutex::new(Vec::new()),
            open_phase: Mutex::new(None),
        });
        cancel_with_env(env, &state)?;
        Ok(Self { state })
    }

    /// Asks the call to stop; its promise rejects with `ERR_CANCELLED` within milliseconds.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.state.cancel();
        line::settle_cancelled();
    }
}

impl Task {
    /// Starts `work` on a thread of the pool when its turn comes, and returns the promise of its
    /// result; `finish` runs on the JavaScript thread with it.
    pub fn start<'env, T, D>(
        &self,
        env: &'env Env,
        turn: Turn,
        work: impl FnOnce(&TaskState, &Grant) -> std::result::Result<T, Failure> + Send + 'static,
        finish: fn(T) -> D,
    ) -> Result<PromiseRaw<'env, D>>
    where
        T: Send + 'static,
        D: ToNapiValue + 'static,
    {
        line::check_turn(turn)?;
        let (job, promise) = self.job(env, turn.need(), work, finish)?;
        self.state.progress("queue", 0, 1);
        line::enter(turn, job)?;
        Ok(promise)
    }

    fn job<'env, T, D>(
        &self,
        env: &'env Env,
        need: Need,
        work: impl FnOnce(&TaskState, &Grant) -> std::result::Result<T, Failure> + Send + 'static,
        finish: fn(T) -> D,
    ) -> Result<(line::Job, PromiseRaw<'env, D>)>
    where
        T: Send + 'static,
        D: ToNapiValue + 'static,
    {
        let (deferred, promise) = deferred(env).map_err(|error| into_coded(&error))?;
        let state = Arc::clone(&self.state);
        let run = move |grant: Option<Grant>| {
            let outcome = guard(|| match grant {
                Some(grant) if !state.is_cancelled() => work(&state, &grant),
                _ => Err(Failure::cancelled()),
            });
            state.end_phase();
            let settle = move || {
                deferred.resolve(Box::new(move |env: Env| match outcome {
                    Ok(value) => Ok(finish(value)),
                    Err(failure) => Err(failure.into_rejection(env)),
                }));
            };
            Box::new(settle) as Settle
        };
        let job = line::Job::new(Arc::clone(&self.state), need, run);
        Ok((job, promise))
    }
}

type Resolver<D> = Box<dyn FnOnce(Env) -> napi::Result<D> + Send>;

type Deferred<'env, D> = (JsDeferred<D, Resolver<D>>, PromiseRaw<'env, D>);

fn deferred<D: ToNapiValue + 'static>(env: &Env) -> napi::Result<Deferred<'_, D>> {
    let (deferred, promise) = env.create_deferred()?;
    Ok((deferred, PromiseRaw::new(env.raw(), napi::JsValue::raw(&promise))))
}

fn into_coded(error: &napi::Error) -> napi::Error<crate::error::Code> {
    Failure::new(crate::error::INTERNAL, format!("Node-API refused a promise: {}", error.reason))
        .into()
}

/// What a running job can see of its task. Lives as long as the longer of the two.
pub struct TaskState {
    is_cancelled: AtomicBool,
    on_progress: Option<ProgressFunction>,
    started: Instant,
    /// When progress was last reported, in milliseconds after `started`; 0 = never.
    reported_ms: AtomicU64,
    /// Start of each phase, in the order in which they began.
    phases: Mutex<Vec<(&'static str, Duration)>>,
    /// The last of them in the heap's account, until the job ends.
    open_phase: Mutex<Option<nalloc::Phase>>,
}

impl TaskState {
    /// Tells the job to stop at its next check.
    pub fn cancel(&self) {
        // Partner: the Acquire load in `is_cancelled`. Nothing else is published by it.
        self.is_cancelled.store(true, Ordering::Release);
    }

    /// Milliseconds spent in each phase, until now.
    pub fn phase_times_ms(&self) -> Vec<(&'static str, f64)> {
        let now = self.started.elapsed();
        let Ok(phases) = self.phases.lock() else { return Vec::new() };
        let ends = phases.iter().skip(1).map(|&(_, start)| start).chain([now]);
        phases
            .iter()
            .zip(ends)
            .map(|(&(name, start), end)| (name, end.saturating_sub(start).as_secs_f64() * 1e3))
            .collect()
    }

    fn enter_phase(&self, phase: &'static str) -> bool {
        let Ok(mut phases) = self.phases.lock() else { return false };
        let is_new = phases.last().is_none_or(|&(name, _)| name != phase);
        if is_new {
            phases.push((phase, self.started.elapsed()));
            self.end_phase();
            if let Ok(mut open) = self.open_phase.lock() {
                *open = Some(nalloc::phase(phase));
            }
        }
        is_new
    }

    /// Ends the phase that is open in the heap's account, if one is.
    fn end_phase(&self) {
        if let Ok(mut open) = self.open_phase.lock() {
            *open = None;
        }
    }

    /// True for the caller that may report now: the one that began a phase, or the first one 100 ms
    /// after the last report.
    fn takes_turn(&self, is_new_phase: bool) -> bool {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Relaxed: the word orders nothing but itself; a lost race loses one report.
        if is_new_phase {
            self.reported_ms.store(now_ms, Ordering::Relaxed);
            return true;
        }
        let last_ms = self.reported_ms.load(Ordering::Relaxed);
        now_ms.saturating_sub(last_ms) >= PROGRESS_INTERVAL_MS_MIN
            && self
                .reported_ms
                .compare_exchange(last_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Observer for TaskState {
    fn is_cancelled(&self) -> bool {
        // Partner: the Release store in `cancel`.
        self.is_cancelled.load(Ordering::Acquire)
    }

    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        let is_new_phase = self.enter_phase(phase);
        let Some(on_progress) = &self.on_progress else { return };
        if self.takes_turn(is_new_phase) {
            let args =
                FnArgs::from((phase.to_owned(), number::from_u64(done), number::from_u64(total)));
            // A full queue or a closing environment drops the report; nothing depends on it.
            let _dropped = on_progress.call(args, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

/// The tasks of one environment that may still run.
struct EnvTasks(Arc<Mutex<Vec<Weak<TaskState>>>>);

/// Remembers `state`, so that it is cancelled when `env` goes away (worker ended, process exiting).
fn cancel_with_env(env: Env, state: &Arc<TaskState>) -> napi::Result<()> {
    if env.get_instance_data::<EnvTasks>()?.is_none() {
        let tasks = Arc::new(Mutex::new(Vec::new()));
        env.set_instance_data(EnvTasks(Arc::clone(&tasks)), (), |_| ())?;
        env.add_env_cleanup_hook(tasks, |tasks: Arc<Mutex<Vec<Weak<TaskState>>>>| {
            let Ok(tasks) = tasks.lock() else { return };
            tasks.iter().filter_map(Weak::upgrade).for_each(|state| state.cancel());
        })?;
    }
    if let Some(EnvTasks(tasks)) = env.get_instance_data::<EnvTasks>()?
        && let Ok(mut tasks) = tasks.lock()
    {
        tasks.retain(|state| state.strong_count() > 0);
        tasks.push(Arc::downgrade(state));
    }
    Ok(())
}
