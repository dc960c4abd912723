//! Points to buckets: which additions make up a block, and what waits for the next one.
//!
//! Within a block a row may be added to once. Every bucket has a tag: empty, filled, or in this
//! block. A point for an empty bucket is copied into it; one for a bucket that is in the block
//! already goes to the queue, which the next block takes first. When the queue is full all the
//! same, because many digits are equal, it is folded: sorted by bucket, and added up pairwise, by
//! the same additions, until each bucket has one point in it. That keeps any input at a few times
//! the usual cost, and ends the last block.
//!
//! ```text
//! rows:  0 (unused) | buckets of the first window | of the next one | .. | ROWS_BESIDE for sums
//! ```

use super::adder::{Adder, BLOCK, Entry, FLAG_BITS, IMAGE, OPPOSITE, Points, Source, TO_SHIFT};
use super::digits::Digits;
use crate::curve::{Affine, CurveField};

/// Rows for the sums of a folded queue, or of a reduction.
pub(super) const ROWS_BESIDE: usize = 2 * BLOCK;
/// The most buckets of one task: tags are indexed by 16 bits.
pub(super) const BUCKETS_MAX: usize = 1 << 15;
/// Tags, so that an index of 16 bits needs no check.
pub(super) const TAGS: usize = 1 << 16;
/// Pairs of digits between two looks at the room that is left.
const STRIP: usize = 16;
/// What a strip may add to the block or to the queue.
const STRIP_ENTRIES: usize = 2 * STRIP;
/// A queue that is longer than this when a block begins is folded.
const QUEUE_MAX: usize = BLOCK / 2;

const EMPTY: u8 = 0;
const FILLED: u8 = 1;
/// Tags from here on say that the bucket is in a block.
const FIRST_BLOCK: u8 = 2;

/// What one thread works with.
pub(super) struct Buckets<'a, F> {
    pub(super) rows: &'a mut [Affine<F>],
    pub(super) tags: &'a mut [u8; TAGS],
    pub(super) block: &'a mut [Entry; BLOCK],
    pub(super) queue: &'a mut [Entry; BLOCK],
    pub(super) adder: Box<dyn Adder<F> + 'a>,
    /// Tag of the block that is being filled.
    pub(super) current: u8,
    /// Entries of the block and of the queue.
    pub(super) in_block: usize,
    pub(super) in_queue: usize,
    /// Buckets in use.
    pub(super) count: usize,
    /// Whose turn it is, where buckets take turns.
    pub(super) turn: usize,
}

/// Points: the indices of each, from `first` on.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) order: &'a [u32],
    pub(super) first: usize,
}

/// Where entries go. Lengths are passed by value: in memory, a tag's byte could be one of theirs.
struct Lists<'a> {
    tags: &'a mut [u8; TAGS],
    block: &'a mut [Entry; BLOCK],
    queue: &'a mut [Entry; BLOCK],
}

impl Lists<'_> {
    /// Whether the entry's bucket was empty; it counts as filled from now on.
    #[inline]
    fn fill(&mut self, entry: Entry) -> bool {
        let tag = &mut self.tags[entry.to() % TAGS];
        let is_empty = *tag == EMPTY;
        if is_empty {
            *tag = FILLED;
        }
        is_empty
    }

    /// Adds an entry to the block or to the queue, of so many entries; how many there are then.
    #[inline]
    fn push(
        &mut self,
        entry: Entry,
        current: u8,
        (in_block, in_queue): (usize, usize),
    ) -> (usize, usize) {
        let tag = &mut self.tags[entry.to() % TAGS];
        // Both are written, and one counts: which one cannot be predicted.
        let is_free = usize::from(*tag != current);
        *tag = current;
        self.block[in_block % BLOCK] = entry;
        self.queue[in_queue % BLOCK] = entry;
        (in_block + is_free, in_queue + 1 - is_free)
    }
}

impl<F: CurveField> Buckets<'_, F> {
    /// Empties the first `count` buckets.
    pub(super) fn begin(&mut self, count: usize) {
        debug_assert!(count <= BUCKETS_MAX && count + ROWS_BESIDE < self.rows.len());
        self.tags[..=count].fill(EMPTY);
        self.rows[..=count].fill(Affine::INFINITY);
        (self.current, self.in_block, self.in_queue) = (FIRST_BLOCK, 0, 0);
        (self.count, self.turn) = (count, 0);
    }

    /// Adds points by their digits; those of size m go to bucket `offset` + m. Points that come
    /// next, `ahead`, are fetched meanwhile.
    pub(super) fn add(
        &mut self,
        points: Points<'_, F>,
        run: Run<'_>,
        digits: &[Digits],
        offset: usize,
        ahead: Run<'_>,
    ) {
        let strips = run.order.chunks(STRIP).zip(digits.chunks(STRIP));
        let mut next = ahead.order.chunks(STRIP);
        for (order, digits) in strips {
            self.adder.prefetch(&points, next.next().unwrap_or_default(), ahead.first);
            // Twice, where nearly a whole queue goes to the next block at once.
            while self.in_block.max(self.in_queue) > BLOCK - STRIP_ENTRIES {
                self.flush(points);
            }
            self.add_strip(&points, Run { order, ..run }, digits, offset as u64);
        }
    }

    /// As [`add`](Self::add), where there is room.
    fn add_strip(&mut self, points: &Points<'_, F>, run: Run<'_>, digits: &[Digits], offset: u64) {
        let mut lists = Lists { tags: self.tags, block: self.block, queue: self.queue };
        let mut lens = (self.in_block, self.in_queue);
        let first = run.first as u64;
        for (&index, digits) in run.order.iter().zip(digits) {
            let from = (first + u64::from(index)) << FLAG_BITS;
            let [first, second] = digits.0;
            for (digit, image) in [(first, 0), (second, IMAGE)] {
                if digit != 0 {
                    let bucket = offset + u64::from(digit.unsigned_abs());
                    let opposite = if digit < 0 { OPPOSITE } else { 0 };
                    let entry = Entry(bucket << TO_SHIFT | from | image | opposite);
                    if lists.fill(entry) {
                        self.rows[entry.to()] = points.get(entry);
                    } else {
                        lens = lists.push(entry, self.current, lens);
                    }
                }
            }
        }
        (self.in_block, self.in_queue) = lens;
    }

    /// Does the additions of the block, and begins the next one with the queue.
    fn flush(&mut self, points: Points<'_, F>) {
        self.add_block(Source::Points(points));
        let waiting = core::mem::take(&mut self.in_queue);
        let mut lists = Lists { tags: self.tags, block: self.block, queue: self.queue };
        let mut lens = (0, 0);
        for index in 0..waiting {
            let entry = lists.queue[index];
            if lists.fill(entry) {
                self.rows[entry.to()] = points.get(entry);
            } else {
                lens = lists.push(entry, self.current, lens);
            }
        }
        (self.in_block, self.in_queue) = lens;
        if self.in_queue > QUEUE_MAX {
            self.add_block(Source::Points(points));
            self.fold(points);
        }
    }

    /// Adds points, or their opposites, to the buckets in turn: whoever wants the sum of all of
    /// them meets no conflicts.
    pub(super) fn add_in_turn(&mut self, points: Points<'_, F>, order: &[u32], opposite: u64) {
        for &index in order {
            let entry = Entry::rows(1 + self.turn, index as usize);
            let entry = Entry(entry.0 | opposite);
            let tag = &mut self.tags[entry.to() % TAGS];
            if *tag == EMPTY {
                *tag = FILLED;
                self.rows[entry.to()] = points.get(entry);
            } else {
                self.block[self.in_block] = entry;
                self.in_block += 1;
            }
            self.turn += 1;
            if self.turn == self.count {
                self.turn = 0;
                self.add_block(Source::Points(points));
            }
        }
    }

    /// Does all that waits.
    pub(super) fn finish(&mut self, points: Points<'_, F>) {
        self.add_block(Source::Points(points));
        self.fold(points);
    }

    /// Does the additions of the block.
    fn add_block(&mut self, source: Source<'_, F>) {
        let entries = &self.block[..core::mem::take(&mut self.in_block)];
        if self.adder.add(self.rows, source, entries) {
            for entry in entries {
                if self.rows[entry.to()].is_infinity() {
                    self.tags[entry.to() % TAGS] = EMPTY;
                }
            }
        }
        self.current =
            if self.current == u8::MAX { self.forget_blocks() } else { self.current + 1 };
    }

    /// Makes the tags of all former blocks mean no more than that a bucket is filled.
    #[cold]
    fn forget_blocks(&mut self) -> u8 {
        for tag in &mut self.tags[..=self.count] {
            *tag = (*tag).min(FILLED);
        }
        FIRST_BLOCK
    }

    /// Adds up what the queue has for each bucket, and adds that to the bucket.
    fn fold(&mut self, points: Points<'_, F>) {
        let len = core::mem::take(&mut self.in_queue);
        let beside = self.count + 1;
        // On the stack: a sort of what becomes zero meanwhile may panic.
        let mut sorted = *self.queue;
        sorted[..len].sort_unstable();
        for (index, &entry) in sorted[..len].iter().enumerate() {
            self.rows[beside + index] = points.get(entry);
            self.queue[index] = Entry::rows(entry.to(), beside + index);
        }
        let (mut left, mut before) = (len, len + 1);
        while left < before {
            before = left;
            left = self.fold_once(before);
        }
        for index in 0..left {
            let entry = self.queue[index];
            if self.tags[entry.to() % TAGS] == EMPTY {
                self.tags[entry.to() % TAGS] = FILLED;
                self.rows[entry.to()] = self.rows[entry.from()];
            } else {
                self.block[self.in_block] = entry;
                self.in_block += 1;
            }
        }
        self.add_block(Source::Rows);
    }

    /// Adds neighbours in the queue that are for the same bucket; how many entries are left.
    fn fold_once(&mut self, len: usize) -> usize {
        let (mut left, mut index) = (0, 0);
        let mut pairs = 0;
        while index < len {
            let entry = self.queue[index];
            let next = self.queue[..len].get(index + 1).filter(|next| next.to() == entry.to());
            if let Some(next) = next {
                self.block[pairs] = Entry::rows(entry.from(), next.from());
                pairs += 1;
                index += 1;
            }
            self.queue[left] = entry;
            left += 1;
            index += 1;
        }
        if !self.adder.add(self.rows, Source::Rows, &self.block[..pairs]) {
            return left;
        }
        let mut kept = 0;
        for index in 0..left {
            let entry = self.queue[index];
            if !self.rows[entry.from()].is_infinity() {
                self.queue[kept] = entry;
                kept += 1;
            }
        }
        kept
    }
}
