//! The lock and the protocol of the helper thread, in every order in which threads can see them:
//!
//!     RUSTFLAGS="--cfg loom" cargo test -p nalloc-zk --test loom --release
//!
//! The files under test are taken in as they are; the crate itself is empty under loom.

#![cfg(loom)]

#[path = "../src/heap/clock.rs"]
#[expect(dead_code, reason = "this protocol asks for less than the heap does")]
mod clock;
#[path = "../src/lock.rs"]
#[expect(dead_code, reason = "this protocol asks for less than the heap does")]
mod lock;
#[path = "../src/sync.rs"]
mod sync;

mod config {
    pub(crate) const QUIET_MS: u64 = 10;
    pub(crate) const PEAK_SLOTS: usize = 2;
    pub(crate) const PEAK_SLOT_MS: u64 = 10;
}

mod os {
    use crate::sync::AtomicU32;

    /// The verbs that the lock needs.
    pub(crate) trait Os {
        fn yield_now(&self);
        fn wait(&self, word: &AtomicU32, expected: u32);
        fn wake_one(&self, word: &AtomicU32);
    }
}

use clock::Clock;
use lock::Lock;
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};
use os::Os;
use sync::{AtomicU32, Ordering};

/// A kernel whose threads sleep on one word.
struct Kernel {
    queue: Mutex<()>,
    wake: Condvar,
}

impl Kernel {
    fn new() -> Self {
        Self { queue: Mutex::new(()), wake: Condvar::new() }
    }
}

impl Os for Kernel {
    fn yield_now(&self) {
        thread::yield_now();
    }

    fn wait(&self, word: &AtomicU32, expected: u32) {
        let queue = self.queue.lock().expect("no thread panics with it");
        if word.load(Ordering::SeqCst) == expected {
            drop(self.wake.wait(queue).expect("no thread panics with it"));
        }
    }

    fn wake_one(&self, _word: &AtomicU32) {
        let _queue = self.queue.lock().expect("no thread panics with it");
        self.wake.notify_one();
    }
}

/// Every order with at most three switches at a moment when the thread could have gone on.
fn explore(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

#[test]
fn one_thread_at_a_time_holds_the_lock_and_none_sleeps_for_ever() {
    explore(|| {
        // Loom's cell panics when two threads see it without an order between them.
        let shared = Arc::new((Kernel::new(), Lock::new(UnsafeCell::new(0))));
        let add = |shared: &(Kernel, Lock<UnsafeCell<u32>>)| {
            let held = shared.1.lock(&shared.0);
            // SAFETY: the lock is held.
            held.with_mut(|value| unsafe { *value += 1 });
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || add(&shared))
            })
            .collect();
        add(&shared);
        for thread in threads {
            thread.join().expect("a thread that only adds");
        }

        let held = shared.1.lock(&shared.0);
        // SAFETY: the lock is held.
        assert_eq!(held.with(|value| unsafe { *value }), 3);
    });
}

#[test]
fn a_thread_that_only_tries_takes_the_lock_or_leaves_it() {
    explore(|| {
        let shared = Arc::new((Kernel::new(), Lock::new(UnsafeCell::new(0))));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let held = other.1.try_lock(&other.0);
            // SAFETY: the lock is held.
            held.map(|held| held.with_mut(|value| unsafe { *value += 1 })).is_some()
        });
        let held = shared.1.lock(&shared.0);
        // SAFETY: the lock is held.
        held.with_mut(|value| unsafe { *value += 1 });
        drop(held);
        let added = 1 + u32::from(thread.join().expect("a thread that only adds"));

        let held = shared.1.lock(&shared.0);
        // SAFETY: the lock is held.
        assert_eq!(held.with(|value| unsafe { *value }), added);
    });
}

/// A heap in which every free page is too many.
struct State {
    clock: Clock,
    now_ms: u64,
    calls: u64,
    cached: u64,
    helpers: u32,
}

struct Heap {
    kernel: Kernel,
    state: Lock<State>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Heap {
    /// Frees a page, and starts the helper when it is due.
    fn free(heap: &Arc<Self>) {
        let mut state = heap.state.lock(&heap.kernel);
        state.calls += 1;
        state.cached += 1;
        let now_ms = state.now_ms;
        let is_due = state.clock.is_helper_due(now_ms);
        drop(state);
        if is_due {
            let other = Arc::clone(heap);
            let thread = thread::spawn(move || other.help());
            heap.threads.lock().expect("no thread panics with it").push(thread);
        }
    }

    /// The life of the helper, as in `heap/helper.rs`; each tick comes after a quiet time.
    fn help(&self) {
        let mut state = self.state.lock(&self.kernel);
        state.helpers += 1;
        assert_eq!(state.helpers, 1, "two helpers");
        drop(state);
        loop {
            let mut state = self.state.lock(&self.kernel);
            state.now_ms += config::QUIET_MS;
            let (now_ms, calls) = (state.now_ms, state.calls);
            state.clock.tick(now_ms, calls, 0);
            let is_quiet = state.clock.is_quiet();
            drop(state);
            if is_quiet {
                self.state.lock(&self.kernel).cached = 0;
            }
            let mut state = self.state.lock(&self.kernel);
            let (now_ms, calls, is_due) = (state.now_ms, state.calls, state.cached > 0);
            if state.clock.may_end(now_ms, calls, is_due) {
                state.helpers -= 1;
                return;
            }
        }
    }
}

#[test]
fn what_is_freed_is_given_back_by_exactly_one_helper_at_a_time() {
    explore(|| {
        let state = State { clock: Clock::NEW, now_ms: 100, calls: 0, cached: 0, helpers: 0 };
        let heap = Arc::new(Heap {
            kernel: Kernel::new(),
            state: Lock::new(state),
            threads: Mutex::new(Vec::new()),
        });
        let other = Arc::clone(&heap);
        let caller = thread::spawn(move || Heap::free(&other));
        Heap::free(&heap);
        caller.join().expect("a caller");
        loop {
            let helper = heap.threads.lock().expect("no thread panics with it").pop();
            let Some(helper) = helper else { break };
            helper.join().expect("a helper");
        }

        let state = heap.state.lock(&heap.kernel);
        assert_eq!((state.cached, state.helpers), (0, 0), "nobody gives back what is left");
    });
}
