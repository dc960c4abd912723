//! The workers: tasks are taken from a counter until none is left, or the observer wants to stop.
//!
//! Each worker owns its buckets and its window sums; what workers share is read only, but for the
//! counters and the flag that stops them. What depends on scalars lies in the arena or on the
//! stack, never in memory that is freed unwiped.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::adder::{BLOCK, OPPOSITE, Points};
use super::buckets::{Buckets, Run};
use super::digits::{CHUNK, Digits, Reached, WINDOWS_MAX};
use super::plan::{Plan, Task};
use super::reduce::Span;
use crate::curve::{CurveField, Xyzz};
use crate::observer::Observer;

/// What the observer sees.
const PHASE: &str = "msm";
/// Reports of progress of one sum.
const REPORTS: usize = 64;

/// One multi-scalar multiplication, as its workers see it.
pub(super) struct Job<'a, F> {
    pub(super) points: Points<'a, F>,
    pub(super) order: &'a [u32],
    pub(super) digits: &'a [Digits],
    pub(super) reached: &'a [Reached],
    pub(super) plan: Plan,
    pub(super) tasks: &'a [Task],
    pub(super) observer: &'a dyn Observer,
    pub(super) progress: Progress,
}

/// A worker's own sums, one for each set of windows.
pub(super) struct WindowSums<'a, F> {
    /// Of all tasks so far.
    pub(super) sums: &'a mut [Xyzz<F>],
    /// Of the last task, from its first set on.
    pub(super) partial: &'a mut [Xyzz<F>],
}

/// Which digits, and of which points.
struct Place {
    chunk: usize,
    /// Points of the chunk.
    stretch: Range<usize>,
    window: usize,
    level: usize,
    /// Whether no other window of the task takes points of this level and stretch earlier.
    is_first: bool,
}

/// How far the workers are.
#[derive(Default)]
pub(super) struct Progress {
    next_task: AtomicUsize,
    /// Chunks of windows that are done.
    done: AtomicUsize,
    is_stopped: AtomicBool,
}

impl Progress {
    /// Whether the observer wanted to stop.
    pub(super) fn is_stopped(&self) -> bool {
        // Relaxed: the flag stands for itself; a worker that sees it late asks the observer.
        self.is_stopped.load(Ordering::Relaxed)
    }
}

impl<F: CurveField> Job<'_, F> {
    /// Does tasks until there are no more, or the observer wants to stop.
    pub(super) fn work(&self, buckets: &mut Buckets<'_, F>, mut own: WindowSums<'_, F>) {
        // Relaxed: the counter hands each number out once, and orders no other memory.
        let next = || self.progress.next_task.fetch_add(1, Ordering::Relaxed);
        while let Some(task) = self.tasks.get(next()) {
            let done = if task.sets.is_empty() {
                self.add_ones(task, buckets, &mut own)
            } else {
                self.add_task(task, buckets, &mut own)
            };
            if done.is_none() {
                return;
            }
        }
    }

    /// Adds the points of ones, or none when the work shall stop.
    fn add_ones(
        &self,
        task: &Task,
        buckets: &mut Buckets<'_, F>,
        own: &mut WindowSums<'_, F>,
    ) -> Option<()> {
        let all = self.reached[task.chunks.clone()].iter().flat_map(|reached| reached.ones);
        let count: usize = all.map(|count| count as usize).sum();
        if count == 0 {
            return self.go_on(task.chunks.len());
        }
        buckets.begin(count.min(BLOCK));
        for chunk in task.chunks.clone() {
            let Reached { windows: [before, ..], ones: [ones, minus_ones] } = self.reached[chunk];
            let [before, ones, minus_ones] = [before, ones, minus_ones].map(|len| len as usize);
            let order = &self.order[chunk * CHUNK + before..][..ones + minus_ones];
            let (ones, minus_ones) = order.split_at(ones);
            buckets.add_in_turn(self.points, ones, 0);
            buckets.add_in_turn(self.points, minus_ones, OPPOSITE);
            self.go_on(1)?;
        }
        buckets.finish(self.points);
        own.sums[0].add(&buckets.sum_of_all());
        Some(())
    }

    /// Adds the sums of the task's windows, or none when the work shall stop.
    fn add_task(
        &self,
        task: &Task,
        buckets: &mut Buckets<'_, F>,
        own: &mut WindowSums<'_, F>,
    ) -> Option<()> {
        let mut spans = [Span::EMPTY; WINDOWS_MAX];
        let spans = &mut spans[..task.sets.len()];
        let mut start = 1;
        for (span, set) in spans.iter_mut().zip(task.sets.clone()) {
            *span = Span { start, len: self.plan.bucket_count(set..set + 1) };
            start += span.len;
        }
        buckets.begin(start - 1);
        let windows = self.plan.windows_of(task.sets.clone()).count();
        for chunk in task.chunks.clone() {
            let len = self.chunk_len(chunk);
            for start in (0..len).step_by(self.plan.stretch_len()) {
                let stretch = start..(start + self.plan.stretch_len()).min(len);
                self.add_stretch(chunk, &stretch, task, spans, buckets);
            }
            self.go_on(windows)?;
        }
        buckets.finish(self.points);
        let partial = &mut own.partial[..task.sets.len()];
        buckets.reduce(spans, start, partial);
        for (sum, partial) in own.sums[task.sets.clone()].iter_mut().zip(partial) {
            sum.add(partial);
        }
        Some(())
    }

    /// Adds some points of one chunk by their digits in all windows of the task.
    fn add_stretch(
        &self,
        chunk: usize,
        stretch: &Range<usize>,
        task: &Task,
        spans: &[Span],
        buckets: &mut Buckets<'_, F>,
    ) {
        for level in 0..self.plan.levels {
            for (span, set) in spans.iter().zip(task.sets.clone()) {
                let window = level * self.plan.set_count() + set;
                if window < self.plan.windows.count() {
                    let (stretch, is_first) = (stretch.clone(), span.start == 1);
                    let place = Place { chunk, stretch, window, level, is_first };
                    self.add_window(&place, span.start - 1, buckets);
                }
            }
        }
    }

    /// Adds some points of one chunk by their digits in one window.
    fn add_window(&self, place: &Place, offset: usize, buckets: &mut Buckets<'_, F>) {
        let &Place { chunk, ref stretch, window, level, is_first } = place;
        let (n, first) = (self.order.len(), chunk * CHUNK);
        let plane = first * self.plan.windows.count() + window * self.chunk_len(chunk);
        let reaching = |window: usize| {
            let reached = self.reached[chunk].windows.get(window)?;
            let end = stretch.end.min(*reached as usize);
            Some(stretch.start.min(end)..end)
        };
        let points_of =
            |points: Range<usize>| &self.order[first + points.start..first + points.end];
        let run = |level: usize, order| Run { order, first: level * n };
        let ahead = match reaching(window + self.plan.set_count()) {
            _ if !is_first => run(0, &[]),
            Some(points) if level + 1 < self.plan.levels => run(level + 1, points_of(points)),
            _ => run(0, &self.order[first + stretch.end..]),
        };
        let points = reaching(window).unwrap_or(0..0);
        let digits = &self.digits[plane + points.start..plane + points.end];
        buckets.add(self.points, run(level, points_of(points)), digits, offset, ahead);
    }

    /// Points of a chunk: all have so many but the last one.
    fn chunk_len(&self, chunk: usize) -> usize {
        CHUNK.min(self.order.len() - chunk * CHUNK)
    }

    /// Reports progress; none once the observer wants to stop, of which every worker learns.
    fn go_on(&self, chunks: usize) -> Option<()> {
        // Ones count as a window.
        let total = (self.plan.windows.count() + 1) * self.reached.len();
        // Relaxed: the count stands for itself.
        let before = self.progress.done.fetch_add(chunks, Ordering::Relaxed);
        let done = before + chunks;
        if before * REPORTS / total != done * REPORTS / total {
            self.observer.progress(PHASE, done as u64, total as u64);
        }
        if self.progress.is_stopped() || self.observer.is_cancelled() {
            // Relaxed: as in `is_stopped`.
            self.progress.is_stopped.store(true, Ordering::Relaxed);
            return None;
        }
        Some(())
    }
}
