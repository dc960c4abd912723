//! Allocation patterns of zero-knowledge provers: the program behind `cargo bench --bench
//! zk_patterns`.
//!
//! Two tables are those of the seed project, one size per loop. The third is what such loops hide:
//! sizes that change from phase to phase, threads, growth, memory that must be zero again.

mod work;

use std::env;
use std::process::ExitCode;

use crate::allocator::{Allocator, dispatch_ns};
use crate::contestant::{Contestant, contestants};
use crate::format::{length, mib, ms};
use crate::machine::{Machine, available_bytes};
use crate::options::Options;
use crate::record::{Entry, append};
use crate::rounds::{Plan, Summary, run_case, settings};
use crate::table::table;
use crate::target::{Target, report};
use crate::worker::serve;

use work::{Pattern, Patterns, TABLES, Work};

const BENCHMARK: &str = "zk_patterns";
const PLAN: Plan = Plan { warm_ups: 2, rounds: 11 };
const QUICK_PLAN: Plan = Plan { warm_ups: 1, rounds: 2 };
/// What a quick run divides sizes by.
const QUICK_DIVISOR: usize = 8;
/// How much slower than the best peer, tuned ones included, ours may be.
const TIME_RATIO_MAX: f64 = 1.10;
/// How much more than what is live ours may have resident at its peak, where all of it is written.
const PEAK_RATIO_MAX: f64 = 1.15;
/// How much of its live memory a contestant may keep resident, times two.
const KEPT_FACTOR: u64 = 2;

/// A pattern with what every contestant showed.
struct Row {
    pattern: Pattern,
    summaries: Vec<Summary>,
}

/// Runs the program: 0, or 1 when a target is missed, or 2 when nothing could be measured.
#[must_use]
pub fn main(allocators: &[Allocator]) -> ExitCode {
    let options = match Options::parse(env::args().skip(1), 0) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let divisor = if options.is_quick { QUICK_DIVISOR } else { 1 };
    let patterns = Patterns::new(divisor);
    if options.is_worker {
        return serve(&patterns);
    }
    let contestants: Vec<_> = allocators.iter().flat_map(|&one| contestants(one)).collect();
    match compare(&contestants, &patterns, &options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{BENCHMARK}: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures and prints everything; whether all targets are met.
fn compare(
    contestants: &[Contestant],
    patterns: &Patterns,
    options: &Options,
) -> Result<bool, String> {
    let plan = if options.is_quick { QUICK_PLAN } else { PLAN };
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if options.is_quick {
        println!("quick: an eighth of every size and {} rounds; no figures", plan.rounds);
    }
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    println!("{} rounds, contestants take turns; each in a process of its own", plan.rounds);
    println!("choice of the allocator: {:+.1} ns per call, in all of them\n", dispatch_ns());
    let settings = settings(contestants)?;
    for (contestant, said) in contestants.iter().zip(&settings) {
        println!(
            "{:<14}  proven: {said}\n{:16}given: {}",
            contestant.name,
            "",
            contestant.settings()
        );
    }

    let mut rows = Vec::new();
    for (at, title) in TABLES.iter().enumerate() {
        println!("\n{title}\n");
        let mut of_table = Vec::new();
        for pattern in patterns.of_table(at) {
            let needed = KEPT_FACTOR * pattern.live_bytes * contestants.len() as u64;
            if available_bytes() < needed {
                println!("left out, needs {} of free memory: {}", length(needed), pattern.name);
                continue;
            }
            let summaries = run_case(contestants, &pattern.id, plan)?;
            of_table.push(Row { pattern, summaries });
        }
        print_rows(contestants, &of_table);
        rows.extend(of_table);
    }
    if options.is_recording {
        let entries = entries(contestants, &settings, &rows);
        let file = append(BENCHMARK, "ms", &machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("\nrecorded in {}", file.display());
    }
    let targets = targets(contestants, &rows);
    if !targets.is_empty() {
        println!("\n{}", report(&targets));
    }
    Ok(targets.iter().all(Target::is_met))
}

fn print_rows(contestants: &[Contestant], rows: &[Row]) {
    let block = |title: &str, cell: &dyn Fn(&Summary) -> String| {
        let mut lines = vec![vec![title.to_owned()]];
        lines[0].extend(contestants.iter().map(|contestant| contestant.name.to_owned()));
        for Row { pattern, summaries } in rows {
            let mut line = vec![pattern.name.clone()];
            line.extend(summaries.iter().map(cell));
            lines.push(line);
        }
        print!("{}", table(&lines));
    };
    block("median ms", &|summary| ms(summary.median));
    println!();
    block("min ms", &|summary| ms(summary.min));
    println!();
    block("resident after / peak, MiB", &|summary| {
        format!("{} / {}", mib(summary.resident_bytes), mib(summary.peak_bytes))
    });
    println!();
    block("page faults", &|summary| summary.page_faults.to_string());
}

/// What is asked of ours, where it took part.
fn targets(contestants: &[Contestant], rows: &[Row]) -> Vec<Target> {
    let Some(ours) = contestants.iter().position(|one| one.allocator == Allocator::Nalloc) else {
        return Vec::new();
    };
    let mut targets = Vec::new();
    for Row { pattern, summaries } in rows {
        let peers = summaries.iter().enumerate().filter(|&(at, _)| at != ours);
        let best = peers.min_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
        let Some((best, peer)) = best else { continue };
        targets.push(Target {
            name: format!("{}: time against {}", pattern.name, contestants[best].name),
            ratio_max: TIME_RATIO_MAX,
            ratio: summaries[ours].median / peer.median,
        });
        if matches!(pattern.work, Work::PhaseChange { .. }) {
            targets.push(Target {
                name: format!("{}: peak against what is live", pattern.name),
                ratio_max: PEAK_RATIO_MAX,
                ratio: ratio(summaries[ours].peak_bytes, pattern.live_bytes),
            });
        }
    }
    targets
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people, of bytes far below 2^52")]
fn ratio(bytes: u64, of_bytes: u64) -> f64 {
    bytes as f64 / of_bytes as f64
}

fn entries(contestants: &[Contestant], settings: &[String], rows: &[Row]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for Row { pattern, summaries } in rows {
        for ((contestant, said), summary) in contestants.iter().zip(settings).zip(summaries) {
            entries.push(Entry {
                case: pattern.name.clone(),
                contestant: contestant.name.to_owned(),
                settings: format!("{}; {said}", contestant.settings()),
                summary: *summary,
            });
        }
    }
    entries
}
