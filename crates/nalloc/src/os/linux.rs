//! The verbs of `Os` as Linux system calls: the only file of this crate that makes any.
//! Nothing here allocates, panics or keeps state, except for the page size, which is asked once.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::{Advice, Errno, Machine, Os, Run};

/// The kernel this process runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linux;

unsafe extern "C" {
    fn secure_getenv(name: *const c_char) -> *mut c_char;
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

/// Answers with `what` as an errno-style result.
fn answer(what: c_int) -> Result<(), Errno> {
    if what == 0 { Ok(()) } else { Err(last_errno()) }
}

fn last_errno() -> Errno {
    // SAFETY: `__errno_location` points to this thread's errno for as long as the thread lives.
    Errno(unsafe { *libc::__errno_location() })
}

/// Runs the three functions around every fork of this process, for as long as this object is
/// loaded. False when the C library has no memory for the registration.
pub(crate) fn around_fork(
    prepare: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
) -> bool {
    // SAFETY: the three are functions of this object, and the C library forgets them when the
    // object is unloaded.
    unsafe { pthread_atfork(Some(prepare), Some(parent), Some(child)) == 0 }
}

/// Overwrites memory with zeros in a way that the compiler may not leave out.
///
/// # Safety
/// The `bytes` bytes at `start` are writable, and nobody else reads or writes them.
pub(crate) unsafe fn clear(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::explicit_bzero(start.as_ptr().cast(), bytes) }
}

fn pointer(run: Run) -> *mut c_void {
    run.start.as_ptr().cast()
}

/// What names a limit: glibc has a type of its own for it, musl takes an int.
#[cfg(target_env = "gnu")]
type LimitName = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type LimitName = libc::c_int;

fn rlimit_bytes(resource: LimitName) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a writable rlimit.
    let result = unsafe { libc::getrlimit(resource, &raw mut limit) };
    if result != 0 || limit.rlim_cur == libc::RLIM_INFINITY { u64::MAX } else { limit.rlim_cur }
}

impl Os for Linux {
    fn page_bytes(&self) -> usize {
        static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
        // Relaxed: the value stands for itself, and every thread would find the same one.
        let known = PAGE_BYTES.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        // SAFETY: sysconf has no preconditions.
        let asked = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let bytes = usize::try_from(asked).ok().filter(|n| n.is_power_of_two()).unwrap_or(4096);
        // Relaxed: partner of the load above.
        PAGE_BYTES.store(bytes, Ordering::Relaxed);
        bytes
    }

    fn reserve(&self, bytes: usize) -> Result<Run, Errno> {
        // SAFETY: no address is given, so nothing that exists is replaced.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(last_errno());
        }
        match NonNull::new(at.cast()) {
            Some(start) => Ok(Run { start, bytes }),
            None => Err(Errno(libc::ENOMEM)),
        }
    }

    unsafe fn back(&self, run: Run) -> Result<(), Errno> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the caller owns the run.
        answer(unsafe { libc::mprotect(pointer(run), run.bytes, access) })
    }

    unsafe fn close(&self, run: Run) -> Result<(), Errno> {
        // SAFETY: the caller owns the run and does not touch it until it is backed again.
        answer(unsafe { libc::mprotect(pointer(run), run.bytes, libc::PROT_NONE) })
    }

    unsafe fn unmap(&self, run: Run) -> Result<(), Errno> {
        // SAFETY: the caller owns the run and nothing points into it.
        answer(unsafe { libc::munmap(pointer(run), run.bytes) })
    }

    unsafe fn advise(&self, run: Run, advice: Advice) -> Result<(), Errno> {
        let number = match advice {
            Advice::PreferHuge => libc::MADV_HUGEPAGE,
            Advice::Soften => libc::MADV_FREE,
            Advice::Release => libc::MADV_DONTNEED,
            Advice::HideFromDumps => libc::MADV_DONTDUMP,
            Advice::ShowInDumps => libc::MADV_DODUMP,
            Advice::WipeOnFork => libc::MADV_WIPEONFORK,
            Advice::KeepOnFork => libc::MADV_KEEPONFORK,
        };
        // SAFETY: the run is backed, and the bytes that the advice may lose belong to nobody.
        answer(unsafe { libc::madvise(pointer(run), run.bytes, number) })
    }

    unsafe fn lock(&self, run: Run) -> Result<(), Errno> {
        // SAFETY: mlock changes no byte.
        answer(unsafe { libc::mlock(pointer(run), run.bytes) })
    }

    fn machine(&self) -> Machine {
        // SAFETY: all-zero bytes are a valid sysinfo.
        let mut info: libc::sysinfo = unsafe { core::mem::zeroed() };
        // SAFETY: `info` is a writable sysinfo.
        let known = unsafe { libc::sysinfo(&raw mut info) } == 0;
        let unit = u64::from(info.mem_unit);
        let bytes = |units: libc::c_ulong| units.saturating_mul(unit);
        Machine {
            ram_bytes: if known { bytes(info.totalram) } else { u64::MAX },
            swap_bytes: if known { bytes(info.totalswap) } else { 0 },
            address_bytes_max: rlimit_bytes(libc::RLIMIT_AS),
            locked_bytes_max: rlimit_bytes(libc::RLIMIT_MEMLOCK),
        }
    }

    fn number_from_environment(&self, name: &CStr) -> Option<u64> {
        // SAFETY: `name` ends in NUL.
        let value = unsafe { secure_getenv(name.as_ptr()) };
        if value.is_null() {
            return None;
        }
        // SAFETY: the environment holds strings that end in NUL. It is read once, with the first
        // large allocation; who changes it while other threads run has to answer for that.
        unsafe { CStr::from_ptr(value) }.to_str().ok()?.parse().ok()
    }

    fn read(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `path` ends in NUL.
        let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        if file < 0 {
            return Err(last_errno());
        }
        // SAFETY: `buffer` is writable for its whole length.
        let got = unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) };
        let result = usize::try_from(got).map_err(|_| last_errno());
        // SAFETY: `file` was opened above and is closed once.
        unsafe { libc::close(file) };
        result
    }

    fn now_ms(&self) -> u64 {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a writable timespec. The clock exists on every Linux.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
        let (seconds, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
        seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000)
    }

    fn yield_now(&self) {
        // SAFETY: sched_yield has no preconditions.
        unsafe { libc::sched_yield() };
    }

    fn wait(&self, word: &AtomicU32, expected: u32) {
        let none = ptr::null::<libc::timespec>();
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the kernel only reads the word. Every answer means: look again.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, none) };
    }

    fn wake_one(&self, word: &AtomicU32) {
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the kernel uses the address as a name only.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) };
    }

    fn die(&self, message: &str) -> ! {
        for part in ["nalloc: ", message, "\n"] {
            // SAFETY: `part` is readable for its whole length. Nobody can act on a failure here.
            unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
        }
        // SAFETY: abort has no preconditions.
        unsafe { libc::abort() }
    }
}
