//! Rounds of contestants that take turns, and what is kept of them.

use crate::contestant::Contestant;
use crate::worker::Worker;

/// What one round of one contestant showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// In the unit of the benchmark.
    pub value: f64,
    /// Resident memory of its process afterwards.
    pub resident_bytes: u64,
    /// The most during the round.
    pub peak_bytes: u64,
    /// Page faults per repetition.
    pub page_faults: u64,
}

impl Sample {
    /// Four figures, separated by spaces.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut figures = text.split(' ');
        let value = figures.next()?.parse().ok()?;
        let mut count = || figures.next()?.parse().ok();
        let [resident_bytes, peak_bytes, page_faults] = [count()?, count()?, count()?];
        Some(Self { value, resident_bytes, peak_bytes, page_faults })
    }
}

/// What is kept of a contestant's rounds of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many rounds.
    pub rounds: usize,
    /// The smallest value.
    pub min: f64,
    /// The median of the values.
    pub median: f64,
    /// The median of what was resident after each round.
    pub resident_bytes: u64,
    /// What was resident once nobody had called it for a while; None where nobody waited.
    pub idle_bytes: Option<u64>,
    /// The highest peak.
    pub peak_bytes: u64,
    /// The median of the page faults.
    pub page_faults: u64,
}

impl Summary {
    /// What is kept of at least one sample.
    ///
    /// # Panics
    /// Without samples.
    #[must_use]
    pub fn of(samples: &[Sample]) -> Self {
        assert!(!samples.is_empty(), "expected at least one round");
        let mut values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        values.sort_by(f64::total_cmp);
        let upper_median = |field: fn(&Sample) -> u64| {
            let mut counts: Vec<u64> = samples.iter().map(field).collect();
            counts.sort_unstable();
            counts[counts.len() / 2]
        };
        Self {
            rounds: samples.len(),
            min: values[0],
            median: f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]),
            resident_bytes: upper_median(|sample| sample.resident_bytes),
            idle_bytes: None,
            peak_bytes: samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0),
            page_faults: upper_median(|sample| sample.page_faults),
        }
    }
}

/// How many rounds of each contestant.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Before anything is kept.
    pub warm_ups: usize,
    /// Kept.
    pub rounds: usize,
}

/// Who has the turn in a round: everybody once. Each round begins with another one, and walks in
/// steps of another length, so that nobody always follows the same neighbour: what a process leaves
/// in caches, and as free pages or free huge pages, is for the next one to find.
pub fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    let has_no_common_factor =
        |step: &usize| (2..=*step).all(|d| !step.is_multiple_of(d) || !count.is_multiple_of(d));
    let steps: Vec<usize> = (1..count.max(2)).filter(has_no_common_factor).collect();
    let step = steps[round % steps.len()];
    (0..count).map(move |turn| (round + turn * step) % count)
}

/// What each contestant says of itself, once it has proven who it is.
///
/// # Errors
/// When a contestant is not served by its allocator.
pub fn settings(contestants: &[Contestant]) -> Result<Vec<String>, String> {
    contestants.iter().map(|contestant| Worker::start(contestant)?.ask("settings")).collect()
}

/// Runs a case: results are checked in processes that end again, then fresh ones take turns.
///
/// # Errors
/// When a result is wrong, a contestant's process ends, or another allocator serves it.
pub fn run_case(
    contestants: &[Contestant],
    case: &str,
    plan: Plan,
) -> Result<Vec<Summary>, String> {
    for contestant in contestants {
        Worker::start(contestant)?.ask(&format!("check {case}"))?;
    }
    let mut workers = contestants.iter().map(Worker::start).collect::<Result<Vec<_>, String>>()?;
    let mut samples = vec![Vec::with_capacity(plan.rounds); workers.len()];
    for round in 0..plan.warm_ups + plan.rounds {
        for turn in order(round, workers.len()) {
            let sample = workers[turn].round(case)?;
            if round >= plan.warm_ups {
                samples[turn].push(sample);
            }
        }
    }
    workers.iter_mut().try_for_each(Worker::prove)?;
    Ok(samples.iter().map(|samples| Summary::of(samples)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        let sample = |(at, &value): (usize, &f64)| Sample {
            value,
            resident_bytes: at as u64,
            peak_bytes: 10 * at as u64,
            page_faults: 100 * at as u64,
        };
        values.iter().enumerate().map(sample).collect()
    }

    fn shown(summary: Summary) -> String {
        format!("{} {}", summary.min, summary.median)
    }

    #[test]
    fn minimum_and_median_do_not_depend_on_the_order_of_rounds() {
        let odd = Summary::of(&samples(&[3.0, 1.0, 9.0]));
        assert_eq!(shown(odd), "1 3");
        assert_eq!((odd.resident_bytes, odd.peak_bytes, odd.page_faults), (1, 20, 100));

        let even = Summary::of(&samples(&[4.0, 1.0, 9.0, 2.0]));
        assert_eq!(shown(even), "1 3");
        assert_eq!(shown(Summary::of(&samples(&[5.0]))), "5 5");
    }

    #[test]
    fn everybody_has_one_turn_per_round_and_begins_equally_often() {
        let rounds: Vec<Vec<usize>> = (0..4).map(|round| order(round, 3).collect()).collect();
        assert_eq!(rounds, [[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 2, 1]]);
        for count in 1..20 {
            for round in 0..20 {
                let mut turns: Vec<_> = order(round, count).collect();
                assert_eq!(turns[0], round % count);
                turns.sort_unstable();
                assert!(turns.into_iter().eq(0..count), "{count} {round}");
            }
        }
    }

    #[test]
    fn neighbours_change() {
        for one in 0..9 {
            let before = (0..6).filter_map(|round| {
                let turns: Vec<_> = order(round, 9).collect();
                let place = turns.iter().position(|&turn| turn == one)?;
                Some(*turns.get(place.checked_sub(1)?)?)
            });
            let before: BTreeSet<_> = before.collect();
            assert!(before.len() >= 4, "{one} follows {before:?}");
        }
    }

    #[test]
    fn figures_that_are_not_four_are_no_sample() {
        assert!(Sample::parse("1.5 2 3 4").is_some());
        for text in ["", "1.5", "1.5 2 3", "x 2 3 4", "1 2 3 -4"] {
            assert_eq!(Sample::parse(text), None, "{text}");
        }
    }
}
