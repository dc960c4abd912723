//! Traces of real provers replayed against each allocator: the program behind `npm run
//! bench:replay`.
//!
//! Each thread of a trace is a thread here, and the order of all calls is that of the trace: a
//! thread hands over when the next call is another one's. Only calls and writes are timed. Every
//! page of a block is written once, as soon as the block, or that part of it, exists.
//!
//! Beside it, of each page only the first byte is written: what is left is the calls, and the one
//! line of each page, which no program would use so. These figures have no target.

mod play;
mod trace;

use std::env;
use std::process::ExitCode;

use crate::alloc::judge::{Field, Verdict, report, scaled};
use crate::alloc::peers::{Kind, Peer, peers};
use crate::alloc::turns::{QUICK_PLAN, take_turns, take_turns_until};
use crate::alloc::{introduce, memory};
use crate::allocator::Allocator;
use crate::format::{mib, ms};
use crate::machine::Machine;
use crate::options::Options;
use crate::record::{Entry, append};
use crate::rounds::{Plan, Summary};
use crate::table::table;
use crate::worker::{Worker, serve};

use play::{LOADED, Player, TOUCHED};

const BENCHMARK: &str = "replay";
const PLAN: Plan = Plan { warm_ups: 2, rounds: 30 };
/// How much slower than the best tuned peer ours may be, in minima and in medians.
const MINIMA_RATIO_MAX: f64 = 1.03;
const MEDIANS_RATIO_MAX: f64 = 1.05;
/// How much more than the live bytes of a trace ours may have in memory beside what the program has
/// before.
const PEAK_RATIO_MAX: f64 = 1.05;
/// And beside that, for stacks of threads and tables.
const PEAK_SLACK_BYTES: u64 = 4 << 20;

/// A trace with what every contestant showed.
struct Row {
    name: String,
    peak_live_bytes: u64,
    summaries: Vec<Summary>,
    /// With one byte of each page.
    touched: Vec<Summary>,
}

impl Row {
    fn written(&self) -> &[Summary] {
        &self.summaries
    }

    fn touched(&self) -> &[Summary] {
        &self.touched
    }
}

/// Runs the program: 0, or 1 when a target is missed, or 2 when nothing could be measured.
#[must_use]
pub fn main(allocators: &[Allocator]) -> ExitCode {
    let parsed = Options::with_names(env::args().skip(1));
    let result = parsed.and_then(|(options, names)| {
        if options.is_worker {
            return Ok(serve(&Player::default()));
        }
        let verdicts = compare(&peers(allocators), &names, &options)?;
        println!("\n{}", report(&verdicts));
        let is_met = verdicts.iter().all(|verdict| verdict.is_met);
        Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::from(1) })
    });
    result.unwrap_or_else(|error| {
        eprintln!("{BENCHMARK}: {error}");
        ExitCode::from(2)
    })
}

/// Replays and prints the traces that `names` choose, or all.
fn compare(peers: &[Peer], names: &[String], options: &Options) -> Result<Vec<Verdict>, String> {
    let plan = if options.is_quick { QUICK_PLAN } else { PLAN };
    let known = trace::names()?;
    let is_chosen =
        |name: &&String| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let chosen: Vec<&String> = known.iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Err(format!("expected parts of {known:?}, got {names:?}"));
    }
    let machine = Machine::current();
    let said = introduce(&machine, peers, plan)?;
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    for name in chosen {
        let peak_live_bytes = trace::read(name)?.peak_live_bytes;
        let program_bytes = program_bytes(peers, name)?;
        let judge = |summaries: &[Summary]| {
            judge(name, peak_live_bytes, program_bytes, Field { peers, summaries })
        };
        let (summaries, of_trace) = take_turns_until(peers, name, plan, judge)?;
        let touched = take_turns(peers, &format!("{TOUCHED}{name}"), plan)?;
        of_trace.iter().for_each(Verdict::tell);
        verdicts.extend(of_trace);
        rows.push(Row { name: name.clone(), peak_live_bytes, summaries, touched });
    }
    print_rows(peers, &rows);
    if options.is_recording {
        let entries = entries(peers, &said, &rows);
        let file = append(BENCHMARK, "ms", &machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("recorded in {}", file.display());
    }
    Ok(verdicts)
}

/// What our process has in memory before it replays a trace: its code, and the trace.
fn program_bytes(peers: &[Peer], name: &str) -> Result<u64, String> {
    let Some(ours) = peers.iter().find(|peer| peer.kind == Kind::Ours) else { return Ok(0) };
    let loaded = Worker::start(&ours.contestant)?.round(&format!("{LOADED}{name}"))?;
    Ok(loaded.resident_bytes)
}

fn judge(name: &str, peak_live_bytes: u64, program_bytes: u64, field: Field) -> Vec<Verdict> {
    let Some(ours) = field.ours() else { return Vec::new() };
    let peak_bytes_max = scaled(peak_live_bytes, PEAK_RATIO_MAX) + PEAK_SLACK_BYTES;
    let target = format!("{name}: peak, {} live", mib(peak_live_bytes));
    let bound = format!("{PEAK_RATIO_MAX}x live + 4");
    let peak_bytes = ours.peak_bytes.saturating_sub(program_bytes);
    let peak = Verdict::of_bytes(target, peak_bytes, peak_bytes_max, &bound);
    let time = field.time(name, MINIMA_RATIO_MAX, MEDIANS_RATIO_MAX);
    time.into_iter().chain([peak]).collect()
}

fn print_rows(peers: &[Peer], rows: &[Row]) {
    let print = |title: &str, of: fn(&Row) -> &[Summary], cell: &dyn Fn(&Summary) -> String| {
        let mut lines = vec![vec![title.to_owned()]];
        lines[0].extend(peers.iter().map(|peer| peer.contestant.name.to_owned()));
        for row in rows {
            let mut line = vec![format!("{}, {} MiB live", row.name, mib(row.peak_live_bytes))];
            line.extend(of(row).iter().map(cell));
            lines.push(line);
        }
        println!("\n{}", table(&lines));
    };
    let (written, touched) = (Row::written, Row::touched);
    print("median ms", written, &|summary| ms(summary.median));
    print("min ms", written, &|summary| ms(summary.min));
    print("resident after / idle / peak, MiB", written, &memory);
    print("page faults", written, &|summary| summary.page_faults.to_string());
    print("median ms, one byte of each page", touched, &|summary| ms(summary.median));
    print("min ms, one byte of each page", touched, &|summary| ms(summary.min));
}

fn entries(peers: &[Peer], said: &[String], rows: &[Row]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for Row { name, summaries, touched, .. } in rows {
        for (case, summaries) in [(name.clone(), summaries), (format!("{TOUCHED}{name}"), touched)]
        {
            for ((peer, said), &summary) in peers.iter().zip(said).zip(summaries) {
                entries.push(Entry {
                    case: case.clone(),
                    contestant: peer.contestant.name.to_owned(),
                    settings: format!("{}; {said}", peer.contestant.settings()),
                    summary,
                });
            }
        }
    }
    entries
}
