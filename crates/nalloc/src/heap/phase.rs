//! Spans of time that have a name, and the most that was live in each.
//!
//! A phase is open while a guard of it lives; any number may be open at once, on any thread. What
//! is live belongs to all of them, for memory belongs to no thread. The table has room for
//! `PHASES_MAX` names; spans under further names are counted and nothing else.

use core::fmt;
use core::ops::Deref;

use crate::config::PHASES_MAX;

/// What happened in the spans of time under one name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseStats {
    /// The name.
    pub name: &'static str,
    /// How many times a phase of this name began.
    pub times: u64,
    /// How many of them have not ended.
    pub open: u64,
    /// The most bytes that were live while one of them was open.
    pub peak_live_bytes: u64,
}

/// The phases of a process in the order in which their names first appeared; a slice.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    known: [PhaseStats; PHASES_MAX],
    used: usize,
    /// Phases that began under a name for which there was no room.
    missed: u64,
    /// Phases that are open, under any name in the table.
    open: u64,
}

impl Deref for Phases {
    type Target = [PhaseStats];
    fn deref(&self) -> &[PhaseStats] {
        &self.known[..self.used]
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Phases {
    pub(crate) const NONE: Self = Self {
        known: [PhaseStats { name: "", times: 0, open: 0, peak_live_bytes: 0 }; PHASES_MAX],
        used: 0,
        missed: 0,
        open: 0,
    };

    /// How many phases began under a name for which the table had no room.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Begins a phase; its place, if there is one.
    pub(super) fn begin(&mut self, name: &'static str) -> Option<usize> {
        let known = self.iter().position(|phase| phase.name == name);
        let place = known.unwrap_or(self.used);
        let Some(phase) = self.known.get_mut(place) else {
            self.missed += 1;
            return None;
        };
        phase.name = name;
        phase.times += 1;
        phase.open += 1;
        self.open += 1;
        self.used = self.used.max(place + 1);
        Some(place)
    }

    /// Ends a phase that `begin` gave a place.
    pub(super) fn end(&mut self, place: usize) {
        self.known[place].open -= 1;
        self.open -= 1;
    }

    /// Notes that `live` bytes were live since the last phase began or ended.
    pub(super) fn note(&mut self, live: u64) {
        if self.open > 0 {
            for phase in &mut self.known[..self.used] {
                if phase.open > 0 {
                    phase.peak_live_bytes = phase.peak_live_bytes.max(live);
                }
            }
        }
    }
}
