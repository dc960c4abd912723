//! The heap for large blocks: two address ranges, one lock, nothing that belongs to a thread.
//!
//! ```text
//! range  | live | free: warm, zero | live | live | free: warm | free: never touched ......... |
//!        0                                                    top                            end
//!        |<------------------ backed: readable and writable ----------->|<---- reserved ----->|
//! ```
//!
//! A block is a run of granules, an extent, and begins some cache lines into its first page.
//! Freed extents merge with their neighbours and keep their pages; the next block takes them, best
//! fit and warm ones first, and joins warm pages with fresh ones before it takes only fresh ones.
//! The second range has small pages and serves zeroed blocks of which little is used (see `zero`).
//!
//! `placing` finds where a block goes, `extent` knows who owns a granule, `backing` what its pages
//! hold, `va` where it is, `bins` finds a fit, `age` which pages go first, `trim` decides what
//! stays, `clock` and `helper` when nobody calls, `zero` what is cleared, `free` and `grow` do what
//! they say, `address` serves who knows no lengths, `direct` serves when there is no range. `trace`
//! writes down what happens, where that is wanted.
//!
//! Equations, in bytes: mapped = live + cached + zero + releasing (see [`Stats`]). `check()`
//! recounts them, and those of the parts.
//!
//! Nothing here allocates from the process's allocator, and nothing panics unless the heap's own
//! tables are damaged. Freeing what is no block of this heap ends the process with a message.

#[cfg(any(feature = "by-address", test))]
mod address;
mod age;
mod backing;
mod bins;
mod bounds;
mod clock;
mod direct;
mod extent;
mod free;
mod grow;
mod growth;
mod helper;
#[cfg(any(test, fuzzing))]
pub(crate) mod model;
mod phase;
mod placing;
mod stats;
#[cfg(test)]
mod tests;
mod trace;
mod trim;
mod va;
mod zero;

use core::ops::Range;
use core::ptr::NonNull;

use crate::config::environment::{Huge, Settings};
use crate::config::{DIRTY_RUNS_MAX, HUGE_BYTES, RANGE_BYTES_MIN, SPARSE_RANGE_DIVISOR};
use crate::error::Error;
use crate::lock::{Guard, Lock};
use crate::os::{Advice, Os, Run, ThreadBody, probe};
use crate::units::{Extent, GranuleSize, Index, wide};
use bounds::Bounds;
use clock::Clock;
use extent::{Space, State as Use};
pub use phase::{PhaseStats, Phases};
use stats::Counters;
pub use stats::{HugePages, Stats};
use trace::{Origin, Record, Trace};
use zero::Sizes;

/// What a caller of the heap wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Length, at least 1.
    pub(crate) bytes: usize,
    /// Alignment of the first byte, a power of two.
    pub(crate) align: usize,
    /// Whether the block will probably grow again.
    pub(crate) is_growing: bool,
}

impl Request {
    /// A block that keeps its length.
    pub(crate) const fn fixed(bytes: usize, align: usize) -> Self {
        Self { bytes, align, is_growing: false }
    }
}

/// A block that the heap handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    /// The first byte.
    pub(crate) start: NonNull<u8>,
    /// Which bytes may hold something; all others read as zero.
    pub(crate) dirty: DirtyBytes,
}

/// Runs of bytes of a block that may hold something else than zeros, as offsets from its first
/// byte, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirtyBytes {
    runs: [(usize, usize); DIRTY_RUNS_MAX],
    used: usize,
}

impl DirtyBytes {
    /// No byte at all.
    pub(crate) const NONE: Self = Self { runs: [(0, 0); DIRTY_RUNS_MAX], used: 0 };

    /// The first byte of each run, and the one behind its last.
    pub(crate) fn as_slice(&self) -> &[(usize, usize)] {
        &self.runs[..self.used]
    }
}

/// Functions of the program that owns the heap, for the heap knows no name of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hooks {
    /// Calls `Heap::help`, in a thread of its own.
    pub(crate) help: ThreadBody,
    /// Calls `Heap::tell`, when the process exits.
    pub(crate) at_exit: extern "C" fn(),
}

/// The heap.
pub(crate) struct Heap<O> {
    os: O,
    hooks: Hooks,
    /// Held by the thread that softens or releases pages; taken before `state`, never after.
    trimming: Lock<()>,
    state: Lock<State>,
    /// Of the main range and the sparse one.
    bounds: [Bounds; 2],
    trace: Trace,
}

/// Which range a block lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// The one with huge pages.
    Main,
    /// The one with small pages, for zeroed blocks of which little is used.
    Sparse,
}

/// Everything that the lock guards.
struct State {
    is_started: bool,
    /// None when the kernel refused the range, or before the start.
    main: Option<Space>,
    /// None before the first block in it, or when the kernel refused it.
    sparse: Option<Space>,
    is_sparse_refused: bool,
    huge_pages: HugePages,
    request_bytes_max: u64,
    cache_limit_bytes: u64,
    is_always_bound: bool,
    memory_limit_bytes: Option<u64>,
    /// Bytes of blocks with a mapping of their own.
    direct_bytes: u64,
    /// The most that was live since the peaks were last brought up to date.
    high_bytes: u64,
    peak_bytes: u64,
    /// The most that was live since the last sample of a trace.
    sampled_bytes: u64,
    clock: Clock,
    phases: Phases,
    sizes: Sizes,
    counters: Counters,
    /// How many blocks were coloured.
    colours: usize,
}

/// A block in one of the ranges.
struct Placed {
    start: NonNull<u8>,
    size: GranuleSize,
    /// Bytes of the first granule before the block.
    colour: usize,
    home: Home,
    extent: Extent,
    is_warm: bool,
    /// The huge page that is to be given back instead of cleared.
    left_out: Option<Run>,
}

impl Placed {
    fn born(&self) -> Born {
        let origin = if self.is_warm { Origin::Warm } else { Origin::Fresh };
        Born { start: self.start, origin }
    }
}

/// A block that was handed out, and where its pages came from.
#[derive(Clone, Copy)]
struct Born {
    start: NonNull<u8>,
    origin: Origin,
}

/// What a block is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Anything,
    Zeros,
}

impl State {
    const fn new() -> Self {
        Self {
            is_started: false,
            main: None,
            sparse: None,
            is_sparse_refused: false,
            huge_pages: HugePages::Off,
            request_bytes_max: 0,
            cache_limit_bytes: 0,
            is_always_bound: false,
            memory_limit_bytes: None,
            direct_bytes: 0,
            high_bytes: 0,
            peak_bytes: 0,
            sampled_bytes: 0,
            clock: Clock::NEW,
            phases: Phases::NONE,
            sizes: Sizes::NONE,
            counters: Counters::NONE,
            colours: 0,
        }
    }

    /// Reads the settings and reserves the range, or half of it, and so on.
    #[cold]
    fn start<O: Os>(&mut self, os: &O, hooks: &Hooks) -> Settings {
        self.is_started = true;
        let settings = Settings::read(os);
        self.request_bytes_max = settings.request_bytes_max;
        self.cache_limit_bytes = settings.cache_limit_bytes;
        self.is_always_bound = settings.is_always_bound;
        self.memory_limit_bytes = settings.memory_limit_bytes;
        if !settings.has_helper {
            self.clock.turn_off();
        }
        self.reserve_main(os, &settings);
        if settings.is_told_at_exit
            && let Err(errno) = os.at_exit(hooks.at_exit)
        {
            self.counters.refuse(errno);
        }
        if settings.is_verbose {
            self.tell_settings(os, &settings);
        }
        settings
    }

    fn reserve_main<O: Os>(&mut self, os: &O, settings: &Settings) {
        let advice = match settings.huge {
            Huge::Auto if probe::has_no_huge_pages(os) => None,
            Huge::Auto | Huge::Always => Some(Advice::PreferHuge),
            Huge::Never => Some(Advice::PreferSmall),
        };
        let mut bytes = settings.range_bytes / wide(HUGE_BYTES) * wide(HUGE_BYTES);
        while bytes >= RANGE_BYTES_MIN {
            match Space::reserve(os, bytes, advice) {
                Ok((space, refused)) => {
                    self.huge_pages = match (advice, refused) {
                        (Some(Advice::PreferHuge), None) => HugePages::Asked,
                        (Some(Advice::PreferHuge), Some(_)) => HugePages::Refused,
                        _ => HugePages::Off,
                    };
                    if let Some(errno) = refused {
                        self.counters.refuse(errno);
                    }
                    self.main = Some(space);
                    return;
                }
                Err(errno) => self.counters.refuse(errno),
            }
            bytes = bytes / 2 / wide(HUGE_BYTES) * wide(HUGE_BYTES);
        }
    }

    /// Reserves the range for sparse blocks, a part as long as the main one; once.
    #[cold]
    fn reserve_sparse<O: Os>(&mut self, os: &O) {
        let Some(main) = &self.main else { return };
        let bytes = wide(main.range.size().of(main.range.len())) / SPARSE_RANGE_DIVISOR;
        let bytes = bytes / wide(HUGE_BYTES) * wide(HUGE_BYTES);
        match Space::reserve(os, bytes, Some(Advice::PreferSmall)) {
            // Where the kernel does not know this advice, it has no huge pages either.
            Ok((space, _)) => self.sparse = Some(space),
            Err(errno) => {
                self.is_sparse_refused = true;
                self.counters.refuse(errno);
            }
        }
    }

    fn spaces(&self) -> impl Iterator<Item = &Space> {
        [&self.main, &self.sparse].into_iter().flatten()
    }

    fn space(&mut self, home: Home) -> Option<&mut Space> {
        match home {
            Home::Main => self.main.as_mut(),
            Home::Sparse => self.sparse.as_mut(),
        }
    }

    fn live_bytes(&self) -> u64 {
        let live = |space: &Space| wide(space.range.size().of(space.totals.live));
        self.direct_bytes + self.spaces().map(live).sum::<u64>()
    }

    fn cached_bytes(&self) -> u64 {
        let cached = |space: &Space| wide(space.range.size().of(space.totals.cached.dirty()));
        self.spaces().map(cached).sum()
    }

    /// Notes the live memory of this moment for the peaks.
    fn note(&mut self) {
        self.high_bytes = self.high_bytes.max(self.live_bytes());
    }

    /// Brings every peak up to date.
    fn note_peaks(&mut self) {
        let live = self.live_bytes();
        let high = core::mem::replace(&mut self.high_bytes, live);
        self.peak_bytes = self.peak_bytes.max(high);
        self.sampled_bytes = self.sampled_bytes.max(high);
        self.clock.note(high);
        self.phases.note(high);
    }

    /// Whether `more` bytes for a request of `wanted` may become live.
    fn admit(&self, more: u64, wanted: usize) -> Result<(), Error> {
        let wanted = wide(wanted);
        if wanted > self.request_bytes_max {
            return Err(Error::NoMemory { wanted });
        }
        let Some(limit) = self.memory_limit_bytes else { return Ok(()) };
        let live = self.live_bytes();
        if more > limit.saturating_sub(live) {
            return Err(Error::MemoryLimit { wanted, limit, live });
        }
        Ok(())
    }

    /// The range and the granule in it that `pointer` points into; None outside the ranges.
    fn locate(&self, pointer: NonNull<u8>) -> Option<(Home, Index)> {
        let index = |space: &Option<Space>| space.as_ref()?.range.index_of(pointer);
        match index(&self.main) {
            Some(at) => Some((Home::Main, at)),
            None => index(&self.sparse).map(|at| (Home::Sparse, at)),
        }
    }
}

impl<O: Os> Heap<O> {
    /// A heap that has nothing yet; it starts with the first call.
    pub(crate) const fn new(os: O, hooks: Hooks) -> Self {
        let bounds = [Bounds::new(), Bounds::new()];
        let (trimming, state) = (Lock::new(()), Lock::new(State::new()));
        Self { os, hooks, trimming, state, bounds, trace: Trace::new() }
    }

    fn lock(&self) -> Guard<'_, State, O> {
        let mut state = self.state.lock(&self.os);
        if !state.is_started {
            let settings = state.start(&self.os, &self.hooks);
            self.publish(&state);
            if settings.is_traced {
                let base = state.main.as_ref().map_or(0, |space| space.range.addresses().start);
                self.trace.start(&self.os, &settings, base);
            }
        }
        state
    }

    /// A block as wanted.
    pub(crate) fn alloc(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let born = match self.place(wanted, Content::Anything, |_, placed| placed.born())? {
            Some(born) => born,
            None => self.map(wanted)?,
        };
        self.record_birth(wanted, Content::Anything, born);
        Ok(born.start)
    }

    /// A block as wanted, and which of its bytes are not zero.
    pub(crate) fn alloc_known(&self, wanted: Request) -> Result<Grant, Error> {
        let grant = |state: &State, placed: Placed| {
            (placed.born(), state.dirty_bytes(&placed, wanted.bytes))
        };
        let (born, dirty) = match self.place(wanted, Content::Anything, grant)? {
            Some(granted) => granted,
            None => (self.map(wanted)?, DirtyBytes::NONE),
        };
        self.record_birth(wanted, Content::Anything, born);
        Ok(Grant { start: born.start, dirty })
    }

    /// A block as wanted, all of it zero; pages that are fresh from the kernel are not written.
    pub(crate) fn alloc_zeroed(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let born = match self.place_zeroed(wanted)? {
            Some(born) => born,
            None => self.map(wanted)?,
        };
        self.record_birth(wanted, Content::Zeros, born);
        Ok(born.start)
    }

    /// A block as wanted, all of it zero, with a mapping of its own: made without touching a page,
    /// and unmapped when it is freed. By huge pages where the range has them.
    pub(crate) fn alloc_mapped(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let born = self.map(wanted)?;
        let has_huge_pages = self.lock().huge_pages == HugePages::Asked;
        if has_huge_pages && let Some(bytes) = direct::paged(&self.os, wanted.bytes) {
            self.advise(born.start, bytes, Advice::PreferHuge);
        }
        self.record_birth(wanted, Content::Zeros, born);
        Ok(born.start)
    }

    /// Records that a block was handed out.
    fn record_birth(&self, wanted: Request, content: Content, born: Born) {
        let (Request { bytes, align, .. }, Born { start, origin }) = (wanted, born);
        let is_zeroed = content == Content::Zeros;
        self.record(&Record::Born { start, bytes, align, origin, is_zeroed });
    }

    /// The same; None when no range has room.
    fn place_zeroed(&self, wanted: Request) -> Result<Option<Born>, Error> {
        let both = |state: &State, placed: Placed| {
            let dirty = state.dirty_bytes(&placed, wanted.bytes);
            (placed, dirty)
        };
        let Some((placed, dirty)) = self.place(wanted, Content::Zeros, both)? else {
            return Ok(None);
        };
        let kept = placed.left_out.map_or((0, 0), |run| self.zero_by_kernel(placed.start, run));
        for &(from, to) in dirty.as_slice() {
            for (from, to) in [(from, to.min(kept.0)), (from.max(kept.1), to)] {
                if from < to {
                    // SAFETY: both offsets are within the block, which is ours.
                    unsafe { placed.start.add(from).write_bytes(0, to - from) };
                }
            }
        }
        Ok(Some(placed.born()))
    }

    /// Lets the kernel make pages inside the block at `start` zero; as offsets, or nothing when it
    /// refuses.
    fn zero_by_kernel(&self, start: NonNull<u8>, run: Run) -> (usize, usize) {
        // SAFETY: the run lies within a block that nobody has seen yet.
        match unsafe { self.os.advise(run, Advice::Release) } {
            Ok(()) => {
                let from = run.address() - start.addr().get();
                (from, from + run.bytes)
            }
            Err(errno) => {
                self.lock().counters.refuse(errno);
                (0, 0)
            }
        }
    }

    /// A block in a range, seen through `view` while the lock is held; when the kernel has no
    /// memory, once more without the cache.
    fn place<R>(
        &self,
        wanted: Request,
        content: Content,
        view: impl Fn(&State, Placed) -> R,
    ) -> Result<Option<R>, Error> {
        let mut is_retry = false;
        loop {
            let mut state = self.lock();
            if let Err(error) = state.admit(wide(wanted.bytes), wanted.bytes) {
                drop(state);
                return Err(self.refused(wanted, error));
            }
            let placed = match content {
                Content::Anything => state.place(&self.os, wanted, Home::Main),
                Content::Zeros => {
                    let placed = state.place_zeros(&self.os, wanted);
                    self.publish(&state);
                    placed
                }
            };
            match placed {
                Ok(placed) => {
                    state.note();
                    let seen = placed.map(|placed| view(&state, placed));
                    let is_over = state.memory_limit_bytes.is_some() && state.is_over_allowance();
                    drop(state);
                    if is_over {
                        self.trim();
                    }
                    return Ok(seen);
                }
                Err(errno) => state.counters.refuse(errno),
            }
            drop(state);
            if is_retry {
                let error = Error::NoMemory { wanted: wide(wanted.bytes) };
                return Err(self.refused(wanted, error));
            }
            self.release_cache();
            is_retry = true;
        }
    }

    /// Records that a block could not be had; the caller holds no lock.
    #[cold]
    fn refused(&self, wanted: Request, error: Error) -> Error {
        self.record(&Record::Refused { bytes: wanted.bytes, align: wanted.align });
        error
    }

    /// A block with a mapping of its own.
    #[cold]
    fn map(&self, wanted: Request) -> Result<Born, Error> {
        self.map_paged(wanted).map_err(|error| self.refused(wanted, error))
    }

    fn map_paged(&self, wanted: Request) -> Result<Born, Error> {
        let bytes = direct::paged(&self.os, wanted.bytes).ok_or(Error::LengthOverflow)?;
        self.lock().admit(wide(bytes), wanted.bytes)?;
        let run = direct::map(&self.os, bytes, wanted.align);
        let mut state = self.lock();
        match run {
            Ok(run) => {
                state.direct_bytes += wide(bytes);
                state.counters.fallbacks += 1;
                state.note();
                Ok(Born { start: run.start, origin: Origin::Mapped })
            }
            Err(errno) => {
                state.counters.refuse(errno);
                Err(Error::NoMemory { wanted: wide(wanted.bytes) })
            }
        }
    }

    /// A block of `bytes` bytes, whole pages outside the range, that `map` maps.
    pub(crate) fn adopt(
        &self,
        bytes: usize,
        map: impl FnOnce() -> Result<Run, Error>,
    ) -> Result<Run, Error> {
        self.lock().admit(wide(bytes), bytes)?;
        let run = map()?;
        let mut state = self.lock();
        state.direct_bytes += wide(bytes);
        state.counters.fallbacks += 1;
        state.note();
        drop(state);
        let born = Born { start: run.start, origin: Origin::Mapped };
        let wanted = Request::fixed(bytes, self.os.page_bytes());
        self.record_birth(wanted, Content::Zeros, born);
        Ok(run)
    }

    /// Bytes of an OS page.
    pub(crate) fn page_bytes(&self) -> usize {
        self.os.page_bytes()
    }

    /// Gives advice that loses no byte about a block of whole pages; true when it was taken.
    pub(crate) fn advise(&self, start: NonNull<u8>, bytes: usize, advice: Advice) -> bool {
        debug_assert!(!matches!(advice, Advice::Soften | Advice::Release), "{advice:?}");
        // SAFETY: the run is a block of this heap, and this advice loses no byte.
        let answer = unsafe { self.os.advise(Run { start, bytes }, advice) };
        if let Err(errno) = answer {
            self.lock().counters.refuse(errno);
        }
        answer.is_ok()
    }

    /// The addresses of the main range; None when there is none.
    pub(crate) fn addresses(&self) -> Option<Range<usize>> {
        self.lock().main.as_ref().map(|space| space.range.addresses())
    }

    /// Holds every lock, so that a child made by fork finds the heap whole.
    pub(crate) fn before_fork(&self) {
        self.trimming.lock(&self.os).keep();
        self.state.lock(&self.os).keep();
        self.trace.before_fork(&self.os);
    }

    /// Lets go of every lock, in the parent and in the child.
    ///
    /// # Safety
    /// The thread, or in a child the thread it was made by, called `before_fork`.
    pub(crate) unsafe fn after_fork(&self) {
        // SAFETY: `before_fork` kept the lock held.
        unsafe { self.trace.after_fork(&self.os) };
        // SAFETY: as above.
        unsafe { self.state.release(&self.os) };
        // SAFETY: as above.
        unsafe { self.trimming.release(&self.os) };
    }

    /// In a child, after `after_fork`: the helper thread stayed with the parent, and so did the
    /// file of a trace.
    pub(crate) fn begin_child(&self) {
        self.state.lock(&self.os).clock.forget_helper();
        self.trace.forget(&self.os);
    }

    /// Ends the process with a message, for its memory is damaged.
    fn die(&self, message: &str) -> ! {
        self.trace.save(&self.os);
        self.os.die(message)
    }
}
