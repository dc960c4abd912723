//! How much may stay cached, and giving back what is more.
//!
//! ```text
//! nobody at work   cached <= cache limit
//! work going on    cached <= max(cache limit, recent peak - live + an eighth of that + 32 MiB)
//! ```
//!
//! The next phase and the next proof will want the pages of the last one, so these stay while work
//! goes on. The helper thread sees to both; without it, each free sees to the second. With
//! `ZK_NALLOC_CACHE_BYTES` the bound is that number at any time, and with a memory limit cached <=
//! memory limit - live holds too; these two hold after every call.
//!
//! The kernel is asked without the heap's lock. Pages on their way out are held: out of the heap,
//! neither free nor live, and never more of them than are given back, so that others find
//! everything else. One thread at a time gives back, one piece at a time; a free that finds another
//! one at it goes on.

use super::backing::{Backing, Wanted};
use super::{Heap, Home, State};
use crate::config::{PEAK_SLACK_BYTES, PEAK_SLACK_DIVISOR};
use crate::os::{Advice, Errno, Os, Run};
use crate::units::{Extent, wide};

/// What to do with cached pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The kernel may take them.
    Soften,
    /// The kernel takes them.
    Release,
}

impl Fate {
    const fn wanted(self) -> Wanted {
        match self {
            Self::Soften => Wanted::Warm,
            Self::Release => Wanted::Dirty,
        }
    }
}

/// Pages on their way out.
struct Held {
    home: Home,
    piece: Extent,
    run: Run,
    /// Bytes of those that are wanted.
    bytes: u64,
}

impl State {
    /// Whether the cache has a bound that every call keeps.
    pub(super) fn is_bound(&self) -> bool {
        self.is_always_bound || self.memory_limit_bytes.is_some()
    }

    /// Bytes that may be cached now.
    pub(super) fn cache_allowance_bytes(&self) -> u64 {
        let live = self.live_bytes();
        let mut allowed = self.cache_limit_bytes;
        if !self.is_always_bound && !self.clock.is_quiet() {
            let peak = self.clock.recent_peak().max(self.high_bytes);
            let gone = peak.saturating_sub(live);
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

    /// Takes out of the heap what is to go next, so that no more than `keep` bytes stay.
    fn hold(&mut self, fate: Fate, keep: u64) -> Option<Held> {
        let wanted = fate.wanted();
        let bytes_of = |space: &super::Space, cached: super::backing::Counts| {
            wide(space.range.size().of(cached.of(wanted)))
        };
        let all = self.spaces().map(|space| bytes_of(space, space.totals.cached)).sum::<u64>();
        let excess = all.saturating_sub(keep);
        if excess == 0 {
            return None;
        }
        [Home::Main, Home::Sparse].into_iter().find_map(|home| {
            let space = self.space(home)?;
            let piece = space.hold(wanted, space.range.size().count_down(excess))?;
            let bytes = bytes_of(space, space.pages.count(piece));
            Some(Held { home, piece, run: space.range.run_of(piece), bytes })
        })
    }

    /// Puts back what `hold` took, after the kernel was asked.
    fn unhold(&mut self, fate: Fate, held: &Held, answer: Result<(), Errno>) {
        let after = match fate {
            Fate::Soften => Backing::Soft,
            Fate::Release => Backing::Zero,
        };
        if let Some(space) = self.space(held.home) {
            space.unhold(held.piece, answer.is_ok().then_some(after));
        }
        match answer {
            Ok(()) if fate == Fate::Release => self.counters.evictions += 1,
            Ok(()) => {}
            Err(errno) => self.counters.refuse(errno),
        }
    }
}

impl<O: Os> Heap<O> {
    /// Gives back what is cached beyond the allowance, unless another thread is at it.
    #[cold]
    pub(super) fn trim(&self) {
        while let Some(_turn) = self.trimming.try_lock(&self.os) {
            if self.cast_off_piece(Fate::Release, State::cache_allowance_bytes).is_none() {
                return;
            }
        }
    }

    /// Gives back what is cached beyond the allowance, and stops when somebody calls: when there
    /// were no more than `calls` calls, nobody did.
    pub(super) fn trim_unless_called(&self, calls: u64) {
        self.cast_off(Fate::Release, |state| {
            let is_called = state.clock.is_quiet() && state.counters.calls() != calls;
            if is_called { u64::MAX } else { state.cache_allowance_bytes() }
        });
    }

    /// Lets the kernel take every cached page when it needs memory; how many bytes.
    pub(crate) fn soften_cache(&self) -> u64 {
        self.cast_off(Fate::Soften, |_| 0)
    }

    /// Gives every cached page back to the kernel; how many bytes.
    pub(crate) fn release_cache(&self) -> u64 {
        self.cast_off(Fate::Release, |_| 0)
    }

    /// Softens or releases pages until no more than `keep` bytes are warm or cached; stops at the
    /// first refusal. Between two pieces others have their turn, fork among them.
    fn cast_off(&self, fate: Fate, keep: impl Fn(&State) -> u64) -> u64 {
        let mut done = 0;
        loop {
            let _turn = self.trimming.lock(&self.os);
            match self.cast_off_piece(fate, &keep) {
                Some(bytes) => done += bytes,
                None => return done,
            }
        }
    }

    /// Softens or releases one piece; None when there is none to go, or the kernel refused. The
    /// caller has the turn.
    fn cast_off_piece(&self, fate: Fate, keep: impl Fn(&State) -> u64) -> Option<u64> {
        let mut state = self.lock();
        let keep = keep(&state);
        let held = state.hold(fate, keep)?;
        drop(state);
        let advice = match fate {
            Fate::Soften => Advice::Soften,
            Fate::Release => Advice::Release,
        };
        // SAFETY: a held extent is backed and its bytes belong to nobody.
        let answer = unsafe { self.os.advise(held.run, advice) };
        self.lock().unhold(fate, &held, answer);
        answer.is_ok().then_some(held.bytes)
    }

    /// Sets what may stay cached, and gives back what is more.
    pub(crate) fn set_cache_limit(&self, bytes: u64) {
        self.change_limits(|state| state.cache_limit_bytes = bytes);
    }

    /// Sets what may be live at once, and gives back what is cached beyond it.
    pub(crate) fn set_memory_limit(&self, bytes: Option<u64>) {
        self.change_limits(|state| state.memory_limit_bytes = bytes);
    }

    fn change_limits(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let work = state.work(&self.os);
        let is_over = state.is_over_allowance();
        drop(state);
        if is_over {
            self.trim();
        }
        self.do_work(work);
    }
}
