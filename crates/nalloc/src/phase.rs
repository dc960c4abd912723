//! Guards that give a span of time a name.

use crate::global::HEAP;

/// A span of time that has a name; it ends when this is dropped.
#[must_use = "the phase ends when its guard is dropped"]
#[derive(Debug)]
pub struct Phase {
    /// Where its name stands; None when there was no room for another name.
    place: Option<usize>,
}

/// Begins a span of time under `name`: [`Stats::phases`](crate::Stats::phases) says how much was
/// live at most while one of that name was open. Phases may nest and overlap, on any threads.
///
/// ```
/// let phase = nalloc::phase("commit");
/// let block = nalloc::Block::zeroed(1 << 20, 64)?;
/// drop(phase);
///
/// let stats = nalloc::stats();
/// let commit = stats.phases.iter().find(|phase| phase.name == "commit").unwrap();
/// assert!(commit.times == 1 && commit.peak_live_bytes >= 1 << 20);
/// # Ok::<(), nalloc::Error>(())
/// ```
pub fn phase(name: &'static str) -> Phase {
    Phase { place: HEAP.begin_phase(name) }
}

#[cfg(feature = "by-address")]
impl Phase {
    /// A number in the place of the guard, for a border that no guard can cross.
    /// [`from_number`](Self::from_number) makes a guard of it again, once.
    #[must_use = "the phase ends when a guard of this number is dropped"]
    pub fn into_number(self) -> usize {
        let number = self.place.map_or(0, |place| place + 1);
        core::mem::forget(self);
        number
    }

    /// The guard that `into_number` made a number of.
    pub fn from_number(number: usize) -> Self {
        Self { place: number.checked_sub(1) }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            HEAP.end_phase(place);
        }
    }
}
