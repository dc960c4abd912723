//! A contestant's process: this program again with `--worker` and the contestant's environment.
//!
//! It answers requests, one line each, on its standard input and output:
//!
//! | request | answer |
//! |---|---|
//! | `prove` | `ok NAME`, the allocator that serves it |
//! | `heap` | `ok advised` when the C library's heap grows onto huge pages, else `ok plain` |
//! | `settings` | `ok TEXT`, what it says of itself; an allocator leaves 64 MiB in its cache |
//! | `check CASE` | `ok` when the case's results are right |
//! | `round CASE` | `ok VALUE RESIDENT_BYTES PEAK_BYTES PAGE_FAULTS` |
//! | `rest` | `ok RESIDENT_BYTES`; nothing is done before it is answered |
//!
//! and what a benchmark answers beside them. Anything that went wrong is `error TEXT`. It ends when
//! its input ends. Waiting for a line, it uses no processor: only one contestant is at work at any
//! time.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, iter};

use crate::allocator::VARIABLE;
use crate::contestant::{Contestant, FOREIGN};
use crate::machine::is_advice_heard;
use crate::proof;
use crate::rounds::Sample;
use crate::usage::{reset_peak, usage};

/// How often a process is started until its settings have their effect.
const STARTS_MAX: usize = 50;

/// What a benchmark does in its contestants' processes.
pub trait Workload {
    /// What the contestant says of itself: by default, what its allocator says.
    ///
    /// # Errors
    /// What went wrong.
    fn settings(&self) -> Result<String, String> {
        Ok(proof::effective_settings(proof::serving()?))
    }
    /// Whether the case's results are right; nothing is timed.
    fn check(&self, case: &str) -> Result<(), String>;
    /// One round of a case.
    fn round(&self, case: &str) -> Result<Timed, String>;
    /// What else this benchmark asks.
    fn answer(&self, request: &str) -> Result<String, String> {
        Err(format!("unknown request {request:?}"))
    }
}

/// What a round took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// In the unit of the benchmark, per repetition.
    pub value: f64,
    /// Page faults per repetition.
    pub page_faults: u64,
}

/// Does the work once unmeasured, so that what was given back while others had their turn is there
/// again, then `repetitions` times measured; milliseconds.
pub fn time(repetitions: u32, mut work: impl FnMut()) -> Timed {
    work();
    let faults_before = usage().page_faults;
    let started = Instant::now();
    (0..repetitions).for_each(|_| work());
    let value = started.elapsed().as_secs_f64() * 1e3 / f64::from(repetitions);
    let page_faults = (usage().page_faults - faults_before) / u64::from(repetitions);
    Timed { value, page_faults }
}

/// Answers until the input ends.
pub fn serve(workload: &impl Workload) -> ExitCode {
    let mut out = io::stdout();
    for line in io::stdin().lines() {
        let Ok(line) = line else { return ExitCode::FAILURE };
        let answer = match answer(workload, &line) {
            Ok(text) => format!("ok {text}\n"),
            Err(text) => format!("error {text}\n"),
        };
        if out.write_all(answer.as_bytes()).and_then(|()| out.flush()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn answer(workload: &impl Workload, request: &str) -> Result<String, String> {
    match request.split_once(' ').unwrap_or((request, "")) {
        ("prove", "") => Ok(proof::serving()?.name().to_owned()),
        ("heap", "") => Ok(if proof::is_heap_advised() { "advised" } else { "plain" }.to_owned()),
        ("settings", "") => workload.settings(),
        ("rest", "") => Ok(usage().resident_bytes.to_string()),
        ("check", case) => workload.check(case).map(|()| String::new()),
        ("round", case) => {
            reset_peak();
            let Timed { value, page_faults } = workload.round(case)?;
            let usage = usage();
            Ok(format!("{value} {} {} {page_faults}", usage.resident_bytes, usage.peak_bytes))
        }
        _ => workload.answer(request),
    }
}

/// A contestant's process, seen from the process that measures.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    expected: &'static str,
    child: Child,
    /// Taken when it ends.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a contestant and has it prove who it is.
    ///
    /// A heap that its settings put on huge pages is seen there, or the process is started again:
    /// what glibc 2.36 makes of that setting depends on what stood on its stack.
    ///
    /// # Errors
    /// When it does not start, another allocator than the contestant's serves it, or its heap is
    /// not where its settings want it.
    pub fn start(contestant: &Contestant) -> Result<Self, String> {
        let name = contestant.name;
        let program = env::current_exe().map_err(|error| format!("{name}: no process: {error}"))?;
        let arguments = env::args().skip(1).chain(iter::once("--worker".to_owned()));
        Self::start_program(contestant, &program, &arguments.collect::<Vec<_>>())
    }

    /// Starts another program as a contestant, and has it prove who it is, as [`Self::start`] does.
    ///
    /// # Errors
    /// As there.
    pub fn start_program(
        contestant: &Contestant,
        program: &Path,
        arguments: &[String],
    ) -> Result<Self, String> {
        for _ in 0..STARTS_MAX {
            let mut worker = Self::start_once(contestant, program, arguments)?;
            let is_wanted = contestant.is_heap_advised && is_advice_heard();
            if !is_wanted || worker.ask("heap")? == "advised" {
                return Ok(worker);
            }
        }
        Err(format!("{}: expected a heap on huge pages, got {STARTS_MAX} without", contestant.name))
    }

    fn start_once(
        contestant: &Contestant,
        program: &Path,
        arguments: &[String],
    ) -> Result<Self, String> {
        let name = contestant.name;
        let mut command = Command::new(program);
        command.args(arguments);
        for (variable, _) in env::vars_os() {
            let text = variable.to_string_lossy();
            if FOREIGN.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&variable);
            }
        }
        command.env(VARIABLE, contestant.allocator.name());
        command.envs(contestant.environment.iter().copied());
        let mut worker = Self::spawn(name, &mut command)?;
        worker.expected = contestant.allocator.name();
        worker.prove()?;
        Ok(worker)
    }

    /// Starts a program that answers requests, and need not prove anything.
    ///
    /// # Errors
    /// When it does not start.
    pub fn spawn(name: &'static str, command: &mut Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name}: no process: {error}"))?;
        let requests = child.stdin.take();
        let answers = child.stdout.take().ok_or_else(|| format!("{name}: no output"))?;
        let answers = BufReader::new(answers);
        Ok(Self { name, expected: name, child, requests, answers })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it prove that its allocator serves it.
    ///
    /// # Errors
    /// When another one does.
    pub fn prove(&mut self) -> Result<(), String> {
        let served_by = self.ask("prove")?;
        if served_by == self.expected {
            return Ok(());
        }
        Err(format!("{}: expected to be served by {}, got {served_by}", self.name, self.expected))
    }

    /// One round of a case.
    ///
    /// # Errors
    /// What went wrong in the contestant's process.
    pub fn round(&mut self, case: &str) -> Result<Sample, String> {
        let answer = self.ask(&format!("round {case}"))?;
        Sample::parse(&answer).ok_or_else(|| format!("{}: expected figures: {answer}", self.name))
    }

    /// What it has in memory while it waits for requests.
    ///
    /// # Errors
    /// That it ended.
    pub fn resident_bytes(&mut self) -> Result<u64, String> {
        let answer = self.ask("rest")?;
        answer.parse().map_err(|_| format!("{}: expected bytes, got {answer:?}", self.name))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// What went wrong in the contestant's process, or that it ended.
    pub fn ask(&mut self, request: &str) -> Result<String, String> {
        let name = self.name;
        let ended = |error: io::Error| format!("{name}: {request}: {error}");
        let requests = self.requests.as_mut().ok_or_else(|| format!("{name}: has ended"))?;
        requests.write_all(format!("{request}\n").as_bytes()).map_err(ended)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(ended)?;
        match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("ok", text) => Ok(text.to_owned()),
            ("error", text) => Err(format!("{name}: {request}: {text}")),
            _ => Err(format!("{name}: {request}: expected an answer, got {line:?}")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.requests.take());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stub;

    impl Workload for Stub {
        fn check(&self, case: &str) -> Result<(), String> {
            if case == "good" { Ok(()) } else { Err(format!("no case {case}")) }
        }

        fn round(&self, case: &str) -> Result<Timed, String> {
            self.check(case).map(|()| Timed { value: 1.5, page_faults: 7 })
        }
    }

    #[test]
    fn a_round_is_answered_with_figures_that_the_other_side_reads() {
        let answer = answer(&Stub, "round good").expect("figures");
        let sample = Sample::parse(&answer).expect("four figures");

        assert!((sample.value - 1.5).abs() < 1e-12);
        assert_eq!(sample.page_faults, 7);
        assert!(sample.peak_bytes > 0 && sample.resident_bytes > 0, "{answer}");
    }

    #[test]
    fn what_a_worker_cannot_do_is_an_error_in_words() {
        assert_eq!(answer(&Stub, "check bad"), Err("no case bad".to_owned()));
        assert_eq!(answer(&Stub, "dance"), Err("unknown request \"dance\"".to_owned()));
        assert_eq!(answer(&Stub, "check good"), Ok(String::new()));
    }

    #[test]
    fn what_is_in_memory_is_answered_without_a_round() {
        let answer = answer(&Stub, "rest").expect("bytes");
        assert!(answer.parse::<u64>().is_ok_and(|bytes| bytes > 0), "{answer}");
    }

    #[test]
    fn work_is_done_once_more_than_it_is_timed() {
        let mut count = 0;
        time(4, || count += 1);
        assert_eq!(count, 5);
    }
}
