//! `npm run bench:peers -- windows`: what the cost model of sums is made of, and how far from the
//! best width its choices are.
//!
//! Sums of 2^8 to 2^18 points with windows of every sensible width, on one thread, give a system of
//! equations: time = a additions + b buckets + t tasks + c crowded ones + what no width changes. The
//! last cancels where times of the same sum are compared, so each is taken less the mean of its sum.
//! Least squares of relative errors give a, b, t and c, which stand in msm/plan.rs. Processors differ
//! in a; widths are chosen by the ratios of the others to it, so that is what is compared. What
//! counts is the choice: the planned width is timed against every other one, in G1 and G2.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benchkit::machine::Machine;
use benchkit::table::table;
use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::measure::{
    COSTS_NS, WIDTHS, cut, msm_of_width, planned_width, scratch_bytes_of_width,
};
use nalloc_bn254::{Fq, Fq2, Pool};

use crate::goal::{Bound, Goal, report};
use crate::ours::{Terms, clock_hz};

/// log2 of the sums whose times are fitted, in G1.
const FITTED: std::ops::RangeInclusive<u32> = 8..=18;
/// log2 of the sums whose width is judged, in G1 and G2.
const JUDGED_G1: [u32; 7] = [8, 10, 12, 14, 16, 18, 20];
const JUDGED_G2: [u32; 4] = [8, 10, 12, 14];
const THREADS: usize = 2;
/// Widths on either side of the planned one.
const BESIDE: u32 = 3;
/// Each width is timed for so long, and at least so often; the least time counts.
const TIMED: Duration = Duration::from_millis(150);
const TIMES_MIN: usize = 3;
/// What a planned width may cost of the best one. One model serves both groups: it does not know
/// that rows of G2 are twice as long, and leave the second-level cache one width earlier.
const LOSS_MAX_G1: f64 = 1.05;
const LOSS_MAX_G2: f64 = 1.1;
/// How far a constant's ratio to another may be from what was measured, either way.
const CONSTANT_RATIO_MAX: f64 = 1.5;
const UNKNOWNS: usize = 4;

/// How often each cost is paid, and the time of that, in ns.
type Equation = ([f64; UNKNOWNS], f64);

/// Measures and prints everything; whether all targets are met.
pub fn compare() -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let terms = Terms::<Fq>::new(*JUDGED_G1.iter().max().expect("there are some"), 1, |_| None)?;
    let terms_g2 =
        Terms::<Fq2>::new(*JUDGED_G2.iter().max().expect("there are some"), 1, |_| None)?;
    let mut goals = constants(&terms)?;
    for log2 in JUDGED_G1 {
        goals.push(judge(&terms, "G1", log2, LOSS_MAX_G1)?);
    }
    for log2 in JUDGED_G2 {
        goals.push(judge(&terms_g2, "G2", log2, LOSS_MAX_G2)?);
    }
    println!("\n{}", report(&goals));
    println!("clock {:.2} GHz", clock_hz() / 1e9);
    Ok(goals.iter().all(Goal::is_met))
}

/// The constants of the model beside those that were measured.
fn constants(terms: &Terms<Fq>) -> Result<Vec<Goal>, String> {
    let pool = Pool::new(Some(1)).map_err(|error| error.to_string())?;
    let mut equations = Vec::new();
    for log2 in FITTED {
        let n = 1 << log2;
        let times = times(terms, n, &pool)?;
        let of_width = times.into_iter().map(|(bits, ns)| {
            let cut = cut(n, bits);
            let counts = [cut.additions, cut.buckets, cut.tasks, cut.crowded];
            #[expect(clippy::cast_precision_loss, reason = "millions")]
            (counts.map(|count| count as f64), ns)
        });
        equations.extend(differences(&of_width.collect::<Vec<_>>()));
    }
    let solution = fit(&equations);
    let errors = equations.iter().map(|(counts, share)| {
        let told: f64 = counts.iter().zip(solution).map(|(count, cost)| count * cost).sum();
        (told - share).abs()
    });
    let worst = errors.fold(0.0, f64::max);
    let names = ["addition", "bucket", "task", "crowded addition"];
    let shown: Vec<_> =
        names.iter().zip(solution).map(|(name, cost)| format!("{cost:.1} ns a {name}")).collect();
    println!(
        "fitted to {} sums: {}; at most {:.0} % of a sum's mean time off",
        equations.len(),
        shown.join(", "),
        100.0 * worst
    );
    // The first, an addition, is what the others are measured in.
    let goals = names.iter().zip(solution).zip(COSTS_NS).skip(1).map(|((name, cost), planned)| {
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let ratio = planned as f64 / COSTS_NS[0] as f64 / (cost / solution[0]);
        Goal {
            name: format!(
                "a {name} in additions, in msm/plan.rs {planned} / {}: of the measured, either way",
                COSTS_NS[0]
            ),
            must: Bound::AtMost(CONSTANT_RATIO_MAX),
            aim_and_limit: None,
            // Below zero the fit has no meaning, and no ratio.
            measured: Some(if ratio > 0.0 { ratio.max(1.0 / ratio) } else { f64::NAN }),
        }
    });
    Ok(goals.collect())
}

/// Equations of one sum, each less their mean, in shares of the mean time.
fn differences(equations: &[Equation]) -> Vec<Equation> {
    #[expect(clippy::cast_precision_loss, reason = "a dozen")]
    let len = equations.len() as f64;
    let mean_of = |value: &dyn Fn(&Equation) -> f64| equations.iter().map(value).sum::<f64>() / len;
    let mean_ns = mean_of(&|(_, ns)| *ns);
    let mean_counts: [f64; UNKNOWNS] =
        core::array::from_fn(|unknown| mean_of(&|(counts, _)| counts[unknown]));
    let less_mean = |(counts, ns): &Equation| {
        let counts =
            core::array::from_fn(|unknown| (counts[unknown] - mean_counts[unknown]) / mean_ns);
        (counts, ns / mean_ns - 1.0)
    };
    equations.iter().map(less_mean).collect()
}

/// What the planned width costs of the best one, on two threads.
fn judge<F: CurveField>(
    terms: &Terms<F>,
    group: &str,
    log2: u32,
    loss_max: f64,
) -> Result<Goal, String> {
    let n = 1 << log2;
    let pool = Pool::new(Some(THREADS)).map_err(|error| error.to_string())?;
    let times = times(terms, n, &pool)?;
    let planned = planned_width(n, THREADS);
    let mut rows = vec![vec![format!("{group} 2^{log2}, {THREADS} threads"), "ms".to_owned()]];
    rows.extend(times.iter().map(|&(bits, ns)| {
        let mark = if bits == planned { ", planned" } else { "" };
        vec![format!("windows of {bits} bits{mark}"), format!("{:.3}", ns / 1e6)]
    }));
    println!("\n{}", table(&rows));
    let best = times.iter().map(|&(_, ns)| ns).fold(f64::INFINITY, f64::min);
    let ours = times.iter().find(|&&(bits, _)| bits == planned).map(|&(_, ns)| ns);
    Ok(Goal {
        name: format!("{group} 2^{log2}, {THREADS} threads: the planned width of the best one"),
        must: Bound::AtMost(loss_max),
        aim_and_limit: None,
        measured: ours.map(|ours| ours / best),
    })
}

/// The least time of a sum of the first `n` terms for widths around the planned one, in ns.
fn times<F: CurveField>(
    terms: &Terms<F>,
    n: usize,
    pool: &Pool,
) -> Result<Vec<(u32, f64)>, String> {
    let (bases, scalars) = (&terms.bases[..n], &terms.scalars[..n]);
    let planned = planned_width(n, pool.thread_count());
    let widths =
        planned.saturating_sub(BESIDE).max(*WIDTHS.start())..=(planned + BESIDE).min(*WIDTHS.end());
    let bytes = |bits| scratch_bytes_of_width::<F>(n, bits, pool.thread_count());
    let most = widths.clone().map(bytes).max().unwrap_or(0);
    let mut arena = Arena::with_capacity(most).map_err(|error| error.to_string())?;
    let mut sum = |bits| {
        arena.reset();
        let sum = msm_of_width(bases, scalars, bits, pool, &arena);
        sum.map(|sum| sum.to_affine()).map_err(|error| error.to_string())
    };
    let mut expected = None;
    let mut least: Vec<(u32, f64)> = Vec::new();
    for bits in widths {
        let found = sum(bits)?;
        if *expected.get_or_insert(found) != found {
            return Err(format!("{n} points: windows of {bits} bits give another sum"));
        }
        least.push((bits, f64::INFINITY));
    }
    // In turns: a moment in which the machine is slow is slow for every width.
    let (started, mut rounds) = (Instant::now(), 0);
    let limit = TIMED * u32::try_from(least.len()).unwrap_or(u32::MAX);
    while rounds < TIMES_MIN || started.elapsed() < limit {
        for (bits, ns) in &mut least {
            let started = Instant::now();
            black_box(sum(*bits)?);
            *ns = ns.min(started.elapsed().as_secs_f64() * 1e9);
        }
        rounds += 1;
    }
    Ok(least)
}

/// The costs that tell the values best: least squares, by the normal equations.
fn fit(equations: &[Equation]) -> [f64; UNKNOWNS] {
    let mut matrix = [[0.0; UNKNOWNS + 1]; UNKNOWNS];
    for (counts, value) in equations {
        for (row, factor) in matrix.iter_mut().zip(counts) {
            for (sum, value) in row.iter_mut().zip(counts.iter().chain([value])) {
                *sum += factor * value;
            }
        }
    }
    for pivot in 0..UNKNOWNS {
        let largest = (pivot..UNKNOWNS)
            .max_by(|&a, &b| matrix[a][pivot].abs().total_cmp(&matrix[b][pivot].abs()));
        matrix.swap(pivot, largest.unwrap_or(pivot));
        let lead = matrix[pivot].map(|value| value / matrix[pivot][pivot]);
        for (index, row) in matrix.iter_mut().enumerate() {
            let factor = row[pivot];
            if index == pivot {
                *row = lead;
            } else {
                row.iter_mut().zip(lead).for_each(|(value, lead)| *value -= factor * lead);
            }
        }
    }
    matrix.map(|row| row[UNKNOWNS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_costs_whatever_no_width_changes() {
        let costs = [17.0, 42.0, 6e4, 3.0];
        let of_sum = |n: u32| {
            let times = (1_u32..8).map(|k| {
                let (n, k) = (f64::from(n), f64::from(k));
                let counts = [n * k * k, 7.0 * k + 1.0, (k % 3.0) + 1.0, n / k];
                let time: f64 = counts.iter().zip(costs).map(|(count, cost)| count * cost).sum();
                (counts, time + 1000.0 * n)
            });
            times.collect::<Vec<_>>()
        };
        let equations: Vec<_> =
            [10, 200, 3000].into_iter().flat_map(|n| differences(&of_sum(n))).collect();

        for (found, cost) in fit(&equations).into_iter().zip(costs) {
            assert!((found / cost - 1.0).abs() < 1e-6, "{found} {cost}");
        }
    }
}
