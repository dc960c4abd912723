//! The rows of `npm run bench:peers -- ntt`, and what is asked of them.

use benchkit::format::{mib, ms};
use benchkit::machine::Machine;
use benchkit::options::Options;
use benchkit::record::{Entry, append};
use benchkit::rounds::{Sample, Summary, order};
use benchkit::table::table;
use benchkit::worker::Worker;

use crate::contestant::{
    ARKWORKS, Contestant, GNARK_HOST, GNARK_NO_AVX512, HALO2CURVES, OURS, PORTABLE,
};
use crate::goal::{Bound, Goal, report};
use crate::input::{Case, PRODUCT_LEN};
use crate::theirs::{Arkworks, Library};

const BENCHMARK: &str = "peers-ntt";
const THREADS: [usize; 2] = [1, 2];
const ROUNDS: usize = 7;
/// Of transforms from 2^20 up, whose rounds take seconds.
const ROUNDS_OF_LARGE: usize = 4;
/// A run that only shows that everything works.
const QUICK_ROUNDS: usize = 2;
/// Must, aim and limit on two threads, in ms. The limits are 75 multiply-adds for each of the
/// (N / 2) log2 N - N butterflies of 8 elements, at two a cycle and 4.05 GHz.
const TRANSFORMS: [(u32, f64, f64, f64); 3] =
    [(16, 0.48, 0.42, 0.27), (20, 10.5, 8.5, 5.5), (22, 46.0, 38.0, 24.0)];
/// Of one product in a vector, in ns.
const PRODUCT: (f64, f64, f64) = (2.1, 1.8, 1.62);
/// Of kernels, in cycles: per butterfly of eight elements, and per product.
const KERNELS: [(Case, &str, f64, f64, f64); 2] = [
    (Case::Butterfly, "NTT butterfly, cycles per 8", 48.0, 43.0, 37.5),
    (Case::Shoup, "Shoup multiplication, cycles", 6.2, 5.2, 4.69),
];
const PORTABLE_TO_ARKWORKS_MIN: f64 = 1.3;
const PORTABLE_TO_GNARK_MIN: f64 = 0.9;
/// Of two threads, at 2^20.
const SPEED_UP_MIN: f64 = 1.8;
const SPEED_UP_LOG2: u32 = 20;

/// What one contestant showed in one case.
struct Shown {
    case: Case,
    threads: usize,
    contestant: Contestant,
    summary: Summary,
}

/// Everything that was measured.
struct Results(Vec<Shown>);

impl Results {
    fn min(&self, case: Case, threads: usize, contestant: Contestant) -> Option<f64> {
        let is_asked = |shown: &&Shown| {
            (shown.case, shown.threads, shown.contestant) == (case, threads, contestant)
        };
        self.0.iter().find(is_asked).map(|shown| shown.summary.min)
    }

    /// How many times as long `other` takes.
    fn ratio(&self, case: Case, threads: usize, of: Contestant, other: Contestant) -> Option<f64> {
        Some(self.min(case, threads, other)? / self.min(case, threads, of)?)
    }
}

/// Measures and prints everything; whether all targets are met.
pub fn compare(options: &Options) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let contestants = contestants()?;
    let rounds = |case| match case {
        _ if options.is_quick => QUICK_ROUNDS,
        Case::Ntt(20..) => ROUNDS_OF_LARGE,
        _ => ROUNDS,
    };
    let mut results = Results(Vec::new());
    for threads in THREADS {
        let transforms = TRANSFORMS.map(|(log2, ..)| Case::Ntt(log2));
        let product = (threads == 1).then_some(Case::Product);
        for case in product.into_iter().chain(transforms) {
            if options.is_quick && case == Case::Ntt(22) {
                println!("left out of a quick run: NTT 2^22");
                continue;
            }
            let shown = run(case, threads, rounds(case), &contestants)?;
            println!("\n{}", lines(&shown));
            results.0.extend(shown);
        }
    }
    for (case, ..) in KERNELS {
        match run(case, 1, rounds(case), &[OURS]) {
            Ok(shown) => results.0.extend(shown),
            Err(reason) => println!("left out: {reason}"),
        }
    }
    if options.is_recording {
        record(&machine, &results)?;
    }
    let goals = goals(&results);
    println!("\n{}", report(&goals));
    Ok(goals.iter().all(Goal::is_met))
}

/// Who takes part here, each with what it says of itself.
fn contestants() -> Result<Vec<Contestant>, String> {
    let mut contestants = vec![OURS, PORTABLE, ARKWORKS, HALO2CURVES];
    for one in [GNARK_HOST, GNARK_NO_AVX512] {
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
fn run(
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
fn unit(case: Case) -> (String, f64, &'static str) {
    match case {
        #[expect(clippy::cast_precision_loss, reason = "4096")]
        Case::Product => ("Fr multiplication in a vector".into(), 1e6 / PRODUCT_LEN as f64, "ns"),
        Case::Ntt(log2) => (format!("NTT 2^{log2}"), 1.0, "ms"),
        Case::Butterfly | Case::Shoup => (case.name(), 1.0, "cycles"),
    }
}

/// The table of one case and number of threads.
fn lines(shown: &[Shown]) -> String {
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

fn record(machine: &Machine, results: &Results) -> Result<(), String> {
    for unit_of_file in ["ms", "ns", "cycles"] {
        let of_unit = results.0.iter().filter(|shown| unit(shown.case).2 == unit_of_file);
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
        let file = append(BENCHMARK, unit_of_file, machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("recorded in {}", file.display());
    }
    Ok(())
}

fn goals(results: &Results) -> Vec<Goal> {
    let (must, aim, limit) = PRODUCT;
    let (_, per_ms, _) = unit(Case::Product);
    let mut goals = vec![Goal {
        name: "Fr multiplication in a vector, ns, 1 thread".to_owned(),
        must: Bound::AtMost(must),
        aim_and_limit: Some((aim, limit)),
        measured: results.min(Case::Product, 1, OURS).map(|ms| ms * per_ms),
    }];
    goals.extend(KERNELS.map(|(case, name, must, aim, limit)| Goal {
        name: name.to_owned(),
        must: Bound::AtMost(must),
        aim_and_limit: Some((aim, limit)),
        measured: results.min(case, 1, OURS),
    }));
    goals.extend(TRANSFORMS.map(|(log2, must, aim, limit)| Goal {
        name: format!("NTT 2^{log2}, ms, 2 threads"),
        must: Bound::AtMost(must),
        aim_and_limit: Some((aim, limit)),
        measured: results.min(Case::Ntt(log2), 2, OURS),
    }));
    for (log2, ..) in TRANSFORMS {
        let case = Case::Ntt(log2);
        let peers =
            [(ARKWORKS, PORTABLE_TO_ARKWORKS_MIN), (GNARK_NO_AVX512, PORTABLE_TO_GNARK_MIN)];
        goals.extend(peers.map(|(peer, must)| Goal {
            name: format!("NTT 2^{log2}, portable, 2 threads: {}", peer.name),
            must: Bound::AtLeast(must),
            aim_and_limit: None,
            measured: results.ratio(case, 2, PORTABLE, peer),
        }));
    }
    let case = Case::Ntt(SPEED_UP_LOG2);
    let times = results.min(case, 1, OURS).zip(results.min(case, 2, OURS));
    goals.push(Goal {
        name: format!("NTT 2^{SPEED_UP_LOG2}: 2 threads against 1"),
        must: Bound::AtLeast(SPEED_UP_MIN),
        aim_and_limit: None,
        measured: times.map(|(one, two)| one / two),
    });
    goals
}
