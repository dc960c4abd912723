//! The rows of `npm run bench:peers -- kzg`, and what is asked of them.

pub mod ours;
pub mod theirs;

use benchkit::machine::Machine;
use benchkit::options::Options;

use crate::contestant::{ARKWORKS, Contestant, GNARK_HOST, OURS, TABLE};
use crate::goal::{Bound, Goal, report};
use crate::input::{Case, OPENINGS};
use crate::ours::clock_hz;
use crate::rows::{Results, contestants, lines, record, run};

/// Those that need no Go.
const ALWAYS: [Contestant; 3] = [OURS, TABLE, ARKWORKS];
const BENCHMARK: &str = "peers-kzg";
/// As many as the targets are meant for.
const THREADS: usize = 2;
const ROUNDS: usize = 5;
/// Of sums from 2^20 up, whose rounds take seconds.
const ROUNDS_OF_LARGE: usize = 3;
/// A run that only shows that everything works.
const QUICK_ROUNDS: usize = 2;
/// The largest polynomial of a quick run.
const QUICK_LOG2_MAX: u32 = 18;
/// How far ahead of the best peer commitments and openings must be, by log2 of the coefficients:
/// as far as the sum of points that they are.
const AHEAD: [(u32, f64); 3] = [(16, 9.0), (18, 8.9), (20, 8.9)];
/// Of how far ahead the sum of as many points is in the same run: the processor decides how far.
const AHEAD_OF_SUM_MIN: f64 = 0.95;
/// An opening against the sum alone.
const OPEN_TO_SUM_MAX: f64 = 1.1;
const VERIFY_MS_MAX: f64 = 0.8;
/// Against one.
const VERIFY_EACH_MAX: f64 = 4.0;

/// Measures and prints everything; whether all targets are met.
pub fn compare(options: &Options) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let contestants = contestants(&ALWAYS, &[GNARK_HOST])?;
    let mut results = Results(Vec::new());
    let sums = AHEAD.iter().flat_map(|&(log2, _)| {
        [(Case::G1(log2), log2), (Case::Commit(log2), log2), (Case::Open(log2), log2)]
    });
    for (case, log2) in sums.chain([(Case::Verify, 0), (Case::VerifyEach, 0)]) {
        if options.is_quick && log2 > QUICK_LOG2_MAX {
            println!("left out of a quick run: {}", case.name());
            continue;
        }
        let rounds = match log2 {
            _ if options.is_quick => QUICK_ROUNDS,
            20.. => ROUNDS_OF_LARGE,
            _ => ROUNDS,
        };
        // A table stands beside ours without one, helps no verifier, and arkworks has no check of many
        // openings at once.
        let takes_part = |one: &&Contestant| match case {
            Case::G1(_) | Case::Verify => **one != TABLE,
            Case::VerifyEach => ![TABLE, ARKWORKS].contains(one),
            _ => true,
        };
        let contestants: Vec<_> = contestants.iter().filter(takes_part).copied().collect();
        let shown = run(case, THREADS, rounds, &contestants)?;
        println!("\n{}", lines(&shown));
        results.0.extend(shown);
    }
    if options.is_recording {
        record(BENCHMARK, &machine, &results)?;
    }
    let goals = goals(&results);
    println!("\n{}", report(&goals));
    println!("clock {:.2} GHz", clock_hz() / 1e9);
    Ok(goals.iter().all(Goal::is_met))
}

/// The time of the faster one of the others.
fn best_peer(results: &Results, case: Case) -> Option<f64> {
    let peers = [ARKWORKS, GNARK_HOST].into_iter();
    peers.filter_map(|peer| results.min(case, THREADS, peer)).reduce(f64::min)
}

fn goals(results: &Results) -> Vec<Goal> {
    let min = |case, contestant| results.min(case, THREADS, contestant);
    let ratio = |name: String, must, top: Option<f64>, bottom: Option<f64>| Goal {
        name,
        must,
        aim_and_limit: None,
        measured: top.zip(bottom).map(|(top, bottom)| top / bottom),
    };
    let mut goals = Vec::new();
    for (log2, ahead) in AHEAD {
        for (what, case) in [("commit", Case::Commit(log2)), ("open", Case::Open(log2))] {
            goals.extend([OURS, TABLE].map(|of| {
                let name = format!("{what} 2^{log2}, {}: the best peer", of.name);
                ratio(name, Bound::AtLeast(ahead), best_peer(results, case), min(case, of))
            }));
        }
        let lead =
            |case| best_peer(results, case).zip(min(case, OURS)).map(|(peer, ours)| peer / ours);
        for (what, case) in [("commit", Case::Commit(log2)), ("open", Case::Open(log2))] {
            let name = format!("{what} 2^{log2}: how far ahead, of the sum");
            let must = Bound::AtLeast(AHEAD_OF_SUM_MIN);
            goals.push(ratio(name, must, lead(case), lead(Case::G1(log2))));
        }
        goals.push(ratio(
            format!("open 2^{log2}: against the sum"),
            Bound::AtMost(OPEN_TO_SUM_MAX),
            min(Case::Open(log2), OURS),
            min(Case::G1(log2), OURS),
        ));
    }
    goals.push(Goal {
        name: "verify, ms".into(),
        must: Bound::AtMost(VERIFY_MS_MAX),
        aim_and_limit: None,
        measured: min(Case::Verify, OURS),
    });
    goals.push(ratio(
        format!("verify {OPENINGS} openings: against one"),
        Bound::AtMost(VERIFY_EACH_MAX),
        min(Case::VerifyEach, OURS),
        min(Case::Verify, OURS),
    ));
    goals
}
