//! What a trace costs: the provers with nalloc, with and without one, in turns.

use std::fs;
use std::path::PathBuf;

use benchkit::format::{length, ms};
use benchkit::machine::Machine;
use benchkit::options::Options;
use benchkit::rounds::order;
use benchkit::table::table;
use benchkit::target::{Target, report};

use super::chosen;
use super::contestants::{Entrant, TRACE_FOLDER, recorded};
use super::shown::Shown;

/// Of a proof's processor time, to that without a trace.
const CPU_MAX: f64 = 1.02;
/// Warm proofs of each, in turns.
const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 1;
/// What misses its target is measured so often at most, and all of its rounds count.
const MEASURED_MAX: usize = 2;

/// Measures the named provers, or all, and prints everything; whether all targets are met.
///
/// # Errors
/// When a name is unknown, no trace is left, or another allocator serves a process.
pub fn compare(options: &Options, names: &[String]) -> Result<bool, String> {
    let provers = chosen(names)?;
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let entrants = recorded()?;
    let header = ["warm proof", "CPU, ms", "min", "traced", "min", "trace"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut targets = Vec::new();
    for prover in provers {
        let (shown, trace_bytes) = measure(&entrants, prover, options.is_quick)?;
        let [plain, traced] = shown.each_ref().map(Shown::warm_cpu);
        let row = [plain.median, plain.min, traced.median, traced.min].map(ms);
        let sizes = [length(trace_bytes)];
        rows.push([prover.to_owned()].into_iter().chain(row).chain(sizes).collect());
        targets.push(target(prover, &shown));
    }
    println!("\n{}\n{}", table(&rows), report(&targets));
    Ok(targets.iter().all(Target::is_met))
}

fn target(prover: &str, [plain, traced]: &[Shown; 2]) -> Target {
    let name = format!("{prover}: CPU with a trace, of without");
    let ratio = traced.warm_cpu().median / plain.warm_cpu().median;
    Target { name, ratio_max: CPU_MAX, ratio }
}

/// Adds rounds until the target is met; what both showed, and how long the last trace is.
fn measure(
    entrants: &[Entrant; 2],
    prover: &str,
    is_quick: bool,
) -> Result<([Shown; 2], u64), String> {
    let rounds = if is_quick { QUICK_ROUNDS } else { ROUNDS };
    let mut shown = [Shown::default(), Shown::default()];
    let mut measured = 0;
    loop {
        let folder = Folder::new()?;
        let mut workers =
            entrants.iter().map(Entrant::start).collect::<Result<Vec<_>, String>>()?;
        for round in 0..rounds {
            for turn in order(round, workers.len()) {
                let answer = workers[turn].ask(&format!("warm {prover}"))?;
                shown[turn].warm.push(answer.parse()?);
            }
        }
        drop(workers);
        let trace_bytes = folder.bytes()?;
        measured += 1;
        if is_quick || measured == MEASURED_MAX || target(prover, &shown).is_met() {
            return Ok((shown, trace_bytes));
        }
    }
}

/// The folder of the traces, which ends with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        fs::create_dir_all(TRACE_FOLDER).map_err(|error| format!("{TRACE_FOLDER}: {error}"))?;
        Ok(Self(TRACE_FOLDER.into()))
    }

    /// How long what was recorded is: there must be something.
    fn bytes(&self) -> Result<u64, String> {
        let files = fs::read_dir(&self.0).map_err(|error| format!("{TRACE_FOLDER}: {error}"))?;
        let lengths = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
        let bytes = lengths.sum();
        if bytes > 0 { Ok(bytes) } else { Err(format!("{TRACE_FOLDER}: expected a trace")) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is overwritten by nobody, and in the build's folder.
        let _is_removed = fs::remove_dir_all(&self.0);
    }
}
