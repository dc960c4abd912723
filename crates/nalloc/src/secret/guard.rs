//! A mapping of its own for one secret: the pages, the guards around them, and the canary.

use core::slice;

use super::wipe::clear;
use crate::census::Share;
use crate::error::Error;
use crate::os::linux::Linux;
use crate::os::{Advice, Errno, Os, Run};
use crate::units::wide;

/// The secret ends at a multiple of this many bytes from its start, so that it begins at one too.
const ALIGN: usize = 16;

/// Which protections the kernel refused, and what it answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) lock: Option<Errno>,
    pub(super) hide: Option<Errno>,
    pub(super) wipe_on_fork: Option<Errno>,
}

/// The memory of one secret. The body is readable and writable while it is open.
pub(super) struct Guarded {
    whole: Run,
    body: Run,
    /// Bytes of the body before the secret.
    front: usize,
    len: usize,
    is_open: bool,
    pub(super) refused: Refused,
    /// What it adds to the process's counts.
    share: Share,
}

// SAFETY: the mapping belongs to this value alone.
unsafe impl Send for Guarded {}
// SAFETY: through `&Guarded` the bytes can only be read.
unsafe impl Sync for Guarded {}

impl Guarded {
    /// Zero bytes between guards.
    pub(super) fn new(len: usize) -> Result<Self, Error> {
        let page = Linux.page_bytes();
        let rounded = len.checked_next_multiple_of(ALIGN).ok_or(Error::LengthOverflow)?;
        let body_bytes = rounded.max(1).checked_next_multiple_of(page);
        let whole_bytes = body_bytes
            .and_then(|bytes| bytes.checked_add(2 * page))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(Error::LengthOverflow)?;
        let body_bytes = whole_bytes - 2 * page;
        let no_memory = |_: Errno| Error::NoMemory { wanted: wide(len) };

        // The guards are what is never made accessible.
        let whole = Linux.reserve(whole_bytes).map_err(no_memory)?;
        let body = whole.part(page, body_bytes);
        let nothing = Refused { lock: None, hide: None, wipe_on_fork: None };
        let front = body_bytes - rounded;
        let share = Share::of_secret(wide(body_bytes));
        let mut memory = Self { whole, body, front, len, is_open: false, refused: nothing, share };
        memory.open().map_err(|_| Error::NoMemory { wanted: wide(len) })?;
        // SAFETY: the body is ours, and this advice and locking lose no byte.
        unsafe {
            memory.refused.hide = Linux.advise(body, Advice::HideFromDumps).err();
            memory.refused.wipe_on_fork = Linux.advise(body, Advice::WipeOnFork).err();
            memory.refused.lock = Linux.lock(body).err();
        }
        if memory.refused.lock.is_none() {
            memory.share.lock();
        }
        let pattern = memory.pattern();
        for slack in memory.slack_mut() {
            slack.fill(pattern);
        }
        Ok(memory)
    }

    /// Length of the secret.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the pages that hold it.
    pub(super) fn body_bytes(&self) -> u64 {
        wide(self.body.bytes)
    }

    /// Whether the body can be read and written.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Makes the body accessible.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        if !self.is_open {
            // SAFETY: the body is part of a run of ours.
            unsafe { Linux.back(self.body) }.map_err(|errno| Error::Requirement {
                missing: "pages that can be read again",
                errno: errno.0,
            })?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Makes the body inaccessible; it stays open when the kernel refuses.
    pub(super) fn close(&mut self) {
        // SAFETY: the body is ours, and `&mut self` ended every slice of it.
        self.is_open = unsafe { Linux.close(self.body) }.is_err();
    }

    /// The secret.
    pub(super) fn secret(&self) -> &[u8] {
        assert!(self.is_open, "a sealed secret is read through `with`");
        let secret = self.body.start.as_ptr().wrapping_add(self.front);
        // SAFETY: the body is open and holds `front` and then `len` bytes, which began as zero.
        unsafe { slice::from_raw_parts(secret, self.len) }
    }

    /// The secret, for writing.
    pub(super) fn secret_mut(&mut self) -> &mut [u8] {
        assert!(self.is_open, "a sealed secret is written through `with_mut`");
        let secret = self.body.start.as_ptr().wrapping_add(self.front);
        // SAFETY: as in `secret`, and `&mut self` is the only way to the bytes.
        unsafe { slice::from_raw_parts_mut(secret, self.len) }
    }

    /// The byte that fills the canary: not 0, and not the same for every secret.
    fn pattern(&self) -> u8 {
        let address = self.body.address().to_ne_bytes();
        address.iter().fold(0x5b, |mix: u8, &byte| mix.rotate_left(3) ^ byte) | 1
    }

    /// The canary before the secret and the one behind it.
    fn slack_mut(&mut self) -> [&mut [u8]; 2] {
        debug_assert!(self.is_open, "the canary of a closed body");
        // SAFETY: the body is open, ours, and borrowed mutably.
        let body = unsafe { slice::from_raw_parts_mut(self.body.start.as_ptr(), self.body.bytes) };
        let (front, rest) = body.split_at_mut(self.front);
        let (_, back) = rest.split_at_mut(self.len);
        [front, back]
    }

    /// Whether nobody wrote around the secret. In a child made by fork the kernel has wiped the
    /// whole body, and the canary with it.
    fn is_canary_whole(&mut self) -> bool {
        let pattern = self.pattern();
        let is_wiped_on_fork = self.refused.wipe_on_fork.is_none();
        let is_zero = |bytes: &[u8]| bytes.iter().all(|&byte| byte == 0);
        let is_child = is_wiped_on_fork
            && self.slack_mut().iter().all(|part| is_zero(part))
            && is_zero(self.secret());
        is_child || self.slack_mut().iter().all(|part| part.iter().all(|&byte| byte == pattern))
    }

    /// Overwrites the whole body with zeros.
    fn clear(&mut self) {
        debug_assert!(self.is_open, "the bytes of a closed body");
        // SAFETY: the body is open, ours, and borrowed mutably.
        unsafe { clear(self.body.start, self.body.bytes) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // A body that the kernel will not open goes back to it unwiped; it clears every page
        // before anybody else gets it.
        if self.open().is_ok() {
            let is_whole = self.is_canary_whole();
            self.clear();
            if !is_whole {
                Linux.die("secret: expected the canary around it, got other bytes");
            }
        }
        // SAFETY: the mapping is ours and ends here. Unmapping unlocks; a refusal leaves zeros.
        let _still_mapped = unsafe { Linux.unmap(self.whole) };
    }
}
