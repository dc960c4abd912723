//! How wide the windows are, and how the work is cut into tasks.
//!
//! With t threads and W windows every thread first gets W / t whole windows, in groups whose
//! buckets fit one set of tags; what is left over, fewer windows than threads, is cut by points so
//! that all threads have a part. A part has buckets of its own, which are reduced on their own:
//! cutting costs a reduction, and the model weighs it against idle threads.

use core::ops::Range;

use super::buckets::{BUCKETS_MAX, ROWS_BESIDE};
use super::digits::{CHUNK, Windows};

/// What is paid in a task, in ns. An addition is 82 ms of kernel by 4.9 million additions, from
/// samples of `perf` of one sum of 2^18 points (2-core Zen 5, other programs at work, 2026-11-21). The
/// other two are estimates, not measured: neither is that in G2 and in plain Rust all grow alike.
const ADDITION_NS: u64 = 17;
/// Two additions for each bucket, and a third for what the sums of segments take.
const BUCKET_NS: u64 = 42;
/// A last block that is folded, and the short blocks of a reduction.
const TASK_NS: u64 = 60_000;
/// Of 256 scalars, below so many long ones the lowest windows have more to do than the others.
const UNEVEN_BELOW: usize = 224;
/// Windows of fewer bits are not worth a task.
const UNEVEN_BITS_MIN: u32 = 10;
/// Widths below the best one for scalars that are all long, that are considered when some are
/// short.
const NARROWER_MAX: u32 = 3;

/// One group of windows of one run of chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which windows, 0 for the lowest bits.
    pub(super) windows: Range<usize>,
    /// Which chunks of scalars.
    pub(super) chunks: Range<usize>,
}

/// What the tasks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How scalars are cut.
    pub(super) windows: Windows,
    /// Chunks of scalars.
    chunks: usize,
    threads: usize,
    /// Into how many parts the windows are cut that are left over.
    parts: usize,
    /// Whether a window of many buckets is a task of its own, for windows differ in work.
    is_uneven: bool,
}

impl Plan {
    /// The cheapest plan for `n` scalars of which `halved` of 256 are long.
    pub(super) fn new(n: usize, halved: usize, threads: usize) -> Self {
        let best = Self::cheapest(n, 256, threads, Windows::BITS_MIN..=Windows::BITS_MAX);
        if halved >= UNEVEN_BELOW {
            return best;
        }
        let bits = best.windows.bits();
        let least = bits.saturating_sub(NARROWER_MAX).max(Windows::BITS_MIN);
        Self::cheapest(n, halved, threads, least..=bits)
    }

    /// With windows of a width of the caller's choice.
    pub(super) fn with_bits(n: usize, bits: u32, threads: usize) -> Self {
        Self::cheapest(n, 256, threads, bits..=bits)
    }

    fn cheapest(
        n: usize,
        halved: usize,
        threads: usize,
        widths: core::ops::RangeInclusive<u32>,
    ) -> Self {
        let threads = threads.max(1);
        let chunks = n.div_ceil(CHUNK).max(1);
        let is_uneven = halved < UNEVEN_BELOW;
        let of_bits = |bits| {
            let windows = Windows::new(bits);
            let rest = windows.count() % threads;
            let most = if rest == 0 { 1 } else { (2 * threads).div_ceil(rest).min(chunks) };
            (1..=most).map(move |parts| Self { windows, chunks, threads, parts, is_uneven })
        };
        // Short scalars have one digit and reach few windows: a quarter of a digit in each.
        let terms = (n as u64).saturating_mul(2 * halved as u64 + (256 - halved as u64) / 4) / 256;
        let plans = widths.flat_map(of_bits);
        let windows = Windows::new(Windows::BITS_MIN);
        let fallback = Self { windows, chunks, threads, parts: 1, is_uneven };
        plans.min_by_key(|plan| plan.cost_ns(terms)).unwrap_or(fallback)
    }

    /// Time of the busiest thread.
    fn cost_ns(&self, terms: u64) -> u64 {
        let (count, threads, parts) = (self.windows.count(), self.threads, self.parts as u64);
        let buckets = BUCKET_NS << (self.windows.bits() - 1);
        let whole = (count / threads) as u64;
        let window = terms.saturating_mul(ADDITION_NS).saturating_add(buckets);
        let groups = whole.div_ceil(self.group_len() as u64);
        let part = terms.saturating_mul(ADDITION_NS) / parts + buckets + TASK_NS;
        let parts = (count % threads * self.parts).div_ceil(threads) as u64;
        whole
            .saturating_mul(window)
            .saturating_add(groups * TASK_NS)
            .saturating_add(parts.saturating_mul(part))
    }

    /// Windows whose buckets fit one set.
    fn group_len(&self) -> usize {
        if self.is_uneven && self.windows.bits() >= UNEVEN_BITS_MIN {
            return 1;
        }
        // The last window may have twice the buckets of the others.
        ((BUCKETS_MAX >> (self.windows.bits() - 1)) - 1).max(1)
    }

    /// All tasks, whole windows first.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        let whole = self.windows.count() / self.threads;
        for thread in 0..self.threads {
            let (mut start, end) = (thread * whole, (thread + 1) * whole);
            while start < end {
                let group = (start + self.group_len()).min(end);
                tasks.push(Task { windows: start..group, chunks: 0..self.chunks });
                start = group;
            }
        }
        for window in whole * self.threads..self.windows.count() {
            for part in 0..self.parts {
                let cut = |part| part * self.chunks / self.parts;
                let chunks = cut(part)..cut(part + 1);
                tasks.push(Task { windows: window..window + 1, chunks });
            }
        }
        tasks
    }

    /// Buckets of a group of windows.
    pub(super) fn bucket_count(&self, windows: Range<usize>) -> usize {
        windows.map(|window| self.windows.bucket_count(window)).sum()
    }

    /// Rows that one thread needs for any task.
    pub(super) fn rows(&self) -> usize {
        let buckets = |task: Task| self.bucket_count(task.windows);
        let most = self.tasks().into_iter().map(buckets).max().unwrap_or(0);
        1 + most + ROWS_BESIDE
    }

    /// For every plan of `n` scalars: the most windows, and the most rows of a thread.
    pub(super) fn bounds(n: usize, threads: usize) -> (usize, usize) {
        let bits = Self::new(n, 256, threads).windows.bits();
        let least = bits.saturating_sub(NARROWER_MAX).max(Windows::BITS_MIN);
        let plans = (least..=bits).map(|bits| Self::with_bits(n, bits, threads));
        plans.fold((0, 0), |(windows, rows), plan| {
            (windows.max(plan.windows.count()), rows.max(plan.rows()))
        })
    }
}
