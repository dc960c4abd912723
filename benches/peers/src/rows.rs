//! Rounds of all contestants in one case, and their tables and records.

use benchkit::format::{mib, ms};
use benchkit::machine::Machine;
use benchkit::record::{Entry, append};
use benchkit::rounds::{Sample, Summary, order};
use benchkit::table::table;
use benchkit::worker::Worker;

use crate::contestant::{Contestant, GNARK_NO_AVX512};
use crate::input::{Case, OPENINGS, PRODUCT_LEN};
use crate::theirs::{Arkworks, Library};

/// What one contestant showed in one case.
pub struct Shown {
    pub case: Case,
    pub threads: usize,
    pub contestant: Contestant,
    pub summary: Summary,
}

/// Everything that was measured.
pub struct Results(pub Vec<Shown>);

impl Results {
    /// The least time, in ms.
    pub fn min(&self, case: Case, threads: usize, contestant: Contestant) -> Option<f64> {
        let is_asked = |shown: &&Shown| {
            (shown.case, shown.threads, shown.contestant) == (case, threads, contestant)
        };
        self.0.iter().find(is_asked).map(|shown| shown.summary.min)
    }

    /// How many times as long `other` takes.
    pub fn ratio(
        &self,
        case: Case,
        threads: usize,
        of: Contestant,
        other: Contestant,
    ) -> Option<f64> {
        Some(self.min(case, threads, other)? / self.min(case, threads, of)?)
    }
}

/// Who takes part here, each with what it says of itself.
pub fn contestants(always: &[Contestant], built: &[Contestant]) -> Result<Vec<Contestant>, String> {
    let mut contestants = always.to_vec();
    for &one in built {
        match one.build() {
            Ok(()) => contestants.push(one),
            Err(reason) => println!("left out: {}: {reason}", one.name),
        }
    }
    for one in &contestants {
        let settings = one.start(1)?.ask("settings")?;
        if *one == GNARK_NO_AVX512 && !settings.ends_with("avx512 false") {
            return Err(format!("{}: expected AVX-512 to be off, got {settings}", one.name));
        }
        println!("{}: {settings}", one.name);
    }
    Ok(contestants)
}

/// Compares the results of a case, then lets fresh processes take turns.
pub fn run(
    case: Case,
    threads: usize,
    rounds: usize,
    contestants: &[Contestant],
) -> Result<Vec<Shown>, String> {
    if contestants.len() > 1 {
        let expected = Arkworks.hash(case, threads)?;
        for contestant in contestants {
            contestant.start(threads)?.ask(&format!("check {} {expected}", case.name()))?;
        }
    }
    let started = contestants.iter().map(|one| one.start(threads));
    let mut workers = started.collect::<Result<Vec<Worker>, String>>()?;
    let mut samples: Vec<Vec<Sample>> = vec![Vec::with_capacity(rounds); workers.len()];
    for round in 0..rounds {
        for turn in order(round, workers.len()) {
            samples[turn].push(workers[turn].round(&case.name())?);
        }
    }
    let shown = contestants.iter().zip(samples).map(|(&contestant, samples)| Shown {
        case,
        threads,
        contestant,
        summary: Summary::of(&samples),
    });
    Ok(shown.collect())
}

/// The name of a case, how many of its unit a millisecond is, and the unit.
pub fn unit(case: Case) -> (String, f64, &'static str) {
    match case {
        #[expect(clippy::cast_precision_loss, reason = "4096")]
        Case::Product => ("Fr multiplication in a vector".into(), 1e6 / PRODUCT_LEN as f64, "ns"),
        Case::Ntt(log2) => (format!("NTT 2^{log2}"), 1.0, "ms"),
        Case::G1(log2) => (format!("MSM G1 2^{log2}"), 1.0, "ms"),
        Case::G1Small(log2) => (format!("MSM G1 2^{log2}, 90 % 0 or 1"), 1.0, "ms"),
        Case::G2(log2) => (format!("MSM G2 2^{log2}"), 1.0, "ms"),
        Case::Commit(log2) => (format!("KZG commit 2^{log2}"), 1.0, "ms"),
        Case::Open(log2) => (format!("KZG open 2^{log2}"), 1.0, "ms"),
        Case::Verify => ("KZG verify".into(), 1.0, "ms"),
        Case::VerifyEach => (format!("KZG verify {OPENINGS} openings"), 1.0, "ms"),
        Case::Butterfly | Case::Shoup => (case.name(), 1.0, "cycles"),
    }
}

/// The table of one case and number of threads.
pub fn lines(shown: &[Shown]) -> String {
    let (name, per_ms, unit) = unit(shown[0].case);
    let title = format!("{name}, {} threads", shown[0].threads);
    let [min, median] = ["min", "median"].map(|figure| format!("{figure} {unit}"));
    let header = [title.as_str(), &min, &median, "of ours", "resident MiB", "peak MiB"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().map(|Shown { contestant, summary, .. }| {
        vec![
            contestant.name.to_owned(),
            ms(summary.min * per_ms),
            ms(summary.median * per_ms),
            format!("{:.2}x", summary.min / shown[0].summary.min),
            mib(summary.resident_bytes),
            mib(summary.peak_bytes),
        ]
    }));
    table(&rows)
}

/// Appends everything to the records of a benchmark.
pub fn record(benchmark: &str, machine: &Machine, results: &Results) -> Result<(), String> {
    for unit_of_file in ["ms", "ns", "cycles"] {
        let mut of_unit =
            results.0.iter().filter(|shown| unit(shown.case).2 == unit_of_file).peekable();
        if of_unit.peek().is_none() {
            continue;
        }
        let entries: Vec<Entry> = of_unit
            .map(|Shown { case, threads, contestant, summary }| {
                let (name, per_ms, _) = unit(*case);
                let (min, median) = (summary.min * per_ms, summary.median * per_ms);
                Entry {
                    case: format!("{name}, {threads} threads"),
                    contestant: contestant.name.to_owned(),
                    settings: String::new(),
                    summary: Summary { min, median, ..*summary },
                }
            })
            .collect();
        let file = append(benchmark, unit_of_file, machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("recorded in {}", file.display());
    }
    Ok(())
}
