//! What the pages of each granule hold: warm (resident, anything), soft (anything, and the kernel
//! may take them until they are written), or zero (never touched or given back; they read as zero).
//! Two bits a granule; zero is neither. Does not know who owns a granule; that is `extent`.

use super::va::Table;
use crate::config::DIRTY_RUNS_MAX;
use crate::os::{Errno, Os};
use crate::units::{Extent, Granules, Index};

/// How many granules of an extent are warm, and how many soft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) warm: Granules,
    pub(super) soft: Granules,
}

// SAFETY: both counts may be zero.
unsafe impl crate::zeroable::Zeroable for Counts {}

impl Counts {
    /// Warm granules and no others.
    pub(super) fn warm(count: Granules) -> Self {
        Self { warm: count, soft: Granules::ZERO }
    }

    /// Granules that may hold something else than zeros.
    pub(super) fn dirty(self) -> Granules {
        self.warm + self.soft
    }

    /// Granules that are wanted.
    pub(super) fn of(self, wanted: Wanted) -> Granules {
        match wanted {
            Wanted::Warm => self.warm,
            Wanted::Dirty => self.dirty(),
        }
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self { warm: self.warm + more.warm, soft: self.soft + more.soft }
    }

    pub(super) fn minus(self, less: Self) -> Self {
        Self { warm: self.warm - less.warm, soft: self.soft - less.soft }
    }
}

/// A state that pages can be put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backing {
    Warm,
    Soft,
    Zero,
}

/// The runs of granules of a block that may hold something else than zeros, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirtyRuns {
    runs: [Extent; DIRTY_RUNS_MAX],
    used: usize,
}

impl DirtyRuns {
    const NONE: Self =
        Self { runs: [Extent { at: Index(0), len: Granules::ZERO }; DIRTY_RUNS_MAX], used: 0 };

    /// One run.
    pub(super) fn whole(run: Extent) -> Self {
        let mut runs = Self::NONE;
        runs.push(run);
        runs
    }

    fn push(&mut self, run: Extent) {
        if let Some(last) = self.runs[..self.used].last_mut()
            && (last.end() == run.at || self.used == DIRTY_RUNS_MAX)
        {
            *last = Extent::between(last.at, run.end());
            return;
        }
        self.runs[self.used] = run;
        self.used += 1;
    }

    /// The runs, in order.
    pub(super) fn as_slice(&self) -> &[Extent] {
        &self.runs[..self.used]
    }
}

/// The words that hold the bits of an extent, each with a mask of the extent's bits in it.
fn words(extent: Extent) -> impl Iterator<Item = (usize, u64)> {
    let (at, end) = (extent.at.slot(), extent.end().slot());
    (at / 64..end.div_ceil(64)).map(move |word| {
        let low = at.saturating_sub(word * 64).min(64);
        let high = (end - word * 64).min(64);
        let below = |bits: usize| if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        (word, below(high) & !below(low))
    })
}

/// The states of all granules.
pub(super) struct Pages {
    warm: Table<u64>,
    soft: Table<u64>,
}

impl Pages {
    /// Room for the states of `len` granules, all zero.
    pub(super) fn reserve<O: Os>(os: &O, len: Granules) -> Result<Self, Errno> {
        let words = len.slots().div_ceil(64);
        let warm = Table::reserve(os, words)?;
        match Table::reserve(os, words) {
            Ok(soft) => Ok(Self { warm, soft }),
            Err(errno) => {
                warm.unreserve(os);
                Err(errno)
            }
        }
    }

    /// Gives the address space back, of which nothing is used any more.
    pub(super) fn unreserve<O: Os>(&self, os: &O) {
        self.warm.unreserve(os);
        self.soft.unreserve(os);
    }

    /// Makes the states of the granules before `end` usable.
    pub(super) fn back_to<O: Os>(&mut self, os: &O, end: Index) -> Result<(), Errno> {
        let words = end.slot().div_ceil(64);
        self.warm.back_to(os, words)?;
        self.soft.back_to(os, words)
    }

    /// Bytes that the states take.
    pub(super) fn backed_bytes(&self) -> usize {
        self.warm.backed_bytes() + self.soft.backed_bytes()
    }

    /// Counts the states of an extent.
    pub(super) fn count(&self, extent: Extent) -> Counts {
        let mut counts = Counts::default();
        for (word, mask) in words(extent) {
            counts.warm += Granules((self.warm[word] & mask).count_ones());
            counts.soft += Granules((self.soft[word] & mask).count_ones());
        }
        counts
    }

    /// Puts every granule of an extent into one state.
    pub(super) fn set(&mut self, extent: Extent, state: Backing) {
        for (word, mask) in words(extent) {
            let put = |bits: &mut u64, on: bool| {
                *bits = if on { *bits | mask } else { *bits & !mask };
            };
            put(&mut self.warm[word], state == Backing::Warm);
            put(&mut self.soft[word], state == Backing::Soft);
        }
    }

    /// Makes the warm granules of an extent soft; what is zero stays so.
    pub(super) fn soften(&mut self, extent: Extent) {
        for (word, mask) in words(extent) {
            self.soft[word] |= self.warm[word] & mask;
            self.warm[word] &= !mask;
        }
    }

    /// Where an extent may hold something else than zeros.
    pub(super) fn dirty_runs(&self, extent: Extent) -> DirtyRuns {
        let mut found = DirtyRuns::NONE;
        for (word, mask) in words(extent) {
            let mut bits = (self.warm[word] | self.soft[word]) & mask;
            while bits != 0 {
                let first = bits.trailing_zeros();
                let length = (bits >> first).trailing_ones();
                let at = Index::of_slot(word * 64) + Granules(first);
                found.push(Extent { at, len: Granules(length) });
                bits &= u64::MAX.checked_shl(first + length).unwrap_or(0);
            }
        }
        found
    }

    /// Whether an extent holds a granule that is wanted.
    pub(super) fn has(&self, extent: Extent, wanted: Wanted) -> bool {
        words(extent).any(|(word, mask)| self.bits(word, mask, wanted) != 0)
    }

    fn bits(&self, word: usize, mask: u64, wanted: Wanted) -> u64 {
        match wanted {
            Wanted::Warm => self.warm[word] & mask,
            Wanted::Dirty => (self.warm[word] | self.soft[word]) & mask,
        }
    }

    /// The shortest part of an extent that holds all of its granules that are wanted.
    pub(super) fn span(&self, extent: Extent, wanted: Wanted) -> Extent {
        let mut span: Option<Extent> = None;
        for (word, mask) in words(extent) {
            let bits = self.bits(word, mask, wanted);
            if bits != 0 {
                let base = Index::of_slot(word * 64);
                let at = span.map_or(base + Granules(bits.trailing_zeros()), |span| span.at);
                span = Some(Extent::between(at, base + Granules(64 - bits.leading_zeros())));
            }
        }
        span.unwrap_or(Extent { at: extent.at, len: Granules::ZERO })
    }
}

/// Which pages are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those that the kernel may not take yet.
    Warm,
    /// Those that may hold something else than zeros.
    Dirty,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fake::{Fake, Random};

    const LEN: usize = 300;

    fn extent(at: usize, len: usize) -> Extent {
        Extent::between(Index::of_slot(at), Index::of_slot(at + len))
    }

    #[test]
    fn states_agree_with_a_list() -> Result<(), Errno> {
        let fake = Fake::new(0, 4096);
        let mut pages = Pages::reserve(&&fake, extent(0, LEN).len)?;
        pages.back_to(&&fake, Index::of_slot(LEN))?;
        let mut list = [Backing::Zero; LEN];
        let mut random = Random(7);
        for step in 0..3000 {
            let mut any = || {
                let at = random.below(LEN);
                let len = random.below((LEN - at).min(70)) + 1;
                (Index::of_slot(at), Extent::between(Index::of_slot(at), Index::of_slot(at + len)))
            };
            let ((_, changed), (_, asked)) = (any(), any());
            let changed_part = &mut list[changed.at.slot()..changed.end().slot()];
            match [Backing::Warm, Backing::Soft, Backing::Zero][random.below(3)] {
                Backing::Soft => {
                    pages.soften(changed);
                    for state in changed_part {
                        if *state == Backing::Warm {
                            *state = Backing::Soft;
                        }
                    }
                }
                state => {
                    pages.set(changed, state);
                    changed_part.fill(state);
                }
            }

            let part = &list[asked.at.slot()..asked.end().slot()];
            let count = |wanted| part.iter().filter(|&&state| state == wanted).count();
            let counts = pages.count(asked);
            assert_eq!(counts.warm.slots(), count(Backing::Warm), "step {step}");
            assert_eq!(counts.soft.slots(), count(Backing::Soft), "step {step}");
            let is_dirty = |&state: &Backing| state != Backing::Zero;
            let span = pages.span(asked, Wanted::Dirty);
            let first = part.iter().position(is_dirty).map(|k| asked.at.slot() + k);
            let last = part.iter().rposition(is_dirty).map(|k| asked.at.slot() + k + 1);
            assert_eq!((!span.is_empty()).then_some(span.at.slot()), first, "step {step}");
            assert_eq!((!span.is_empty()).then_some(span.end().slot()), last, "step {step}");
            let warm = part.iter().position(|&state| state == Backing::Warm);
            assert_eq!(pages.span(asked, Wanted::Warm).is_empty(), warm.is_none(), "step {step}");
        }
        Ok(())
    }

    #[test]
    fn dirty_runs_are_exact_until_there_are_too_many_and_then_cover_the_rest() -> Result<(), Errno>
    {
        let fake = Fake::new(0, 4096);
        let mut pages = Pages::reserve(&&fake, extent(0, LEN).len)?;
        pages.back_to(&&fake, Index::of_slot(LEN))?;
        pages.set(extent(60, 10), Backing::Warm);
        pages.soften(extent(55, 20));
        pages.set(extent(128, 64), Backing::Warm);
        let exact = pages.dirty_runs(extent(0, LEN));
        assert_eq!(exact.as_slice(), [extent(60, 10), extent(128, 64)]);

        for at in (0..LEN).step_by(3) {
            pages.set(extent(at, 1), Backing::Warm);
        }
        let runs = pages.dirty_runs(extent(1, LEN - 1));

        assert_eq!(runs.as_slice().len(), DIRTY_RUNS_MAX);
        assert_eq!(runs.as_slice()[0], extent(3, 1));
        let last = runs.as_slice()[DIRTY_RUNS_MAX - 1];
        assert_eq!((last.at, last.end()), (Index(24), Index(298)));
        Ok(())
    }
}
