//! Arenas and secrets: `npm run bench:arena`, or `cargo bench --bench arena`. `-- --quick` shows
//! that it works and no figure, `-- --record` keeps the figures.
//!
//! Everything is one process, and the rows take turns round by round. What must hold is compared
//! with what the same run measured beside it: a bump with one atomic add, a wipe with a memset.
//! Each row's work is checked before anything is timed.

use std::env;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use benchkit::format::mib;
use benchkit::machine::Machine;
use benchkit::options::Options;
use benchkit::record::{Entry, append};
use benchkit::rounds::{Sample, Summary, order};
use benchkit::table::table;
use benchkit::target::{Target, report};
use benchkit::usage::{reset_peak, usage};
use nalloc::{Arena, NAlloc, SecretBuf, secret_scope};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const BENCHMARK: &str = "arena";
const ROUNDS: usize = 31;
const WARM_UPS: usize = 3;
/// Slices of one timed loop, and bytes of each.
const SLICES: usize = 100_000;
const SLICE_BYTES: usize = 64;
const THREADS: usize = 16;
/// Bytes that one timed loop wipes, in pieces of each length: a short loop would time the caches
/// that the row before it left behind.
const WIPED_BYTES: usize = 128 << 20;
const WIPES: [(&str, usize); 4] = [
    ("wipe, 4 KiB", 4 << 10),
    ("wipe, 64 KiB", 64 << 10),
    ("wipe, 1 MiB", 1 << 20),
    ("wipe, 64 MiB", 64 << 20),
];

/// What a bump may cost beyond one atomic add, and on paths without atomics, in ns.
const BEYOND_ADD_NS: f64 = 3.0;
const EXCLUSIVE_NS: f64 = 2.0;
/// How much longer than a memset of the same bytes a wipe may take.
const WIPE_RATIO_MAX: f64 = 1.0 / 0.9;

/// Something that is timed: its nanoseconds per operation, each time it runs.
struct Row {
    case: &'static str,
    contestant: &'static str,
    run: Box<dyn FnMut() -> f64>,
}

impl Row {
    /// A row whose `work` does `count` operations.
    fn new(
        case: &'static str,
        contestant: &'static str,
        count: usize,
        mut work: impl FnMut() + 'static,
    ) -> Self {
        let operations = u32::try_from(count).map_or(f64::INFINITY, f64::from);
        let run = move || {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e9 / operations
        };
        Self { case, contestant, run: Box::new(run) }
    }
}

fn arena(bytes: usize) -> Arena {
    Arena::with_capacity(bytes).expect("memory")
}

/// Slices in a row, from one arena, by every way that leads to one.
fn bumps(rows: &mut Vec<Row>) {
    let cursor = AtomicUsize::new(0);
    rows.push(Row::new("bump, 64 B", "one atomic add", SLICES, move || {
        for _ in 0..SLICES {
            black_box(cursor.fetch_add(SLICE_BYTES, Ordering::Relaxed));
        }
    }));
    let mut shared = arena(2 * SLICES * SLICE_BYTES);
    let [one, two] = [0, 1].map(|_| shared.alloc_uninit::<u64>(8).as_ptr().addr());
    assert_eq!(two - one, SLICE_BYTES, "slices lie side by side");
    rows.push(Row::new("bump, 64 B", "&Arena", SLICES, move || {
        shared.reset();
        for _ in 0..SLICES {
            black_box(shared.alloc_uninit::<u64>(8).as_mut_ptr());
        }
    }));
    let mut own = arena(2 * SLICES * SLICE_BYTES);
    rows.push(Row::new("bump, 64 B", "Exclusive of &mut Arena", SLICES, move || {
        own.reset();
        let mut own = own.exclusive();
        for _ in 0..SLICES {
            black_box(own.alloc_uninit::<u64>(8).as_mut_ptr());
        }
    }));
    let mut scoped = arena(2 * SLICES * SLICE_BYTES);
    rows.push(Row::new("bump, 64 B", "Exclusive of &mut Scope", SLICES, move || {
        scoped.scope(|mut scope| {
            let mut own = scope.exclusive();
            for _ in 0..SLICES {
                black_box(own.alloc_uninit::<u64>(8).as_mut_ptr());
            }
        });
    }));
    let mut zeroed = arena(2 * SLICES * SLICE_BYTES);
    assert_eq!(zeroed.alloc_array::<u64>(8), [0; 8]);
    rows.push(Row::new("bump, 64 B", "&Arena, zeroed after a reset", SLICES, move || {
        zeroed.reset();
        for _ in 0..SLICES {
            black_box(zeroed.alloc_array::<u64>(8).as_mut_ptr());
        }
    }));
    let mut emptied = arena(1 << 20);
    rows.push(Row::new("whole arena", "scope and its end", SLICES, move || {
        for _ in 0..SLICES {
            black_box(emptied.scope(|scope| scope.alloc_uninit::<u64>(8).as_ptr().addr()));
        }
    }));
    let mut emptied = arena(1 << 20);
    rows.push(Row::new("whole arena", "reset", SLICES, move || {
        for _ in 0..SLICES {
            black_box(&mut emptied).reset();
        }
    }));
}

/// Sixteen threads on one arena, and on parts of their own.
fn threads(rows: &mut Vec<Row>) {
    let take = |bump: &dyn Fn() -> usize| {
        for _ in 0..SLICES / THREADS {
            black_box(bump());
        }
    };
    let mut shared = arena(2 * SLICES * SLICE_BYTES);
    rows.push(Row::new("bump, 64 B, 16 threads", "&Arena", SLICES, move || {
        shared.reset();
        let shared = &shared;
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(move || take(&|| shared.alloc_uninit::<u64>(8).as_ptr().addr()));
            }
        });
    }));
    let mut whole = arena(2 * SLICES * SLICE_BYTES);
    rows.push(Row::new("bump, 64 B, 16 threads", "parts of a split", SLICES, move || {
        let parts = whole.split(THREADS);
        thread::scope(|scope| {
            for part in parts {
                scope.spawn(move || take(&|| part.alloc_uninit::<u64>(8).as_ptr().addr()));
            }
        });
    }));
}

/// A wipe and a memset of the same bytes.
fn wipes(rows: &mut Vec<Row>, case: &'static str, bytes: usize) {
    let mut wiped = arena(bytes);
    wiped.alloc_uninit::<u8>(bytes).fill(std::mem::MaybeUninit::new(7));
    wiped.secure_wipe();
    assert!(wiped.alloc_array::<u8>(bytes).iter().all(|&byte| byte == 0));
    // Both have the same huge pages under them, warm.
    let mut set = arena(bytes);
    set.alloc_uninit::<u8>(bytes).fill(std::mem::MaybeUninit::new(7));
    let count = WIPED_BYTES / bytes;
    rows.push(Row::new(case, "memset", count, move || {
        let start = set.as_mut_ptr();
        for _ in 0..count {
            // SAFETY: the arena has that many bytes, and no slice of it lives.
            unsafe { black_box(start).write_bytes(0, bytes) };
        }
    }));
    rows.push(Row::new(case, "secure_wipe", count, move || {
        for _ in 0..count {
            black_box(&mut wiped).secure_wipe();
        }
    }));
}

/// Blocks that are taken, written and freed, with a secret scope open and without.
fn scopes(rows: &mut Vec<Row>) {
    const CASES: [(&str, usize, usize); 3] = [
        ("block of 64 B, taken and freed", 64, 20_000),
        ("block of 4 KiB, taken and freed", 4096, 2000),
        ("block of 1 MiB, taken, written and freed", 1 << 20, 20),
    ];
    for (case, bytes, count) in CASES {
        let work = move || {
            for _ in 0..count {
                let mut block = black_box(Vec::<u8>::with_capacity(bytes));
                if bytes >= 1 << 20 {
                    block.resize(bytes, 7);
                }
                drop(black_box(block));
            }
        };
        rows.push(Row::new(case, "no scope", count, work));
        rows.push(Row::new(case, "secret_scope", count, move || {
            let open = secret_scope().expect("this program's allocator");
            work();
            drop(open);
        }));
    }
}

/// Secrets that are made and dropped, and one that is opened.
fn secrets(rows: &mut Vec<Row>) {
    const COUNT: usize = 200;
    for (case, bytes) in [("secret of 32 B", 32), ("secret of 64 KiB", 64 << 10)] {
        let backing = SecretBuf::new(bytes).expect("memory").status().backing;
        println!("{case}: {backing}");
        rows.push(Row::new(case, "made, written and dropped", COUNT, move || {
            for _ in 0..COUNT {
                let mut secret = SecretBuf::new(bytes).expect("memory");
                secret.as_mut_slice().fill(7);
                drop(black_box(secret));
            }
        }));
        let mut sealed = SecretBuf::new(bytes).expect("memory").seal();
        assert_eq!(sealed.with(<[u8]>::len), Ok(bytes));
        rows.push(Row::new(case, "SealedSecret::with", COUNT, move || {
            for _ in 0..COUNT {
                black_box(sealed.with(|secret| secret[0]).expect("pages that can be read"));
            }
        }));
    }
}

/// Every row's rounds, in turn.
fn measure(rows: &mut [Row], rounds: usize) -> Vec<Summary> {
    let mut samples = vec![Vec::with_capacity(rounds); rows.len()];
    for round in 0..WARM_UPS + rounds {
        for turn in order(round, rows.len()) {
            let before = usage();
            reset_peak();
            let value = (rows[turn].run)();
            let after = usage();
            if round >= WARM_UPS {
                samples[turn].push(Sample {
                    value,
                    resident_bytes: after.resident_bytes,
                    peak_bytes: after.peak_bytes,
                    page_faults: after.page_faults - before.page_faults,
                });
            }
        }
    }
    samples.iter().map(|samples| Summary::of(samples)).collect()
}

/// What must hold in this run.
fn targets(rows: &[Row], summaries: &[Summary]) -> Vec<Target> {
    let median = |case: &str, contestant: &str| {
        let is_it = |row: &Row| row.case == case && row.contestant == contestant;
        rows.iter().position(is_it).map_or(f64::NAN, |at| summaries[at].median)
    };
    let bump = "bump, 64 B";
    let allowed = median(bump, "one atomic add") + BEYOND_ADD_NS;
    let mut targets = vec![Target {
        name: format!("&Arena / (one atomic add + {BEYOND_ADD_NS} ns)"),
        ratio_max: 1.0,
        ratio: median(bump, "&Arena") / allowed,
    }];
    for contestant in ["Exclusive of &mut Arena", "Exclusive of &mut Scope"] {
        targets.push(Target {
            name: format!("{contestant} / {EXCLUSIVE_NS} ns"),
            ratio_max: 1.0,
            ratio: median(bump, contestant) / EXCLUSIVE_NS,
        });
    }
    for (case, _) in WIPES {
        targets.push(Target {
            name: format!("{case}: secure_wipe / memset"),
            ratio_max: WIPE_RATIO_MAX,
            ratio: median(case, "secure_wipe") / median(case, "memset"),
        });
    }
    targets
}

/// Measures and prints everything; whether all targets are met.
fn compare(options: &Options) -> Result<bool, String> {
    let machine = Machine::current();
    println!("{}, {}, commit {}", machine.description, machine.toolchain, machine.commit);
    if let Some(warning) = machine.disturbance() {
        println!("warning: {warning}");
    }
    let mut rows = Vec::new();
    bumps(&mut rows);
    threads(&mut rows);
    for (case, bytes) in WIPES {
        wipes(&mut rows, case, bytes);
    }
    scopes(&mut rows);
    secrets(&mut rows);
    let summaries = measure(&mut rows, if options.is_quick { 1 } else { ROUNDS });

    let header = ["what", "by what", "min ns", "median ns", "page faults", "resident MiB"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().zip(&summaries).map(|(row, summary)| {
        vec![
            row.case.to_owned(),
            row.contestant.to_owned(),
            format!("{:.2}", summary.min),
            format!("{:.2}", summary.median),
            summary.page_faults.to_string(),
            mib(summary.resident_bytes),
        ]
    }));
    println!("\n{}", table(&lines));
    if options.is_quick {
        println!("a quick run: the figures mean nothing");
        return Ok(true);
    }
    if options.is_recording {
        let entries: Vec<Entry> = rows
            .iter()
            .zip(&summaries)
            .map(|(row, &summary)| Entry {
                case: row.case.to_owned(),
                contestant: row.contestant.to_owned(),
                settings: "one process, rows in turn".to_owned(),
                summary,
            })
            .collect();
        let file = append(BENCHMARK, "ns", &machine, &entries)
            .map_err(|error| format!("--record: {error}"))?;
        println!("recorded in {}", file.display());
    }
    let targets = targets(&rows, &summaries);
    println!("{}", report(&targets));
    Ok(targets.iter().all(Target::is_met))
}

/// 0, or 1 when a target is missed, or 2 when nothing could be measured.
fn main() -> ExitCode {
    match Options::parse(env::args().skip(1), 0).and_then(|options| compare(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{BENCHMARK}: {error}");
            ExitCode::from(2)
        }
    }
}
