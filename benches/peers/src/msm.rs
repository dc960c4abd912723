//! The rows of `npm run bench:peers -- msm`, and what is asked of them.

use benchkit::machine::Machine;
use benchkit::options::Options;

use crate::contestant::{ARKWORKS, Contestant, GNARK_HOST, HALO2CURVES, OURS, PORTABLE, TACEO};
use crate::goal::{Bound, Goal, report};
use crate::input::Case;
use crate::ours::clock_hz;
use crate::rows::{Results, contestants, lines, record, run};

/// Those that need no Go.
const ALWAYS: [Contestant; 5] = [OURS, PORTABLE, ARKWORKS, HALO2CURVES, TACEO];
const BENCHMARK: &str = "peers-msm";
/// As many as the targets are meant for.
const THREADS: usize = 2;
const ROUNDS: usize = 5;
/// Of sums from 2^20 up, whose rounds take seconds.
const ROUNDS_OF_LARGE: usize = 3;
/// A run that only shows that everything works.
const QUICK_ROUNDS: usize = 2;
/// The largest sum of a quick run.
const QUICK_LOG2_MAX: u32 = 18;
/// Must, aim and limit on two threads, in ms. The limits are 610 cycles for each 16 additions at
/// 4.05 GHz: 600 multiply-adds for eight at two a cycle, and 14 products for a bucket's two.
const SUMS: [(u32, f64, f64, f64); 3] =
    [(16, 13.0, 11.0, 7.0), (20, 160.0, 135.0, 85.0), (22, 680.0, 560.0, 318.0)];
/// What the best peer took when the targets were set, in ms: another machine is as much slower.
const BEST_PEERS_MS: [f64; 3] = [117.0, 1429.0, 4581.0];
/// With nine of ten scalars 0 or 1, against random ones.
const SMALL_LOG2: u32 = 18;
const SMALL_TO_RANDOM_MAX: f64 = 0.25;
/// G2 against G1: must and aim.
const G2_LOG2: u32 = 16;
const G2_TO_G1: (f64, f64) = (3.5, 3.0);
/// Plain Rust against gnark-crypto and arkworks.
const PORTABLE_TO_PEERS_MIN: f64 = 1.5;
/// Of two threads.
const SPEED_UP_MIN: f64 = 1.8;
const SPEED_UP_LOG2: u32 = 20;

/// Measures and prints everything; whether all targets are met.
pub fn compare(options: &Options) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let contestants = contestants(&ALWAYS, &[GNARK_HOST])?;
    let mut results = Results(Vec::new());
    for case in cases() {
        let (log2, is_g2) = size(case);
        if options.is_quick && log2 > QUICK_LOG2_MAX {
            println!("left out of a quick run: {}", case.name());
            continue;
        }
        let rounds = match log2 {
            _ if options.is_quick => QUICK_ROUNDS,
            20.. => ROUNDS_OF_LARGE,
            _ => ROUNDS,
        };
        // halo2curves' sums are those of G1.
        let takes_part = |one: &&Contestant| !is_g2 || **one != HALO2CURVES;
        let contestants: Vec<_> = contestants.iter().filter(takes_part).copied().collect();
        // On one thread nobody is compared: a round of everybody's largest sum takes a minute.
        let alone = (case == Case::G1(SPEED_UP_LOG2)).then_some((1, vec![OURS]));
        for (threads, contestants) in alone.into_iter().chain([(THREADS, contestants)]) {
            let shown = run(case, threads, rounds, &contestants)?;
            println!("\n{}", lines(&shown));
            results.0.extend(shown);
        }
    }
    if options.is_recording {
        record(BENCHMARK, &machine, &results)?;
    }
    let goals = goals(&results);
    println!("\n{}", report(&goals));
    println!("{}", pace(&results));
    Ok(goals.iter().all(Goal::is_met))
}

fn cases() -> impl Iterator<Item = Case> {
    let [first, others @ ..] = SUMS.map(|(log2, ..)| Case::G1(log2));
    let small = [Case::G1(SMALL_LOG2), Case::G1Small(SMALL_LOG2), Case::G2(G2_LOG2)];
    [first].into_iter().chain(small).chain(others)
}

/// log2 of the number of points, and whether they are of G2.
fn size(case: Case) -> (u32, bool) {
    match case {
        Case::G1(log2) | Case::G1Small(log2) => (log2, false),
        Case::G2(log2) => (log2, true),
        _ => (0, false),
    }
}

/// How long the best peer takes here, and when the targets were set.
fn pace(results: &Results) -> String {
    let shown = SUMS.iter().zip(BEST_PEERS_MS).filter_map(|(&(log2, ..), then)| {
        best_peer(results, log2).map(|here| format!("{:.2}x for 2^{log2}", here / then))
    });
    let shown: Vec<String> = shown.collect();
    let clock = clock_hz() / 1e9;
    format!(
        "clock {clock:.2} GHz; the best peer takes as long as when the targets were set times: {}",
        shown.join(", ")
    )
}

/// The time of the fastest of the others on two threads.
fn best_peer(results: &Results, log2: u32) -> Option<f64> {
    let peers = [ARKWORKS, HALO2CURVES, TACEO, GNARK_HOST];
    peers.iter().filter_map(|&peer| results.min(Case::G1(log2), 2, peer)).reduce(f64::min)
}

fn goals(results: &Results) -> Vec<Goal> {
    let ours = |case, threads| results.min(case, threads, OURS);
    let mut goals: Vec<Goal> = SUMS
        .iter()
        .map(|&(log2, must, aim, limit)| Goal {
            name: format!("MSM G1 2^{log2}, ms, 2 threads"),
            must: Bound::AtMost(must),
            aim_and_limit: Some((aim, limit)),
            measured: ours(Case::G1(log2), 2),
        })
        .collect();
    goals.extend(SUMS.iter().zip(BEST_PEERS_MS).map(|(&(log2, must, aim, limit), then)| Goal {
        name: format!("MSM G1 2^{log2}, 2 threads: the best peer"),
        must: Bound::AtLeast(then / must),
        aim_and_limit: Some((then / aim, then / limit)),
        measured: best_peer(results, log2).zip(ours(Case::G1(log2), 2)).map(|(peer, we)| peer / we),
    }));
    let ratio = |name: String, must, top: Option<f64>, bottom: Option<f64>| Goal {
        name,
        must,
        aim_and_limit: None,
        measured: top.zip(bottom).map(|(top, bottom)| top / bottom),
    };
    goals.push(ratio(
        format!("2^{SMALL_LOG2}, 90 % of scalars 0 or 1: against random ones"),
        Bound::AtMost(SMALL_TO_RANDOM_MAX),
        ours(Case::G1Small(SMALL_LOG2), 2),
        ours(Case::G1(SMALL_LOG2), 2),
    ));
    let (must, aim) = G2_TO_G1;
    goals.push(ratio(
        format!("2^{G2_LOG2}: G2 against G1 (aim {aim})"),
        Bound::AtMost(must),
        ours(Case::G2(G2_LOG2), 2),
        ours(Case::G1(G2_LOG2), 2),
    ));
    for (log2, ..) in SUMS {
        goals.extend([ARKWORKS, GNARK_HOST].map(|peer| Goal {
            name: format!("MSM G1 2^{log2}, portable, 2 threads: {}", peer.name),
            must: Bound::AtLeast(PORTABLE_TO_PEERS_MIN),
            aim_and_limit: None,
            measured: results.ratio(Case::G1(log2), 2, PORTABLE, peer),
        }));
    }
    goals.push(ratio(
        format!("MSM G1 2^{SPEED_UP_LOG2}: 2 threads against 1"),
        Bound::AtLeast(SPEED_UP_MIN),
        ours(Case::G1(SPEED_UP_LOG2), 1),
        ours(Case::G1(SPEED_UP_LOG2), 2),
    ));
    goals
}
