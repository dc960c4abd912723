//! The two half-transforms, layer by layer. See the head of ntt.rs for what they compute.

use super::roots::Roots;
use crate::arch::Kernels;
use crate::arch::lanes::LANES;
use crate::field::Field;
use crate::observer::Stop;
use crate::pool::Pool;

/// Blocks of up to this many elements are finished before the next is begun: 32 KiB of elements
/// and as much of roots.
pub(super) const IN_CACHE_LEN: usize = 1024;
/// Butterflies of one task: about 30 microseconds.
const BUTTERFLIES_PER_TASK: usize = 2048;

/// The half-transforms of one domain. They ask before each piece whether to go on; where not, values
/// are of no use any more.
#[derive(Clone, Copy)]
pub(super) struct Butterflies<'a, F: Field> {
    pub(super) roots: &'a Roots<F>,
    pub(super) kernels: Kernels,
    pub(super) pool: &'a Pool,
    pub(super) stop: &'a Stop<'a>,
}

impl<F: Field> Butterflies<'_, F> {
    /// Bit-reversed order to natural order: every layer joins twice as much as the one before.
    pub(super) fn forward(self, values: &mut [F]) {
        if values.len() <= IN_CACHE_LEN {
            self.forward_in_cache(values);
            return settle(values);
        }
        let (low, high) = self.forward_halves(values);
        let layer = self.roots.layer(low.len());
        // What the last layer leaves is settled while it is near: one sweep over memory less.
        self.for_each_pair(low, high, |start, low, high| {
            self.forward_part(low, high, &layer[start..]);
            settle(low);
            settle(high);
        });
    }

    /// Transforms both halves, whose results are not settled.
    fn forward_halves(self, values: &mut [F]) -> (&mut [F], &mut [F]) {
        let (low, high) = values.split_at_mut(values.len() / 2);
        self.pool.join(|| self.forward_unsettled(low), || self.forward_unsettled(high));
        (low, high)
    }

    fn forward_unsettled(self, values: &mut [F]) {
        if values.len() <= IN_CACHE_LEN {
            return self.forward_in_cache(values);
        }
        let (low, high) = self.forward_halves(values);
        let layer = self.roots.layer(low.len());
        self.for_each_pair(low, high, |start, low, high| {
            self.forward_part(low, high, &layer[start..]);
        });
    }

    /// Runs `work` on pieces of both halves at equal places, until it shall stop.
    fn for_each_pair(
        self,
        low: &mut [F],
        high: &mut [F],
        work: impl Fn(usize, &mut [F], &mut [F]) + Send + Sync,
    ) {
        self.pool.for_each_chunk_pair_mut(low, high, BUTTERFLIES_PER_TASK, |start, low, high| {
            if !self.stop.is_wanted() {
                work(start, low, high);
            }
        });
    }

    fn forward_in_cache(self, values: &mut [F]) {
        if self.stop.is_wanted() {
            return;
        }
        let mut half = 1;
        while half < values.len() {
            let layer = self.roots.layer(half);
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                // Blocks of the first layers are too short for kernels, and many.
                if half < LANES {
                    F::butterfly_with_one(&mut low[0], &mut high[0]);
                    forward_run(&mut low[1..], &mut high[1..], &layer[1..]);
                } else {
                    self.forward_part(low, high, layer);
                }
            }
            half *= 2;
        }
    }

    /// (l, h) -> (l + w h, l - w h) for the roots w in a row.
    fn forward_part(self, low: &mut [F], high: &mut [F], roots: &[F]) {
        let done = F::forward_butterflies(self.kernels, low, high, roots);
        forward_run(&mut low[done..], &mut high[done..], &roots[done..]);
    }

    /// Natural order to bit-reversed order: every layer parts half as much as the one before.
    ///
    /// The results are N times the coefficients.
    pub(super) fn inverse(self, values: &mut [F]) {
        if values.len() <= IN_CACHE_LEN {
            return self.inverse_in_cache(values);
        }
        let (low, high) = values.split_at_mut(values.len() / 2);
        let layer = self.roots.layer(low.len());
        self.for_each_pair(low, high, |start, low, high| {
            self.inverse_part(low, high, layer, start);
        });
        self.pool.join(|| self.inverse(low), || self.inverse(high));
    }

    fn inverse_in_cache(self, values: &mut [F]) {
        if self.stop.is_wanted() {
            return;
        }
        let mut half = values.len() / 2;
        while half > 0 {
            let layer = self.roots.layer(half);
            for block in values.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                if half < LANES {
                    F::butterfly_with_one(&mut low[0], &mut high[0]);
                    inverse_run(&mut low[1..], &mut high[1..], &layer[1..]);
                } else {
                    self.inverse_part(low, high, layer, 0);
                }
            }
            half /= 2;
        }
        settle(values);
    }

    /// (l, h) -> (l + h, (l - h) / w^j) for a run of j that begins at `start`, from all the roots
    /// of the layer; (l - h) / w^j = (h - l) * w^(half - j), and for j = 0 there is nothing to
    /// multiply.
    fn inverse_part(self, low: &mut [F], high: &mut [F], layer: &[F], start: usize) {
        // A kernel begins at a whole group of elements.
        let mut first = 0;
        if start == 0 {
            F::butterfly_with_one(&mut low[0], &mut high[0]);
            first = low.len().min(LANES);
            let roots = roots_back(layer, 1, first - 1);
            inverse_run(&mut low[1..first], &mut high[1..first], roots);
        }
        let (low, high) = (&mut low[first..], &mut high[first..]);
        let roots = roots_back(layer, start + first, low.len());
        let done = F::inverse_butterflies(self.kernels, low, high, roots);
        let left = roots.len() - done;
        inverse_run(&mut low[done..], &mut high[done..], &roots[..left]);
    }
}

/// The roots w^(half - j) of a layer for `count` j from `start`, above 0, on, the last one first.
fn roots_back<F>(layer: &[F], start: usize, count: usize) -> &[F] {
    let end = layer.len() - start + 1;
    &layer[end - count..end]
}

/// Butterflies of a run in plain Rust.
#[inline]
fn forward_run<F: Field>(low: &mut [F], high: &mut [F], roots: &[F]) {
    for ((low, high), &root) in low.iter_mut().zip(high).zip(roots) {
        F::forward_butterfly(low, high, root);
    }
}

/// The same back; the roots begin with the last one.
#[inline]
fn inverse_run<F: Field>(low: &mut [F], high: &mut [F], roots: &[F]) {
    for ((low, high), &root) in low.iter_mut().zip(high).zip(roots.iter().rev()) {
        F::inverse_butterfly(low, high, root);
    }
}

/// Makes elements of the results of butterflies.
fn settle<F: Field>(values: &mut [F]) {
    for value in values {
        *value = value.settled();
    }
}
