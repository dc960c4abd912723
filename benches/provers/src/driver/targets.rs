//! What is asked of nalloc with a prover.

use benchkit::rounds::Summary;
use benchkit::target::Target;

use super::contestants::{CACHE_LIMIT_BYTES, Entrant, OURS, OURS_LIMITED, STOCK};
use super::shown::Shown;

/// Of a proof's time, to the best of the other allocators, by medians of pairs.
const TIME_MAX: f64 = 1.02;
/// Of a first proof's, to the C library's allocator; minima of ten processes differ by so much.
const COLD_MAX: f64 = 1.01;
/// Those take part in the comparison of memory whose proofs take at most so much of the best's
/// time.
const FAST_MAX: f64 = 1.05;
const PEAK_MAX: f64 = 1.05;
/// Beside what is live and what the limit lets stay: code, stacks, small blocks.
const IDLE_ROOM_BYTES: u64 = 64 << 20;

/// A line for each, with what was measured.
pub fn of(prover: &str, entrants: &[Entrant], shown: &[Shown]) -> Vec<Target> {
    let pairs: Vec<(&str, &Shown)> =
        entrants.iter().map(|entrant| entrant.contestant.name).zip(shown).collect();
    let find = |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map(|&(_, one)| one);
    let (Some(ours), Some(limited), Some(stock)) = (find(OURS), find(OURS_LIMITED), find(STOCK))
    else {
        return Vec::new();
    };
    let others = || pairs.iter().filter(|(name, _)| ![OURS, OURS_LIMITED].contains(name));
    // Not a number, which no target takes, where nothing was measured.
    let to_best = |of: fn(&Shown) -> Option<Summary>| {
        others().filter_map(|(_, one)| of(one)).map(|ratio| ratio.median).fold(f64::NAN, f64::max)
    };
    let best_wall = others().map(|(_, one)| one.warm_wall().median).fold(f64::INFINITY, f64::min);
    let fast = others().filter(|(_, one)| one.warm_wall().median <= FAST_MAX * best_wall);
    let peak = fast.map(|(_, one)| one.warm_wall().peak_bytes).min().unwrap_or(0);
    let idle_max = limited.live_bytes + CACHE_LIMIT_BYTES + IDLE_ROOM_BYTES;
    let target = |what: &str, ratio_max, ratio| Target {
        name: format!("{prover}: {what}"),
        ratio_max,
        ratio,
    };
    vec![
        target("time, of the best", TIME_MAX, to_best(Shown::ours_to_wall)),
        target("CPU, of the best", TIME_MAX, to_best(Shown::ours_to_cpu)),
        target(
            "first proof, of stock glibc",
            COLD_MAX,
            ours.cold_wall().min / stock.cold_wall().min,
        ),
        target(
            "peak resident, of the smallest fast one",
            PEAK_MAX,
            ratio(ours.warm_wall().peak_bytes, peak),
        ),
        target("idle, of live + 64M + 64 MiB", 1.0, ratio(limited.idle_bytes, idle_max)),
        target(
            "time with a limit of 64M, of without",
            TIME_MAX,
            limited.ours_to_wall().map_or(f64::NAN, |ratio| 1.0 / ratio.median),
        ),
    ]
}

/// Of byte counts, which are below 2^53.
#[allow(clippy::cast_precision_loss)]
fn ratio(bytes: u64, of: u64) -> f64 {
    bytes as f64 / of as f64
}
