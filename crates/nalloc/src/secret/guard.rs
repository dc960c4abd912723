//! A mapping of its own for one secret: the pages, the guards around them, and the canary.

use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use core::slice;
use core::sync::atomic::{AtomicBool, Ordering};

use super::live::{self, Live, Member};
use super::wipe::clear;
use super::{Backing, Require, SecretStatus};
use crate::census::{self, Share};
use crate::config::{MEMFD_BYTES_MAX, PROBED_SECRET_BYTES_MIN};
use crate::error::Error;
use crate::os::linux::secret::NoSecret;
use crate::os::linux::{Linux, secret as verbs};
use crate::os::{Advice, Errno, Os, Run, probe};
use crate::units::wide;

/// The secret ends at a multiple of this many bytes from its start, so that it begins at one too.
const ALIGN: usize = 16;

/// Which protections the kernel refused, and what it answered.
#[derive(Clone, Copy, Debug)]
struct Refused {
    memfd: Option<Errno>,
    lock: Option<Errno>,
    hide: Option<Errno>,
    wipe_on_fork: Option<Errno>,
}

/// What must stay in its place while the secret lives.
struct Core {
    body: Run,
    backing: Backing,
    /// Whether the body can be read and written; changed under the lock of `live`.
    is_open: AtomicBool,
}

// SAFETY: the pages belong to this value alone.
unsafe impl Send for Core {}
// SAFETY: through `&Core` the pages are changed at exit only, and under a lock.
unsafe impl Sync for Core {}

impl Core {
    fn is_open(&self) -> bool {
        // Relaxed: written by the owner, who holds the secret mutably, or at exit.
        self.is_open.load(Ordering::Relaxed)
    }

    fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    /// Makes the body accessible. The lock of `live` is held, or the secret is not in its list.
    fn open(&self) -> Result<(), Errno> {
        if !self.is_open() {
            // SAFETY: the body is part of a run of ours.
            unsafe { Linux.back(self.body) }?;
            self.set_open(true);
        }
        Ok(())
    }
}

impl Live for Core {
    unsafe fn wipe_last(&self) {
        // A body that the kernel will not open goes back to it unwiped; it clears every page
        // before anybody else gets it.
        if self.open().is_ok() {
            // SAFETY: the body is open, and the caller's promise.
            unsafe { clear(self.body.start, self.body.bytes) }
        }
    }

    fn renew(&self) {
        if self.backing == Backing::MemfdSecret {
            // A child without room for these pages dies when it touches the secret.
            let _stays_a_hole = verbs::fill_hole(self.body);
            self.set_open(true);
        }
    }
}

/// The memory of one secret. The body is readable and writable while it is open.
pub(super) struct Guarded {
    whole: Run,
    /// Owned; `member` points to it.
    core: NonNull<Core>,
    /// Some until the end.
    member: Option<Member>,
    /// Bytes of the body before the secret.
    front: usize,
    len: usize,
    refused: Refused,
    /// What it adds to the process's counts.
    share: Share,
}

// SAFETY: the mapping belongs to this value alone.
unsafe impl Send for Guarded {}
// SAFETY: through `&Guarded` the bytes can only be read.
unsafe impl Sync for Guarded {}

impl Guarded {
    /// Zero bytes between guards.
    pub(super) fn new(len: usize, require: Require) -> Result<Self, Error> {
        let page = Linux.page_bytes();
        let rounded = len.checked_next_multiple_of(ALIGN).ok_or(Error::LengthOverflow)?;
        let body_bytes = rounded.max(1).checked_next_multiple_of(page);
        let whole_bytes = body_bytes
            .and_then(|bytes| bytes.checked_add(2 * page))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(Error::LengthOverflow)?;
        let body_bytes = whole_bytes - 2 * page;

        if !has_room(body_bytes) {
            return Err(Error::NoMemory { wanted: wide(len) });
        }
        // The guards are what is never made accessible.
        let no_memory = |_: Errno| Error::NoMemory { wanted: wide(len) };
        let whole = Linux.reserve(whole_bytes).map_err(no_memory)?;
        let body = whole.part(page, body_bytes);
        let is_small = body_bytes <= MEMFD_BYTES_MAX.max(page);
        let backed = back(body, is_small || require.memfd_secret);
        let (backing, refused) = backed.map_err(|failure| {
            let ours = match failure {
                Failure::Body(_) => [Some(whole), None],
                Failure::Lost(_) => {
                    [whole.part(0, page), whole.part(page + body_bytes, page)].map(Some)
                }
            };
            for run in ours.into_iter().flatten() {
                // SAFETY: the run is ours and nothing points into it.
                let _still_mapped = unsafe { Linux.unmap(run) };
            }
            no_memory(failure.errno())
        })?;
        let core = Box::new(Core { body, backing, is_open: AtomicBool::new(true) });
        let core = NonNull::from(Box::leak(core));
        // SAFETY: the core stays where it is until `drop`, which drops the member first.
        let member = unsafe { Member::new(core) };
        let mut share = Share::of_secret(wide(body_bytes));
        if refused.lock.is_none() {
            share.lock();
        }
        let front = body_bytes - rounded;
        let member = Some(member);
        let mut memory = Self { whole, core, member, front, len, refused, share };
        let pattern = memory.pattern();
        for slack in memory.slack_mut() {
            slack.iter_mut().zip(pattern.iter().cycle()).for_each(|(byte, &new)| *byte = new);
        }
        Ok(memory)
    }

    fn core(&self) -> &Core {
        // SAFETY: the core is owned, made by a box, and lives until `drop` ends.
        unsafe { self.core.as_ref() }
    }

    /// Length of the secret.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the body can be read and written.
    pub(super) fn is_open(&self) -> bool {
        self.core().is_open()
    }

    /// Which protections the kernel gave.
    pub(super) fn status(&self) -> SecretStatus {
        SecretStatus {
            is_locked: self.refused.lock.is_none(),
            is_hidden_from_dumps: self.refused.hide.is_none(),
            is_wiped_on_fork: self.refused.wipe_on_fork.is_none(),
            is_guarded: true,
            backing: self.core().backing,
        }
    }

    /// Whether the kernel gave what is required.
    pub(super) fn require(&self, require: Require) -> Result<(), Error> {
        if let (true, Some(errno)) = (require.locked, self.refused.lock) {
            let (wanted, rlimit) = (wide(self.core().body.bytes), Linux.machine().locked_bytes_max);
            return Err(Error::Lock { wanted, rlimit, errno: errno.0 });
        }
        let named = [
            (require.hidden_from_dumps, self.refused.hide, "pages that are left out of core dumps"),
            (require.wiped_on_fork, self.refused.wipe_on_fork, "pages that a child finds wiped"),
            (
                require.memfd_secret,
                self.refused.memfd,
                "pages of memfd_secret (Linux 5.14 without secretmem.enable=0, a seccomp filter \
                 that lets it pass, and room in RLIMIT_MEMLOCK: ulimit -l)",
            ),
        ];
        for (is_required, refused, missing) in named {
            if let (true, Some(errno)) = (is_required, refused) {
                return Err(Error::Requirement { missing, errno: errno.0 });
            }
        }
        Ok(())
    }

    /// Makes the body accessible.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        let _held = live::hold();
        self.core().open().map_err(|errno| Error::Requirement {
            missing: "pages that can be read again",
            errno: errno.0,
        })
    }

    /// Makes the body inaccessible; it stays open when the kernel refuses.
    pub(super) fn close(&mut self) {
        let _held = live::hold();
        let core = self.core();
        // SAFETY: the body is ours, and `&mut self` ended every slice of it.
        core.set_open(unsafe { Linux.close(core.body) }.is_err());
    }

    /// The secret.
    pub(super) fn secret(&self) -> &[u8] {
        assert!(self.is_open(), "a sealed secret is read through `with`");
        let secret = self.core().body.start.as_ptr().wrapping_add(self.front);
        // SAFETY: the body is open and holds `front` and then `len` bytes, which began as zero.
        unsafe { slice::from_raw_parts(secret, self.len) }
    }

    /// The secret, for writing.
    pub(super) fn secret_mut(&mut self) -> &mut [u8] {
        assert!(self.is_open(), "a sealed secret is written through `with_mut`");
        let secret = self.core().body.start.as_ptr().wrapping_add(self.front);
        // SAFETY: as in `secret`, and `&mut self` is the only way to the bytes.
        unsafe { slice::from_raw_parts_mut(secret, self.len) }
    }

    /// The bytes that the canary repeats: not the same for every secret.
    fn pattern(&self) -> [u8; 8] {
        // One address apart, half of the bits differ (splitmix64).
        let mut mixed = wide(self.core().body.address()).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_ne_bytes()
    }

    /// The canary before the secret and the one behind it.
    fn slack_mut(&mut self) -> [&mut [u8]; 2] {
        debug_assert!(self.is_open(), "the canary of a closed body");
        let body = self.core().body;
        // SAFETY: the body is open, ours, and borrowed mutably.
        let bytes = unsafe { slice::from_raw_parts_mut(body.start.as_ptr(), body.bytes) };
        let (front, rest) = bytes.split_at_mut(self.front);
        let (_, back) = rest.split_at_mut(self.len);
        [front, back]
    }

    /// Whether nobody wrote around the secret. All of the canary is zero after the wipe at exit,
    /// and in a child made by fork.
    fn is_canary_whole(&mut self) -> bool {
        let own = self.pattern();
        let slack = self.slack_mut();
        [own, [0; 8]].iter().any(|pattern| {
            slack.iter().all(|part| part.iter().eq(pattern.iter().cycle().take(part.len())))
        })
    }

    /// Wipes the secret for good; false when the kernel will not open it. Ends the process when
    /// somebody wrote around it.
    fn end(&mut self) -> bool {
        self.member = None;
        if self.core().open().is_err() {
            return false;
        }
        let is_whole = self.is_canary_whole();
        let body = self.core().body;
        // SAFETY: the body is open, ours, and borrowed mutably.
        unsafe { clear(body.start, body.bytes) }
        if !is_whole {
            Linux.die("secret: expected the canary around it, got other bytes");
        }
        true
    }

    /// Wipes the secret and leaves zeros in its place for good, which anybody may write to.
    pub(super) fn retire(mut self) {
        self.end();
        let body = self.core().body;
        // SAFETY: the body is ours, and its secret has ended. A refusal leaves the wiped pages.
        let _still_there = unsafe { verbs::map_zeros(body) };
        census::retire(wide(body.bytes));
        // SAFETY: the core was made by a box, and nothing uses it again: the value is forgotten.
        drop(unsafe { Box::from_raw(self.core.as_ptr()) });
        let memory = ManuallyDrop::new(self);
        // SAFETY: the share is read once, and the value that it is part of is never dropped.
        drop(unsafe { ptr::read(&raw const memory.share) });
    }
}

/// Why the body of a secret cannot be used.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// It is still reserved.
    Body(Errno),
    /// Its addresses are not ours any more.
    Lost(Errno),
}

impl Failure {
    fn errno(self) -> Errno {
        match self {
            Self::Body(errno) | Self::Lost(errno) => errno,
        }
    }
}

/// Whether the machine and the container have so many bytes at all. A secret is touched as a whole,
/// when it is locked or when it is wiped: what the kernel only promised would end the process then.
fn has_room(bytes: usize) -> bool {
    let room = || Linux.machine().ram_bytes.min(probe::cgroup_limit_bytes(&Linux));
    bytes < PROBED_SECRET_BYTES_MIN || wide(bytes) <= room()
}

/// Makes the body of a secret accessible, as well protected as the kernel allows.
fn back(body: Run, is_memfd_tried: bool) -> Result<(Backing, Refused), Failure> {
    let mut refused = Refused { memfd: None, lock: None, hide: None, wipe_on_fork: None };
    if is_memfd_tried {
        // SAFETY: the body was reserved by the caller, and nothing points into it.
        match unsafe { verbs::map_secret(body) } {
            Ok(()) => return Ok((Backing::MemfdSecret, refused)),
            Err(NoSecret::Refused(errno)) => refused.memfd = Some(errno),
            Err(NoSecret::Lost(errno)) => return Err(Failure::Lost(errno)),
        }
    } else {
        refused.memfd = Some(Errno(libc::EFBIG));
    }
    // SAFETY: as above.
    unsafe { Linux.back(body) }.map_err(Failure::Body)?;
    // SAFETY: the body is ours, and this advice loses no byte.
    refused.hide = unsafe { Linux.advise(body, Advice::HideFromDumps) }.err();
    // SAFETY: as above.
    refused.wipe_on_fork = unsafe { Linux.advise(body, Advice::WipeOnFork) }.err();
    // SAFETY: as above; locking loses no byte either.
    refused.lock = unsafe { Linux.lock(body) }.err();
    Ok((Backing::Anonymous, refused))
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
        // SAFETY: the mapping is ours and ends here. Unmapping unlocks; a refusal leaves zeros.
        let _still_mapped = unsafe { Linux.unmap(self.whole) };
        // SAFETY: the core was made by a box, is not in the list any more, and ends here.
        drop(unsafe { Box::from_raw(self.core.as_ptr()) });
    }
}
