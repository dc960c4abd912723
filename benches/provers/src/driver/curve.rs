//! Resident memory over time: two proofs, and then nobody calls.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benchkit::record::Entry;
use benchkit::rounds::{Sample, Summary};

use super::contestants::{Entrant, OURS_LIMITED, STOCK};

/// The prover whose memory is shown.
pub const PROVER: &str = "p3-keccak";
const CONTESTANTS: [&str; 4] = [STOCK, "glibc tuned", "jemalloc tuned", OURS_LIMITED];
/// Between two looks.
const STEP: Duration = Duration::from_millis(50);
/// How long it is looked at after the last proof.
const REST: Duration = Duration::from_secs(4);

/// A line for each look: the time since the request in ms as its value, and what was resident.
pub fn entries(entrants: &[Entrant]) -> Result<Vec<Entry>, String> {
    let shown = entrants.iter().filter(|one| CONTESTANTS.contains(&one.contestant.name));
    let curves = shown.map(|entrant| {
        let entry = |sample: Sample| Entry {
            case: format!("{PROVER}: over time"),
            contestant: entrant.contestant.name.to_owned(),
            settings: entrant.contestant.settings(),
            summary: Summary::of(&[sample]),
        };
        Ok(samples(entrant)?.into_iter().map(entry).collect::<Vec<_>>())
    });
    Ok(curves.collect::<Result<Vec<_>, String>>()?.concat())
}

fn samples(entrant: &Entrant) -> Result<Vec<Sample>, String> {
    let mut worker = entrant.start()?;
    let (process, is_over) = (worker.id(), AtomicBool::new(false));
    thread::scope(|scope| {
        let looking = scope.spawn(|| look(process, &is_over));
        let answer = worker.ask(&format!("warm {PROVER}"));
        // Not a way to wait for something: what happens while nobody calls is what is shown.
        thread::sleep(REST);
        // Relaxed: the flag stands for itself.
        is_over.store(true, Ordering::Relaxed);
        let samples = looking.join().map_err(|_| "the thread that looks has panicked".to_owned());
        answer.and(samples)
    })
}

fn look(process: u32, is_over: &AtomicBool) -> Vec<Sample> {
    let started = Instant::now();
    let mut samples = Vec::new();
    // Relaxed: as above.
    while !is_over.load(Ordering::Relaxed) {
        let value = started.elapsed().as_secs_f64() * 1e3;
        let resident_bytes = resident_bytes(process);
        samples.push(Sample { value, resident_bytes, peak_bytes: resident_bytes, page_faults: 0 });
        thread::sleep(STEP);
    }
    samples
}

/// 0 once it has ended.
fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
