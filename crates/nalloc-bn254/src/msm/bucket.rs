//! The workers: tasks are taken from a counter, accumulated in buckets and reduced.
//!
//! Each worker owns its buckets and its window sums; what workers share is read only, but for the
//! counter and the flag that stops them.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::digits::Recoded;
use super::plan::{Plan, Task};
use crate::curve::{Affine, CurveField, Xyzz};
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::Pool;

/// Additions between two questions to the observer: 0.1 ms in G1, 0.3 ms in G2.
const ADDITIONS_PER_QUESTION: usize = 512;
/// What the observer sees.
const PHASE: &str = "msm";

/// One multi-scalar multiplication, as its workers see it.
pub(super) struct Job<'a, F> {
    bases: &'a [Affine<F>],
    recoded: &'a [Recoded],
    plan: &'a Plan,
    observer: &'a dyn Observer,
    next_task: AtomicUsize,
    done_tasks: AtomicUsize,
    is_stopped: AtomicBool,
}

impl<'a, F: CurveField> Job<'a, F> {
    pub(super) fn new(
        bases: &'a [Affine<F>],
        recoded: &'a [Recoded],
        plan: &'a Plan,
        observer: &'a dyn Observer,
    ) -> Self {
        let [next_task, done_tasks] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let is_stopped = AtomicBool::new(false);
        Self { bases, recoded, plan, observer, next_task, done_tasks, is_stopped }
    }

    /// Runs one worker for each set of buckets and leaves each worker's sum of each window in
    /// `sums`, which must hold infinity.
    pub(super) fn run(
        &self,
        buckets: &mut [Xyzz<F>],
        sums: &mut [Xyzz<F>],
        pool: &Pool,
    ) -> Result<(), Error> {
        let windows = self.plan.windows;
        let sets = buckets.chunks_exact_mut(windows.bucket_count());
        pool.scope(|scope| {
            for (buckets, sums) in sets.zip(sums.chunks_exact_mut(windows.count())) {
                scope.spawn(|_| self.work(buckets, sums));
            }
        });
        // Relaxed: the workers have ended, which orders all that they did before this.
        if self.is_stopped.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Does tasks until there are no more, or the observer wants to stop.
    fn work(&self, buckets: &mut [Xyzz<F>], sums: &mut [Xyzz<F>]) {
        let total = self.plan.task_count() as u64;
        // Relaxed: the counter hands each number out once, and orders no other memory.
        while let Some(task) = self.plan.task(self.next_task.fetch_add(1, Ordering::Relaxed)) {
            let Some(sum) = self.sum_of(&task, buckets) else { return };
            sums[task.window].add(&sum);
            // Relaxed: the count stands for itself.
            let done = self.done_tasks.fetch_add(1, Ordering::Relaxed) + 1;
            self.observer.progress(PHASE, done as u64, total);
        }
    }

    /// The sum of the task's digits times their points, or none when the work shall stop.
    fn sum_of(&self, task: &Task, buckets: &mut [Xyzz<F>]) -> Option<Xyzz<F>> {
        buckets.fill(Xyzz::INFINITY);
        for part in self.recoded[task.run.clone()].chunks(ADDITIONS_PER_QUESTION) {
            self.go_on()?;
            for recoded in part {
                let Some(digit) = recoded.digit(self.plan.windows, task.window) else { continue };
                let Affine { x, y } = self.bases[recoded.point()];
                let y = F::select(digit.negative, -y, y);
                buckets[digit.bucket].add_affine(&Affine { x, y });
            }
        }
        self.reduce(buckets)
    }

    /// The sum of d times bucket d, d from 1: each bucket is part of `running` from its turn on,
    /// and so is added to `sum` as often as its number says.
    fn reduce(&self, buckets: &[Xyzz<F>]) -> Option<Xyzz<F>> {
        let (mut running, mut sum) = (Xyzz::INFINITY, Xyzz::INFINITY);
        for part in buckets.rchunks(ADDITIONS_PER_QUESTION) {
            self.go_on()?;
            for bucket in part.iter().rev() {
                running.add(bucket);
                sum.add(&running);
            }
        }
        Some(sum)
    }

    /// None once the observer wants to stop; every worker learns of it.
    fn go_on(&self) -> Option<()> {
        // Relaxed: the flag stands for itself; a worker that sees it late asks the observer.
        if self.is_stopped.load(Ordering::Relaxed) || self.observer.is_cancelled() {
            self.is_stopped.store(true, Ordering::Relaxed);
            return None;
        }
        Some(())
    }
}
