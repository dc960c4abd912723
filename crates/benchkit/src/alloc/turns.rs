//! Contestants take turns at a case.
//!
//! A machine that others use disturbs some rounds. A row that misses a target is therefore measured
//! again, as a whole, in new processes: the rounds of every contestant are added to those before,
//! and the figures are those of all of them.

use core::mem;
use std::thread;

use super::alone::IDLE_WAIT;
use super::judge::Verdict;
use super::peers::{Kind, Peer};
use crate::rounds::{Plan, Sample, Summary, order};
use crate::worker::Worker;

/// Shows that a benchmark works.
pub(crate) const QUICK_PLAN: Plan = Plan { warm_ups: 1, rounds: 2 };
/// After so many rounds new processes take over: which physical pages a process got, and with them
/// what collides in its caches, stays as long as it keeps its memory.
pub(crate) const GENERATION_ROUNDS: usize = 10;
/// How often a row is measured at most.
pub(crate) const MEASURED_MAX: usize = 3;
/// Stock contestants take part in every so manieth round.
const STOCK_EVERY: usize = 6;

/// What a contestant showed so far.
#[derive(Clone, Default)]
struct Shown {
    samples: Vec<Sample>,
    /// What was resident once nobody had called it for a while.
    idle_bytes: Option<u64>,
}

impl Shown {
    fn summary(&self) -> Summary {
        Summary { idle_bytes: self.idle_bytes, ..Summary::of(&self.samples) }
    }
}

/// Runs a case.
pub(crate) fn take_turns(peers: &[Peer], case: &str, plan: Plan) -> Result<Vec<Summary>, String> {
    Ok(take_turns_until(peers, case, plan, |_| Vec::new())?.0)
}

/// Runs a case until every target is met, at most [`MEASURED_MAX`] times; what it came to.
pub(crate) fn take_turns_until(
    peers: &[Peer],
    case: &str,
    plan: Plan,
    judge: impl Fn(&[Summary]) -> Vec<Verdict>,
) -> Result<(Vec<Summary>, Vec<Verdict>), String> {
    let is_quick = plan.rounds <= QUICK_PLAN.rounds;
    let mut shown = vec![Shown::default(); peers.len()];
    let mut measured = 0;
    loop {
        measure(peers, case, plan, &mut shown)?;
        measured += 1;
        let summaries: Vec<Summary> = shown.iter().map(Shown::summary).collect();
        let verdicts = judge(&summaries);
        let is_met = verdicts.iter().all(|verdict| verdict.is_met);
        if is_met || is_quick || measured == MEASURED_MAX {
            return Ok((summaries, verdicts));
        }
    }
}

/// Adds the rounds of a plan: contents are checked in processes that end again, then fresh ones
/// take turns.
fn measure(peers: &[Peer], case: &str, plan: Plan, shown: &mut [Shown]) -> Result<(), String> {
    for Peer { contestant, .. } in peers {
        Worker::start(contestant)?.ask(&format!("check {case}"))?;
    }
    let start = |peer: &Peer| Worker::start(&peer.contestant);
    let mut workers = peers.iter().map(start).collect::<Result<Vec<_>, String>>()?;
    let mut warm_ups = plan.warm_ups;
    for round in 0..plan.rounds {
        if round > 0 && round % GENERATION_ROUNDS == 0 {
            workers.iter_mut().try_for_each(Worker::prove)?;
            // All end before the first one starts: there may be no memory for both.
            workers.clear();
            workers = peers.iter().map(start).collect::<Result<Vec<_>, String>>()?;
            warm_ups = plan.warm_ups;
        }
        for _ in 0..mem::take(&mut warm_ups) {
            for turn in order(round, peers.len()).filter(|&turn| peers[turn].kind != Kind::Stock) {
                workers[turn].round(case)?;
            }
        }
        for turn in order(round, peers.len()) {
            if peers[turn].kind != Kind::Stock || round % STOCK_EVERY == 0 {
                shown[turn].samples.push(workers[turn].round(case)?);
            }
        }
    }
    if plan.rounds > QUICK_PLAN.rounds {
        // Not a way to wait for something: that nobody calls for so long is what is measured.
        thread::sleep(IDLE_WAIT);
        for (shown, worker) in shown.iter_mut().zip(&mut workers) {
            shown.idle_bytes = Some(worker.resident_bytes()?);
        }
    }
    workers.iter_mut().try_for_each(Worker::prove)
}
