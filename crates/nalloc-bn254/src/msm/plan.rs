//! How wide the windows are and how the work is cut into tasks.
//!
//! Costs are counted in multiplications of the coordinates' field, as the formulas above the
//! additions state them. With t threads, the tasks of any order are done after at most
//! (all work) / t + (largest task) * (t - 1) / t, and that bound is what is made small.

use core::ops::Range;

use super::digits::{ClassCounts, Group, POINTS_MAX, Windows};
use crate::pool::THREADS_MAX;

/// One addition of a point to a bucket: 8M + 2S.
const BUCKET_COST: u64 = 10;
/// Two additions of sums, 12M + 2S each, for each bucket in the reduction.
const REDUCE_COST: u64 = 28;
/// The most windows: those of 2 bits.
pub(super) const WINDOWS_MAX: usize = 128;
/// A window is cut into at most this many tasks for each thread.
const PIECES_PER_THREAD_MAX: usize = 2;

/// What the tasks are.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How scalars are cut.
    pub(super) windows: Windows,
    /// Scalars of one task; the last task of a window may have fewer.
    run_len: usize,
    counts: ClassCounts,
}

/// One window and a run of the recoded scalars that reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which window, 0 for the lowest bits.
    pub(super) window: usize,
    /// Which of the recoded scalars.
    pub(super) run: Range<usize>,
}

/// The widest windows that a plan for at most `n` scalars uses: the best ones for `n` full ones.
pub(super) fn window_bits_max(n: usize, threads: usize) -> u32 {
    let counts = ClassCounts::full(n.min(POINTS_MAX));
    Plan::new(&counts, threads.clamp(1, THREADS_MAX), Windows::BITS_MAX).windows.bits()
}

impl Plan {
    /// The cheapest plan for 1 or more threads whose windows have at most `window_bits_max` bits.
    pub(super) fn new(counts: &ClassCounts, threads: usize, window_bits_max: u32) -> Self {
        let mut best: Option<(u64, Self)> = None;
        for bits in Windows::BITS_MIN..=window_bits_max.max(Windows::BITS_MIN) {
            let mut pieces = 1;
            while pieces == 1 || pieces <= PIECES_PER_THREAD_MAX * threads && threads > 1 {
                let run_len = counts.total().div_ceil(pieces).max(1);
                let plan = Self { windows: Windows::new(bits), run_len, counts: *counts };
                let cost = plan.cost(threads);
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, plan));
                }
                pieces *= 2;
            }
        }
        let fallback =
            Self { windows: Windows::new(Windows::BITS_MIN), run_len: 1, counts: *counts };
        best.map_or(fallback, |(_, plan)| plan)
    }

    /// The bound on the time of `threads` threads, times `threads`.
    fn cost(&self, threads: usize) -> u64 {
        let reduction = REDUCE_COST * self.windows.bucket_count() as u64;
        let cost_of = |group: Group| {
            let adding = group.scalars as u64 * BUCKET_COST;
            group.windows.len() as u64 * (adding + self.runs_of(&group) as u64 * reduction)
        };
        let work: u64 = self.counts.groups(self.windows).map(cost_of).sum();
        let largest = self.run_len as u64 * BUCKET_COST + reduction;
        work + largest * (threads as u64 - 1)
    }

    /// Into how many tasks each window of a group is cut.
    fn runs_of(&self, group: &Group) -> usize {
        group.scalars.div_ceil(self.run_len)
    }

    /// How many tasks there are.
    pub(super) fn task_count(&self) -> usize {
        let groups = self.counts.groups(self.windows);
        groups.map(|group| group.windows.len() * self.runs_of(&group)).sum()
    }

    /// Task `index`, or none where there are no more. Lower windows, which are the fuller ones,
    /// come first.
    pub(super) fn task(&self, mut index: usize) -> Option<Task> {
        for group in self.counts.groups(self.windows) {
            let runs = self.runs_of(&group);
            let tasks = group.windows.len() * runs;
            if index < tasks {
                let start = index % runs * self.run_len;
                let end = (start + self.run_len).min(group.scalars);
                return Some(Task { window: group.windows.start + index / runs, run: start..end });
            }
            index -= tasks;
        }
        None
    }
}

#[cfg(test)]
mod tests;
