//! Who watches long operations: one that stops them after so many questions, and notes what it is
//! told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use nalloc_bn254::Observer;

/// A phase, how many of its steps are done, and how many there are.
pub type Progress = (&'static str, u64, u64);

/// Stops at the question after so many, and at all that follow.
#[derive(Default)]
pub struct StopAfter {
    asked: AtomicU64,
    questions_max: AtomicU64,
    told: Mutex<Vec<Progress>>,
}

impl StopAfter {
    /// After `questions` that it lets pass.
    #[must_use]
    pub fn new(questions: u64) -> Self {
        Self { questions_max: questions.into(), ..Self::default() }
    }

    /// Never: to count the questions.
    #[must_use]
    pub fn never() -> Self {
        Self::new(u64::MAX)
    }

    /// Begins anew, with `questions` that it lets pass and nothing noted.
    pub fn reset(&self, questions: u64) {
        self.asked.store(0, Ordering::SeqCst);
        self.questions_max.store(questions, Ordering::SeqCst);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it was told.
    #[must_use]
    pub fn told(&self) -> Vec<Progress> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for StopAfter {
    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst) >= self.questions_max.load(Ordering::SeqCst)
    }

    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((phase, done, total));
    }
}
