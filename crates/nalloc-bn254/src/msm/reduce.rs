//! From buckets to sums: of each window, i times bucket i.
//!
//! Buckets are cut into segments of l. Of every segment, from its top, S collects the buckets and T
//! what S was after each of them; one step of all segments of all windows is one block:
//!
//! ```text
//! S = sum of B(kl + j), T = sum of j B(kl + j), j = 1 .. l;   all = sum of T + l * sum of k S(k)
//! ```
//!
//! The sum of T is taken by halves, that of k S(k) is the same task again, with l times fewer
//! rows. What is left at last is added up one by one. 2 additions a bucket, and 2 / l more.

use super::adder::{BLOCK, Entry, Source, settled};
use super::buckets::Buckets;
use super::digits::WINDOWS_MAX;
use crate::curve::{CurveField, Xyzz};

/// Rows of each window that are added up one by one: vectors of additions are nearly empty here.
const ONE_BY_ONE: usize = 24;
/// The fewest rows of a segment.
const SEGMENT_MIN: usize = 8;
/// The most segments: their S and T are half of what there is beside the buckets.
const SEGMENTS_MAX: usize = BLOCK / 2;

/// Rows of one window: row `start` counts once, the next one twice, and so on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Span {
    /// No rows.
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };
}

impl<F: CurveField> Buckets<'_, F> {
    /// Writes the weighted sum of each span. `beside` is the first row that may be used.
    pub(super) fn reduce(&mut self, spans: &mut [Span], beside: usize, sums: &mut [Xyzz<F>]) {
        for span in spans.iter_mut() {
            while span.len > 0 && self.rows[span.start + span.len - 1].is_infinity() {
                span.len -= 1;
            }
        }
        let total: usize = spans.iter().map(|span| span.len).sum();
        if spans.iter().all(|span| span.len <= ONE_BY_ONE) {
            for (span, sum) in spans.iter().zip(sums) {
                *sum = self.sum_one_by_one(*span);
            }
            return;
        }
        let l = (total / SEGMENTS_MAX + 1).next_power_of_two().max(SEGMENT_MIN);
        let segments = spans.iter().map(|span| span.len.div_ceil(l)).sum::<usize>();
        let (s, t) = (beside, beside + segments);
        self.rows[s..t + segments].fill(crate::curve::Affine::INFINITY);
        for j in (0..l).rev() {
            let mut segment = 0;
            for span in spans.iter() {
                for k in 0..span.len.div_ceil(l) {
                    if k * l + j < span.len {
                        self.put(s + segment + k, span.start + k * l + j);
                    }
                }
                segment += span.len.div_ceil(l);
            }
            self.add_rows();
            for segment in 0..segments {
                self.put(t + segment, s + segment);
            }
            self.add_rows();
        }
        self.finish_spans(spans, l, [s, t, t + segments], sums);
    }

    /// Adds the sum of T and the weighted sum of S of each span.
    fn finish_spans(
        &mut self,
        spans: &[Span],
        l: usize,
        [s, t, beside]: [usize; 3],
        sums: &mut [Xyzz<F>],
    ) {
        // On the stack: the lengths tell how long scalars are.
        let (mut inner, mut outer) = ([Span::EMPTY; WINDOWS_MAX], [Span::EMPTY; WINDOWS_MAX]);
        let (inner, outer) = (&mut inner[..spans.len()], &mut outer[..spans.len()]);
        let mut segment = 0;
        for ((span, inner), outer) in spans.iter().zip(&mut *inner).zip(&mut *outer) {
            let segments = span.len.div_ceil(l);
            *outer = Span { start: t + segment, len: segments };
            *inner = Span { start: s + segment + 1, len: segments.saturating_sub(1) };
            segment += segments;
        }
        let mut halves = [Span::EMPTY; WINDOWS_MAX];
        let halves = &mut halves[..spans.len()];
        halves.copy_from_slice(outer);
        self.add_by_halves(halves);
        self.reduce(inner, beside, sums);
        for (span, sum) in outer.iter().zip(sums) {
            for _ in 0..l.ilog2() {
                *sum = sum.double();
            }
            if span.len != 0 {
                self.add_row(sum, span.start);
            }
        }
    }

    /// The sum of all buckets, each counted once.
    pub(super) fn sum_of_all(&mut self) -> Xyzz<F> {
        let mut spans = [Span { start: 1, len: self.count }];
        self.add_by_halves(&mut spans);
        let mut sum = Xyzz::INFINITY;
        self.add_row(&mut sum, 1);
        sum
    }

    /// Adds all rows of each span to its first one.
    fn add_by_halves(&mut self, spans: &mut [Span]) {
        while spans.iter().any(|span| span.len > 1) {
            for span in spans.iter_mut() {
                let half = span.len.div_ceil(2);
                for k in half..span.len {
                    self.put(span.start + k - half, span.start + k);
                }
                span.len = half;
            }
            self.add_rows();
        }
    }

    /// Row `from` is added to row `to`, in the block where neither is infinity.
    fn put(&mut self, to: usize, from: usize) {
        if self.rows[from].is_infinity() {
            return;
        }
        if self.rows[to].is_infinity() {
            self.rows[to] = self.rows[from];
            return;
        }
        self.block[self.in_block] = Entry::rows(to, from);
        self.in_block += 1;
        if self.in_block == BLOCK {
            self.add_rows();
        }
    }

    /// Does the additions of the block.
    fn add_rows(&mut self) {
        let entries = &self.block[..core::mem::take(&mut self.in_block)];
        self.adder.add(self.rows, Source::Rows, entries);
    }

    /// Adds a row to a sum.
    fn add_row(&self, sum: &mut Xyzz<F>, row: usize) {
        let point = settled(&self.rows[row]);
        if !point.is_infinity() {
            sum.add_affine(&point);
        }
    }

    fn sum_one_by_one(&self, span: Span) -> Xyzz<F> {
        let (mut running, mut sum) = (Xyzz::INFINITY, Xyzz::INFINITY);
        for row in (span.start..span.start + span.len).rev() {
            self.add_row(&mut running, row);
            sum.add(&running);
        }
        sum
    }
}
