//! Threads that all take large buffers at once: the program behind `cargo run --release --example
//! contention`.
//!
//! Each thread takes a buffer, fills it, visits every page again and frees it, until the window
//! ends. A window is cut into slices, and contestants take turns slice by slice. The machine's
//! memory bandwidth and the kernel's page faults are what more threads share.

use core::hint::black_box;
use std::env;
use std::process::ExitCode;
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::allocator::Allocator;
use crate::contestant::{Contestant, contestants};
use crate::format::{length, mib};
use crate::machine::{Machine, available_bytes};
use crate::options::Options;
use crate::record::{Entry, append};
use crate::rounds::{Plan, Summary, run_case, settings};
use crate::table::table;
use crate::target::{Target, report};
use crate::usage::usage;
use crate::worker::{Timed, Workload, serve};

const BENCHMARK: &str = "contention";
const THREADS: [usize; 3] = [1, 4, 16];
/// Slices of a window.
const SLICES: u32 = 9;
const PLAN: Plan = Plan { warm_ups: 1, rounds: SLICES as usize };
const BUFFER_MB: f64 = 64.0;
const WINDOW_S: f64 = 2.0;
const PAGE_BYTES: usize = 4096;
const MIB: f64 = 1_048_576.0;
/// How many times as many operations as ours the best peer may do.
const RATIO_MAX: f64 = 1.10;

/// What every thread does, and for how long.
#[derive(Clone, Copy, Debug)]
struct Contention {
    buffer_mb: f64,
    buffer_bytes: usize,
    window_s: f64,
    slice: Duration,
}

/// Runs the program: 0, or 1 when a target is missed, or 2 when nothing could be measured.
#[must_use]
pub fn main(allocators: &[Allocator]) -> ExitCode {
    let options = Options::parse(env::args().skip(1), 2);
    let options = match options.and_then(|options| Ok((work_of(&options)?, options))) {
        Ok((contention, options)) if options.is_worker => return serve(&contention),
        Ok((contention, options)) => {
            let all: Vec<_> = allocators.iter().flat_map(|&one| contestants(one)).collect();
            compare(&all, &contention, &options)
        }
        Err(error) => Err(error),
    };
    match options {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{BENCHMARK}: {error}");
            ExitCode::from(2)
        }
    }
}

/// The work that the arguments ask for: megabytes of a buffer, then seconds of a window.
fn work_of(options: &Options) -> Result<Contention, String> {
    let megabytes = options.numbers.first().copied().unwrap_or(BUFFER_MB);
    let seconds = options.numbers.get(1).copied().unwrap_or(WINDOW_S);
    if options.is_quick || megabytes > 4096.0 || seconds > 3600.0 || megabytes < 1.0 {
        let expected = "megabytes of 1 to 4096, then seconds of at most 3600, and no --quick";
        return Err(format!("arguments: expected {expected}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let buffer_bytes = (megabytes * MIB) as usize;
    let slice = Duration::from_secs_f64(seconds) / SLICES;
    Ok(Contention { buffer_mb: megabytes, buffer_bytes, window_s: seconds, slice })
}

/// Measures and prints everything; whether all targets are met.
fn compare(
    contestants: &[Contestant],
    contention: &Contention,
    options: &Options,
) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let settings = settings(contestants)?;
    let mut cases: Vec<(usize, Vec<Summary>)> = Vec::new();
    for threads in THREADS {
        let needed = (threads * contention.buffer_bytes * contestants.len()) as u64;
        if available_bytes() < needed {
            println!("left out, needs {} of free memory: {threads} threads", length(needed));
            continue;
        }
        cases.push((threads, run_case(contestants, &threads.to_string(), PLAN)?));
    }
    for (at, (contestant, said)) in contestants.iter().zip(&settings).enumerate() {
        println!(
            "\nallocator={} buffer={} window={}s cores={}",
            contestant.name,
            length(contention.buffer_bytes as u64).replace(' ', ""),
            contention.window_s,
            machine.threads,
        );
        println!("proven: {said}\ngiven: {}", contestant.settings());
        print!("{}", table(&lines(contention, at, &cases)));
    }
    if options.is_recording {
        let entries = entries(contestants, &settings, contention, &cases);
        let file = append(BENCHMARK, "ops/s", &machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("\nrecorded in {}", file.display());
    }
    let targets = targets(contestants, &cases);
    if !targets.is_empty() {
        println!("\n{}", report(&targets));
    }
    Ok(targets.iter().all(Target::is_met))
}

/// The table of one contestant.
fn lines(
    contention: &Contention,
    contestant: usize,
    cases: &[(usize, Vec<Summary>)],
) -> Vec<Vec<String>> {
    let header = ["threads", "ops/s", "GB/s", "resident MiB", "peak MiB"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    for (threads, summaries) in cases {
        let summary = &summaries[contestant];
        let gigabytes = summary.median * contention.buffer_mb * MIB / 1e9;
        lines.push(vec![
            threads.to_string(),
            format!("{:.1}", summary.median),
            format!("{gigabytes:.2}"),
            mib(summary.resident_bytes),
            mib(summary.peak_bytes),
        ]);
    }
    lines
}

fn entries(
    contestants: &[Contestant],
    settings: &[String],
    contention: &Contention,
    cases: &[(usize, Vec<Summary>)],
) -> Vec<Entry> {
    let buffer = length(contention.buffer_bytes as u64);
    let mut entries = Vec::new();
    for (threads, summaries) in cases {
        for ((contestant, said), summary) in contestants.iter().zip(settings).zip(summaries) {
            entries.push(Entry {
                case: format!("{threads} threads, {buffer}"),
                contestant: contestant.name.to_owned(),
                settings: format!("{}; {said}", contestant.settings()),
                summary: *summary,
            });
        }
    }
    entries
}

/// What is asked of ours, where it took part.
fn targets(contestants: &[Contestant], cases: &[(usize, Vec<Summary>)]) -> Vec<Target> {
    let Some(ours) = contestants.iter().position(|one| one.allocator == Allocator::Nalloc) else {
        return Vec::new();
    };
    let target = |(threads, summaries): &(usize, Vec<Summary>)| {
        let peers = summaries.iter().enumerate().filter(|&(at, _)| at != ours);
        let (best, peer) =
            peers.max_by(|(_, one), (_, other)| one.median.total_cmp(&other.median))?;
        Some(Target {
            name: format!("{threads} threads: ops/s of {} against ours", contestants[best].name),
            ratio_max: RATIO_MAX,
            ratio: peer.median / summaries[ours].median,
        })
    };
    cases.iter().filter_map(target).collect()
}

impl Workload for Contention {
    fn check(&self, case: &str) -> Result<(), String> {
        threads_of(case)?;
        let pages = self.buffer_bytes.div_ceil(PAGE_BYTES);
        let sum = filled_pages(self.buffer_bytes);
        if sum == pages { Ok(()) } else { Err(format!("expected {pages} pages, found {sum}")) }
    }

    fn round(&self, case: &str) -> Result<Timed, String> {
        let threads = threads_of(case)?;
        let barrier = Barrier::new(threads);
        // The first thread that goes on after the barrier starts the clock of all.
        let clock = OnceLock::new();
        let one = || {
            // Unmeasured, so that what was given back meanwhile is there again.
            filled_pages(self.buffer_bytes);
            barrier.wait();
            let &(started, _) = clock.get_or_init(|| (Instant::now(), usage().page_faults));
            let mut operations = 0_u32;
            while started.elapsed() < self.slice {
                filled_pages(self.buffer_bytes);
                operations += 1;
            }
            (operations, started.elapsed())
        };
        let ends: Vec<(u32, Duration)> = thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap_or_default()).collect()
        });
        let operations: u32 = ends.iter().map(|&(operations, _)| operations).sum();
        let elapsed = ends.iter().map(|&(_, elapsed)| elapsed).max().unwrap_or_default();
        let faults_before = clock.get().map_or(0, |&(_, faults)| faults);
        let faults = usage().page_faults - faults_before;
        if operations == 0 {
            return Err("expected an operation within the slice, got none".to_owned());
        }
        let value = f64::from(operations) / elapsed.as_secs_f64();
        Ok(Timed { value, page_faults: faults / u64::from(operations) })
    }
}

fn threads_of(case: &str) -> Result<usize, String> {
    case.parse().map_err(|_| format!("expected a number of threads, got {case:?}"))
}

/// Takes a buffer, fills it with ones, adds them up page by page and frees it; the sum. Filling
/// from a pattern that is not zero leaves no page to the kernel's own zeros.
fn filled_pages(bytes: usize) -> usize {
    let buffer = black_box(vec![1_u8; bytes]);
    buffer.iter().step_by(PAGE_BYTES).map(|&byte| usize::from(black_box(byte))).sum()
}
