//! The helper thread: it gives pages back when nobody calls, and looks at memory pressure.
//!
//! It is started by the free that first leaves more cached than the cache limit, outside the lock
//! and at most once at a time (see `clock`), and ends itself when there is nothing left to do:
//! while it lives, the process can neither enter a user namespace nor end with its main thread.
//! It does not survive fork; the child starts its own when it has a reason to. Where it cannot be
//! had, the calls of the allocator do its work as far as they come.
//!
//! It is a thread of the C library, for it calls functions of the C library; a thread of the
//! standard library would allocate for its handle, its name and its result, from this allocator.

use super::clock::Helper;
use super::{Heap, State};
use crate::config::{PRESSURE_STALL_US, PRESSURE_TICKS, TICK_MS};
use crate::os::{Os, probe};

/// What a call leaves to be done once the lock is free.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    is_trim_due: bool,
    is_helper_due: bool,
}

impl State {
    /// What is to be done after pages became free.
    pub(super) fn work<O: Os>(&mut self, os: &O) -> Work {
        if self.is_over_limit() || self.memory_limit_bytes.is_some() {
            return self.work_beyond_limit(os);
        }
        Work::default()
    }

    /// Whether more is cached than may be while nobody is at work.
    fn is_over_limit(&self) -> bool {
        self.cached_bytes() > self.cache_limit_bytes
    }

    /// Tells the clock what time it is.
    fn tick(&mut self, now_ms: u64) {
        let (calls, live) = (self.counters.calls(), self.live_bytes());
        self.clock.tick(now_ms, calls, live);
    }

    #[cold]
    fn work_beyond_limit<O: Os>(&mut self, os: &O) -> Work {
        let helper = self.clock.helper();
        if helper == Helper::Off {
            self.tick(os.now_ms());
        }
        self.note_peaks();
        let is_callers = helper == Helper::Off || self.is_bound();
        Work {
            is_trim_due: is_callers && self.is_over_allowance(),
            is_helper_due: self.is_over_limit()
                && helper == Helper::Gone
                && self.clock.is_helper_due(os.now_ms()),
        }
    }
}

impl<O: Os> Heap<O> {
    /// Does what a call left; the caller holds no lock.
    pub(super) fn do_work(&self, work: Work) {
        if work.is_trim_due {
            self.trim();
        }
        if work.is_helper_due {
            self.start_helper();
        }
    }

    #[cold]
    fn start_helper(&self) {
        if let Err(errno) = self.os.start_thread(self.hooks.help) {
            let mut state = self.lock();
            state.clock.turn_off();
            state.counters.refuse(errno);
        }
    }

    /// The whole life of the helper thread.
    pub(crate) fn help(&self) {
        let mut task = Task::new(self);
        loop {
            self.os.sleep_ms(TICK_MS);
            if task.tick() == Next::End {
                return;
            }
        }
    }
}

/// What the helper does after a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Sleep,
    End,
}

/// What the helper knows.
pub(super) struct Task<'h, O> {
    heap: &'h Heap<O>,
    ticks: u64,
    /// How long tasks had waited for memory at the last look.
    stalled_us: Option<u64>,
    /// Whether the last look found pressure.
    is_pressed: bool,
}

impl<'h, O: Os> Task<'h, O> {
    pub(super) fn new(heap: &'h Heap<O>) -> Self {
        Self { heap, ticks: 0, stalled_us: None, is_pressed: false }
    }

    /// Looks at the time and does what is due.
    pub(super) fn tick(&mut self) -> Next {
        let mut state = self.heap.lock();
        state.tick(self.heap.os.now_ms());
        state.note_peaks();
        let calls = state.counters.calls();
        let is_over = state.is_over_allowance();
        drop(state);
        if is_over {
            self.heap.trim_unless_called(calls);
        }
        if self.ticks.is_multiple_of(PRESSURE_TICKS) {
            self.look_at_pressure();
        }
        self.ticks += 1;
        self.heap.record_sample();

        let now_ms = self.heap.os.now_ms();
        let mut state = self.heap.lock();
        let (calls, is_due) = (state.counters.calls(), state.is_over_limit());
        if state.clock.may_end(now_ms, calls, is_due) { Next::End } else { Next::Sleep }
    }

    /// Softens the cache when tasks of this machine or control group wait for memory, and releases
    /// it when they still do one look later.
    fn look_at_pressure(&mut self) {
        let now = probe::stalled_us(&self.heap.os);
        let before = core::mem::replace(&mut self.stalled_us, now);
        let waited = now.zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
        if waited < PRESSURE_STALL_US {
            self.is_pressed = false;
            return;
        }
        self.heap.lock().counters.pressures += 1;
        if self.is_pressed {
            self.heap.release_cache();
        } else {
            self.heap.soften_cache();
        }
        self.is_pressed = true;
    }
}
