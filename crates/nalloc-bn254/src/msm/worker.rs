//! The workers: tasks are taken from a counter until none is left, or the observer wants to stop.
//!
//! Each worker owns its buckets and its window sums; what workers share is read only, but for the
//! counters and the flag that stops them. What depends on scalars lies in the arena or on the stack,
//! never in memory that is freed unwiped.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::adder::Points;
use super::buckets::Buckets;
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

/// A worker's own sums, one for each window.
pub(super) struct WindowSums<'a, F> {
    /// Of all tasks so far.
    pub(super) sums: &'a mut [Xyzz<F>],
    /// Of the last task, from its first window on.
    pub(super) partial: &'a mut [Xyzz<F>],
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
            if self.add_task(task, buckets, &mut own).is_none() {
                return;
            }
        }
    }

    /// Adds the sums of the task's windows, or none when the work shall stop.
    fn add_task(
        &self,
        task: &Task,
        buckets: &mut Buckets<'_, F>,
        own: &mut WindowSums<'_, F>,
    ) -> Option<()> {
        buckets.begin(self.plan.bucket_count(task.windows.clone()));
        for chunk in task.chunks.clone() {
            let mut offset = 0;
            for window in task.windows.clone() {
                self.add_chunk(chunk, window, offset, buckets);
                offset += self.plan.windows.bucket_count(window);
            }
            self.go_on(task.windows.len())?;
        }
        buckets.finish(self.points);
        let mut spans = [Span::EMPTY; WINDOWS_MAX];
        let spans = &mut spans[..task.windows.len()];
        let mut start = 1;
        for (span, window) in spans.iter_mut().zip(task.windows.clone()) {
            *span = Span { start, len: self.plan.windows.bucket_count(window) };
            start += span.len;
        }
        let partial = &mut own.partial[..task.windows.len()];
        buckets.reduce(spans, start, partial);
        for (sum, partial) in own.sums[task.windows.clone()].iter_mut().zip(partial) {
            sum.add(partial);
        }
        Some(())
    }

    /// Adds the points of one chunk by their digits in one window.
    fn add_chunk(&self, chunk: usize, window: usize, offset: usize, buckets: &mut Buckets<'_, F>) {
        let first = chunk * CHUNK;
        let next = (first + CHUNK).min(self.order.len());
        let ahead = if offset == 0 { &self.order[next..] } else { &[] };
        let len = CHUNK.min(self.order.len() - first);
        let reached = self.reached[chunk].0[window] as usize;
        let order = &self.order[first..first + reached];
        let plane = first * self.plan.windows.count() + window * len;
        let digits = &self.digits[plane..plane + reached];
        buckets.add(self.points, order, digits, offset, ahead);
    }

    /// Reports progress; none once the observer wants to stop, of which every worker learns.
    fn go_on(&self, chunks: usize) -> Option<()> {
        let total = self.plan.windows.count() * self.reached.len();
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
