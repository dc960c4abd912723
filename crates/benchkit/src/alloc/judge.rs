//! What ours must reach, beside what was measured.

use super::cases::{Case, Must};
use super::peers::{Kind, Peer};
use crate::format::mib;
use crate::rounds::Summary;
use crate::table::table;

/// A target and what was measured.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is asked of ours.
    pub target: String,
    /// The most that passes.
    pub must: String,
    /// What it was.
    pub measured: String,
    /// Whether it passes.
    pub is_met: bool,
}

impl Verdict {
    /// Of bytes that must not be above a bound.
    pub fn of_bytes(target: String, bytes: u64, bytes_max: u64, bound: &str) -> Self {
        Self {
            target,
            must: format!("{} MiB, {bound}", mib(bytes_max)),
            measured: format!("{} MiB", mib(bytes)),
            is_met: bytes <= bytes_max,
        }
    }

    /// Says it on standard error: a whole run takes minutes, and its tables come at the end.
    pub fn tell(&self) {
        eprintln!("{} {}: {}, at most {}", self.word(), self.target, self.measured, self.must);
    }

    fn word(&self) -> &'static str {
        if self.is_met { "pass" } else { "FAIL" }
    }

    /// A target that nothing was measured for is not met.
    pub fn unmeasured(target: &str, reason: &str) -> Self {
        Self {
            target: target.to_owned(),
            must: "measured".to_owned(),
            measured: reason.to_owned(),
            is_met: false,
        }
    }
}

/// A line for each target, with pass or FAIL.
#[must_use]
pub fn report(verdicts: &[Verdict]) -> String {
    let mut rows = vec![["target", "at most", "measured", ""].map(str::to_owned).to_vec()];
    rows.extend(verdicts.iter().map(|verdict| {
        vec![
            verdict.target.clone(),
            verdict.must.clone(),
            verdict.measured.clone(),
            verdict.word().to_owned(),
        ]
    }));
    table(&rows)
}

/// What the contestants of a case reached.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Who took part.
    pub peers: &'a [Peer],
    /// What each of them showed.
    pub summaries: &'a [Summary],
}

impl<'a> Field<'a> {
    /// Ours; None where it did not take part.
    #[must_use]
    pub fn ours(self) -> Option<&'a Summary> {
        self.of(|peer| peer.kind == Kind::Ours).next().map(|(_, summary)| summary)
    }

    fn of(self, chosen: impl Fn(&Peer) -> bool) -> impl Iterator<Item = (&'a Peer, &'a Summary)> {
        self.peers.iter().zip(self.summaries).filter(move |(peer, _)| chosen(peer))
    }

    /// The tuned peer with the smallest figure, and that figure.
    fn best(self, figure: fn(&Summary) -> f64) -> Option<(&'a str, f64)> {
        self.of(|peer| peer.kind == Kind::Tuned)
            .map(|(peer, summary)| (peer.contestant.name, figure(summary)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// The time of ours against the best tuned peer.
    #[must_use]
    pub fn time(self, target: &str, minima: f64, medians: f64) -> Option<Verdict> {
        let ours = self.ours()?;
        let (by_min, best_min) = self.best(|summary| summary.min)?;
        let (by_median, best_median) = self.best(|summary| summary.median)?;
        let (min, median) = (ours.min / best_min, ours.median / best_median);
        Some(Verdict {
            target: format!("{target}: time"),
            must: format!("{minima:.2}x, {medians:.2}x"),
            measured: format!("{min:.3}x {by_min}, {median:.3}x {by_median}"),
            is_met: min <= minima && median <= medians,
        })
    }

    /// The smallest peak of some peers.
    fn least_peak(self, chosen: impl Fn(&Peer) -> bool) -> Option<u64> {
        self.of(chosen).map(|(_, summary)| summary.peak_bytes).min()
    }
}

/// What is asked of ours in a case; nothing where it or its peers did not take part.
#[must_use]
pub fn judge(case: &Case, field: Field) -> Vec<Verdict> {
    case.musts.iter().filter_map(|&must| judge_one(case, must, field)).collect()
}

fn judge_one(case: &Case, must: Must, field: Field) -> Option<Verdict> {
    let ours = field.ours()?;
    let peak = |bytes_max, bound: &str| {
        Verdict::of_bytes(format!("{}: peak", case.name), ours.peak_bytes, bytes_max, bound)
    };
    Some(match must {
        Must::Time { minima, medians } => return field.time(&case.name, minima, medians),
        Must::TimeBelow(most) => Verdict {
            target: format!("{}: time", case.name),
            must: format!("{most} {}", case.unit.name()),
            measured: format!("{:.1} {}", ours.median, case.unit.name()),
            is_met: ours.median <= most,
        },
        Must::Faults(most) => Verdict {
            target: format!("{}: page faults", case.name),
            must: most.to_string(),
            measured: ours.page_faults.to_string(),
            is_met: ours.page_faults <= most,
        },
        Must::PeakOfLive(ratio) => peak(scaled(case.live_bytes, ratio), &format!("{ratio}x live")),
        Must::PeakOfBest(ratio) => {
            let best = field.least_peak(|peer| peer.kind == Kind::Tuned)?;
            peak(scaled(best, ratio), &format!("{ratio}x best"))
        }
        Must::PeakOfGlibc => {
            let best = field.least_peak(Peer::is_tuned_glibc)?;
            peak(best, "tuned glibc")
        }
    })
}

/// Bytes times a ratio.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes far below 2^52 and small positive ratios"
)]
pub fn scaled(bytes: u64, ratio: f64) -> u64 {
    (bytes as f64 * ratio) as u64
}

#[cfg(test)]
mod tests {
    use super::super::peers::peers;
    use super::*;
    use crate::allocator::Allocator;

    fn summary(min: f64, median: f64, peak_mib: u64) -> Summary {
        let peak_bytes = peak_mib << 20;
        Summary {
            rounds: 1,
            min,
            median,
            resident_bytes: 0,
            idle_bytes: None,
            peak_bytes,
            page_faults: 3,
        }
    }

    fn verdicts(case_of: fn(&str) -> bool, summaries: [Summary; 4]) -> Vec<bool> {
        // glibc, glibc tuned, the same with one arena, nalloc.
        let peers = peers(&[Allocator::Glibc, Allocator::Nalloc]);
        let cases = super::super::cases::cases(1);
        let case = cases.iter().find(|case| case_of(&case.name)).expect("a case");
        let field = Field { peers: &peers, summaries: &summaries };
        judge(case, field).iter().map(|verdict| verdict.is_met).collect()
    }

    #[test]
    fn stock_peers_are_no_measure_and_both_ratios_must_hold() {
        let fill = |name: &str| name == "fill 64 MB";
        let peers = [summary(0.1, 0.1, 0), summary(10.0, 12.0, 0), summary(11.0, 11.0, 0)];
        let with = |ours| [peers[0], peers[1], peers[2], ours];

        assert_eq!(verdicts(fill, with(summary(10.2, 11.4, 0))), [true, false]);
        assert_eq!(verdicts(fill, with(summary(10.4, 11.4, 0))), [false, false]);
        assert_eq!(verdicts(fill, with(summary(10.2, 11.6, 0))), [false, false]);
    }

    #[test]
    fn peaks_are_compared_with_live_bytes_and_with_the_better_of_the_tuned() {
        let growth = |name: &str| name == "growth of two vectors";
        let shift = |name: &str| name == "class shift";
        let peers = [summary(1.0, 1.0, 1), summary(1.0, 1.0, 700), summary(1.0, 1.0, 690)];
        let with = |ours| [peers[0], peers[1], peers[2], ours];

        assert_eq!(verdicts(growth, with(summary(1.0, 1.0, 690))), [true, true]);
        assert_eq!(verdicts(growth, with(summary(1.0, 1.0, 691))), [true, false]);
        assert_eq!(verdicts(shift, with(summary(1.0, 1.0, 791))), [true, true]);
        assert_eq!(verdicts(shift, with(summary(1.0, 1.0, 792))), [true, false]);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        let text = report(&[Verdict::unmeasured("a", "too little memory")]);
        assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("FAIL")), "{text}");
    }
}
