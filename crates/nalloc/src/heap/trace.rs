//! Writes what happens to blocks into a file, where `NALLOC_TRACE` says; docs/FORMATS.md, section
//! 13, is what the file looks like.
//!
//! ```text
//! call --> record, under the recorder's lock --> buffer, full or a second old --> file, no lock
//! ```
//!
//! The recorder has its own lock, which is the last one taken: nobody takes another while holding
//! it. Records are put into one of `TRACE_BUFFERS` buffers; whoever fills one up writes it, while
//! others fill the next. When all are full, records are counted and left out, so at most one thread
//! waits for a disk. Nothing here allocates, and no descriptor is kept.
//!
//! A block is recorded after it was taken and before it is given back, so for one page the file has
//! the order in which things happened.
//!
//! A child made by fork forgets what its parent has not written, and begins a file of its own with
//! its first record. What cannot be written is told once, always, and ends the trace; the program
//! goes on.

mod encode;
mod file;
#[cfg(test)]
pub(super) mod tests;

use core::cell::Cell;
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub(super) use encode::{Origin, Record, Sample};

use super::{Heap, State};
use crate::config::environment::Settings;
use crate::config::{
    PHASES_MAX, TRACE, TRACE_BUFFERS, TRACE_EXIT_MS, TRACE_SAMPLE_US, TRACE_WRITE_US,
};
use crate::lock::Lock;
use crate::os::{Errno, Os, Run, probe};
use crate::text::Line;
use encode::{BUFFER_BYTES, Cursor, Moment};
use file::{Header, Path};

/// Records what happens to blocks.
pub(super) struct Trace {
    /// Whether anything is recorded.
    is_on: AtomicBool,
    /// When the next sample is due, in nanoseconds of the clock.
    sample_due_ns: AtomicU64,
    recorder: Lock<Recorder>,
}

/// Everything that the recorder's lock guards.
struct Recorder {
    /// Where the file is to be, and, once it is made, where it is.
    wanted: Path,
    path: Path,
    is_made: bool,
    header: Header,
    /// Address from which pages are counted.
    base: usize,
    /// The buffers; None before the start, or when there was no memory for them.
    buffers: Option<NonNull<u8>>,
    /// The first buffer that waits to be written, and how many do; the one behind them is filled.
    first: usize,
    waiting: usize,
    /// How long the chunk in each waiting buffer is, with its head.
    lengths: [usize; TRACE_BUFFERS],
    /// The chunk that is filled; None when it has no record.
    chunk: Option<Cursor>,
    sequence: u32,
    /// Whether a thread is writing.
    is_writing: bool,
    /// The number of this file among those of all traces, for the threads; 0 before it begins.
    file: u32,
    /// The time of the last record, and when a chunk was last closed.
    now_us: u64,
    closed_us: u64,
    threads: u32,
    dropped: u64,
    /// Names of phases, how many of each are open, and which names are in the file.
    names: [&'static str; PHASES_MAX],
    open: [u32; PHASES_MAX],
    is_named: [bool; PHASES_MAX],
    /// Whether the process ends, and each record is written at once.
    is_ending: bool,
}

/// Files of all traces of this process.
static FILES: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// In which file this thread has a number, and which.
    static THREAD: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

// SAFETY: the buffers belong to the recorder alone.
unsafe impl Send for Recorder {}

/// A chunk on its way to the file.
struct Write {
    path: Path,
    /// None once the file is made.
    header: Option<Header>,
    start: NonNull<u8>,
    bytes: usize,
}

impl Write {
    /// Writes the chunk, and before it the header where there is none; then `path` is where the
    /// file is.
    fn write<O: Os>(&mut self, os: &O) -> Result<(), Errno> {
        if let Some(header) = &self.header {
            file::make(os, &mut self.path, header)?;
        }
        // SAFETY: the buffer waits to be written, so nobody else touches it, and its chunk has that
        // many bytes.
        let chunk = unsafe { slice::from_raw_parts(self.start.as_ptr(), self.bytes) };
        file::append(os, &self.path, chunk)
    }
}

impl Recorder {
    const fn new() -> Self {
        let header = Header {
            unix_ns: 0,
            start_ns: 0,
            process: 0,
            forked_from: 0,
            sample_us: TRACE_SAMPLE_US,
            cache_limit_bytes: 0,
            memory_limit_bytes: 0,
        };
        Self {
            wanted: Path::EMPTY,
            path: Path::EMPTY,
            is_made: false,
            header,
            base: 0,
            buffers: None,
            first: 0,
            waiting: 0,
            lengths: [0; TRACE_BUFFERS],
            chunk: None,
            sequence: 0,
            is_writing: false,
            file: 0,
            now_us: 0,
            closed_us: 0,
            threads: 0,
            dropped: 0,
            names: [""; PHASES_MAX],
            open: [0; PHASES_MAX],
            is_named: [false; PHASES_MAX],
            is_ending: false,
        }
    }

    /// Forgets the file and everything in it, and what was not written; phases stay open.
    fn forget(&mut self) {
        *self = Self {
            wanted: self.wanted,
            header: self.header,
            base: self.base,
            buffers: self.buffers,
            names: self.names,
            open: self.open,
            ..Self::new()
        };
    }

    /// The buffer with this number.
    fn buffer(&self, number: usize) -> Option<NonNull<u8>> {
        let offset = number % TRACE_BUFFERS * BUFFER_BYTES;
        // SAFETY: there are that many buffers of that many bytes in a row.
        self.buffers.map(|first| unsafe { first.add(offset) })
    }

    /// The buffer that is filled; None when all wait.
    fn filled(&self) -> Option<NonNull<u8>> {
        let is_free = self.waiting < TRACE_BUFFERS;
        is_free.then(|| self.buffer(self.first + self.waiting)).flatten()
    }

    /// Puts a record into the file; false when there is no room.
    fn put(&mut self, thread: u32, record: &Record<'_>) -> bool {
        if self.chunk.is_some_and(|chunk| !chunk.has_room()) {
            self.close();
        }
        let Some(start) = self.filled() else { return false };
        let at = Moment { us: self.now_us, thread };
        let mut chunk = self.chunk.unwrap_or_else(|| Cursor::new(at));
        // SAFETY: no chunk waits in this buffer, so it is the recorder's.
        let buffer = unsafe { slice::from_raw_parts_mut(start.as_ptr(), BUFFER_BYTES) };
        if self.dropped > 0 {
            chunk.put(buffer, at, &Record::Dropped { records: self.dropped }, self.base);
            self.dropped = 0;
        }
        chunk.put(buffer, at, record, self.base);
        self.chunk = Some(chunk);
        true
    }

    /// Ends the chunk: it waits to be written.
    fn close(&mut self) {
        let Some(start) = self.filled() else { return };
        let Some(chunk) = self.chunk.take() else { return };
        // SAFETY: as in `put`.
        let buffer = unsafe { slice::from_raw_parts_mut(start.as_ptr(), BUFFER_BYTES) };
        chunk.finish(buffer, self.sequence);
        self.lengths[(self.first + self.waiting) % TRACE_BUFFERS] = chunk.used;
        self.waiting += 1;
        self.sequence += 1;
        self.closed_us = self.now_us;
    }

    /// Begins a file at `now_ns`.
    fn begin<O: Os>(&mut self, os: &O, now_ns: u64) {
        // Relaxed: a number that nobody else gets is all that is asked.
        self.file = FILES.fetch_add(1, Ordering::Relaxed) + 1;
        self.header.start_ns = now_ns;
        self.header.unix_ns = os.unix_ns();
        self.header.process = os.process();
    }

    /// The number of the calling thread in this file, which introduces it.
    fn thread<O: Os>(&mut self, os: &O) -> u32 {
        let (file, number) = THREAD.get();
        if file == self.file {
            return number;
        }
        let number = self.threads;
        let name = os.thread_name();
        let name = name.split(|&byte| byte == 0).next().unwrap_or(&[]);
        if self.put(number, &Record::Thread { number: os.thread(), name }) {
            self.threads += 1;
            THREAD.set((self.file, number));
        }
        number
    }

    /// Puts the name of a phase into the file.
    fn name(&mut self, thread: u32, phase: usize) -> bool {
        let is_named = self.is_named[phase]
            || self.put(thread, &Record::Name { phase, name: self.names[phase] });
        self.is_named[phase] = is_named;
        is_named
    }

    /// Adds what happened at `now_ns` and how things were; whether anything is to be written now.
    fn add<O: Os>(
        &mut self,
        os: &O,
        now_ns: u64,
        record: Option<&Record<'_>>,
        sample: Option<Sample>,
    ) -> bool {
        let is_first = self.file == 0;
        if is_first {
            self.begin(os, now_ns);
        }
        let us = now_ns.saturating_sub(self.header.start_ns) / 1000;
        self.now_us = self.now_us.max(us);
        let thread = self.thread(os);
        if let Some(sample) = sample {
            self.put(thread, &Record::Sample(sample));
        }
        if is_first {
            self.reopen(thread);
        }
        if let Some(record) = record {
            self.count(record);
            let is_whole = match *record {
                Record::Begin { phase, .. } => self.name(thread, phase) && self.put(thread, record),
                _ => self.put(thread, record),
            };
            self.dropped += u64::from(!is_whole);
        }
        let is_old = self.now_us - self.closed_us >= TRACE_WRITE_US;
        if is_first || is_old || self.is_ending {
            self.close();
        }
        self.waiting > 0 && !self.is_writing
    }

    /// Begins in a new file the phases that are open.
    fn reopen(&mut self, thread: u32) {
        for phase in 0..PHASES_MAX {
            for _ in 0..self.open[phase] {
                let record = Record::Begin { phase, name: self.names[phase] };
                let _is_whole = self.name(thread, phase) && self.put(thread, &record);
            }
        }
    }

    /// Counts phases that are open.
    fn count(&mut self, record: &Record<'_>) {
        match *record {
            Record::Begin { phase, name } => {
                self.names[phase] = name;
                self.open[phase] += 1;
            }
            Record::End { phase } => self.open[phase] = self.open[phase].saturating_sub(1),
            _ => {}
        }
    }

    /// The next chunk that is to be written, if nobody is writing; the caller does.
    fn next_write(&mut self) -> Option<Write> {
        if self.is_writing || self.waiting == 0 {
            return None;
        }
        self.is_writing = true;
        Some(Write {
            path: if self.is_made { self.path } else { self.wanted },
            header: (!self.is_made).then_some(self.header),
            start: self.buffer(self.first)?,
            bytes: self.lengths[self.first],
        })
    }

    /// The chunk of `next_write` is in the file at `path`.
    fn end_write(&mut self, path: &Path) {
        (self.path, self.is_made, self.is_writing) = (*path, true, false);
        self.first = (self.first + 1) % TRACE_BUFFERS;
        self.waiting -= 1;
    }
}

impl Trace {
    pub(super) const fn new() -> Self {
        Self {
            is_on: AtomicBool::new(false),
            sample_due_ns: AtomicU64::new(0),
            recorder: Lock::new(Recorder::new()),
        }
    }

    /// Whether anything is recorded.
    pub(super) fn is_on(&self) -> bool {
        // Relaxed: the lock orders everything else.
        self.is_on.load(Ordering::Relaxed)
    }

    /// Whether a sample is due; the caller takes it.
    fn takes_sample(&self, now_ns: u64) -> bool {
        // Relaxed: the word stands for itself.
        let due = self.sample_due_ns.load(Ordering::Relaxed);
        let next = now_ns.saturating_add(TRACE_SAMPLE_US * 1000);
        now_ns >= due
            && self
                .sample_due_ns
                // Relaxed: as above.
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Reads where the trace is to be, and gets buffers. Called once, with the heap's lock held.
    #[cold]
    pub(super) fn start<O: Os>(&self, os: &O, settings: &Settings, base: usize) {
        let Some(wanted) = Path::wanted(os) else { return };
        let Some(buffers) = buffers(os) else {
            return tell(os, &wanted, "there is no memory for its buffers", 0);
        };
        let mut recorder = self.recorder.lock(os);
        recorder.wanted = wanted;
        recorder.buffers = Some(buffers);
        recorder.base = base;
        recorder.header.cache_limit_bytes = settings.cache_limit_bytes;
        recorder.header.memory_limit_bytes = settings.memory_limit_bytes.unwrap_or(0);
        // Relaxed: as in `is_on`.
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// Adds what happened and how things are, and writes what is ready. A file begins with a
    /// sample, for which `look` is called without the lock.
    fn add<O: Os>(&self, os: &O, record: Option<&Record<'_>>, look: impl Fn() -> Sample) {
        let now_ns = os.now_ns();
        let mut sample = self.takes_sample(now_ns).then(&look);
        let is_ready = loop {
            let mut recorder = self.recorder.lock(os);
            if sample.is_some() || recorder.file != 0 {
                break recorder.add(os, now_ns, record, sample);
            }
            drop(recorder);
            sample = Some(look());
        };
        if is_ready {
            self.write(os);
        }
    }

    /// Writes what is ready, unless another thread is at it.
    #[cold]
    fn write<O: Os>(&self, os: &O) {
        // Each turn frees a buffer; one that is as fast as this writes need not be waited for.
        for _ in 0..=TRACE_BUFFERS {
            let Some(mut write) = self.recorder.lock(os).next_write() else { return };
            if let Err(errno) = write.write(os) {
                // Relaxed: as in `is_on`.
                self.is_on.store(false, Ordering::Relaxed);
                return tell(os, &write.path, file::meaning(errno), errno.0);
            }
            self.recorder.lock(os).end_write(&write.path);
        }
    }

    /// Writes everything that was recorded, as far as that is possible in a second.
    fn flush<O: Os>(&self, os: &O) {
        self.recorder.lock(os).close();
        for _ in 0..TRACE_EXIT_MS {
            self.write(os);
            if !self.is_on() || self.recorder.lock(os).waiting == 0 {
                return;
            }
            os.sleep_ms(1);
        }
    }

    /// Before the process is aborted, perhaps with the heap's lock held.
    #[cold]
    pub(super) fn save<O: Os>(&self, os: &O) {
        if self.is_on() {
            self.flush(os);
        }
    }

    pub(super) fn before_fork<O: Os>(&self, os: &O) {
        self.recorder.lock(os).keep();
    }

    /// # Safety
    /// The thread, or in a child the thread it was made by, called `before_fork`.
    pub(super) unsafe fn after_fork<O: Os>(&self, os: &O) {
        // SAFETY: `before_fork` kept the lock held.
        unsafe { self.recorder.release(os) };
    }

    /// In a child: a file of its own, from its first record on.
    pub(super) fn forget<O: Os>(&self, os: &O) {
        let mut recorder = self.recorder.lock(os);
        let is_recording = recorder.file != 0;
        let parent = if is_recording { recorder.header.process } else { 0 };
        recorder.forget();
        recorder.header.forked_from = parent;
        // Relaxed: the child has one thread.
        self.sample_due_ns.store(0, Ordering::Relaxed);
    }
}

/// The buffers, side by side.
fn buffers<O: Os>(os: &O) -> Option<NonNull<u8>> {
    let bytes = (TRACE_BUFFERS * BUFFER_BYTES).next_multiple_of(os.page_bytes());
    let run: Run = os.reserve(bytes).ok()?;
    // SAFETY: the run was reserved above, and is ours.
    unsafe { os.back(run) }.ok()?;
    Some(run.start)
}

/// Says why there is no trace any more.
#[cold]
fn tell<O: Os>(os: &O, path: &Path, reason: &str, errno: i32) {
    let line = Line::of(format_args!(
        "nalloc: {}: {}: {reason} (errno {errno}); the trace ends here, the program goes on",
        TRACE.name.to_bytes().escape_ascii(),
        path.as_bytes().escape_ascii()
    ));
    os.tell(line.as_bytes());
}

impl State {
    /// What a sample says of the heap.
    fn look(&mut self) -> Sample {
        self.note_peaks();
        let live_bytes = self.live_bytes();
        let high_bytes = core::mem::replace(&mut self.sampled_bytes, live_bytes);
        Sample { live_bytes, high_bytes, cached_bytes: self.cached_bytes(), ..Sample::default() }
    }
}

impl<O: Os> Heap<O> {
    /// Records what happened. The caller holds no lock.
    pub(super) fn record(&self, record: &Record<'_>) {
        if self.trace.is_on() {
            self.record_now(Some(record));
        }
    }

    /// Records how things are, if that is due, and writes what is old.
    pub(super) fn record_sample(&self) {
        if self.trace.is_on() {
            self.record_now(None);
        }
    }

    /// Out of the way of those who record nothing.
    #[cold]
    #[inline(never)]
    fn record_now(&self, record: Option<&Record<'_>>) {
        self.trace.add(&self.os, record, || self.look());
    }

    fn look(&self) -> Sample {
        let sample = self.lock().look();
        let resident_bytes = probe::resident_bytes(&self.os).unwrap_or(0);
        Sample { resident_bytes, faults: self.os.faults(), ..sample }
    }

    /// Ends the trace, when the process does; what exit handlers still do is written at once.
    pub(crate) fn end_trace(&self) {
        let is_recording = self.trace.is_on() && self.trace.recorder.lock(&self.os).file != 0;
        if is_recording {
            // Makes room where no thread could keep up.
            self.trace.write(&self.os);
            // Relaxed: the word stands for itself.
            self.trace.sample_due_ns.store(0, Ordering::Relaxed);
            self.record_now(Some(&Record::Exit));
            self.trace.recorder.lock(&self.os).is_ending = true;
            self.trace.flush(&self.os);
        }
    }
}
