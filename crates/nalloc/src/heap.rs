//! The heap for large blocks: one address range, one lock, nothing that belongs to a thread.
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
//! `extent` knows who owns a granule, `backing` what its pages hold, `va` where it is, `bins` finds
//! a fit, `trim` decides what stays, `grow` resizes, `direct` serves when there is no range.
//!
//! Equations, in bytes: mapped = live + cached + zero + releasing (see [`Stats`]). `check()`
//! recounts them, and those of the parts.
//!
//! Nothing here allocates from the process's allocator, and nothing panics unless the heap's own
//! tables are damaged. Freeing what is no block of this heap ends the process with a message.

mod backing;
mod bins;
mod direct;
mod extent;
mod grow;
#[cfg(test)]
mod model;
mod stats;
mod trim;
mod va;

use core::ops::Range;
use core::ptr::NonNull;

use crate::config::{
    COLOUR_LINES, COLOUR_STEP, DIRTY_RUNS_MAX, HUGE_BYTES, LINE_BYTES, RANGE_BYTES_MIN, Settings,
};
use crate::error::Error;
use crate::lock::{Guard, Lock};
use crate::os::{Advice, Errno, Os, Run};
use crate::units::{Extent, GranuleSize, Index, wide};
use backing::DirtyRuns;
use extent::{Need, Space, State as Use, Taken};
use stats::Counters;
pub use stats::Stats;
use trim::Bursts;

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

/// The heap.
pub(crate) struct Heap<O> {
    os: O,
    /// Held by the thread that softens or releases pages; taken before `state`, never after.
    trimming: Lock<()>,
    state: Lock<State>,
}

/// Everything that the lock guards.
struct State {
    is_started: bool,
    /// None when the kernel refused the range, or before the start.
    space: Option<Space>,
    request_bytes_max: u64,
    cache_limit_bytes: u64,
    is_always_bound: bool,
    memory_limit_bytes: Option<u64>,
    /// Bytes of blocks with a mapping of their own.
    direct_bytes: u64,
    peak_bytes: u64,
    bursts: Bursts,
    counters: Counters,
    /// How many blocks were coloured.
    colours: usize,
}

/// A block and what has to be cleared in it.
struct Placed {
    start: NonNull<u8>,
    size: GranuleSize,
    /// Bytes of the first granule before the block.
    colour: usize,
    extent: Extent,
    dirty: DirtyRuns,
}

impl State {
    const fn new() -> Self {
        Self {
            is_started: false,
            space: None,
            request_bytes_max: 0,
            cache_limit_bytes: 0,
            is_always_bound: false,
            memory_limit_bytes: None,
            direct_bytes: 0,
            peak_bytes: 0,
            bursts: Bursts::NONE,
            counters: Counters::NONE,
            colours: 0,
        }
    }

    /// Reads the settings and reserves the range, or half of it, and so on.
    #[cold]
    fn start<O: Os>(&mut self, os: &O) {
        self.is_started = true;
        let settings = Settings::read(os);
        self.request_bytes_max = settings.request_bytes_max;
        self.cache_limit_bytes = settings.cache_limit_bytes;
        self.is_always_bound = settings.is_always_bound;
        let mut bytes = settings.range_bytes / wide(HUGE_BYTES) * wide(HUGE_BYTES);
        while bytes >= RANGE_BYTES_MIN {
            match Space::reserve(os, bytes) {
                Ok((space, refused)) => {
                    if let Some(errno) = refused {
                        self.counters.refuse(errno);
                    }
                    self.space = Some(space);
                    return;
                }
                Err(errno) => self.counters.refuse(errno),
            }
            bytes = bytes / 2 / wide(HUGE_BYTES) * wide(HUGE_BYTES);
        }
    }

    fn live_bytes(&self) -> u64 {
        let live = |space: &Space| wide(space.range.size().of(space.totals.live));
        self.direct_bytes + self.space.as_ref().map_or(0, live)
    }

    fn cached_bytes(&self) -> u64 {
        let cached = |space: &Space| wide(space.range.size().of(space.totals.cached.dirty()));
        self.space.as_ref().map_or(0, cached)
    }

    /// Notes the live memory of this moment for the peaks.
    fn note<O: Os>(&mut self, os: &O) {
        let live = self.live_bytes();
        self.peak_bytes = self.peak_bytes.max(live);
        self.bursts.note(os.now_ms(), live);
    }

    /// Whether `more` bytes for a request of `wanted` may become live.
    fn admit(&self, more: u64, wanted: usize) -> Result<(), Error> {
        let wanted = wide(wanted);
        if wanted > self.request_bytes_max {
            return Err(Error::NoMemory { wanted });
        }
        let live = self.live_bytes();
        match self.memory_limit_bytes {
            Some(limit) if more > limit.saturating_sub(live) => {
                Err(Error::MemoryLimit { wanted, limit, live })
            }
            _ => Ok(()),
        }
    }

    /// The range and the granule in it that `pointer` points into; None outside the range.
    fn locate(&mut self, pointer: NonNull<u8>) -> Option<(&mut Space, Index)> {
        let space = self.space.as_mut()?;
        let at = space.range.index_of(pointer)?;
        Some((space, at))
    }

    /// Takes an extent from the range. None when there is no range, or no room in it.
    fn place<O: Os>(&mut self, os: &O, wanted: Request) -> Result<Option<Placed>, Errno> {
        let Some(space) = self.space.as_mut() else { return Ok(None) };
        let size = space.range.size();
        let is_coloured = wanted.align <= LINE_BYTES;
        let colour =
            if is_coloured { (self.colours * COLOUR_STEP) % COLOUR_LINES * LINE_BYTES } else { 0 };
        let bytes = wanted.bytes.checked_add(colour);
        let Some(len) = bytes.and_then(|n| size.count_up(n)) else { return Ok(None) };
        let align = wanted.align.max(size.bytes());
        let need = Need { len, align, is_growing: wanted.is_growing };
        let Some(Taken { extent, dirty, is_warm }) = space.take(os, need)? else {
            return Ok(None);
        };
        let start = space.range.run_of(extent).part(0, size.bytes()).start;
        // SAFETY: the colour is less than 4 KiB, so the byte is in the extent's first granule.
        let start = unsafe { start.add(colour) };
        self.colours = self.colours.wrapping_add(usize::from(is_coloured));
        *(if is_warm { &mut self.counters.hits } else { &mut self.counters.misses }) += 1;
        Ok(Some(Placed { start, size, colour, extent, dirty }))
    }
}

impl Placed {
    /// The dirty bytes of a block of `bytes` bytes.
    fn dirty_bytes(&self, bytes: usize) -> DirtyBytes {
        let mut dirty = DirtyBytes::NONE;
        for run in self.dirty.as_slice() {
            let from = self.size.of(run.at - self.extent.at).saturating_sub(self.colour);
            let to = self.size.of(run.end() - self.extent.at).saturating_sub(self.colour);
            if from < to.min(bytes) {
                dirty.runs[dirty.used] = (from, to.min(bytes));
                dirty.used += 1;
            }
        }
        dirty
    }
}

impl<O: Os> Heap<O> {
    /// A heap that has nothing yet; it starts with the first call.
    pub(crate) const fn new(os: O) -> Self {
        Self { os, trimming: Lock::new(()), state: Lock::new(State::new()) }
    }

    fn lock(&self) -> Guard<'_, State, O> {
        let mut state = self.state.lock(&self.os);
        if !state.is_started {
            state.start(&self.os);
        }
        state
    }

    /// A block as wanted.
    pub(crate) fn alloc(&self, wanted: Request) -> Result<Grant, Error> {
        match self.place(wanted)? {
            Some(placed) => {
                Ok(Grant { start: placed.start, dirty: placed.dirty_bytes(wanted.bytes) })
            }
            None => Ok(Grant { start: self.map(wanted)?, dirty: DirtyBytes::NONE }),
        }
    }

    /// A block as wanted, all of it zero; pages that are fresh from the kernel are not written.
    pub(crate) fn alloc_zeroed(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let grant = self.alloc(wanted)?;
        for &(from, to) in grant.dirty.as_slice() {
            // SAFETY: both offsets are within the block, which is ours.
            unsafe { grant.start.add(from).write_bytes(0, to - from) };
        }
        Ok(grant.start)
    }

    /// A block in the range; when the kernel has no memory, once more without the cache.
    fn place(&self, wanted: Request) -> Result<Option<Placed>, Error> {
        let mut is_retry = false;
        loop {
            let mut state = self.lock();
            state.admit(wide(wanted.bytes), wanted.bytes)?;
            let placed = state.place(&self.os, wanted);
            state.note(&self.os);
            let is_over = state.memory_limit_bytes.is_some() && state.is_over_allowance();
            if let Err(errno) = placed {
                state.counters.refuse(errno);
            }
            drop(state);
            if is_over {
                self.trim();
            }
            match placed {
                Ok(placed) => return Ok(placed),
                Err(_) if is_retry => return Err(Error::NoMemory { wanted: wide(wanted.bytes) }),
                Err(_) => {
                    self.release_cache();
                    is_retry = true;
                }
            }
        }
    }

    /// A block with a mapping of its own.
    #[cold]
    fn map(&self, wanted: Request) -> Result<NonNull<u8>, Error> {
        let bytes = direct::paged(&self.os, wanted.bytes).ok_or(Error::LengthOverflow)?;
        self.lock().admit(wide(bytes), wanted.bytes)?;
        let run = direct::map(&self.os, bytes, wanted.align);
        let mut state = self.lock();
        match run {
            Ok(run) => {
                state.direct_bytes += wide(bytes);
                state.counters.fallbacks += 1;
                state.note(&self.os);
                Ok(run.start)
            }
            Err(errno) => {
                state.counters.refuse(errno);
                Err(Error::NoMemory { wanted: wide(wanted.bytes) })
            }
        }
    }

    /// Takes back a block, of which nothing beyond its first `touched` bytes was written.
    ///
    /// # Safety
    /// `start` and `bytes` are those of a block of this heap that was not freed, and nothing
    /// points into it; `touched` is `bytes` if the block was ever resized.
    pub(crate) unsafe fn free(&self, start: NonNull<u8>, bytes: usize, touched: usize) {
        let mut state = self.lock();
        let Some((space, at)) = state.locate(start) else {
            drop(state);
            // SAFETY: the caller's promise; what is outside the range has its own mapping.
            return unsafe { self.unmap(start, bytes) };
        };
        let extent = self.live_extent(space, at, start, bytes);
        let size = space.range.size();
        let touched = size.count_up(touched + size.offset(start.addr().get()));
        space.give(extent, touched.unwrap_or(extent.len));
        state.counters.frees += 1;
        state.note(&self.os);
        let is_over = state.is_over_allowance();
        drop(state);
        if is_over {
            self.trim();
        }
    }

    /// The extent of a block of `bytes` bytes at `start`; ends the process when it is none.
    fn live_extent(&self, space: &Space, at: Index, start: NonNull<u8>, bytes: usize) -> Extent {
        let size = space.range.size();
        let len = size.count_up(size.offset(start.addr().get()).saturating_add(bytes));
        match space.entry(at) {
            Some(entry) if entry.state == Use::Live && Some(entry.len) == len => {
                Extent { at, len: entry.len }
            }
            Some(entry) if entry.state == Use::Live => {
                self.os.die("free: expected the length of the block, got another one")
            }
            _ => self.os.die("free: expected a live block, got a free one (double free?)"),
        }
    }

    /// # Safety
    /// `start` and `bytes` are those of a block of `map`, and nothing points into it.
    #[cold]
    unsafe fn unmap(&self, start: NonNull<u8>, bytes: usize) {
        let Some(bytes) = direct::paged(&self.os, bytes) else { return };
        // SAFETY: the caller's promise.
        let refused = unsafe { direct::unmap(&self.os, start, bytes) }.err();
        let mut state = self.lock();
        state.direct_bytes = state.direct_bytes.saturating_sub(wide(bytes));
        state.counters.frees += 1;
        if let Some(errno) = refused {
            state.counters.refuse(errno);
        }
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

    /// Whether `pointer` points into the range; None when there is no range.
    pub(crate) fn contains(&self, pointer: NonNull<u8>) -> Option<bool> {
        let mut state = self.lock();
        let is_inside = state.locate(pointer).is_some();
        state.space.is_some().then_some(is_inside)
    }

    /// The addresses of the range; None when there is none.
    pub(crate) fn addresses(&self) -> Option<Range<usize>> {
        self.lock().space.as_ref().map(|space| space.range.addresses())
    }

    /// Sets what may stay cached, and gives back what is more.
    pub(crate) fn set_cache_limit(&self, bytes: u64) {
        let mut state = self.lock();
        state.cache_limit_bytes = bytes;
        let is_over = state.is_over_allowance();
        drop(state);
        if is_over {
            self.trim();
        }
    }

    /// Sets what may be live at once, and gives back what is cached beyond it.
    pub(crate) fn set_memory_limit(&self, bytes: Option<u64>) {
        let mut state = self.lock();
        state.memory_limit_bytes = bytes;
        let is_over = state.is_over_allowance();
        drop(state);
        if is_over {
            self.trim();
        }
    }

    /// Begins a new peak at what is live now.
    pub(crate) fn reset_peak(&self) {
        let mut state = self.lock();
        state.peak_bytes = state.live_bytes();
    }

    /// What the heap did and has.
    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        let counters = state.counters;
        let mut stats = Stats {
            live_bytes: state.live_bytes(),
            peak_live_bytes: state.peak_bytes,
            cached_bytes: state.cached_bytes(),
            mapped_bytes: state.direct_bytes,
            cache_limit_bytes: state.cache_limit_bytes,
            memory_limit_bytes: state.memory_limit_bytes,
            allocations: counters.hits + counters.misses + counters.fallbacks,
            frees: counters.frees,
            hits: counters.hits,
            misses: counters.misses,
            fallbacks: counters.fallbacks,
            evictions: counters.evictions,
            refusals: counters.refusals,
            last_refusal_errno: counters.last_refusal.map_or(0, |errno| errno.0),
            ..Stats::default()
        };
        if let Some(space) = &state.space {
            let size = space.range.size();
            stats.softened_bytes = wide(size.of(space.totals.cached.soft));
            stats.releasing_bytes = wide(size.of(space.totals.held));
            stats.mapped_bytes += wide(size.of(space.range.backed()));
            stats.reserved_bytes = wide(size.of(space.range.len()));
            stats.metadata_bytes = wide(space.metadata_bytes());
            let used = space.totals.live + space.totals.held + space.totals.cached.dirty();
            stats.zero_bytes = wide(size.of(space.range.backed() - used));
        }
        stats
    }

    /// Recounts every equation of the heap and its parts.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        if let Some(space) = &self.lock().space {
            space.check();
        }
        let stats = self.stats();
        let parts = stats.live_bytes + stats.cached_bytes + stats.zero_bytes;
        assert_eq!(stats.mapped_bytes, parts + stats.releasing_bytes, "{stats:?}");
        assert!(stats.softened_bytes <= stats.cached_bytes, "{stats:?}");
        assert!(stats.live_bytes <= stats.peak_live_bytes, "{stats:?}");
        assert_eq!(stats.allocations, stats.hits + stats.misses + stats.fallbacks, "{stats:?}");
        assert!(stats.frees <= stats.allocations, "{stats:?}");
    }

    /// Holds every lock, so that a child made by fork finds the heap whole.
    pub(crate) fn before_fork(&self) {
        self.trimming.lock(&self.os).keep();
        self.state.lock(&self.os).keep();
    }

    /// Lets go of every lock, in the parent and in the child.
    ///
    /// # Safety
    /// The thread, or in a child the thread it was made by, called `before_fork`.
    pub(crate) unsafe fn after_fork(&self) {
        // SAFETY: `before_fork` kept the lock held.
        unsafe { self.state.release(&self.os) };
        // SAFETY: as above.
        unsafe { self.trimming.release(&self.os) };
    }
}
