//! How much may stay cached, and giving back what is more.
//!
//! A burst is a time of work: it ends when no large block was allocated or freed for two seconds.
//! The recent peak is the highest live memory of this burst and of the one before. While work goes
//! on, the next phase and the next proof will want the pages of the last one, so
//!
//! ```text
//! cached <= max(cache limit, recent peak - live + an eighth of that + 32 MiB)
//! ```
//!
//! holds after every free. With `ZK_NALLOC_CACHE_BYTES` the bound is that number at any time. With
//! a memory limit, cached <= memory limit - live holds too. Nothing happens by the clock yet: a
//! process that stops calling keeps what it has until the next free, `soften_cache` or
//! `release_cache`; `burst` is where a clock would come in.
//!
//! The kernel is asked without the heap's lock. Pages on their way out are held: out of the heap,
//! neither free nor live, and never more of them than are given back, so that others find
//! everything else. One thread at a time gives back; a free that finds another one at it goes on.

use super::backing::{Backing, Wanted};
use super::{Heap, State};
use crate::config::{PEAK_SLACK_BYTES, PEAK_SLACK_DIVISOR, QUIET_MS};
use crate::os::{Advice, Os};
use crate::units::wide;

/// The peaks of live memory in this burst of work and in the one before, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bursts {
    last_ms: u64,
    this: u64,
    previous: u64,
}

impl Bursts {
    pub(super) const NONE: Self = Self { last_ms: 0, this: 0, previous: 0 };

    /// Notes that `live` bytes are live at `now_ms`.
    pub(super) fn note(&mut self, now_ms: u64, live: u64) {
        if now_ms.saturating_sub(self.last_ms) >= QUIET_MS {
            self.previous = self.this;
            self.this = live;
        }
        self.last_ms = now_ms;
        self.this = self.this.max(live);
    }

    fn recent_peak(&self) -> u64 {
        self.this.max(self.previous)
    }
}

/// What to do with cached pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The kernel may take them.
    Soften,
    /// The kernel takes them.
    Release,
}

impl State {
    /// Bytes that may be cached now.
    pub(super) fn cache_allowance_bytes(&self) -> u64 {
        let live = self.live_bytes();
        let mut allowed = self.cache_limit_bytes;
        if !self.is_always_bound {
            let gone = self.bursts.recent_peak().saturating_sub(live);
            let slack = (gone / PEAK_SLACK_DIVISOR).saturating_add(PEAK_SLACK_BYTES);
            allowed = allowed.max(gone.saturating_add(slack));
        }
        let room = self.memory_limit_bytes.map_or(u64::MAX, |limit| limit.saturating_sub(live));
        allowed.min(room)
    }

    /// Whether more is cached than may be.
    pub(super) fn is_over_allowance(&self) -> bool {
        self.cached_bytes() > self.cache_allowance_bytes()
    }
}

impl<O: Os> Heap<O> {
    /// Gives back what is cached beyond the allowance, unless another thread is at it.
    #[cold]
    pub(super) fn trim(&self) {
        if let Some(_turn) = self.trimming.try_lock(&self.os) {
            self.cast_off(Fate::Release, State::cache_allowance_bytes);
        }
    }

    /// Lets the kernel take every cached page when it needs memory; how many bytes.
    pub(crate) fn soften_cache(&self) -> u64 {
        let _turn = self.trimming.lock(&self.os);
        self.cast_off(Fate::Soften, |_| 0)
    }

    /// Gives every cached page back to the kernel; how many bytes.
    pub(crate) fn release_cache(&self) -> u64 {
        let _turn = self.trimming.lock(&self.os);
        self.cast_off(Fate::Release, |_| 0)
    }

    /// Softens or releases pages until no more than `keep` bytes are warm or cached; stops at the
    /// first refusal. The caller has the turn.
    fn cast_off(&self, fate: Fate, keep: impl Fn(&State) -> u64) -> u64 {
        let (wanted, advice, after) = match fate {
            Fate::Soften => (Wanted::Warm, Advice::Soften, Backing::Soft),
            Fate::Release => (Wanted::Dirty, Advice::Release, Backing::Zero),
        };
        let mut done = 0;
        loop {
            let mut state = self.lock();
            let keep = keep(&state);
            let Some(space) = state.space.as_mut() else { return done };
            let cached = space.totals.cached;
            let there = match fate {
                Fate::Soften => cached.warm,
                Fate::Release => cached.dirty(),
            };
            let size = space.range.size();
            let excess = wide(size.of(there)).saturating_sub(keep);
            if excess == 0 {
                return done;
            }
            let Some(piece) = space.hold(wanted, size.count_down(excess)) else { return done };
            let run = space.range.run_of(piece);
            let counts = space.pages.count(piece);
            drop(state);

            // SAFETY: a held extent is backed and its bytes belong to nobody.
            let answer = unsafe { self.os.advise(run, advice) };

            let mut state = self.lock();
            if let Some(space) = state.space.as_mut() {
                space.unhold(piece, answer.is_ok().then_some(after));
            }
            match answer {
                Err(errno) => {
                    state.counters.refuse(errno);
                    return done;
                }
                Ok(()) if fate == Fate::Release => {
                    state.counters.evictions += 1;
                    done += wide(size.of(counts.dirty()));
                }
                Ok(()) => done += wide(size.of(counts.warm)),
            }
        }
    }
}
