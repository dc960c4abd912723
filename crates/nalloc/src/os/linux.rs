//! The verbs of `Os` as Linux system calls; with `secret` the only file of this crate that makes
//! any.
//! Nothing here allocates, panics or keeps state, except for the page size, which is asked once.

pub(crate) mod secret;

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Advice, Errno, Faults, Machine, Os, Run, THREAD_NAME_BYTES, ThreadBody};
use crate::sync::AtomicU32;
use crate::units::wide;

/// The kernel this process runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linux;

/// A state of `pthread_setcancelstate`, in glibc and musl.
const CANCEL_DISABLE: c_int = 1;

/// Stack of a thread of our own; it calls the kernel and little else.
const STACK_BYTES: usize = 64 << 10;
/// Pages whose residency one call asks for.
const RESIDENCY_PAGES: usize = 4096;

unsafe extern "C" {
    static environ: *const *const c_char;
    fn secure_getenv(name: *const c_char) -> *mut c_char;
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
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

/// Keeps the object that this code is in loaded for good: a thread of ours may run in it when the
/// last user closes it. Called while the object is being loaded, when the loader's lock is held by
/// this thread anyway; later, the holder of that lock might wait for the caller.
pub(crate) fn stay_loaded() {
    let here: fn() = stay_loaded;
    // SAFETY: all-zero bytes are a valid Dl_info.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: `info` is writable; the address is only looked up.
    let found = unsafe { libc::dladdr(here as *const c_void, &raw mut info) };
    if found != 0 && !info.dli_fname.is_null() {
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
        // SAFETY: the name ends in NUL. The object is loaded, so no code of it runs again. A main
        // program is not found by this name, and is never unloaded.
        unsafe { libc::dlopen(info.dli_fname, flags) };
    }
}

/// Calls `body` with all signals blocked in this thread, and so in the threads that it makes.
fn without_signals<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: all-zero bytes are a valid signal set.
    let mut all: libc::sigset_t = unsafe { core::mem::zeroed() };
    let mut old = all;
    // SAFETY: both sets are writable.
    unsafe { libc::sigfillset(&raw mut all) };
    // SAFETY: as above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old) };
    let result = body();
    // SAFETY: `old` was filled in above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, ptr::null_mut()) };
    result
}

/// Starts a detached thread, with a stack of `stack_bytes` or the C library's own size.
fn start_detached(body: ThreadBody, stack_bytes: Option<usize>) -> Result<(), Errno> {
    let errno = |code: c_int| if code == 0 { Ok(()) } else { Err(Errno(code)) };
    // SAFETY: all-zero bytes may be initialised as attributes.
    let mut attributes: libc::pthread_attr_t = unsafe { core::mem::zeroed() };
    // SAFETY: `attributes` is writable.
    errno(unsafe { libc::pthread_attr_init(&raw mut attributes) })?;
    if let Some(bytes) = stack_bytes {
        // SAFETY: the attributes were initialised. A size that is refused leaves the default.
        unsafe { libc::pthread_attr_setstacksize(&raw mut attributes, bytes) };
    }
    // SAFETY: as above.
    unsafe {
        libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED)
    };
    // SAFETY: all-zero bytes are a number in glibc and a null pointer in musl.
    let mut thread: libc::pthread_t = unsafe { core::mem::zeroed() };
    // SAFETY: the attributes are initialised, and `body` needs no argument.
    let started = unsafe {
        libc::pthread_create(&raw mut thread, &raw const attributes, body, ptr::null_mut())
    };
    // SAFETY: the attributes were initialised and are not used again.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    errno(started)
}

/// Keeps the thread from being cancelled until it is dropped: an allocator is no place to die in.
struct Uncancelled(c_int);

impl Uncancelled {
    fn begin() -> Self {
        let mut old = 0;
        // SAFETY: `old` is writable.
        unsafe { pthread_setcancelstate(CANCEL_DISABLE, &raw mut old) };
        Self(old)
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        // SAFETY: the state is the one that was found.
        unsafe { pthread_setcancelstate(self.0, ptr::null_mut()) };
    }
}

/// A file that is closed when it is dropped.
struct File {
    number: c_int,
    /// Dropped last.
    _uncancelled: Uncancelled,
}

impl File {
    fn open(path: &CStr, flags: c_int) -> Result<Self, Errno> {
        let uncancelled = Uncancelled::begin();
        // SAFETY: `path` ends in NUL, and the mode is there for files that are made.
        let number = unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o644) };
        if number < 0 { Err(last_errno()) } else { Ok(Self { number, _uncancelled: uncancelled }) }
    }

    /// Whether it may become `more` bytes longer; who tries all the same gets a signal.
    fn has_room(&self, more: usize) -> bool {
        let limit = rlimit_bytes(libc::RLIMIT_FSIZE);
        // SAFETY: all-zero bytes are a valid stat.
        let mut status: libc::stat = unsafe { core::mem::zeroed() };
        // SAFETY: `status` is writable.
        let is_known = unsafe { libc::fstat(self.number, &raw mut status) } == 0;
        let length = u64::try_from(status.st_size).unwrap_or(0);
        limit == u64::MAX || is_known && wide(more) <= limit.saturating_sub(length)
    }

    /// Writes all of `bytes`.
    fn write(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            // SAFETY: `bytes` is readable for its whole length.
            let written = unsafe { libc::write(self.number, bytes.as_ptr().cast(), bytes.len()) };
            match usize::try_from(written) {
                Ok(0) => return Err(Errno(libc::ENOSPC)),
                Ok(written) => bytes = &bytes[written..],
                Err(_) if last_errno() == Errno(libc::EINTR) => {}
                Err(_) => return Err(last_errno()),
            }
        }
        Ok(())
    }

    fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `buffer` is writable for its whole length.
        let got = unsafe { libc::read(self.number, buffer.as_mut_ptr().cast(), buffer.len()) };
        usize::try_from(got).map_err(|_| last_errno())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the file was opened by this value and is closed once.
        unsafe { libc::close(self.number) };
    }
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

/// Milliseconds below a second as nanoseconds.
fn nanos(ms: u64) -> libc::c_long {
    libc::c_long::try_from(ms).map_or(0, |ms| ms * 1_000_000)
}

/// The time of a clock that every Linux has, in nanoseconds.
fn time_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a writable timespec.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let (seconds, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

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
            Advice::PreferSmall => libc::MADV_NOHUGEPAGE,
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

    unsafe fn resident_pages(&self, run: Run) -> Result<usize, Errno> {
        let page = self.page_bytes();
        let mut flags = [0; RESIDENCY_PAGES];
        let (mut offset, mut resident) = (0, 0);
        while offset < run.bytes {
            let part = run.part(offset, (run.bytes - offset).min(RESIDENCY_PAGES * page));
            // SAFETY: the part is mapped, and there is a byte for each of its pages.
            let asked = unsafe { libc::mincore(pointer(part), part.bytes, flags.as_mut_ptr()) };
            answer(asked)?;
            resident += flags[..part.bytes / page].iter().filter(|&&flag| flag & 1 != 0).count();
            offset += part.bytes;
        }
        Ok(resident)
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

    fn variable(&self, name: &CStr, buffer: &mut [u8]) -> Option<usize> {
        // SAFETY: `name` ends in NUL.
        let value = unsafe { secure_getenv(name.as_ptr()) };
        if value.is_null() {
            return None;
        }
        // SAFETY: the environment holds strings that end in NUL. It is read once, with the first
        // large allocation; who changes it while other threads run has to answer for that.
        let value = unsafe { CStr::from_ptr(value) }.to_bytes();
        let length = value.len().min(buffer.len());
        buffer[..length].copy_from_slice(&value[..length]);
        Some(value.len())
    }

    fn each_variable(&self, each: &mut dyn FnMut(&[u8])) {
        // SAFETY: getauxval has no preconditions.
        if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
            return;
        }
        // SAFETY: the C library set this up before any code of ours ran.
        let mut entry = unsafe { environ };
        // SAFETY: the list ends in a null pointer; as in `variable` for who changes it.
        while !entry.is_null() && !unsafe { *entry }.is_null() {
            // SAFETY: the entry is a string that ends in NUL.
            each(unsafe { CStr::from_ptr(*entry) }.to_bytes());
            // SAFETY: the entry was not the last one.
            entry = unsafe { entry.add(1) };
        }
    }

    fn read(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        File::open(path, libc::O_RDONLY)?.read(buffer)
    }

    fn read_parts(
        &self,
        path: &CStr,
        buffer: &mut [u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno> {
        let file = File::open(path, libc::O_RDONLY)?;
        loop {
            match file.read(buffer)? {
                0 => return Ok(()),
                length => each(&buffer[..length]),
            }
        }
    }

    fn append(&self, path: &CStr, text: &[u8]) -> Result<(), Errno> {
        let file = File::open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND)?;
        // SAFETY: `text` is readable for its whole length.
        let written = unsafe { libc::write(file.number, text.as_ptr().cast(), text.len()) };
        if usize::try_from(written) == Ok(text.len()) { Ok(()) } else { Err(last_errno()) }
    }

    fn make_file(&self, path: &CStr) -> Result<(), Errno> {
        File::open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL).map(drop)
    }

    fn extend_file(&self, path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
        // Opened anew each time: programs close descriptors that they do not know, and the next
        // file that they open must not get a trace.
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = File::open(path, flags)?;
        if file.has_room(bytes.len()) { file.write(bytes) } else { Err(Errno(libc::EFBIG)) }
    }

    fn link(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: `path` ends in NUL, and `buffer` is writable for its whole length.
        let got =
            unsafe { libc::readlink(path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
        usize::try_from(got).map_err(|_| last_errno())
    }

    fn process(&self) -> u32 {
        // SAFETY: getpid has no preconditions.
        unsafe { libc::getpid() }.cast_unsigned()
    }

    fn thread(&self) -> u32 {
        // SAFETY: gettid has no preconditions. By number: musl has had the function only since 1.2.
        let number = unsafe { libc::syscall(libc::SYS_gettid) };
        u32::try_from(number).unwrap_or(0)
    }

    fn thread_name(&self) -> [u8; THREAD_NAME_BYTES] {
        let mut name = [0u8; THREAD_NAME_BYTES];
        // SAFETY: the kernel writes that many bytes at most, the last of which is NUL.
        unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
        name
    }

    fn faults(&self) -> Faults {
        // SAFETY: all-zero bytes are a valid rusage.
        let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
        // SAFETY: `usage` is writable.
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        let count = |faults: libc::c_long| u64::try_from(faults).unwrap_or(0);
        Faults { minor: count(usage.ru_minflt), major: count(usage.ru_majflt) }
    }

    fn tell(&self, text: &[u8]) {
        // SAFETY: `text` is readable for its whole length.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }

    fn at_exit(&self, body: extern "C" fn()) -> Result<(), Errno> {
        // SAFETY: `body` is a function of this object; the C library calls it before it is gone.
        if unsafe { libc::atexit(body) } == 0 { Ok(()) } else { Err(Errno(libc::ENOMEM)) }
    }

    fn start_thread(&self, body: ThreadBody) -> Result<(), Errno> {
        without_signals(|| {
            // Thread-local variables of the program lie on the stack too, and may not fit.
            start_detached(body, Some(STACK_BYTES)).or_else(|_| start_detached(body, None))
        })
    }

    fn sleep_ms(&self, ms: u64) {
        let tv_sec = (ms / 1000).try_into().unwrap_or(1);
        let time = libc::timespec { tv_sec, tv_nsec: nanos(ms % 1000) };
        // SAFETY: `time` is readable, and nobody asks what was left.
        unsafe { libc::nanosleep(&raw const time, ptr::null_mut()) };
    }

    fn now_ms(&self) -> u64 {
        time_ns(libc::CLOCK_MONOTONIC_COARSE) / 1_000_000
    }

    fn now_ns(&self) -> u64 {
        time_ns(libc::CLOCK_MONOTONIC)
    }

    fn unix_ns(&self) -> u64 {
        time_ns(libc::CLOCK_REALTIME)
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
            self.tell(part.as_bytes());
        }
        // SAFETY: abort has no preconditions.
        unsafe { libc::abort() }
    }
}
