//! Time: whether anybody is at work, how much was live lately, and whether the helper thread lives.
//!
//! ```text
//! off <--- no thread can be had, or NALLOC_BACKGROUND=0
//! gone -- more is cached than the cache limit --> alive -- nothing to give back --> gone
//! ```
//!
//! The helper ticks while it lives: no call of the allocator reads a clock. Time is of no concern
//! while there is no helper, for then nothing is cached beyond the limit. Only when the helper is
//! off, calls read the clock, and only those that find more cached than the limit.
//!
//! Quiet is a time of `QUIET_MS` without a call. The recent peak is the highest live memory since
//! the last quiet time, or in the last `PEAK_SLOTS` slots, whichever is shorter.
//!
//! Everything here is guarded by the heap's lock.

use crate::config::{PEAK_SLOT_MS, PEAK_SLOTS, QUIET_MS};

/// Whether the helper thread lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Helper {
    /// It cannot be had, or is not wanted.
    Off,
    /// It can be started.
    Gone,
    /// It was started, or is about to be, and has not said that it ends.
    Alive,
}

/// What is known of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    helper: Helper,
    /// Whether nobody was at work at the last tick.
    is_quiet: bool,
    /// How many calls there were at the last tick, and when the last one was seen.
    calls: u64,
    called_ms: u64,
    /// When there was last something to give back.
    due_ms: u64,
    peaks: [u64; PEAK_SLOTS],
    /// The place of the slot that time is in, and its number, counted from the zero of the clock.
    at: usize,
    slot: u64,
}

impl Clock {
    /// No helper yet, and nothing is known.
    pub(crate) const NEW: Self = Self {
        helper: Helper::Gone,
        is_quiet: false,
        calls: 0,
        called_ms: 0,
        due_ms: 0,
        peaks: [0; PEAK_SLOTS],
        at: 0,
        slot: 0,
    };

    /// Whether the helper lives, or can.
    pub(crate) fn helper(&self) -> Helper {
        self.helper
    }

    /// Whether nobody was at work at the last tick.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// No helper from now on: it is not wanted, or could not be started.
    pub(crate) fn turn_off(&mut self) {
        self.helper = Helper::Off;
    }

    /// In a child made by fork: the helper stayed with the parent.
    pub(crate) fn forget_helper(&mut self) {
        if self.helper == Helper::Alive {
            self.helper = Helper::Gone;
        }
    }

    /// Notes that `live` bytes were live since the last tick.
    pub(crate) fn note(&mut self, live: u64) {
        self.peaks[self.at] = self.peaks[self.at].max(live);
    }

    /// The most that was live lately.
    pub(crate) fn recent_peak(&self) -> u64 {
        self.peaks.iter().copied().fold(0, u64::max)
    }

    /// More is cached than the limit at `now_ms`. True when the caller has to start the helper.
    pub(crate) fn is_helper_due(&mut self, now_ms: u64) -> bool {
        let is_due = self.helper == Helper::Gone;
        if is_due {
            self.helper = Helper::Alive;
            self.is_quiet = false;
            (self.called_ms, self.due_ms) = (now_ms, now_ms);
            // The slots before this one say nothing of the time when nobody ticked.
            self.restart(now_ms, self.peaks[self.at]);
        }
        is_due
    }

    /// Notes the time: `calls` is how many there were since the start, `live` what is live now.
    pub(crate) fn tick(&mut self, now_ms: u64, calls: u64, live: u64) {
        if calls != self.calls {
            (self.calls, self.called_ms) = (calls, now_ms);
            self.is_quiet = false;
        } else if now_ms.saturating_sub(self.called_ms) >= QUIET_MS && self.helper != Helper::Off {
            self.is_quiet = true;
            self.restart(now_ms, live);
        }
        let slot = now_ms / PEAK_SLOT_MS;
        for _ in (self.slot..slot).take(PEAK_SLOTS) {
            self.at = (self.at + 1) % PEAK_SLOTS;
            self.peaks[self.at] = live;
        }
        self.slot = slot;
    }

    /// Whether the helper ends; then it is gone. `is_due` says whether more is cached than the
    /// limit. In a quiet time that is what the kernel refused to take, unless somebody called since
    /// the tick: who finds a helper starts none.
    pub(crate) fn may_end(&mut self, now_ms: u64, calls: u64, is_due: bool) -> bool {
        if is_due {
            self.due_ms = now_ms;
        }
        let is_quiet = self.is_quiet && calls == self.calls;
        let is_over = is_quiet || now_ms.saturating_sub(self.due_ms) >= QUIET_MS;
        if is_over {
            self.helper = Helper::Gone;
        }
        is_over
    }

    fn restart(&mut self, now_ms: u64, peak: u64) {
        self.peaks = [0; PEAK_SLOTS];
        self.peaks[self.at] = peak;
        self.slot = now_ms / PEAK_SLOT_MS;
    }
}
