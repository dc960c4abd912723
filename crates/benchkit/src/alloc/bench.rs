//! What a contestant's process does when it is asked.

use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use super::buffer::Buffer;
use super::cases::{Case, Place, Unit};
use super::work::{Care, MIB, Work};
use crate::allocator::phase;
use crate::usage::usage;
use crate::worker::{Timed, Workload};

/// Touches a block for the first time in its process.
pub const COLD: &str = "cold";
/// Shifts classes and frees everything.
pub const IDLE: &str = "idle";
/// The same; some small blocks stay.
pub const SURVIVORS: &str = "survivors";
/// Locks what is in memory; the figure is by how many MiB that grew.
pub const LOCK: &str = "lock";
pub const SURVIVORS_COUNT: usize = 24;
pub const SURVIVOR_BYTES: usize = 512 << 10;
pub const COLD_BYTES: usize = 656 * MIB;

/// The cases, and what outlives a request.
#[derive(Debug)]
pub struct Bench {
    cases: Vec<Case>,
    divisor: usize,
    /// One thread for all rounds that are not on the main one: a thread pool outlives its work.
    thread: Mutex<Option<Remote>>,
    kept: Mutex<Vec<Buffer>>,
}

/// A thread that measures what it is sent.
#[derive(Debug)]
struct Remote {
    requests: mpsc::Sender<Case>,
    answers: mpsc::Receiver<Result<Timed, String>>,
}

impl Bench {
    /// Of cases with divided sizes.
    #[must_use]
    pub fn new(cases: Vec<Case>, divisor: usize) -> Self {
        Self { cases, divisor, thread: Mutex::new(None), kept: Mutex::new(Vec::new()) }
    }

    fn find(&self, id: &str) -> Result<&Case, String> {
        self.cases.iter().find(|case| case.id() == id).ok_or_else(|| format!("no pattern {id:?}"))
    }

    fn on_thread(&self, case: &Case) -> Result<Timed, String> {
        let ended = "expected a thread that answers, got none";
        let mut thread = self.thread.lock().map_err(|_| ended.to_owned())?;
        let remote = thread.get_or_insert_with(Remote::start);
        remote.requests.send(case.clone()).map_err(|_| ended.to_owned())?;
        remote.answers.recv().map_err(|_| ended.to_owned())?
    }

    /// Shifts classes; small blocks that are taken meanwhile stay if they are asked for.
    fn shift_and_keep(&self, survivors: usize) -> Result<Timed, String> {
        let mut kept = self.kept.lock().map_err(|error| error.to_string())?;
        kept.clear();
        phase(|| Work::Shift { divisor: self.divisor }.run(Care::Timed))?;
        let others: Vec<Buffer> = (0..survivors)
            .map(|_| {
                let other = Buffer::filled(32 * MIB / self.divisor, 1);
                kept.push(Buffer::filled(SURVIVOR_BYTES, 2));
                other
            })
            .collect();
        drop(others);
        Ok(Timed { value: 0.0, page_faults: 0 })
    }
}

impl Workload for Bench {
    fn check(&self, id: &str) -> Result<(), String> {
        let work = self.find(id)?.work;
        // Twice: the second time, memory is used again.
        [(); 2].iter().try_for_each(|()| phase(|| work.run(Care::Checked)).map(|_| ()))
    }

    fn round(&self, id: &str) -> Result<Timed, String> {
        match id {
            COLD => once(Work::Touched { bytes: COLD_BYTES / self.divisor }),
            IDLE => self.shift_and_keep(0),
            SURVIVORS => self.shift_and_keep(SURVIVORS_COUNT),
            LOCK => lock_resident(),
            _ => {
                let case = self.find(id)?;
                if case.place == Place::Worker { self.on_thread(case) } else { measure(case) }
            }
        }
    }
}

impl Remote {
    fn start() -> Self {
        let (requests, cases) = mpsc::channel::<Case>();
        let (results, answers) = mpsc::channel();
        // Ends when the process does.
        thread::spawn(move || {
            cases.iter().try_for_each(|case| results.send(measure(&case)).ok());
        });
        Self { requests, answers }
    }
}

/// Runs a case once unmeasured, so that what was given back while others had their turn is there
/// again, then measured.
fn measure(case: &Case) -> Result<Timed, String> {
    phase(|| case.work.run(Care::Timed))?;
    let faults_before = usage().page_faults;
    let mut elapsed = Duration::ZERO;
    for _ in 0..case.repetitions {
        elapsed += phase(|| case.work.run(Care::Timed))?;
    }
    let page_faults = (usage().page_faults - faults_before) / u64::from(case.repetitions);
    let seconds = elapsed.as_secs_f64() / f64::from(case.repetitions);
    let value = match case.unit {
        Unit::Ms => seconds * 1e3,
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        Unit::NsEach(count) => seconds * 1e9 / count as f64,
    };
    Ok(Timed { value, page_faults })
}

fn once(work: Work) -> Result<Timed, String> {
    let faults_before = usage().page_faults;
    let elapsed = phase(|| work.run(Care::Timed))?;
    let page_faults = usage().page_faults - faults_before;
    Ok(Timed { value: elapsed.as_secs_f64() * 1e3, page_faults })
}

/// Has the heap begin, then locks all that this process has mapped.
#[expect(clippy::cast_precision_loss, reason = "mebibytes far below 2^52")]
fn lock_resident() -> Result<Timed, String> {
    drop(Buffer::filled(MIB, 1));
    let before = usage().resident_bytes;
    // SAFETY: the call has no conditions.
    if unsafe { libc::mlockall(libc::MCL_CURRENT) } != 0 {
        return Err(format!("mlockall: {}", std::io::Error::last_os_error()));
    }
    let grown = usage().resident_bytes.saturating_sub(before);
    // SAFETY: the call has no conditions.
    unsafe { libc::munlockall() };
    Ok(Timed { value: grown as f64 / MIB as f64, page_faults: 0 })
}

#[cfg(test)]
mod tests {
    use super::super::cases::cases;
    use super::*;

    #[test]
    fn a_pattern_that_does_not_exist_is_named() {
        let bench = Bench::new(cases(16), 16);
        assert_eq!(bench.round("absent"), Err("no pattern \"absent\"".to_owned()));
    }
}
