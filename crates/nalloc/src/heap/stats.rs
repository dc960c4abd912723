//! What the heap counts, and how it tells.

use core::fmt;

use crate::os::Errno;

/// What the large heap did and has, in bytes unless said otherwise; and the secret memory of the
/// process, of which that of arenas lies in the heap and all other has mappings of its own.
///
/// These hold in every snapshot:
///
/// * `mapped_bytes` = `live_bytes` + `cached_bytes` + `zero_bytes` + `releasing_bytes`
/// * `softened_bytes` <= `cached_bytes`, and `live_bytes` <= `peak_live_bytes`
/// * `locked_bytes` <= `secret_bytes`
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
    /// In secret pages that the kernel keeps out of swap.
    pub locked_bytes: u64,
    /// Arenas that were made and not dropped.
    pub arenas: u64,
    /// Blocks handed out; growth in place is none.
    pub allocations: u64,
    /// Blocks taken back.
    pub frees: u64,
    /// Blocks that found all their pages in the cache.
    pub hits: u64,
    /// Blocks with at least one page fresh from the kernel.
    pub misses: u64,
    /// Blocks with a mapping of their own, because the range had no room or there is none.
    pub fallbacks: u64,
    /// Calls that gave cached pages back to the kernel.
    pub evictions: u64,
    /// Calls that the kernel refused where the heap could go on without.
    pub refusals: u64,
    /// What the kernel answered the last time; 0 when it never refused.
    pub last_refusal_errno: i32,
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
            ("lockedBytes", self.locked_bytes),
            ("arenas", self.arenas),
            ("allocations", self.allocations),
            ("frees", self.frees),
            ("hits", self.hits),
            ("misses", self.misses),
            ("fallbacks", self.fallbacks),
            ("evictions", self.evictions),
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
        write!(out, "\"lastRefusalErrno\":{}}}", self.last_refusal_errno)
    }
}

/// Events, counted under the heap's lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) fallbacks: u64,
    pub(super) frees: u64,
    pub(super) evictions: u64,
    pub(super) refusals: u64,
    pub(super) last_refusal: Option<Errno>,
}

impl Counters {
    pub(super) const NONE: Self = Self {
        hits: 0,
        misses: 0,
        fallbacks: 0,
        frees: 0,
        evictions: 0,
        refusals: 0,
        last_refusal: None,
    };

    /// Counts what the kernel refused.
    pub(super) fn refuse(&mut self, errno: Errno) {
        self.refusals += 1;
        self.last_refusal = Some(errno);
    }
}
