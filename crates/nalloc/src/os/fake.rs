//! A kernel for tests: real memory, strict preconditions, a clock that is set by hand, and verbs
//! that refuse when they are told to. It takes softened pages at once, at random, as a kernel may.

use core::ffi::CStr;
use core::ptr::NonNull;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Advice, Errno, Faults, Machine, Os, Run, THREAD_NAME_BYTES, ThreadBody};
use crate::sync::AtomicU32;
use crate::units::wide;

/// A sequence of numbers that a seed determines.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number (splitmix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % wide(end)).unwrap_or(0)
    }
}

/// A verb that can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Reserve,
    Back,
    Unmap,
    PreferHuge,
    PreferSmall,
    Soften,
    Release,
    ResidentPages,
    Read,
    Append,
    AtExit,
    StartThread,
    MakeFile,
    ExtendFile,
}

/// Every verb of the heap that can refuse, but for those of a trace: its end changes nothing else.
pub(crate) const VERBS: [Verb; 12] = [
    Verb::Reserve,
    Verb::Back,
    Verb::Unmap,
    Verb::PreferHuge,
    Verb::PreferSmall,
    Verb::Soften,
    Verb::Release,
    Verb::ResidentPages,
    Verb::Read,
    Verb::Append,
    Verb::AtExit,
    Verb::StartThread,
];

/// Which verb refuses, and how often: once in `one_in` calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) verb: Verb,
    pub(crate) one_in: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Reserved,
    Backed,
    Gone,
}

struct Mapping {
    memory: NonNull<u8>,
    layout: Layout,
    start: usize,
    pages: Vec<Page>,
}

// SAFETY: the memory belongs to the fake kernel, whose lock lets one thread at a time look at it.
unsafe impl Send for Mapping {}

struct State {
    mappings: Vec<Mapping>,
    random: Random,
    fault: Option<Fault>,
    now_ms: u64,
    files: Vec<(&'static CStr, String)>,
    made: Vec<(CString, Vec<u8>)>,
    process: u32,
    told: String,
    threads_started: usize,
    backed_bytes_max: usize,
}

/// The kernel of the tests.
pub(crate) struct Fake {
    pub(crate) page_bytes: usize,
    machine: Machine,
    variables: Vec<(&'static str, String)>,
    state: Mutex<State>,
}

impl Fake {
    /// A machine with pages of `page_bytes` and 1 GiB of RAM, and an address space that leaves
    /// room for a range of 256 MiB.
    pub(crate) fn new(seed: u64, page_bytes: usize) -> Self {
        let state = State {
            mappings: Vec::new(),
            random: Random(seed),
            fault: None,
            now_ms: 1_000_000,
            files: Vec::new(),
            made: Vec::new(),
            process: 4711,
            told: String::new(),
            threads_started: 0,
            backed_bytes_max: usize::MAX,
        };
        Self {
            page_bytes,
            machine: Machine {
                ram_bytes: 1 << 30,
                swap_bytes: 0,
                address_bytes_max: 512 << 20,
                locked_bytes_max: u64::MAX,
            },
            variables: Vec::new(),
            state: Mutex::new(state),
        }
    }

    /// The same machine with other sizes.
    pub(crate) fn with_machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// The same machine with these files.
    pub(crate) fn with_files(self, files: &[(&'static CStr, &str)]) -> Self {
        for (path, text) in files {
            self.set_file(path, text);
        }
        self
    }

    /// The same machine with a variable in the environment.
    pub(crate) fn with_variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_string()));
        self
    }

    /// The same machine, which backs no more than that many bytes in all.
    pub(crate) fn with_backed_bytes_max(self, bytes: usize) -> Self {
        self.state().backed_bytes_max = bytes;
        self
    }

    /// Gives a file another content.
    pub(crate) fn set_file(&self, path: &'static CStr, text: &str) {
        let mut state = self.state();
        state.files.retain(|(known, _)| *known != path);
        state.files.push((path, text.to_string()));
    }

    /// What a file holds.
    pub(crate) fn file(&self, path: &CStr) -> Option<String> {
        self.state().files.iter().find(|(known, _)| *known == path).map(|(_, text)| text.clone())
    }

    /// What a file holds that the heap has made.
    pub(crate) fn made(&self, path: &CStr) -> Option<Vec<u8>> {
        let state = self.state();
        state.made.iter().find(|(known, _)| known.as_c_str() == path).map(|(_, held)| held.clone())
    }

    /// Makes the process another one, as fork does.
    pub(crate) fn set_process(&self, process: u32) {
        self.state().process = process;
    }

    /// What was written to standard error.
    pub(crate) fn told(&self) -> String {
        self.state().told.clone()
    }

    /// How many threads were started; none of them runs.
    pub(crate) fn threads_started(&self) -> usize {
        self.state().threads_started
    }

    /// Makes a verb refuse from now on, or none.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Moves the clock.
    pub(crate) fn wait_ms(&self, by: u64) {
        self.state().now_ms += by;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, verb: Verb) -> Result<(), Errno> {
        let mut state = self.state();
        let fault = state.fault;
        match fault {
            Some(fault) if fault.verb == verb && state.random.below(fault.one_in) == 0 => {
                Err(Errno(libc::ENOMEM))
            }
            _ => Ok(()),
        }
    }

    /// Runs `change` on the state of each page of `run`, all of which must exist.
    fn each_page(&self, run: Run, mut change: impl FnMut(&mut Page, NonNull<u8>, &mut Random)) {
        assert!(run.bytes != 0 && run.bytes.is_multiple_of(self.page_bytes), "length of {run:?}");
        assert!(run.address().is_multiple_of(self.page_bytes), "start of {run:?}");
        let mut state = self.state();
        let State { mappings, random, .. } = &mut *state;
        let holds = |m: &&mut Mapping| {
            let end = m.start + m.pages.len() * self.page_bytes;
            m.start <= run.address() && run.address() + run.bytes <= end
        };
        let mapping = mappings.iter_mut().find(holds).expect("a run within one mapping");
        let first = (run.address() - mapping.start) / self.page_bytes;
        for k in 0..run.bytes / self.page_bytes {
            let page = &mut mapping.pages[first + k];
            assert_ne!(*page, Page::Gone, "page {k} of {run:?} was unmapped");
            // SAFETY: the page lies within the run, which lies within the mapping's memory.
            change(page, unsafe { run.start.add(k * self.page_bytes) }, random);
        }
    }

    fn zero(&self, page: NonNull<u8>) {
        // SAFETY: the page exists, and the caller of the verb promised that its bytes are nobody's.
        unsafe { page.write_bytes(0, self.page_bytes) }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        for mapping in &self.state().mappings {
            // SAFETY: the memory was allocated with this layout, and the kernel ends here.
            unsafe { System.dealloc(mapping.memory.as_ptr(), mapping.layout) }
        }
    }
}

impl Os for &Fake {
    fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    fn reserve(&self, bytes: usize) -> Result<Run, Errno> {
        assert!(bytes != 0 && bytes.is_multiple_of(self.page_bytes), "length {bytes}");
        self.answer(Verb::Reserve)?;
        if bytes > 1 << 30 {
            return Err(Errno(libc::ENOMEM));
        }
        let layout = Layout::from_size_align(bytes + self.page_bytes, 1).expect("a layout");
        // SAFETY: the layout is not empty.
        let memory = NonNull::new(unsafe { System.alloc_zeroed(layout) }).expect("test memory");
        let skip = memory.as_ptr().align_offset(self.page_bytes);
        // SAFETY: there is a page more than asked for, and `skip` is less than a page.
        let start = unsafe { memory.add(skip) };
        let pages = vec![Page::Reserved; bytes / self.page_bytes];
        self.state().mappings.push(Mapping { memory, layout, start: start.addr().get(), pages });
        Ok(Run { start, bytes })
    }

    unsafe fn back(&self, run: Run) -> Result<(), Errno> {
        self.answer(Verb::Back)?;
        let is_backed = |page: &&Page| **page == Page::Backed;
        let pages = |m: &Mapping| m.pages.iter().filter(is_backed).count();
        let backed = self.state().mappings.iter().map(pages).sum::<usize>() * self.page_bytes;
        if run.bytes > self.state().backed_bytes_max.saturating_sub(backed) {
            return Err(Errno(libc::ENOMEM));
        }
        self.each_page(run, |page, _, _| *page = Page::Backed);
        Ok(())
    }

    unsafe fn close(&self, run: Run) -> Result<(), Errno> {
        self.each_page(run, |page, _, _| *page = Page::Reserved);
        Ok(())
    }

    unsafe fn unmap(&self, run: Run) -> Result<(), Errno> {
        self.answer(Verb::Unmap)?;
        self.each_page(run, |page, _, _| *page = Page::Gone);
        Ok(())
    }

    unsafe fn advise(&self, run: Run, advice: Advice) -> Result<(), Errno> {
        match advice {
            Advice::PreferHuge => self.answer(Verb::PreferHuge),
            Advice::PreferSmall => self.answer(Verb::PreferSmall),
            Advice::Soften => {
                self.answer(Verb::Soften)?;
                self.each_page(run, |page, at, random| {
                    assert_eq!(*page, Page::Backed, "softened page of {run:?}");
                    if random.below(2) == 0 {
                        self.zero(at);
                    }
                });
                Ok(())
            }
            Advice::Release => {
                self.answer(Verb::Release)?;
                self.each_page(run, |page, at, _| {
                    assert_eq!(*page, Page::Backed, "released page of {run:?}");
                    self.zero(at);
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Counts the pages that hold something else than zeros.
    unsafe fn resident_pages(&self, run: Run) -> Result<usize, Errno> {
        self.answer(Verb::ResidentPages)?;
        let (mut resident, page_bytes) = (0, self.page_bytes);
        self.each_page(run, |page, at, _| {
            assert_eq!(*page, Page::Backed, "asked page of {run:?}");
            // SAFETY: the page exists.
            let bytes = unsafe { core::slice::from_raw_parts(at.as_ptr(), page_bytes) };
            resident += usize::from(bytes.iter().any(|&byte| byte != 0));
        });
        Ok(resident)
    }

    unsafe fn lock(&self, run: Run) -> Result<(), Errno> {
        self.each_page(run, |page, _, _| assert_eq!(*page, Page::Backed, "locked page"));
        Ok(())
    }

    fn machine(&self) -> Machine {
        self.machine
    }

    fn variable(&self, name: &CStr, buffer: &mut [u8]) -> Option<usize> {
        let found = self.variables.iter().find(|(known, _)| known.as_bytes() == name.to_bytes());
        let (_, value) = found?;
        let length = value.len().min(buffer.len());
        buffer[..length].copy_from_slice(&value.as_bytes()[..length]);
        Some(value.len())
    }

    fn each_variable(&self, each: &mut dyn FnMut(&[u8])) {
        for (name, value) in &self.variables {
            each(format!("{name}={value}").as_bytes());
        }
    }

    fn read(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.answer(Verb::Read)?;
        let text = self.file(path).ok_or(Errno(libc::ENOENT))?;
        let length = text.len().min(buffer.len());
        buffer[..length].copy_from_slice(&text.as_bytes()[..length]);
        Ok(length)
    }

    fn read_parts(
        &self,
        path: &CStr,
        buffer: &mut [u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno> {
        self.answer(Verb::Read)?;
        let text = self.file(path).ok_or(Errno(libc::ENOENT))?;
        text.as_bytes().chunks(buffer.len()).for_each(each);
        Ok(())
    }

    fn append(&self, path: &CStr, text: &[u8]) -> Result<(), Errno> {
        self.answer(Verb::Append)?;
        let mut state = self.state();
        let (_, file) =
            state.files.iter_mut().find(|(known, _)| *known == path).ok_or(Errno(libc::ENOENT))?;
        file.push_str(&String::from_utf8_lossy(text));
        Ok(())
    }

    fn make_file(&self, path: &CStr) -> Result<(), Errno> {
        self.answer(Verb::MakeFile)?;
        if self.made(path).is_some() {
            return Err(Errno(libc::EEXIST));
        }
        self.state().made.push((path.to_owned(), Vec::new()));
        Ok(())
    }

    fn extend_file(&self, path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
        let refused = self.answer(Verb::ExtendFile).map_err(|_| Errno(libc::ENOSPC));
        let mut state = self.state();
        let is_wanted = |(known, _): &&mut (CString, Vec<u8>)| known.as_c_str() == path;
        let (_, file) = state.made.iter_mut().find(is_wanted).ok_or(Errno(libc::ENOENT))?;
        // A disk that is full takes a part.
        file.extend(if refused.is_ok() { bytes } else { &bytes[..bytes.len() / 2] });
        refused
    }

    fn link(&self, path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.read(path, buffer)
    }

    fn process(&self) -> u32 {
        self.state().process
    }

    fn thread(&self) -> u32 {
        self.process()
    }

    fn thread_name(&self) -> [u8; THREAD_NAME_BYTES] {
        *b"prover\0\0\0\0\0\0\0\0\0\0"
    }

    fn faults(&self) -> Faults {
        Faults { minor: 1200, major: 3 }
    }

    fn tell(&self, text: &[u8]) {
        self.state().told.push_str(&String::from_utf8_lossy(text));
    }

    fn at_exit(&self, _body: extern "C" fn()) -> Result<(), Errno> {
        self.answer(Verb::AtExit)
    }

    fn start_thread(&self, _body: ThreadBody) -> Result<(), Errno> {
        self.answer(Verb::StartThread)?;
        self.state().threads_started += 1;
        Ok(())
    }

    fn sleep_ms(&self, ms: u64) {
        self.wait_ms(ms);
    }

    fn now_ms(&self) -> u64 {
        self.state().now_ms
    }

    fn now_ns(&self) -> u64 {
        self.now_ms() * 1_000_000
    }

    fn unix_ns(&self) -> u64 {
        self.now_ns()
    }

    fn yield_now(&self) {
        std::thread::yield_now();
    }

    fn wait(&self, _word: &AtomicU32, _expected: u32) {
        std::thread::yield_now();
    }

    fn wake_one(&self, _word: &AtomicU32) {}

    fn die(&self, message: &str) -> ! {
        panic!("{message}")
    }
}
