//! What the heap counts, and how it tells.

use core::fmt;

use super::clock::Helper;
use super::{Heap, Phases, Record, State};
use crate::config::environment::{self, Destination, PATH_BYTES_MAX, Settings};
use crate::config::{
    BACKGROUND, CACHE_BOUND, CACHE_LIMIT, HUGE_PAGES, MEMORY_LIMIT, STATS, Setting, TRACE, VERBOSE,
};
use crate::os::{Errno, Os, probe};
use crate::text::Line;
use crate::units::wide;

/// Whether the heap asked for huge pages. What it got is [`huge_bytes`](crate::huge_bytes).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HugePages {
    /// It did not: `NALLOC_THP=never`, or the system never gives any, or there is no range.
    #[default]
    Off,
    /// It did, for the whole range.
    Asked,
    /// It did, and the kernel refused.
    Refused,
}

impl HugePages {
    const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Asked => "asked",
            Self::Refused => "refused",
        }
    }
}

/// What the large heap did and has, in bytes unless said otherwise; and the secret memory of the
/// process, of which that of arenas lies in the heap and all other has mappings of its own.
///
/// These hold in every snapshot:
///
/// * `mapped_bytes` = `live_bytes` + `cached_bytes` + `zero_bytes` + `releasing_bytes`
/// * `softened_bytes` <= `cached_bytes`, and `live_bytes` <= `peak_live_bytes`
/// * `locked_bytes` <= `secret_bytes`, and `secret_arena_bytes` <= `secret_bytes`
/// * `allocations` = `hits` + `misses` + `fallbacks`, and `frees` <= `allocations`
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// In blocks that are in use, whole pages counted.
    pub live_bytes: u64,
    /// The highest `live_bytes` since the start or the last [`reset_peak`](crate::reset_peak).
    pub peak_live_bytes: u64,
    /// In pages that are free and still resident, or softened.
    pub cached_bytes: u64,
    /// In cached pages that the kernel may take without asking.
    pub softened_bytes: u64,
    /// In free pages that were never touched or were given back to the kernel.
    pub zero_bytes: u64,
    /// In free pages that are being given back to the kernel at this moment.
    pub releasing_bytes: u64,
    /// Readable and writable address space for blocks.
    pub mapped_bytes: u64,
    /// Address space reserved for blocks.
    pub reserved_bytes: u64,
    /// Readable and writable address space for the heap's own tables.
    pub metadata_bytes: u64,
    /// What may stay cached once nobody is at work.
    pub cache_limit_bytes: u64,
    /// What may be live at once, if that is limited.
    pub memory_limit_bytes: Option<u64>,
    /// In the pages of live [`SecretBuf`](crate::SecretBuf)s and
    /// [`SealedSecret`](crate::SealedSecret)s, and the capacity of live secret arenas.
    pub secret_bytes: u64,
    /// The part of `secret_bytes` in arenas, which `live_bytes` has too.
    pub secret_arena_bytes: u64,
    /// In secret pages that the kernel keeps out of swap.
    pub locked_bytes: u64,
    /// Arenas that were made and not dropped.
    pub arenas: u64,
    /// In memory that stays mapped for good, because somebody may still point to it.
    pub retired_bytes: u64,
    /// Blocks handed out; growth in place is none.
    pub allocations: u64,
    /// Blocks taken back.
    pub frees: u64,
    /// Blocks that found all their pages in the cache.
    pub hits: u64,
    /// Blocks with at least one page fresh from the kernel.
    pub misses: u64,
    /// Blocks with a mapping of their own: because the range had no room, or there is none, or as
    /// [`Block::mapped`](crate::Block::mapped) asks for.
    pub fallbacks: u64,
    /// Zeroed blocks from small pages that nobody had touched, because their size is used sparsely.
    pub untouched: u64,
    /// Calls that gave cached pages back to the kernel.
    pub evictions: u64,
    /// Times that the helper thread found tasks waiting for memory, and gave up cached pages.
    pub pressures: u64,
    /// Calls that the kernel refused where the heap could go on without.
    pub refusals: u64,
    /// What the kernel answered the last time; 0 when it never refused.
    pub last_refusal_errno: i32,
    /// Whether huge pages were asked for.
    pub huge_pages: HugePages,
    /// Whether the helper thread lives.
    pub has_helper: bool,
    /// What was live in each named span of time; see [`phase`](crate::phase()).
    pub phases: Phases,
}

impl Stats {
    /// Writes the statistics as one JSON object with names in camelCase.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let numbers = [
            ("liveBytes", self.live_bytes),
            ("peakLiveBytes", self.peak_live_bytes),
            ("cachedBytes", self.cached_bytes),
            ("softenedBytes", self.softened_bytes),
            ("zeroBytes", self.zero_bytes),
            ("releasingBytes", self.releasing_bytes),
            ("mappedBytes", self.mapped_bytes),
            ("reservedBytes", self.reserved_bytes),
            ("metadataBytes", self.metadata_bytes),
            ("cacheLimitBytes", self.cache_limit_bytes),
            ("secretBytes", self.secret_bytes),
            ("secretArenaBytes", self.secret_arena_bytes),
            ("lockedBytes", self.locked_bytes),
            ("arenas", self.arenas),
            ("retiredBytes", self.retired_bytes),
            ("allocations", self.allocations),
            ("frees", self.frees),
            ("hits", self.hits),
            ("misses", self.misses),
            ("fallbacks", self.fallbacks),
            ("untouched", self.untouched),
            ("evictions", self.evictions),
            ("pressures", self.pressures),
            ("refusals", self.refusals),
        ];
        out.write_char('{')?;
        for (name, value) in numbers {
            write!(out, "\"{name}\":{value},")?;
        }
        match self.memory_limit_bytes {
            Some(limit) => write!(out, "\"memoryLimitBytes\":{limit},")?,
            None => out.write_str("\"memoryLimitBytes\":null,")?,
        }
        write!(out, "\"lastRefusalErrno\":{},", self.last_refusal_errno)?;
        write!(out, "\"hugePages\":\"{}\",", self.huge_pages.name())?;
        write!(out, "\"hasHelper\":{},", self.has_helper)?;
        write!(out, "\"phasesMissed\":{},\"phases\":[", self.phases.missed())?;
        for (k, phase) in self.phases.iter().enumerate() {
            out.write_str(if k == 0 { "{\"name\":\"" } else { ",{\"name\":\"" })?;
            write_escaped(out, phase.name)?;
            write!(out, "\",\"times\":{},\"open\":{},", phase.times, phase.open)?;
            write!(out, "\"peakLiveBytes\":{}}}", phase.peak_live_bytes)?;
        }
        out.write_str("]}")
    }
}

/// Writes the inside of a JSON string.
fn write_escaped(out: &mut dyn fmt::Write, text: &str) -> fmt::Result {
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(out, "\\{letter}")?,
            '\0'..='\x1f' => write!(out, "\\u{:04x}", u32::from(letter))?,
            _ => out.write_char(letter)?,
        }
    }
    Ok(())
}

/// A limit in bytes, if there is one.
struct Limit(Option<u64>);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{bytes}"),
            None => f.write_str("none"),
        }
    }
}

/// A number of bytes for people: MiB with one decimal.
struct Mib(u64);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10 + (1 << 19)) >> 20;
        write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
    }
}

/// Events, counted under the heap's lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) fallbacks: u64,
    pub(super) frees: u64,
    pub(super) untouched: u64,
    pub(super) evictions: u64,
    pub(super) pressures: u64,
    pub(super) refusals: u64,
    pub(super) last_refusal: Option<Errno>,
}

impl Counters {
    pub(super) const NONE: Self = Self {
        hits: 0,
        misses: 0,
        fallbacks: 0,
        frees: 0,
        untouched: 0,
        evictions: 0,
        pressures: 0,
        refusals: 0,
        last_refusal: None,
    };

    /// Blocks handed out.
    pub(super) fn allocations(&self) -> u64 {
        self.hits + self.misses + self.fallbacks
    }

    /// Calls that handed a block out or took one back.
    pub(super) fn calls(&self) -> u64 {
        self.allocations() + self.frees
    }

    /// Counts what the kernel refused.
    pub(super) fn refuse(&mut self, errno: Errno) {
        self.refusals += 1;
        self.last_refusal = Some(errno);
    }
}

impl State {
    fn stats(&mut self) -> Stats {
        self.note_peaks();
        let counters = self.counters;
        let mut stats = Stats {
            live_bytes: self.live_bytes(),
            peak_live_bytes: self.peak_bytes,
            cached_bytes: self.cached_bytes(),
            mapped_bytes: self.direct_bytes,
            cache_limit_bytes: self.cache_limit_bytes,
            memory_limit_bytes: self.memory_limit_bytes,
            allocations: counters.allocations(),
            frees: counters.frees,
            hits: counters.hits,
            misses: counters.misses,
            fallbacks: counters.fallbacks,
            untouched: counters.untouched,
            evictions: counters.evictions,
            pressures: counters.pressures,
            refusals: counters.refusals,
            last_refusal_errno: counters.last_refusal.map_or(0, |errno| errno.0),
            huge_pages: self.huge_pages,
            has_helper: self.clock.helper() == Helper::Alive,
            phases: self.phases,
            ..Stats::default()
        };
        for space in self.spaces() {
            let bytes = |granules| wide(space.range.size().of(granules));
            stats.softened_bytes += bytes(space.totals.cached.soft);
            stats.releasing_bytes += bytes(space.totals.held);
            stats.mapped_bytes += bytes(space.range.backed());
            stats.reserved_bytes += bytes(space.range.len());
            stats.metadata_bytes += wide(space.metadata_bytes());
            let used = space.totals.live + space.totals.held + space.totals.cached.dirty();
            stats.zero_bytes += bytes(space.range.backed() - used);
        }
        stats
    }

    /// Tells every setting in force, in one line on standard error.
    pub(super) fn tell_settings<O: Os>(&self, os: &O, settings: &Settings) {
        let name = |setting: &Setting| setting.name.to_bytes().escape_ascii();
        let limit = Limit(settings.memory_limit_bytes);
        let bound = Limit(settings.is_always_bound.then_some(settings.cache_limit_bytes));
        let line = Line::of(format_args!(
            "nalloc {}: {}={} {}={bound} {}={limit} {}={} (huge pages {}) {}={} {}={} {}={} {}=1, \
             {} bytes reserved",
            env!("CARGO_PKG_VERSION"),
            name(&CACHE_LIMIT),
            settings.cache_limit_bytes,
            name(&CACHE_BOUND),
            name(&MEMORY_LIMIT),
            name(&HUGE_PAGES),
            settings.huge.name(),
            self.huge_pages.name(),
            name(&BACKGROUND),
            u8::from(settings.has_helper),
            name(&STATS),
            u8::from(settings.is_told_at_exit),
            name(&TRACE),
            u8::from(settings.is_traced),
            name(&VERBOSE),
            self.main.as_ref().map_or(0, |space| space.range.run().bytes),
        ));
        os.tell(line.as_bytes());
    }
}

impl<O: Os> Heap<O> {
    /// What the heap did and has.
    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// Begins a new peak at what is live now.
    pub(crate) fn reset_peak(&self) {
        let mut state = self.lock();
        state.note_peaks();
        state.peak_bytes = state.live_bytes();
    }

    /// Begins a phase; its place, if there is one.
    pub(crate) fn begin_phase(&self, name: &'static str) -> Option<usize> {
        let mut state = self.lock();
        state.note_peaks();
        let place = state.phases.begin(name);
        drop(state);
        if let Some(phase) = place {
            self.record(&Record::Begin { phase, name });
        }
        place
    }

    /// Ends a phase that `begin_phase` gave a place.
    pub(crate) fn end_phase(&self, place: usize) {
        let mut state = self.lock();
        state.note_peaks();
        state.phases.end(place);
        drop(state);
        self.record(&Record::End { phase: place });
    }

    /// Bytes of the heap that are in huge pages, as the kernel tells; None when it does not.
    pub(crate) fn huge_bytes(&self) -> Option<u64> {
        let state = self.lock();
        let run = state.main.as_ref().map(|space| space.range.run());
        drop(state);
        run.map_or(Some(0), |run| probe::huge_bytes(&self.os, run))
    }

    /// Tells `stats` where `NALLOC_STATS` says: for people on standard error, and as one JSON
    /// object in a file.
    pub(crate) fn tell(&self, stats: &Stats) {
        let mut buffer = [0; PATH_BYTES_MAX];
        let Some(destination) = environment::stats_destination(&self.os, &mut buffer) else {
            return;
        };
        match destination {
            Destination::StandardError => stats.tell(&self.os),
            Destination::File(path) => {
                let line = Line::of(format_args!("{}", Json(stats)));
                if let Err(errno) = self.os.append(path, line.as_bytes()) {
                    let line = Line::of(format_args!(
                        "nalloc: {}: expected a file that can be written, got errno {}",
                        STATS.name.to_bytes().escape_ascii(),
                        errno.0
                    ));
                    self.os.tell(line.as_bytes());
                }
            }
        }
    }

    /// Recounts every equation of the heap and its parts.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn check(&self) {
        for space in self.lock().spaces() {
            space.check();
        }
        let stats = self.stats();
        let parts = stats.live_bytes + stats.cached_bytes + stats.zero_bytes;
        assert_eq!(stats.mapped_bytes, parts + stats.releasing_bytes, "{stats:?}");
        assert!(stats.softened_bytes <= stats.cached_bytes, "{stats:?}");
        assert!(stats.live_bytes <= stats.peak_live_bytes, "{stats:?}");
        assert_eq!(stats.allocations, stats.hits + stats.misses + stats.fallbacks, "{stats:?}");
        assert!(stats.frees <= stats.allocations, "{stats:?}");
        for phase in stats.phases.iter() {
            assert!(phase.open <= phase.times, "{stats:?}");
            assert!(phase.open == 0 || stats.live_bytes <= phase.peak_live_bytes, "{stats:?}");
        }
    }
}

/// Statistics as JSON.
struct Json<'a>(&'a Stats);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_json(f)
    }
}

impl Stats {
    /// Tells the statistics to people, a line for the heap and one for each phase.
    fn tell<O: Os>(&self, os: &O) {
        let line = Line::of(format_args!(
            "nalloc: peak {} live, {} cached at exit; {} blocks: {} warm, {} fresh, {} mapped; \
             {} pieces given back to the kernel, {} refusals",
            Mib(self.peak_live_bytes),
            Mib(self.cached_bytes),
            self.allocations,
            self.hits,
            self.misses,
            self.fallbacks,
            self.evictions,
            self.refusals
        ));
        os.tell(line.as_bytes());
        for phase in self.phases.iter() {
            let (name, peak) = (phase.name, Mib(phase.peak_live_bytes));
            let line =
                Line::of(format_args!("nalloc: {name}: {} times, peak {peak} live", phase.times));
            os.tell(line.as_bytes());
        }
    }
}
