//! Who takes part, and what is printed and recorded.
//!
//! Contestants take turns: in each round everybody proves once, cold in a process that has just
//! started, warm in one of a few that stay. Before and after each warm proof ours proves, and times
//! are compared to the mean of these two: a moment in which the machine is slow is slow for both.

mod contestants;
mod curve;
pub mod recording;
mod shown;
mod targets;

use std::fs;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use benchkit::format::{mib, ms};
use benchkit::machine::Machine;
use benchkit::options::Options;
use benchkit::record::{self, Entry};
use benchkit::rounds::{Summary, order};
use benchkit::table::table;
use benchkit::target::{Target, report};

use crate::PROVERS;
use crate::figures::Figures;
use contestants::{Entrant, OURS, OURS_LIMITED, entrants};
use shown::{Beside, Shown};

const BENCHMARK: &str = "provers";
/// The first provers that need one write their keys here, for all processes.
const KEY_FOLDER: &str = "target/provers";
/// Processes whose first proof is measured.
const COLD_ROUNDS: usize = 10;
/// Later proofs of a process.
const WARM_ROUNDS: usize = 6;
const QUICK_ROUNDS: usize = 1;
/// Processes that each contestant has for later proofs. Which physical pages one was given makes it
/// up to two percent faster or slower than another for as long as it lives.
const WARM_PROCESSES_MIN: usize = 3;
/// What misses a target is measured in so many, and all proofs count: on a machine that others use,
/// a few rounds may be theirs.
const WARM_PROCESSES_MAX: usize = 6;
/// How long nobody calls before idle memory is read.
const IDLE: Duration = Duration::from_secs(3);

/// Measures the named provers, or all, and prints everything; whether all targets are met.
///
/// # Errors
/// When a name is unknown, a proof does not verify, or another allocator serves a process.
pub fn compare(options: &Options, names: &[String]) -> Result<bool, String> {
    let provers = chosen(names)?;
    fs::create_dir_all(KEY_FOLDER).map_err(|error| format!("{KEY_FOLDER}: {error}"))?;
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let entrants = entrants()?;
    let (mut times, mut ratios) = (Vec::new(), Vec::new());
    let mut targets = Vec::new();
    for prover in provers {
        let (shown, met) = measure(&entrants, prover, options.is_quick)?;
        println!("\n{prover}\n{}", lines(&entrants, &shown));
        for (entrant, shown) in entrants.iter().zip(&shown) {
            times.extend(shown.times(prover, entrant));
            ratios.extend(shown.ratios(prover, entrant));
        }
        targets.extend(met);
        if options.is_recording && prover == curve::PROVER {
            times.extend(curve::entries(&entrants)?);
        }
    }
    if options.is_recording {
        let append = |unit, entries: &[Entry]| {
            record::append(BENCHMARK, unit, &machine, entries)
                .map_err(|error| format!("record: {error}"))
        };
        append("ms", &times)?;
        let file = append("x", &ratios)?;
        println!("recorded in {}", file.display());
    }
    println!("\n{}", report(&targets));
    Ok(targets.iter().all(Target::is_met))
}

/// The provers that were named, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static str>, String> {
    if let Some(name) = names.iter().find(|name| !PROVERS.contains(&name.as_str())) {
        return Err(format!("arguments: expected some of {PROVERS:?}, got {name:?}"));
    }
    let is_chosen = |prover: &&str| names.is_empty() || names.iter().any(|name| name == prover);
    Ok(PROVERS.into_iter().filter(is_chosen).collect())
}

/// All rounds of one prover, and its targets.
fn measure(
    entrants: &[Entrant],
    prover: &str,
    is_quick: bool,
) -> Result<(Vec<Shown>, Vec<Target>), String> {
    for entrant in entrants {
        entrant.start()?.ask(&format!("check {prover}"))?;
    }
    let mut shown = vec![Shown::default(); entrants.len()];
    let (cold, warm, least) = if is_quick {
        (QUICK_ROUNDS, QUICK_ROUNDS, 1)
    } else {
        (COLD_ROUNDS, WARM_ROUNDS, WARM_PROCESSES_MIN)
    };
    measure_cold(entrants, prover, cold, &mut shown)?;
    let mut processes = 0;
    loop {
        measure_warm(entrants, prover, processes * warm..(processes + 1) * warm, &mut shown)?;
        processes += 1;
        let targets = targets::of(prover, entrants, &shown);
        let is_met = processes >= least && targets.iter().all(Target::is_met);
        if is_quick || is_met || processes == WARM_PROCESSES_MAX {
            return Ok((shown, targets));
        }
    }
}

fn measure_cold(
    entrants: &[Entrant],
    prover: &str,
    rounds: usize,
    shown: &mut [Shown],
) -> Result<(), String> {
    for round in 0..rounds {
        for turn in order(round, entrants.len()) {
            let answer = entrants[turn].start()?.ask(&format!("proof {prover}"))?;
            shown[turn].cold.push(answer.parse()?);
        }
    }
    Ok(())
}

fn measure_warm(
    entrants: &[Entrant],
    prover: &str,
    rounds: Range<usize>,
    shown: &mut [Shown],
) -> Result<(), String> {
    // A limit gives memory back while others prove, and is to cost nothing between proofs less than a
    // second apart: the second of two counts.
    let request = |entrant: &Entrant| match entrant.contestant.name {
        OURS_LIMITED => format!("warm {prover}"),
        _ => format!("proof {prover}"),
    };
    let mut workers = entrants.iter().map(Entrant::start).collect::<Result<Vec<_>, _>>()?;
    for (worker, entrant) in workers.iter_mut().zip(entrants) {
        worker.ask(&request(entrant))?;
    }
    let ours = entrants.iter().position(|entrant| entrant.contestant.name == OURS);
    let ours = ours.ok_or_else(|| format!("expected {OURS} among the contestants"))?;
    let mut before: Figures = workers[ours].ask(&request(&entrants[ours]))?.parse()?;
    for round in rounds {
        for turn in order(round, entrants.len()).filter(|&turn| turn != ours) {
            let other: Figures = workers[turn].ask(&request(&entrants[turn]))?.parse()?;
            let after: Figures = workers[ours].ask(&request(&entrants[ours]))?.parse()?;
            shown[turn].beside.push(Beside::of(&other, [&before, &after]));
            shown[turn].warm.push(other);
            shown[ours].warm.push(after);
            before = after;
        }
    }
    // Not a way to wait for something: that nobody calls for so long is what is measured.
    thread::sleep(IDLE);
    for (worker, shown) in workers.iter_mut().zip(shown) {
        shown.idle_bytes = worker.resident_bytes()?;
        let live = worker.ask("live")?;
        shown.live_bytes = live.parse().map_err(|_| format!("expected bytes, got {live:?}"))?;
        worker.prove()?;
    }
    Ok(())
}

/// A table with a line for each contestant; "ours" is our time by its own, in the median of pairs.
fn lines(entrants: &[Entrant], shown: &[Shown]) -> String {
    let header = [
        "", "cold, ms", "CPU", "faults", "warm, ms", "min", "ours", "CPU", "min", "ours", "faults",
        "peak MiB", "idle MiB",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(entrants.iter().zip(shown).map(|(entrant, shown)| {
        let (cold, warm) = (shown.cold_wall(), shown.warm_wall());
        let beside = |ours: fn(&Shown) -> Option<Summary>| {
            ours(shown).map_or_else(String::new, |ratio| format!("{:.3}x", ratio.median))
        };
        let (cold_cpu, warm_cpu) = (shown.cold_cpu(), shown.warm_cpu());
        vec![
            entrant.contestant.name.to_owned(),
            ms(cold.min),
            ms(cold_cpu.min),
            cold.page_faults.to_string(),
            ms(warm.median),
            ms(warm.min),
            beside(Shown::ours_to_wall),
            ms(warm_cpu.median),
            ms(warm_cpu.min),
            beside(Shown::ours_to_cpu),
            warm.page_faults.to_string(),
            mib(warm.peak_bytes),
            mib(shown.idle_bytes),
        ]
    }));
    table(&rows)
}
