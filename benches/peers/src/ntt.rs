//! The rows of `npm run bench:peers -- ntt`, and what is asked of them.

use benchkit::machine::Machine;
use benchkit::options::Options;

use crate::contestant::{
    ARKWORKS, Contestant, GNARK_HOST, GNARK_NO_AVX512, HALO2CURVES, OURS, PORTABLE,
};
use crate::goal::{Bound, Goal, report};
use crate::input::Case;
use crate::ours::clock_hz;
use crate::rows::{Results, contestants, lines, record, run, unit};

/// Those that need no Go.
const ALWAYS: [Contestant; 4] = [OURS, PORTABLE, ARKWORKS, HALO2CURVES];
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
/// What gnark-crypto took when the targets were set, on two threads but for the product: machines
/// of one kind differ by a third, by their neighbours and their clock, and their ratios do not.
const GNARK_TRANSFORMS_MS: [f64; 3] = [2.6, 49.5, 242.0];
const GNARK_PRODUCT_NS: f64 = 5.25;
const PORTABLE_TO_ARKWORKS_MIN: f64 = 1.3;
const PORTABLE_TO_GNARK_MIN: f64 = 0.9;
/// Of two threads, at 2^20.
const SPEED_UP_MIN: f64 = 1.8;
const SPEED_UP_LOG2: u32 = 20;

/// Measures and prints everything; whether all targets are met.
pub fn compare(options: &Options) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let contestants = contestants(&ALWAYS, &[GNARK_HOST, GNARK_NO_AVX512])?;
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
        record(BENCHMARK, &machine, &results)?;
    }
    let goals = goals(&results);
    println!("\n{}", report(&goals));
    println!("{}", pace(&results));
    Ok(goals.iter().all(Goal::is_met))
}

/// How long gnark-crypto takes here, and when the targets were set.
fn pace(results: &Results) -> String {
    let (_, per_ms, _) = unit(Case::Product);
    let product = results.min(Case::Product, 1, GNARK_HOST).map(|ms| ms * per_ms);
    let mut paces = vec![("a product".to_owned(), product, GNARK_PRODUCT_NS)];
    paces.extend(TRANSFORMS.iter().zip(GNARK_TRANSFORMS_MS).map(|(&(log2, ..), then)| {
        (format!("2^{log2}"), results.min(Case::Ntt(log2), 2, GNARK_HOST), then)
    }));
    let shown = paces.into_iter().filter_map(|(name, here, then)| {
        here.map(|here| format!("{:.2}x for {name}", here / then))
    });
    let shown: Vec<String> = shown.collect();
    let clock = clock_hz() / 1e9;
    if shown.is_empty() {
        return format!("clock {clock:.2} GHz");
    }
    format!(
        "clock {clock:.2} GHz; gnark-crypto takes as long as when the targets were set times: {}",
        shown.join(", ")
    )
}

fn goals(results: &Results) -> Vec<Goal> {
    let (must, aim, limit) = PRODUCT;
    let (_, per_ms, _) = unit(Case::Product);
    let product_name = "Fr multiplication in a vector";
    let mut goals = vec![Goal {
        name: format!("{product_name}, ns, 1 thread"),
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
    goals.push(Goal {
        name: format!("{product_name}: {}", GNARK_HOST.name),
        must: Bound::AtLeast(GNARK_PRODUCT_NS / must),
        aim_and_limit: Some((GNARK_PRODUCT_NS / aim, GNARK_PRODUCT_NS / limit)),
        measured: results.ratio(Case::Product, 1, OURS, GNARK_HOST),
    });
    goals.extend(TRANSFORMS.iter().zip(GNARK_TRANSFORMS_MS).map(
        |(&(log2, must, aim, limit), then)| Goal {
            name: format!("NTT 2^{log2}, 2 threads: {}", GNARK_HOST.name),
            must: Bound::AtLeast(then / must),
            aim_and_limit: Some((then / aim, then / limit)),
            measured: results.ratio(Case::Ntt(log2), 2, OURS, GNARK_HOST),
        },
    ));
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
