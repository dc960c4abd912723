//! Memory that somebody outside may still point into: it stays mapped, and holds nothing.

use super::clear;
use crate::os::linux::Linux;
use crate::os::{Advice, Os as _, Run};

/// Makes every byte of a run zero and gives its memory back; the addresses stay.
///
/// # Safety
/// The run is backed and the caller's, and nobody relies on what it holds.
pub(crate) unsafe fn abandon(run: Run) {
    // SAFETY: the caller's promise.
    if unsafe { Linux.advise(run, Advice::Release) }.is_err() {
        // The pages are locked, by `mlockall`, say.
        // SAFETY: as above.
        unsafe { clear(run.start, run.bytes) }
    }
}
