//! The two half-transforms, layer by layer. See the head of ntt.rs for what they compute.

use super::roots::Roots;
use crate::field::Field;
use crate::pool::Pool;

/// Blocks of up to this many elements are finished before the next is begun: 32 KiB of elements
/// and as much of roots.
pub(super) const IN_CACHE_LEN: usize = 1024;
/// Butterflies of one task: about 30 microseconds.
const BUTTERFLIES_PER_TASK: usize = 2048;

/// Bit-reversed order to natural order: every layer joins twice as much as the one before.
pub(super) fn forward<F: Field>(values: &mut [F], roots: &Roots<F>, pool: &Pool) {
    if values.len() <= IN_CACHE_LEN {
        forward_in_cache(values, roots);
        return settle(values);
    }
    let (low, high) = forward_halves(values, roots, pool);
    let layer = roots.layer(low.len());
    // What the last layer leaves is settled while it is near: one sweep over memory less.
    pool.for_each_chunk_pair_mut(low, high, BUTTERFLIES_PER_TASK, |start, low, high| {
        forward_butterflies(low, high, &layer[start..]);
        settle(low);
        settle(high);
    });
}

/// Transforms both halves, whose results are not settled.
fn forward_halves<'v, F: Field>(
    values: &'v mut [F],
    roots: &Roots<F>,
    pool: &Pool,
) -> (&'v mut [F], &'v mut [F]) {
    let (low, high) = values.split_at_mut(values.len() / 2);
    pool.join(|| forward_unsettled(low, roots, pool), || forward_unsettled(high, roots, pool));
    (low, high)
}

fn forward_unsettled<F: Field>(values: &mut [F], roots: &Roots<F>, pool: &Pool) {
    if values.len() <= IN_CACHE_LEN {
        return forward_in_cache(values, roots);
    }
    let (low, high) = forward_halves(values, roots, pool);
    let layer = roots.layer(low.len());
    pool.for_each_chunk_pair_mut(low, high, BUTTERFLIES_PER_TASK, |start, low, high| {
        forward_butterflies(low, high, &layer[start..]);
    });
}

/// Natural order to bit-reversed order: every layer parts half as much as the one before.
///
/// The results are N times the coefficients.
pub(super) fn inverse<F: Field>(values: &mut [F], roots: &Roots<F>, pool: &Pool) {
    if values.len() <= IN_CACHE_LEN {
        return inverse_in_cache(values, roots);
    }
    let (low, high) = values.split_at_mut(values.len() / 2);
    let layer = roots.layer(low.len());
    pool.for_each_chunk_pair_mut(low, high, BUTTERFLIES_PER_TASK, |start, low, high| {
        inverse_layer_part(low, high, layer, start);
    });
    pool.join(|| inverse(low, roots, pool), || inverse(high, roots, pool));
}

fn forward_in_cache<F: Field>(values: &mut [F], roots: &Roots<F>) {
    let mut half = 1;
    while half < values.len() {
        let layer = roots.layer(half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            F::butterfly_with_one(&mut low[0], &mut high[0]);
            forward_butterflies(&mut low[1..], &mut high[1..], &layer[1..]);
        }
        half *= 2;
    }
}

fn inverse_in_cache<F: Field>(values: &mut [F], roots: &Roots<F>) {
    let mut half = values.len() / 2;
    while half > 0 {
        let layer = roots.layer(half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            inverse_layer_part(low, high, layer, 0);
        }
        half /= 2;
    }
    settle(values);
}

/// Makes elements of the results of butterflies.
fn settle<F: Field>(values: &mut [F]) {
    for value in values {
        *value = value.settled();
    }
}

/// (l, h) -> (l + w h, l - w h) for the roots w in a row.
fn forward_butterflies<F: Field>(low: &mut [F], high: &mut [F], roots: &[F]) {
    for ((low, high), &root) in low.iter_mut().zip(high).zip(roots) {
        F::forward_butterfly(low, high, root);
    }
}

/// (l, h) -> (l + h, (l - h) / w^j) for a run of j that begins at `start`, from all the roots of
/// the layer; (l - h) / w^j = (h - l) * w^(half - j), and for j = 0 there is nothing to multiply.
fn inverse_layer_part<F: Field>(low: &mut [F], high: &mut [F], layer: &[F], start: usize) {
    let skip = usize::from(start == 0);
    if skip == 1 {
        F::butterfly_with_one(&mut low[0], &mut high[0]);
    }
    let end = layer.len() - start - skip + 1;
    let roots = layer[..end].iter().rev();
    for ((low, high), &root) in low[skip..].iter_mut().zip(&mut high[skip..]).zip(roots) {
        F::inverse_butterfly(low, high, root);
    }
}
