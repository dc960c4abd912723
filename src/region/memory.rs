//! One mapping that JavaScript may have seen, and who still uses it.
//!
//! The pages of a secret arena are overwritten when they are given up in any way, and when the
//! process exits by itself (`wipe_at_exit`), as far as JavaScript was ever shown them.

use std::{
    collections::BTreeMap,
    io, mem,
    ptr::{self, NonNull},
    slice,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use nalloc::SecretBuf;
use nalloc_bn254::PlainBytes;

use crate::error::Failure;

/// The mappings of arenas, by address: how native code finds out what a view lies in.
static ARENAS: Mutex<BTreeMap<usize, Weak<Memory>>> = Mutex::new(BTreeMap::new());

fn arenas() -> MutexGuard<'static, BTreeMap<usize, Weak<Memory>>> {
    // A map is whole between any two statements.
    ARENAS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns that the exit waits for another thread that makes or drops an arena.
const EXIT_TURNS_MAX: usize = 1000;

static IS_WIPED_AT_EXIT: AtomicBool = AtomicBool::new(false);

/// Overwrites what is live of secret arenas. The C library calls it when the process exits by
/// itself; JavaScript runs no more then.
pub(super) extern "C" fn wipe_at_exit() {
    for _ in 0..EXIT_TURNS_MAX {
        let arenas = match ARENAS.try_lock() {
            Ok(arenas) => arenas,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                thread::yield_now();
                continue;
            }
        };
        // The handles are kept until the end: dropping the last one of a mapping would wait for
        // the lock that is held here.
        let live: Vec<_> = arenas.values().filter_map(Weak::upgrade).collect();
        for memory in &live {
            memory.wipe_secrets(memory.bytes);
        }
        return mem::forget(live);
    }
}

/// Who made the mapping, and so how it ends.
enum Owner {
    /// Pages of an arena, from the kernel.
    Arena { secrecy: Secrecy, is_locked: bool },
    /// A secret between guard pages.
    Secret(SecretBuf),
}

/// A mapping that is readable and writable as long as it is there.
pub struct Memory {
    start: NonNull<u8>,
    bytes: usize,
    /// None once it was given up.
    owner: Option<Owner>,
    /// Buffers that the runtime has not given back.
    buffers: AtomicUsize,
    /// Native jobs that read it.
    leases: AtomicUsize,
    /// Where the highest buffer ends that JavaScript had since the pages were given up last.
    shown_end: AtomicUsize,
    is_shown: AtomicBool,
    is_released: AtomicBool,
    is_retired: AtomicBool,
}

// SAFETY: the mapping belongs to this value; what is written to it through `&Memory` is written by
// the one JavaScript thread that has its region.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// `bytes` zero bytes for an arena, a multiple of the page. Those of a secret arena are locked
    /// as they are touched, kept out of core dumps and zero in children, as far as it allows.
    pub fn of_arena(bytes: usize, secrecy: Secrecy) -> Result<Self, Failure> {
        // SAFETY: no address is given, so nothing that exists is replaced.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        let start =
            NonNull::new(at.cast()).filter(|_| at != libc::MAP_FAILED).ok_or_else(|| {
                let why = io::Error::last_os_error();
                Failure::no_memory(format!("arena: expected {bytes} bytes, got {why}"))
            })?;
        let is_locked = secrecy == Secrecy::Secret && hide(start, bytes);
        // Relaxed: the flag stands for itself.
        if secrecy == Secrecy::Secret && !IS_WIPED_AT_EXIT.swap(true, Ordering::Relaxed) {
            // Without memory for one pointer, what lives at exit goes back to the kernel unwiped.
            // SAFETY: the function is of this object, which is never unloaded.
            let _registered = unsafe { libc::atexit(wipe_at_exit) };
        }
        Ok(Self::new(start, bytes, Owner::Arena { secrecy, is_locked }))
    }

    /// The bytes of `secret`, which nobody else uses.
    pub fn of_secret(mut secret: SecretBuf) -> Self {
        let start = NonNull::from(&mut *secret.as_mut_slice()).cast();
        let bytes = secret.len();
        Self::new(start, bytes, Owner::Secret(secret))
    }

    fn new(start: NonNull<u8>, bytes: usize, owner: Owner) -> Self {
        let no = || AtomicBool::new(false);
        Self {
            start,
            bytes,
            owner: Some(owner),
            buffers: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            shown_end: AtomicUsize::new(0),
            is_shown: no(),
            is_released: no(),
            is_retired: no(),
        }
    }

    /// Lets native code find it by the addresses of an arena.
    pub(super) fn enlist(self) -> Arc<Self> {
        let memory = Arc::new(self);
        if matches!(memory.owner, Some(Owner::Arena { .. })) {
            arenas().insert(memory.address(), Arc::downgrade(&memory));
        }
        memory
    }

    /// The first of `bytes` bytes that begin at `offset`.
    pub(super) fn part(&self, offset: usize, bytes: usize) -> NonNull<u8> {
        let is_inside = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        assert!(is_inside, "{bytes} bytes at {offset} of {}", self.bytes);
        // SAFETY: `offset` is at most the length of the mapping (asserted above).
        unsafe { self.start.add(offset) }
    }

    fn address(&self) -> usize {
        self.start.as_ptr().addr()
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that the kernel keeps out of swap once they are touched.
    pub fn locked_bytes(&self) -> usize {
        if matches!(self.owner, Some(Owner::Arena { is_locked: true, .. })) {
            self.bytes
        } else {
            0
        }
    }

    /// Counts a buffer of `bytes` bytes at `offset` until what is returned is dropped.
    pub(super) fn show(self: &Arc<Self>, offset: usize, bytes: usize) -> Shown {
        // Relaxed, here and below: shown, released and retired on the JavaScript thread; the last
        // `Arc` orders the rest.
        self.is_shown.store(true, Ordering::Relaxed);
        self.shown_end.fetch_max(offset + bytes, Ordering::Relaxed);
        self.buffers.fetch_add(1, Ordering::Relaxed);
        Shown(Arc::clone(self))
    }

    pub(super) fn is_leased(&self) -> bool {
        // Partner: the Release in the drop of a lease, whose reads are then over.
        self.leases.load(Ordering::Acquire) > 0
    }

    /// Whether it may be unmapped by its last owner from now on.
    pub(super) fn release(&self) -> bool {
        // Partner: the Release in the drop of `Shown`.
        let is_free = self.buffers.load(Ordering::Acquire) == 0;
        if is_free {
            self.is_released.store(true, Ordering::Relaxed);
        }
        is_free
    }

    /// Everything reads as zero, and it is never unmapped.
    pub(super) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
        self.discard(self.bytes);
    }

    /// Overwrites the first bytes with zeros.
    pub(super) fn wipe(&self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        // SAFETY: the bytes are mapped and writable. JavaScript's thread is in this call; a thread
        // of libuv that reads or writes them meanwhile was given them by the caller's own code.
        nalloc::wipe(unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), bytes) });
    }

    /// Overwrites what JavaScript may have written to a secret arena, which lies in the first
    /// `used_bytes` bytes.
    fn wipe_secrets(&self, used_bytes: usize) {
        if matches!(self.owner, Some(Owner::Arena { secrecy: Secrecy::Secret, .. })) {
            self.wipe(used_bytes.min(self.shown_end.swap(0, Ordering::Relaxed)));
        }
    }

    /// Everything reads as zero, and costs no memory where it is an arena's; JavaScript has written
    /// to the first `used_bytes` bytes at most.
    pub(super) fn discard(&self, used_bytes: usize) {
        if !matches!(self.owner, Some(Owner::Arena { .. })) {
            return self.wipe(self.bytes);
        }
        self.wipe_secrets(used_bytes);
        // Locked pages cannot be dropped; a refusal to unlock shows in the next call.
        // SAFETY: the mapping is ours, and its bytes are of no use to anybody.
        let result = unsafe {
            libc::munlock(self.start.as_ptr().cast(), self.bytes);
            libc::madvise(self.start.as_ptr().cast(), self.bytes, libc::MADV_DONTNEED)
        };
        if result != 0 {
            self.wipe(self.bytes);
        }
    }

    /// As `discard`, and JavaScript may go on writing to it.
    pub(super) fn abandon(&self, used_bytes: usize) {
        let shown_end = self.shown_end.load(Ordering::Relaxed);
        self.discard(used_bytes);
        self.shown_end.fetch_max(shown_end, Ordering::Relaxed);
    }

    /// Fills `out` from the first bytes.
    pub fn copy_to(&self, out: &mut [u8]) {
        assert!(out.len() <= self.bytes, "{} bytes of {}", out.len(), self.bytes);
        // SAFETY: as many bytes are mapped, `out` is no part of them, and any value is a byte.
        unsafe { ptr::copy_nonoverlapping(self.start.as_ptr(), out.as_mut_ptr(), out.len()) }
    }

    /// Fills the first bytes from `bytes`.
    pub fn copy_from(&self, bytes: &[u8]) {
        assert!(bytes.len() <= self.bytes, "{} bytes into {}", bytes.len(), self.bytes);
        // SAFETY: as in `copy_to`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr(), bytes.len()) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if matches!(self.owner, Some(Owner::Arena { .. })) {
            arenas().remove(&self.address());
        }
        let is_shown = *self.is_shown.get_mut();
        if is_shown && (*self.is_retired.get_mut() || !*self.is_released.get_mut()) {
            // What JavaScript may still see stays mapped.
            match self.owner.take() {
                Some(Owner::Secret(secret)) => secret.retire(),
                arena => {
                    self.owner = arena;
                    self.discard(self.bytes);
                }
            }
        } else if matches!(self.owner, Some(Owner::Arena { .. })) {
            self.wipe_secrets(self.bytes);
            // SAFETY: the mapping is ours, and nobody has an address in it.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        }
    }
}

/// Whether an arena holds secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It does not.
    Open,
    /// It does.
    Secret,
}

/// Protects the pages of a secret arena; whether they are locked.
fn hide(start: NonNull<u8>, bytes: usize) -> bool {
    /// `MLOCK_ONFAULT` of mlock2(2): a page is locked when it is touched.
    const ON_FAULT: libc::c_int = 1;
    let at: *mut libc::c_void = start.as_ptr().cast();
    // SAFETY: the mapping is new and ours; none of these calls loses a byte. Refusals leave the
    // pages as they are.
    unsafe {
        libc::madvise(at, bytes, libc::MADV_DONTDUMP);
        libc::madvise(at, bytes, libc::MADV_WIPEONFORK);
        libc::syscall(libc::SYS_mlock2, at, bytes, ON_FAULT) == 0
    }
}

/// One buffer that JavaScript has.
pub(super) struct Shown(Arc<Memory>);

impl Drop for Shown {
    fn drop(&mut self) {
        // Partner: the Acquire in `release`.
        self.0.buffers.fetch_sub(1, Ordering::Release);
    }
}

/// Bytes that lie in an arena, which it may take back whenever nobody has a lease on them.
pub struct Part {
    memory: Weak<Memory>,
    offset: usize,
    len: usize,
}

impl Part {
    /// The place of `bytes`, if they lie in an arena.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let Lease { memory, offset, len } = &Lease::of(bytes)?;
        Some(Self { memory: Arc::downgrade(memory), offset: *offset, len: *len })
    }

    /// A lease on them, unless the arena is gone. Whether they are still the caller's is known to
    /// the thread that has the arena: it asks there, and calls this before anything else happens.
    pub fn lease(&self) -> Option<Lease> {
        let memory = self.memory.upgrade()?;
        // Relaxed: as in `Lease::of`.
        memory.leases.fetch_add(1, Ordering::Relaxed);
        Some(Lease { memory, offset: self.offset, len: self.len })
    }
}

/// Bytes of an arena that a job uses: the arena can be neither reset nor disposed meanwhile.
pub struct Lease {
    memory: Arc<Memory>,
    offset: usize,
    len: usize,
}

impl Lease {
    /// A lease on `bytes`, if they lie in an arena.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let address = bytes.as_ptr().addr();
        let memory =
            arenas().range(..=address).next_back().and_then(|(_, memory)| memory.upgrade())?;
        let offset = address - memory.address();
        if bytes.is_empty() || offset + bytes.len() > memory.bytes {
            return None;
        }
        // Relaxed: `is_leased` is asked by the thread that runs this.
        memory.leases.fetch_add(1, Ordering::Relaxed);
        Some(Self { memory, offset, len: bytes.len() })
    }

    /// The bytes. JavaScript may write to them meanwhile, which its user was told not to do.
    pub fn as_slice(&self) -> &[u8] {
        self.elements()
    }

    /// As `as_slice`, for elements that are nothing but their bytes.
    pub fn elements<T: PlainBytes>(&self) -> &[T] {
        let (start, len) = self.array::<T>();
        // SAFETY: as many elements lie within the mapping, which the lease keeps, aligned for them
        // (`array`). The readers of files copy each part once and look at the copy alone.
        unsafe { slice::from_raw_parts(start.as_ptr(), len) }
    }

    /// The elements, for writing: by the one who was given these bytes of the arena alone.
    pub fn elements_mut<T: PlainBytes>(&mut self) -> &mut [T] {
        let (start, len) = self.array::<T>();
        // SAFETY: as in `elements`; the bytes were handed out once, to the caller.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// Where its elements begin, and how many there are.
    fn array<T: PlainBytes>(&self) -> (NonNull<T>, usize) {
        let start: NonNull<T> = self.memory.part(self.offset, self.len).cast();
        assert!(start.is_aligned(), "an array of an arena lies at a multiple of its alignment");
        (start, self.len / size_of::<T>())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Partner: the Acquire in `is_leased`.
        self.memory.leases.fetch_sub(1, Ordering::Release);
    }
}
