//! Which secrets live in this process: wiped when it exits by itself, and never left to a child.
//!
//! The lock is held while a secret comes, goes, is opened or sealed, and over fork, so that whoever
//! walks through the list finds each one as it says it is. Taken before the locks of the heap,
//! never after. Equation: a slot is either vacant or holds one secret that lives.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::lock::{Guard, Lock};
use crate::os::Os as _;
use crate::os::linux::Linux;

/// Turns that the exit waits for a secret that is just being made or dropped, perhaps by the very
/// thread that a signal handler made exit.
const EXIT_TURNS_MAX: usize = 1000;

static LIVE: Lock<List> = Lock::new(List { slots: Vec::new(), vacant: Vec::new() });
static IS_REGISTERED: AtomicBool = AtomicBool::new(false);

/// The slots of those that live.
pub(super) struct List {
    slots: Vec<Option<Item>>,
    vacant: Vec<usize>,
}

struct Item(NonNull<dyn Live>);

// SAFETY: what lives is reached under the lock alone, and is `Sync`.
unsafe impl Send for Item {}

/// Something that holds a secret.
pub(crate) trait Live: Sync {
    /// Overwrites the secret with zeros; it can be read and written afterwards.
    ///
    /// # Safety
    /// Nobody relies on the secret, or reads it now; the list's lock is held.
    unsafe fn wipe_last(&self);

    /// Makes the secret readable as zeros in a child made by fork, where it is not.
    fn renew(&self) {}
}

/// Keeps something in the list until it is dropped.
#[derive(Debug)]
pub(crate) struct Member {
    slot: usize,
}

impl Member {
    /// Puts `live` into the list.
    ///
    /// # Safety
    /// `live` stays where it is, and is, until the member is dropped.
    pub(crate) unsafe fn new(live: NonNull<dyn Live>) -> Self {
        let mut list = LIVE.lock(&Linux);
        let slot = list.vacant.pop().unwrap_or(list.slots.len());
        if slot == list.slots.len() {
            list.slots.push(None);
        }
        list.slots[slot] = Some(Item(live));
        drop(list);
        // Relaxed: the flag stands for itself.
        if !IS_REGISTERED.swap(true, Ordering::Relaxed) {
            // Without memory for one pointer, what lives at exit goes back to the kernel unwiped.
            let _registered = Linux.at_exit(at_exit);
        }
        Self { slot }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut list = LIVE.lock(&Linux);
        list.slots[self.slot] = None;
        list.vacant.push(self.slot);
    }
}

impl List {
    fn each(&self, body: impl Fn(&dyn Live)) {
        for Item(live) in self.slots.iter().flatten() {
            // SAFETY: a member stays what and where it is while it is in the list.
            body(unsafe { live.as_ref() });
        }
    }

    /// # Safety
    /// As `Live::wipe_last`, for all of them.
    unsafe fn wipe(&self) {
        // SAFETY: the caller's promise, and the lock is held.
        self.each(|live| unsafe { live.wipe_last() });
    }
}

/// Nobody comes, goes, opens or seals while the guard is held.
pub(super) fn hold() -> Guard<'static, List, Linux> {
    LIVE.lock(&Linux)
}

extern "C" fn at_exit() {
    for _ in 0..EXIT_TURNS_MAX {
        if let Some(list) = LIVE.try_lock(&Linux) {
            // SAFETY: the process ends; a thread that still reads a secret reads zeros.
            return unsafe { list.wipe() };
        }
        std::thread::yield_now();
    }
}

/// Overwrites every live [`SecretBuf`], [`SealedSecret`] and secret [`Arena`] with zeros, for a
/// process that is about to end in a way that the C library does not see.
///
/// When a process exits by itself this happens without a call.
///
/// # Safety
/// No thread reads or writes a secret during this call, and nobody relies on one afterwards.
///
/// [`SecretBuf`]: crate::SecretBuf
/// [`SealedSecret`]: crate::SealedSecret
/// [`Arena`]: crate::Arena
pub unsafe fn wipe_all_secrets() {
    // SAFETY: the caller's promise.
    unsafe { LIVE.lock(&Linux).wipe() }
}

/// Holds the list, so that a child finds it whole.
pub(crate) fn before_fork() {
    LIVE.lock(&Linux).keep();
}

/// Lets go of the list in the parent.
///
/// # Safety
/// This thread called `before_fork`.
pub(crate) unsafe fn after_fork() {
    // SAFETY: `before_fork` kept the lock held.
    unsafe { LIVE.release(&Linux) }
}

/// Lets go of the list in the child, where every secret reads as zero.
///
/// # Safety
/// The thread that this child was made by called `before_fork`.
pub(crate) unsafe fn after_fork_in_child() {
    // SAFETY: `before_fork` kept the lock held.
    unsafe { after_fork() };
    LIVE.lock(&Linux).each(|live| live.renew());
}
