//! How wide the windows are, and how the work is cut into tasks.
//!
//! With t threads and W windows every thread first gets W / t whole windows, in groups whose
//! buckets fit one set of tags; what is left over, fewer windows than threads, is cut by points so
//! that all threads have a part. A part has buckets of its own, which are reduced on their own:
//! cutting costs a reduction, and the model weighs it against idle threads.
//!
//! Windows have a set of buckets each. With a table of fixed bases (fixed.rs) of L levels, which
//! are the points times 1, 2^(cS), 2^(2cS), .., windows w, w + S, w + 2S, .. share one, and S sets
//! are enough: a digit of window w + Sl adds the point of level l.

use core::ops::{Range, RangeInclusive};

use super::adder::BLOCK;
use super::buckets::{BUCKETS_MAX, ROWS_BESIDE};
use super::digits::{CHUNK, Mix, Windows};

/// What is paid in a task, in ns. All four were fitted to times of 2^8 to 2^16 points in G1 with six
/// widths each, one thread, minima of 12 to 60 turns, 4 % off on the average (2-core Zen 4, 3.7 GHz,
/// 2026-11-22). Processors differ in what an addition takes; widths are chosen by ratios, and in G2
/// and in plain Rust all four grow alike. `npm run bench:peers -- windows` fits them again, and shows
/// how far from the best width they lead.
pub(super) const ADDITION_NS: u64 = 41;
/// Two additions for each bucket, less what blocks that are full and in order spare.
pub(super) const BUCKET_NS: u64 = 75;
/// A last block that is folded, and the short blocks of a reduction. Fits say 100 to 220 thousand.
pub(super) const TASK_NS: u64 = 150_000;
/// More for an addition where a task has no more buckets than a block has additions; less by as
/// much as it has more: some digits meet in a bucket, and wait for the next block.
pub(super) const CROWDED_NS: u64 = 5;
/// Of 256 scalars, with more short ones than this the lowest windows have more to do than others.
const SHORT_MAX: usize = 32;
/// Of 256 scalars, with so many long ones the width is that of random ones.
const LONG_MIN: usize = 224;
/// Windows of fewer bits are not worth a task.
const UNEVEN_BITS_MIN: u32 = 10;
/// Widths below the best one for scalars that are all long, that are considered when some are
/// short.
const NARROWER_MAX: u32 = 3;

/// Buckets of a window for each point of a stretch, whose halves reach two of them.
const BUCKETS_OF_POINT: usize = 16;
/// The shortest stretch: its digits in a window are a cache line.
const STRETCH_MIN: usize = 16;

/// The windows of some sets, of one run of chunks; without a set, the points of ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which sets of buckets, 0 for the lowest bits.
    pub(super) sets: Range<usize>,
    /// Which chunks of scalars.
    pub(super) chunks: Range<usize>,
}

/// What a table of fixed bases looks like: windows of so many bits, and so many levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) bits: u32,
    pub(super) levels: usize,
}

impl Shape {
    /// All tables with windows of so many bits, none of them with a level that nothing uses.
    pub(super) fn all_of(bits: u32) -> impl Iterator<Item = Self> {
        let windows = Windows::new(bits).count();
        let levels = (2..=windows).filter(move |&levels| {
            let sets = windows.div_ceil(levels);
            windows.div_ceil(sets) == levels
        });
        levels.map(move |levels| Self { bits, levels })
    }
}

/// What the tasks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How scalars are cut.
    pub(super) windows: Windows,
    /// Levels of the table; 1 without one.
    pub(super) levels: usize,
    /// Chunks of scalars.
    chunks: usize,
    threads: usize,
    /// Into how many parts the sets are cut that are left over.
    parts: usize,
    /// Whether a set of many buckets is a task of its own, for windows differ in work.
    is_uneven: bool,
}

impl Plan {
    /// The cheapest plan for `n` scalars of a mix.
    pub(super) fn new(n: usize, mix: Mix, threads: usize) -> Self {
        let best = Self::cheapest(n, Mix::LONG, threads, Windows::BITS_MIN..=Windows::BITS_MAX, 1);
        if mix.halved >= LONG_MIN {
            return best;
        }
        let bits = best.windows.bits();
        let least = bits.saturating_sub(NARROWER_MAX).max(Windows::BITS_MIN);
        Self::cheapest(n, mix, threads, least..=bits, 1)
    }

    /// With windows of a width of the caller's choice.
    pub(super) fn with_bits(n: usize, bits: u32, threads: usize) -> Self {
        Self::with_table(n, Mix::LONG, threads, Shape { bits, levels: 1 })
    }

    /// With a table that was built.
    pub(super) fn with_table(n: usize, mix: Mix, threads: usize, shape: Shape) -> Self {
        Self::cheapest(n, mix, threads, shape.bits..=shape.bits, shape.levels)
    }

    fn cheapest(
        n: usize,
        mix: Mix,
        threads: usize,
        widths: RangeInclusive<u32>,
        levels: usize,
    ) -> Self {
        let threads = threads.max(1);
        let chunks = n.div_ceil(CHUNK).max(1);
        let is_uneven = mix.short > SHORT_MAX;
        let of_bits = |bits| {
            let windows = Windows::new(bits);
            let rest = windows.count().div_ceil(levels) % threads;
            let most = if rest == 0 { 1 } else { (2 * threads).div_ceil(rest).min(chunks) };
            (1..=most).map(move |parts| Self { windows, levels, chunks, threads, parts, is_uneven })
        };
        // Short scalars have one digit and reach few windows: a quarter of a digit in each.
        let of_256 = 2 * mix.halved as u64 + mix.short as u64 / 4;
        let terms = (n as u64).saturating_mul(of_256) / 256;
        let plans = widths.flat_map(of_bits);
        let windows = Windows::new(Windows::BITS_MIN);
        let fallback = Self { windows, levels, chunks, threads, parts: 1, is_uneven };
        plans.min_by_key(|plan| plan.cost_ns(terms)).unwrap_or(fallback)
    }

    /// Time of the busiest thread for scalars that are all long.
    pub(super) fn cost_of_long_ns(&self, n: usize) -> u64 {
        self.cost_ns(2 * n as u64)
    }

    /// Time of the busiest thread.
    fn cost_ns(&self, terms: u64) -> u64 {
        let (count, threads, parts) = (self.set_count(), self.threads, self.parts as u64);
        let of_set = terms.saturating_mul(self.windows.count().div_ceil(count) as u64);
        let (whole, groups) = (count / threads, self.groups_of(count / threads));
        let wholes = self.task_ns(of_set.saturating_mul(whole as u64), whole, groups);
        let part = self.task_ns(of_set / parts, 1, 1);
        let parts = (count % threads * self.parts).div_ceil(threads) as u64;
        wholes.saturating_add(parts.saturating_mul(part))
    }

    /// Time of some tasks, which have so many additions and sets together.
    fn task_ns(&self, additions: u64, sets: usize, tasks: usize) -> u64 {
        let buckets = (sets as u64) << (self.windows.bits() - 1);
        let crowding = CROWDED_NS * (BLOCK * tasks) as u64;
        additions
            .saturating_mul(ADDITION_NS)
            .saturating_add(additions.saturating_mul(crowding) / buckets.max(1))
            .saturating_add(buckets.saturating_mul(BUCKET_NS))
            .saturating_add((tasks as u64).saturating_mul(TASK_NS))
    }

    /// Tasks that so many whole sets are.
    fn groups_of(&self, sets: usize) -> usize {
        sets.div_ceil(self.group_len())
    }

    /// Sets of buckets.
    pub(super) fn set_count(&self) -> usize {
        self.windows.count().div_ceil(self.levels)
    }

    /// The windows of some sets.
    pub(super) fn windows_of(&self, sets: Range<usize>) -> impl Iterator<Item = usize> {
        let (count, step) = (self.windows.count(), self.set_count());
        sets.flat_map(move |set| (set..count).step_by(step))
    }

    /// Sets whose buckets fit one worker's tags.
    fn group_len(&self) -> usize {
        if self.is_uneven && self.windows.bits() >= UNEVEN_BITS_MIN {
            return 1;
        }
        // The last window may have twice the buckets of the others.
        ((BUCKETS_MAX >> (self.windows.bits() - 1)) - 1).max(1)
    }

    /// Points whose digits in one window follow each other, before it is the next window's turn.
    /// Where windows have few buckets, many digits of one would meet in them, and blocks would stay
    /// short.
    pub(super) fn stretch_len(&self) -> usize {
        let buckets = 1_usize << (self.windows.bits() - 1);
        (buckets / BUCKETS_OF_POINT).clamp(STRETCH_MIN, CHUNK)
    }

    /// All tasks, whole windows first, and ones last.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        let whole = self.set_count() / self.threads;
        for thread in 0..self.threads {
            let (mut start, end) = (thread * whole, (thread + 1) * whole);
            while start < end {
                let group = (start + self.group_len()).min(end);
                tasks.push(Task { sets: start..group, chunks: 0..self.chunks });
                start = group;
            }
        }
        for set in whole * self.threads..self.set_count() {
            for part in 0..self.parts {
                let cut = |part| part * self.chunks / self.parts;
                let chunks = cut(part)..cut(part + 1);
                tasks.push(Task { sets: set..set + 1, chunks });
            }
        }
        let parts = self.threads.min(self.chunks);
        let cut = |part| part * self.chunks / parts;
        tasks.extend((0..parts).map(|part| Task { sets: 0..0, chunks: cut(part)..cut(part + 1) }));
        tasks
    }

    /// Buckets of some sets.
    pub(super) fn bucket_count(&self, sets: Range<usize>) -> usize {
        let of_set = |set| {
            let windows = self.windows_of(set..set + 1);
            windows.map(|window| self.windows.bucket_count(window)).max().unwrap_or(0)
        };
        sets.map(of_set).sum()
    }

    /// Rows that one thread needs for any task.
    pub(super) fn rows(&self) -> usize {
        let buckets = |task: Task| self.bucket_count(task.sets);
        let most = self.tasks().into_iter().map(buckets).max().unwrap_or(0);
        let ones = BLOCK.min(self.chunks * CHUNK);
        1 + most.max(ones) + ROWS_BESIDE
    }

    /// For every plan of `n` scalars: the most windows, and the most rows of a thread.
    pub(super) fn bounds(n: usize, threads: usize) -> (usize, usize) {
        let bits = Self::new(n, Mix::LONG, threads).windows.bits();
        let least = bits.saturating_sub(NARROWER_MAX).max(Windows::BITS_MIN);
        let plans = (least..=bits).map(|bits| Self::with_bits(n, bits, threads));
        plans.fold((0, 0), |(windows, rows), plan| {
            (windows.max(plan.windows.count()), rows.max(plan.rows()))
        })
    }
}
