//! Promises that no round of a warm process shows: the first touch, what stays when nobody calls,
//! what locking makes resident, what small blocks pay.

use core::hint::black_box;
use std::alloc::{GlobalAlloc, Layout, System};
use std::thread;
use std::time::{Duration, Instant};

use nalloc::NAlloc;

use super::bench::{COLD, COLD_BYTES, IDLE, LOCK, SURVIVOR_BYTES, SURVIVORS, SURVIVORS_COUNT};
use super::judge::Verdict;
use super::peers::{Kind, Peer};
use super::work::SHIFT_LIVE_BYTES;
use crate::allocator::Allocator;
use crate::contestant::Contestant;
use crate::format::{length, mib, ms};
use crate::rounds::{Sample, Summary, order};
use crate::worker::Worker;

/// What is measured here, by the word that chooses it.
pub const NAMES: [&str; 4] = ["cold", "idle", "mlockall", "small"];
const COLD_PROCESSES: usize = 10;
/// How much longer than stock glibc a first touch may take.
const COLD_RATIO_MAX: f64 = 0.4;
/// How long nobody calls.
pub const IDLE_WAIT: Duration = Duration::from_secs(3);
/// The limit that idle memory is held against, and the setting that says so.
const LIMIT_BYTES: u64 = 64 << 20;
const LIMIT_SETTING: &[(&str, &str)] = &[("NALLOC_CACHE_LIMIT", "67108864")];
/// What may stay beside what is live and the limit, and with each block that survives.
const IDLE_SLACK_BYTES: u64 = 64 << 20;
const PER_SURVIVOR_BYTES: u64 = 2 << 20;
/// What the kernel backs at once when the heap grows.
const CHUNK_MIB: f64 = 64.0;
const SMALL_ROUNDS: usize = 30;
const SMALL_PAIRS: usize = 400_000;
const SMALL_SLOTS: usize = 512;
const SMALL_SPAN: usize = 1024;
const SMALL_NS_MAX: f64 = 1.0;

/// How much of it is done.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// What sizes are divided by.
    pub divisor: usize,
    /// Whether it only shows that it works.
    pub is_quick: bool,
}

/// What is recorded of a case: its name, who did it, what was measured.
pub type Recorded = (String, Peer, Summary);

/// Measures those that `is_chosen` names, prints them, and says what holds; also what is recorded.
///
/// # Errors
/// What went wrong in a contestant's process.
pub fn run(
    peers: &[Peer],
    scale: Scale,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<(Vec<Verdict>, Vec<Recorded>), String> {
    let mut verdicts = Vec::new();
    let mut entries = Vec::new();
    if is_chosen(NAMES[0]) {
        let summaries = cold(peers, scale)?;
        verdicts.extend(judge_cold(peers, &summaries, scale));
        let name = format!("cold first touch of {}", length((COLD_BYTES / scale.divisor) as u64));
        let of_case = peers.iter().zip(summaries);
        entries.extend(of_case.map(|(&peer, summary)| (name.clone(), peer, summary)));
    }
    if is_chosen(NAMES[1]) {
        for (name, request, survivors) in
            [("idle", IDLE, 0), ("idle, survivors", SURVIVORS, SURVIVORS_COUNT)]
        {
            let resident = idle(peers, request, scale)?;
            println!("\n{name}: resident {} s after the last free, MiB", IDLE_WAIT.as_secs());
            print_figures(peers, &resident, |&bytes| mib(bytes));
            verdicts.extend(judge_idle(peers, &resident, name, survivors));
        }
    }
    if is_chosen(NAMES[2]) {
        verdicts.push(locked(peers));
    }
    if is_chosen(NAMES[3]) {
        verdicts.push(small(scale));
    }
    Ok((verdicts, entries))
}

fn print_figures<T>(peers: &[Peer], figures: &[T], shown: impl Fn(&T) -> String) {
    for (peer, figure) in peers.iter().zip(figures) {
        println!("  {:<15}{:>8}", peer.contestant.name, shown(figure));
    }
}

/// The first touch, each in a process that has just started.
fn cold(peers: &[Peer], scale: Scale) -> Result<Vec<Summary>, String> {
    let processes = if scale.is_quick { 2 } else { COLD_PROCESSES };
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); peers.len()];
    for round in 0..processes {
        for turn in order(round, peers.len()) {
            samples[turn].push(Worker::start(&peers[turn].contestant)?.round(COLD)?);
        }
    }
    let summaries: Vec<Summary> = samples.iter().map(|samples| Summary::of(samples)).collect();
    let size = length((COLD_BYTES / scale.divisor) as u64);
    println!("\ncold first touch of {size}, min ms of {processes} processes");
    print_figures(peers, &summaries, |summary| ms(summary.min));
    Ok(summaries)
}

fn judge_cold(peers: &[Peer], summaries: &[Summary], scale: Scale) -> Option<Verdict> {
    let min_of = |chosen: fn(&Peer) -> bool| {
        let at = peers.iter().position(chosen)?;
        Some(summaries[at].min)
    };
    let ours = min_of(|peer| peer.kind == Kind::Ours)?;
    let is_stock_glibc =
        |peer: &Peer| peer.kind == Kind::Stock && peer.contestant.allocator == Allocator::Glibc;
    let ratio = ours / min_of(is_stock_glibc)?;
    Some(Verdict {
        target: format!("cold first touch of {}", length((COLD_BYTES / scale.divisor) as u64)),
        must: format!("{COLD_RATIO_MAX}x of stock glibc"),
        measured: format!("{ratio:.3}x"),
        is_met: ratio <= COLD_RATIO_MAX,
    })
}

/// What each contestant has resident after the wait. All of them wait at once.
fn idle(peers: &[Peer], request: &str, scale: Scale) -> Result<Vec<u64>, String> {
    let mut workers = Vec::new();
    for peer in peers {
        let environment = match peer.kind {
            Kind::Ours => LIMIT_SETTING,
            _ => peer.contestant.environment,
        };
        let mut worker = Worker::start(&Contestant { environment, ..peer.contestant })?;
        worker.round(request)?;
        workers.push(worker);
    }
    if !scale.is_quick {
        // Not a way to wait for something: that nobody calls for so long is what is measured.
        thread::sleep(IDLE_WAIT);
    }
    workers.iter_mut().map(Worker::resident_bytes).collect()
}

fn judge_idle(peers: &[Peer], resident: &[u64], name: &str, survivors: usize) -> Option<Verdict> {
    let ours = peers.iter().position(|peer| peer.kind == Kind::Ours)?;
    let survivors = survivors as u64;
    let live = survivors * SURVIVOR_BYTES as u64;
    let most = live + LIMIT_BYTES + IDLE_SLACK_BYTES + survivors * PER_SURVIVOR_BYTES;
    let target = format!("{name}: resident 3 s later, {} were live", mib(SHIFT_LIVE_BYTES as u64));
    Some(Verdict::of_bytes(target, resident[ours], most, "limit + slack"))
}

/// What locking makes resident of ours beyond what it makes resident of any program.
fn locked(peers: &[Peer]) -> Verdict {
    let target = "mlockall: what it adds to what is resident".to_owned();
    let of = |chosen: fn(&Peer) -> bool| match peers.iter().find(|peer| chosen(peer)) {
        Some(peer) => Worker::start(&peer.contestant)?.round(LOCK),
        None => Err("expected glibc and nalloc to take part".to_owned()),
    };
    let is_glibc = |peer: &Peer| peer.contestant.allocator == Allocator::Glibc;
    let figures = of(is_glibc).and_then(|glibc| Ok((glibc, of(|peer| peer.kind == Kind::Ours)?)));
    let (glibc, ours) = match figures {
        Ok(figures) => figures,
        Err(reason) => return Verdict::unmeasured(&target, &reason),
    };
    println!("\nmlockall makes {} MiB resident of glibc's process", ms(glibc.value));
    println!("mlockall makes {} MiB resident of ours", ms(ours.value));
    let added = ours.value - glibc.value;
    Verdict {
        target,
        must: format!("{CHUNK_MIB} MiB"),
        measured: format!("{added:.1} MiB"),
        is_met: added <= CHUNK_MIB,
    }
}

/// What a small block pays for passing through ours to glibc.
fn small(scale: Scale) -> Verdict {
    let ours = NAlloc::new();
    let rounds = if scale.is_quick { 2 } else { SMALL_ROUNDS };
    let pairs = SMALL_PAIRS / scale.divisor;
    let (mut through, mut direct) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        through = through.min(small_ns(&ours, pairs));
        direct = direct.min(small_ns(&System, pairs));
    }
    println!("\nsmall blocks: {direct:.2} ns a pair from glibc, {through:.2} ns through ours");
    let added = through - direct;
    Verdict {
        target: "small blocks: what a pair pays".to_owned(),
        must: format!("{SMALL_NS_MAX} ns"),
        measured: format!("{added:.2} ns"),
        is_met: added <= SMALL_NS_MAX,
    }
}

/// Nanoseconds of a pair of free and alloc, of random lengths up to 1 KiB, 512 blocks live.
fn small_ns(allocator: &impl GlobalAlloc, pairs: usize) -> f64 {
    let mut blocks: [Option<(*mut u8, Layout)>; SMALL_SLOTS] = [None; SMALL_SLOTS];
    let mut state = 1_u64;
    let started = Instant::now();
    for _ in 0..pairs {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let random = usize::try_from(state >> 33).unwrap_or(0);
        let slot = &mut blocks[random % SMALL_SLOTS];
        free(allocator, slot.take());
        let bytes = 16 + random / SMALL_SLOTS % SMALL_SPAN;
        let layout = Layout::from_size_align(bytes, 8).expect("a length");
        // SAFETY: the layout is not empty.
        *slot = Some((black_box(unsafe { allocator.alloc(layout) }), layout));
    }
    let elapsed = started.elapsed().as_secs_f64();
    for block in blocks {
        free(allocator, block);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let ns = elapsed * 1e9 / pairs as f64;
    ns
}

fn free(allocator: &impl GlobalAlloc, block: Option<(*mut u8, Layout)>) {
    if let Some((block, layout)) = block.filter(|(block, _)| !block.is_null()) {
        // SAFETY: the block is from this allocator, with this layout, and nobody else has it.
        unsafe { allocator.dealloc(black_box(block), layout) };
    }
}
