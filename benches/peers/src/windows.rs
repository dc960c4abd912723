//! `npm run bench:peers -- windows`: what the cost model of sums is made of, and how far from the
//! best width its choices are.
//!
//! Sums of 2^8 to 2^18 points with windows of every sensible width, on one thread, give a system of
//! equations: time = a additions + b buckets + t tasks + p points. Its solution by least squares of
//! relative errors is a, b and t, which stand in msm/plan.rs, and p, which no plan changes. What
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
const BESIDE: u32 = 2;
/// Each width is timed for so long, and at least so often; the least time counts.
const TIMED: Duration = Duration::from_millis(60);
const TIMES_MIN: usize = 3;
/// What a planned width may cost of the best one.
const LOSS_MAX: f64 = 1.05;
/// How far a constant may be from what was measured, either way.
const CONSTANT_RATIO_MAX: f64 = 1.25;
const UNKNOWNS: usize = 4;

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
        goals.push(judge(&terms, "G1", log2)?);
    }
    for log2 in JUDGED_G2 {
        goals.push(judge(&terms_g2, "G2", log2)?);
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
        for (bits, ns) in times(terms, n, &pool)? {
            let cut = cut(n, bits);
            let counts = [cut.additions, cut.buckets, cut.tasks, n];
            #[expect(clippy::cast_precision_loss, reason = "millions")]
            equations.push((counts.map(|count| count as f64), ns));
        }
    }
    let solution = fit(&equations);
    let errors = equations.iter().map(|(counts, ns)| {
        let told: f64 = counts.iter().zip(solution).map(|(count, cost)| count * cost).sum();
        (told / ns - 1.0).abs()
    });
    let worst = errors.fold(0.0, f64::max);
    let names = ["addition", "bucket", "task", "point"];
    let shown: Vec<_> =
        names.iter().zip(solution).map(|(name, cost)| format!("{cost:.1} ns a {name}")).collect();
    println!("fitted to {} sums: {}; at most {:.0} % off", equations.len(), shown.join(", "), {
        100.0 * worst
    });
    let goals = names.iter().zip(solution).zip(COSTS_NS).map(|((name, cost), planned)| {
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let ratio = planned as f64 / cost;
        Goal {
            name: format!("{planned} ns a {name} in msm/plan.rs: of the measured, either way"),
            must: Bound::AtMost(CONSTANT_RATIO_MAX),
            aim_and_limit: None,
            // Below zero the fit has no meaning, and no ratio.
            measured: Some(if ratio > 0.0 { ratio.max(1.0 / ratio) } else { f64::NAN }),
        }
    });
    Ok(goals.collect())
}

/// What the planned width costs of the best one, on two threads.
fn judge<F: CurveField>(terms: &Terms<F>, group: &str, log2: u32) -> Result<Goal, String> {
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
        must: Bound::AtMost(LOSS_MAX),
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

/// The costs that tell the times best: least squares of relative errors, by the normal equations.
fn fit(equations: &[([f64; UNKNOWNS], f64)]) -> [f64; UNKNOWNS] {
    let mut matrix = [[0.0; UNKNOWNS + 1]; UNKNOWNS];
    for (counts, ns) in equations {
        let scaled = counts.map(|count| count / ns);
        for (row, factor) in matrix.iter_mut().zip(scaled) {
            for (sum, value) in row.iter_mut().zip(scaled.into_iter().chain([1.0])) {
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
    fn a_fit_finds_the_costs_that_the_times_are_made_of() {
        let costs = [17.0, 42.0, 6e4, 3.0];
        let equations: Vec<_> = (1_u32..20)
            .map(|k| {
                let k = f64::from(k);
                let counts = [k * k, 7.0 * k + 1.0, (k % 3.0) + 1.0, 100.0 / k];
                (counts, counts.iter().zip(costs).map(|(count, cost)| count * cost).sum())
            })
            .collect();

        for (found, cost) in fit(&equations).into_iter().zip(costs) {
            assert!((found / cost - 1.0).abs() < 1e-6, "{found} {cost}");
        }
    }
}
