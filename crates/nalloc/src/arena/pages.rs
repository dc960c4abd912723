//! Where an arena's bytes come from, what the kernel was asked about them, and how they go back.

use crate::census::{self, Share};
use crate::error::Error;
use crate::global::HEAP;
use crate::heap::{DirtyBytes, Request};
use crate::os::linux::secret as verbs;
use crate::os::{Advice, Run};
use crate::secret::{Backing, SecretStatus, abandon};
use crate::units::wide;

/// The bytes of one arena.
pub(super) struct Pages {
    run: Run,
    /// What the kernel gave; None unless the arena is secret.
    secret: Option<SecretStatus>,
    /// What it adds to the process's counts.
    _share: Share,
}

// SAFETY: the pages belong to this value alone.
unsafe impl Send for Pages {}
// SAFETY: through `&Pages` nothing is read or written.
unsafe impl Sync for Pages {}

impl Pages {
    /// `bytes` bytes of whole pages from the heap, and which of them are not zero.
    pub(super) fn of_heap(
        bytes: usize,
        align: usize,
        is_secret: bool,
    ) -> Result<(Self, DirtyBytes), Error> {
        let grant = HEAP.alloc_known(Request::fixed(bytes, align))?;
        Ok((Self::over(Run { start: grant.start, bytes }, is_secret), grant.dirty))
    }

    /// As `of_heap`, at `address`.
    pub(super) fn at(
        address: usize,
        bytes: usize,
        is_secret: bool,
    ) -> Result<(Self, DirtyBytes), Error> {
        let run = HEAP.adopt(bytes, || {
            verbs::map_at(address, bytes)
                .map_err(|errno| Error::Address { wanted: address, errno: errno.0 })
        })?;
        Ok((Self::over(run, is_secret), DirtyBytes::NONE))
    }

    fn over(run: Run, is_secret: bool) -> Self {
        let mut share = Share::of_arena(if is_secret { wide(run.bytes) } else { 0 });
        let secret = is_secret.then(|| {
            // SAFETY: the run is ours and backed.
            let is_locked = unsafe { verbs::lock_on_fault(run) }.is_ok();
            if is_locked {
                share.lock();
            }
            SecretStatus {
                is_locked,
                is_hidden_from_dumps: HEAP.advise(run.start, run.bytes, Advice::HideFromDumps),
                is_wiped_on_fork: HEAP.advise(run.start, run.bytes, Advice::WipeOnFork),
                is_guarded: false,
                backing: Backing::Anonymous,
            }
        });
        Self { run, secret, _share: share }
    }

    /// The pages.
    pub(super) fn run(&self) -> Run {
        self.run
    }

    /// What the kernel gave to secret pages.
    pub(super) fn secret_status(&self) -> Option<SecretStatus> {
        self.secret
    }

    /// Makes secret pages ordinary ones.
    fn disclose(&self) {
        let Some(status) = self.secret else { return };
        if status.is_locked {
            // SAFETY: the run is ours. A refusal leaves pages that the kernel may not swap.
            let _still_locked = unsafe { verbs::unlock(self.run) };
        }
        for advice in [Advice::ShowInDumps, Advice::KeepOnFork] {
            HEAP.advise(self.run.start, self.run.bytes, advice);
        }
    }

    /// Gives the pages back; nothing at `touched` bytes or above was written.
    ///
    /// # Safety
    /// Nothing points into the pages, and secrets in them were cleared.
    pub(super) unsafe fn free(self, touched: usize) {
        self.disclose();
        // SAFETY: the heap gave this run, and the caller's promise.
        unsafe { HEAP.free(self.run.start, self.run.bytes, touched) }
    }

    /// Leaves the pages mapped for good, zero and without memory.
    ///
    /// # Safety
    /// Nobody relies on what the pages hold.
    pub(super) unsafe fn retire(self) {
        self.disclose();
        // SAFETY: the run is ours, and the caller's promise.
        unsafe { abandon(self.run) };
        census::retire(wide(self.run.bytes));
    }
}
