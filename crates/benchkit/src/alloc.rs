//! Allocators on patterns of provers, against targets: the program behind `npm run bench:alloc`.
//!
//! `-- PATTERN...` chooses by parts of names, `-- --quick` shows that it works, `-- --record` keeps
//! the figures. Stock allocators are shown beside the tuned ones in every sixth round; only tuned
//! ones are a measure. An allocator that wants to be told where work begins and ends is told.

mod alone;
pub(crate) mod bench;
pub(crate) mod buffer;
mod cases;
mod crowd;
pub(crate) mod judge;
pub(crate) mod peers;
pub(crate) mod turns;
pub(crate) mod work;

use std::env;
use std::process::ExitCode;

use crate::allocator::{Allocator, dispatch_ns};
use crate::format::{length, mib, ms};
use crate::machine::{Machine, available_bytes};
use crate::options::Options;
use crate::record::{Entry, append};
use crate::rounds::{Plan, Summary};
use crate::table::table;
use crate::worker::{Worker, serve};

use alone::{Recorded, Scale};
use bench::Bench;
use cases::{Case, GROUPS, cases};
use judge::{Field, Verdict, judge, report};
use peers::{Kind, Peer, peers};
use turns::{GENERATION_ROUNDS, MEASURED_MAX, QUICK_PLAN, take_turns_until};

const BENCHMARK: &str = "alloc";
const PLAN: Plan = Plan { warm_ups: 2, rounds: 30 };
/// What a quick run divides sizes by.
const QUICK_DIVISOR: usize = 32;
/// How much of its live memory a contestant keeps between its rounds, in percent.
const KEPT_PERCENT: u64 = 110;

/// A case with what every contestant showed.
struct Row {
    case: Case,
    summaries: Vec<Summary>,
}

/// Runs the program: 0, or 1 when a target is missed, or 2 when nothing could be measured.
#[must_use]
pub fn main(allocators: &[Allocator]) -> ExitCode {
    let parsed = Options::with_names(env::args().skip(1));
    let result = parsed.and_then(|(options, names)| {
        let divisor = if options.is_quick { QUICK_DIVISOR } else { 1 };
        let scale = Scale { divisor, is_quick: options.is_quick };
        if options.is_worker {
            return Ok(serve(&Bench::new(cases(divisor), divisor)));
        }
        let verdicts = compare(&peers(allocators), &names, scale, &options)?;
        println!("\n{}", report(&verdicts));
        let is_met = verdicts.iter().all(|verdict| verdict.is_met);
        Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::from(1) })
    });
    result.unwrap_or_else(|error| {
        eprintln!("{BENCHMARK}: {error}");
        ExitCode::from(2)
    })
}

/// Measures and prints everything that `names` choose, or everything.
fn compare(
    peers: &[Peer],
    names: &[String],
    scale: Scale,
    options: &Options,
) -> Result<Vec<Verdict>, String> {
    let plan = if scale.is_quick { QUICK_PLAN } else { PLAN };
    let is_chosen =
        |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let all = cases(scale.divisor);
    let chosen: Vec<Case> = all.iter().filter(|case| is_chosen(&case.name)).cloned().collect();
    if chosen.is_empty() && !alone::NAMES.iter().any(|name| is_chosen(name)) {
        let known: Vec<&str> =
            all.iter().map(|case| case.name.as_str()).chain(alone::NAMES).collect();
        return Err(format!("expected parts of {known:?}, got {names:?}"));
    }
    let machine = Machine::current();
    let said = introduce(&machine, peers, plan)?;
    let (rows, mut verdicts) = run_groups(peers, &chosen, plan)?;
    let (of_alone, alone_entries) = alone::run(peers, scale, is_chosen)?;
    verdicts.extend(of_alone);
    if options.is_recording {
        record(&machine, peers, &said, &rows, &alone_entries)?;
    }
    Ok(verdicts)
}

/// Prints where and who; what each contestant says of itself.
pub(crate) fn introduce(
    machine: &Machine,
    peers: &[Peer],
    plan: Plan,
) -> Result<Vec<String>, String> {
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    println!("load {:.2} before the start", machine.load);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    println!("{} rounds, contestants take turns; each in a process of its own,", plan.rounds);
    println!("which a new one follows after {GENERATION_ROUNDS} rounds; a row that misses a");
    println!("target is measured up to {MEASURED_MAX} times, and all of its rounds count");
    println!("choice of the allocator: {:+.1} ns per call, in all of them\n", dispatch_ns());
    peers
        .iter()
        .map(|Peer { contestant, .. }| {
            let said = Worker::start(contestant)?.ask("settings")?;
            let given = contestant.settings();
            println!("{:<15} proven: {said}\n{:16}given: {given}", contestant.name, "");
            Ok(said)
        })
        .collect()
}

fn run_groups(
    peers: &[Peer],
    cases: &[Case],
    plan: Plan,
) -> Result<(Vec<Row>, Vec<Verdict>), String> {
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    for (group, title) in GROUPS.iter().enumerate() {
        let mut of_group = Vec::new();
        for case in cases.iter().filter(|case| case.group == group) {
            let needed = needed_bytes(peers, case);
            if available_bytes() < needed {
                let reason = format!("needs {} of free memory", length(needed));
                verdicts.push(Verdict::unmeasured(&case.name, &reason));
                continue;
            }
            let judge = |summaries: &[Summary]| judge(case, Field { peers, summaries });
            let (summaries, of_case) = take_turns_until(peers, &case.id(), plan, judge)?;
            of_case.iter().for_each(Verdict::tell);
            verdicts.extend(of_case);
            of_group.push(Row { case: case.clone(), summaries });
        }
        if !of_group.is_empty() {
            println!("\n{title}\n");
            print_rows(peers, &of_group);
        }
        rows.extend(of_group);
    }
    Ok((rows, verdicts))
}

/// What all contestants together need for a case: those that are stock give back what they had.
fn needed_bytes(peers: &[Peer], case: &Case) -> u64 {
    let keepers = peers.iter().filter(|peer| peer.kind != Kind::Stock).count() as u64;
    case.live_bytes * (keepers + 1) * KEPT_PERCENT / 100
}

/// Resident memory after a round, then when nobody has called for a while, and at the peak; MiB.
pub(crate) fn memory(summary: &Summary) -> String {
    let idle = summary.idle_bytes.map_or_else(|| "-".to_owned(), mib);
    format!("{} / {idle} / {}", mib(summary.resident_bytes), mib(summary.peak_bytes))
}

fn print_rows(peers: &[Peer], rows: &[Row]) {
    let block = |title: &str, cell: &dyn Fn(&Summary) -> String| {
        let mut lines = vec![vec![title.to_owned()]];
        lines[0].extend(peers.iter().map(|peer| peer.contestant.name.to_owned()));
        for Row { case, summaries } in rows {
            let mut line = vec![case.name.clone()];
            line.extend(summaries.iter().map(cell));
            lines.push(line);
        }
        println!("{}", table(&lines));
    };
    let unit = rows[0].case.unit.name();
    block(&format!("median {unit}"), &|summary| ms(summary.median));
    block(&format!("min {unit}"), &|summary| ms(summary.min));
    block("resident after / idle / peak, MiB", &memory);
    block("page faults", &|summary| summary.page_faults.to_string());
}

fn record(
    machine: &Machine,
    peers: &[Peer],
    said: &[String],
    rows: &[Row],
    alone: &[Recorded],
) -> Result<(), String> {
    let entry = |case: &str, peer: &Peer, summary: Summary| {
        let name = peer.contestant.name;
        let at = peers.iter().position(|one| one.contestant.name == name).unwrap_or(0);
        Entry {
            case: case.to_owned(),
            contestant: name.to_owned(),
            settings: format!("{}; {}", peer.contestant.settings(), said[at]),
            summary,
        }
    };
    for unit in ["ms", "ns"] {
        let of_unit = rows.iter().filter(|row| row.case.unit.name() == unit);
        let mut entries: Vec<Entry> = of_unit
            .flat_map(|row| row.summaries.iter().zip(peers).map(move |pair| (row, pair)))
            .map(|(row, (summary, peer))| entry(&row.case.name, peer, *summary))
            .collect();
        if unit == "ms" {
            entries.extend(alone.iter().map(|(case, peer, summary)| entry(case, peer, *summary)));
        }
        let file = append(BENCHMARK, unit, machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("recorded in {}: {} lines in {unit}", file.display(), entries.len());
    }
    Ok(())
}
