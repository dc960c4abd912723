//! What a round of each pattern does, and how its results are checked.

use core::hint::black_box;
use std::thread;

use crate::format::length;
use crate::worker::{Timed, Workload, time};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// A field element of BN254, and what a coefficient vector is filled with.
type Element = [u64; 4];
const ELEMENT: Element = [0x1122_3344_5566_7788, 1, u64::MAX, 7];
/// A bucket of an MSM: a point of three coordinates.
type Bucket = [u64; 12];
const SETS: usize = 16;
/// Blocks of a phase, and how long each is.
const PHASES: [(usize, usize); 3] = [(24, 16 * MIB), (8, 48 * MIB), (64, 6 * MIB)];
const THREADS: u64 = 2;
const SLOTS: usize = 8;
const TAGS: [u8; SLOTS] = [1, 2, 3, 4, 5, 6, 7, 8];
const REPLACEMENTS: usize = 50;
const BLOCK_BYTES_MIN: usize = 64 * KIB;

/// The tables, in the order in which they are printed.
pub const TABLES: [&str; 3] = [
    "A coefficient vector allocated, filled with data, and freed every round",
    "Zeroed memory of which little is written",
    "What one size in one loop hides: all of it is written",
];

/// What a pattern does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A vector of elements, filled and freed.
    Filled { elements: usize },
    /// 16 zeroed buffers of `words` + k * `step` words, the ends written, all freed at once.
    Burst { words: usize, step: usize },
    /// 16 zeroed sets of buckets, the first and last bucket written.
    Buckets { buckets: usize },
    /// Phases of equal blocks, each of another size; the same bytes are live in each.
    PhaseChange { divisor: usize, is_on_thread: bool },
    /// A block is filled and freed, then taken again as zeroes, read and freed.
    ZeroAgain { bytes: usize },
    /// A vector that doubles from 1 MiB, all of it written.
    Growth { bytes: usize },
    /// Threads that replace blocks of many sizes in random order.
    RandomSizes { bytes_max: usize },
}

/// A pattern and how it is shown.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The table that shows it.
    pub table: usize,
    /// What a worker is asked for: a word.
    pub id: String,
    /// What is printed.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// How often per round, so that a round takes milliseconds.
    pub repetitions: u32,
    /// Bytes that are live at once.
    pub live_bytes: u64,
}

/// All patterns.
#[derive(Debug)]
pub struct Patterns {
    divisor: usize,
    all: Vec<Pattern>,
}

impl Patterns {
    /// The patterns with their sizes divided; each is done once per round if they are.
    pub fn new(divisor: usize) -> Self {
        let mut patterns = Self { divisor, all: Vec::new() };
        for (log2, repetitions) in [(18, 64), (20, 16), (22, 4)] {
            let elements = (1 << log2) / divisor;
            let bytes = elements * size_of::<Element>();
            let name = format!("FFT buffer {}", shown(bytes));
            patterns.add(0, repetitions, &name, bytes, Work::Filled { elements });
        }
        let (words, step) = ((1 << 18) / divisor, (1 << 15) / divisor);
        let live = (SETS * words + SETS * (SETS - 1) / 2 * step) * size_of::<u64>();
        patterns.add(1, 32, "phase burst", live, Work::Burst { words, step });
        for log2 in [10, 14, 16] {
            let buckets = (1 << log2) / divisor;
            let bytes = buckets * size_of::<Bucket>();
            let name = format!("MSM buckets ({} x {SETS})", shown(bytes));
            patterns.add(1, 32, &name, SETS * bytes, Work::Buckets { buckets });
        }
        let live = PHASES[0].0 * PHASES[0].1 / divisor;
        for (name, is_on_thread) in [("phase change", false), ("phase change, thread", true)] {
            patterns.add(2, 1, name, live, Work::PhaseChange { divisor, is_on_thread });
        }
        let bytes = 64 * MIB / divisor;
        let name = format!("zero again, {}", shown(bytes));
        patterns.add(2, 4, &name, bytes, Work::ZeroAgain { bytes });
        let bytes = 128 * MIB / divisor;
        let name = format!("growth to {}", shown(bytes));
        patterns.add(2, 2, &name, 2 * bytes, Work::Growth { bytes });
        let bytes_max = 16 * MIB / divisor;
        let work = Work::RandomSizes { bytes_max };
        patterns.add(2, 1, "random sizes, 2 threads", 2 * SLOTS * bytes_max, work);
        patterns
    }

    fn add(&mut self, table: usize, repetitions: u32, name: &str, live: usize, work: Work) {
        self.all.push(Pattern {
            table,
            id: name.replace([' ', ',', '(', ')'], "-"),
            name: name.to_owned(),
            work,
            repetitions: if self.divisor == 1 { repetitions } else { 1 },
            live_bytes: live as u64,
        });
    }

    /// Those of a table.
    pub fn of_table(&self, table: usize) -> impl Iterator<Item = Pattern> {
        self.all.iter().filter(move |pattern| pattern.table == table).cloned()
    }

    fn find(&self, id: &str) -> Result<&Pattern, String> {
        self.all.iter().find(|one| one.id == id).ok_or_else(|| format!("no pattern {id:?}"))
    }
}

fn shown(bytes: usize) -> String {
    length(bytes as u64)
}

impl Workload for Patterns {
    fn check(&self, id: &str) -> Result<(), String> {
        let work = self.find(id)?.work;
        // Twice: the second time, memory is used again.
        [(); 2].iter().try_for_each(|()| check(work))
    }

    fn round(&self, id: &str) -> Result<Timed, String> {
        let &Pattern { work, repetitions, .. } = self.find(id)?;
        if matches!(work, Work::PhaseChange { is_on_thread: true, .. }) {
            let timed =
                thread::scope(|scope| scope.spawn(|| time(repetitions, || run(work))).join());
            return timed.map_err(|_| "the thread of the round ended early".to_owned());
        }
        Ok(time(repetitions, || run(work)))
    }
}

fn run(work: Work) {
    match work {
        Work::Filled { elements } => drop(black_box(filled(elements))),
        Work::Burst { words, step } => drop(black_box(burst(words, step))),
        Work::Buckets { buckets } => drop(black_box(bucket_sets(buckets))),
        Work::PhaseChange { divisor, .. } => {
            for (count, bytes) in PHASES {
                drop(black_box(phase(count, bytes / divisor)));
            }
        }
        Work::ZeroAgain { bytes } => {
            black_box(zero_again(bytes));
        }
        Work::Growth { bytes } => drop(black_box(grown(bytes))),
        Work::RandomSizes { bytes_max } => {
            thread::scope(|scope| {
                for seed in 0..THREADS {
                    scope.spawn(move || black_box(replaced_at_random(seed, bytes_max)));
                }
            });
        }
    }
}

fn check(work: Work) -> Result<(), String> {
    let is_right = match work {
        Work::Filled { elements } => {
            let vector = filled(elements);
            vector.len() == elements && vector.iter().all(|&element| element == ELEMENT)
        }
        Work::Burst { words, step } => {
            let buffers = burst(words, step);
            dirty(words * size_of::<u64>());
            buffers.iter().enumerate().all(|(at, buffer)| {
                buffer.len() == words + at * step && is_zero_between_ends(buffer, 0, 1)
            })
        }
        Work::Buckets { buckets } => {
            dirty(buckets * size_of::<Bucket>());
            let sets = bucket_sets(buckets);
            sets.len() == SETS && sets.iter().all(|set| is_zero_between_ends(set, [0; 12], [1; 12]))
        }
        Work::PhaseChange { divisor, .. } => PHASES.into_iter().all(|(count, bytes)| {
            let blocks = phase(count, bytes / divisor);
            let sum: usize = blocks.iter().map(|block| ones(block)).sum();
            sum == PHASES[0].0 * PHASES[0].1 / divisor
        }),
        Work::ZeroAgain { bytes } => zero_again(bytes) == 0,
        Work::Growth { bytes } => ones(&grown(bytes)) == bytes,
        Work::RandomSizes { bytes_max } => {
            let slots = replaced_at_random(1, bytes_max);
            slots.iter().zip(TAGS).all(|(block, tag)| block.iter().all(|&byte| byte == tag))
        }
    };
    if is_right { Ok(()) } else { Err(format!("{work:?}: memory is not as it was written")) }
}

/// Leaves memory behind that is not zero.
fn dirty(bytes: usize) {
    drop(black_box((0..SETS).map(|_| vec![0xa5_u8; bytes]).collect::<Vec<_>>()));
}

fn is_zero_between_ends<T: PartialEq + Copy>(values: &[T], zero: T, end: T) -> bool {
    match values {
        [first, middle @ .., last] => {
            *first == end && *last == end && middle.iter().all(|&value| value == zero)
        }
        _ => false,
    }
}

/// The sum of bytes that are all meant to be one.
fn ones(bytes: &[u8]) -> usize {
    bytes.iter().map(|&byte| usize::from(byte)).sum()
}

fn filled(elements: usize) -> Vec<Element> {
    vec![black_box(ELEMENT); elements]
}

fn burst(words: usize, step: usize) -> Vec<Vec<u64>> {
    let buffer = |at: usize| {
        let mut buffer = vec![0_u64; words + at * step];
        let last = buffer.len() - 1;
        (buffer[0], buffer[last]) = (1, 1);
        buffer
    };
    (0..SETS).map(buffer).collect()
}

fn bucket_sets(buckets: usize) -> Vec<Vec<Bucket>> {
    let set = |_| {
        let mut set: Vec<Bucket> = vec![[0; 12]; buckets];
        (set[0], set[buckets - 1]) = ([1; 12], [1; 12]);
        set
    };
    (0..SETS).map(set).collect()
}

fn phase(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    (0..count).map(|_| vec![1; bytes]).collect()
}

/// The sum of a block that was taken as zeroes where another one had just been.
fn zero_again(bytes: usize) -> u64 {
    drop(black_box(vec![u64::MAX; bytes / size_of::<u64>()]));
    let zeroes = black_box(vec![0_u64; bytes / size_of::<u64>()]);
    zeroes.iter().fold(0, |sum, word| sum | word)
}

fn grown(bytes: usize) -> Vec<u8> {
    let mut vector = vec![1; MIB.min(bytes)];
    while vector.len() < bytes {
        vector.reserve_exact(vector.len());
        vector.resize(2 * vector.len(), 1);
    }
    vector
}

/// Replaces blocks of 64 KiB and more, each filled with its slot's tag; the blocks that stay.
fn replaced_at_random(seed: u64, bytes_max: usize) -> [Vec<u8>; SLOTS] {
    let mut state = seed;
    let mut below = |bound: usize| {
        // The generator of Knuth's MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % bound
    };
    let mut slots: [Vec<u8>; SLOTS] = Default::default();
    for _ in 0..REPLACEMENTS {
        let slot = below(SLOTS);
        let bytes = BLOCK_BYTES_MIN + below(bytes_max - BLOCK_BYTES_MIN);
        // The old block goes first, as where a value leaves its scope before the next one comes.
        slots[slot] = Vec::new();
        slots[slot] = vec![TAGS[slot]; bytes];
    }
    slots
}
