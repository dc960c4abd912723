//! Division by X - z, many places at once.
//!
//! The quotient's coefficients are the values at z of what lies above each place: q[i] = p[i + 1] +
//! z q[i + 1], a chain of as many multiplications as there are coefficients. To cut it:
//!
//! 1. The values at z of segments of 120 coefficients, each by an inner product.
//! 2. These values are coefficients of a polynomial in z^120, and its quotient by X - z^120 says
//!    what lies above each segment: this algorithm again, with a 120th of the coefficients.
//! 3. From there on the chains of 128 segments go down side by side, in lanes.
//!
//! Cost: two multiplications and an addition for each coefficient. Takes the same time for all
//! values. In step 3 the places of the segments are 120 * 32 bytes apart: 128 instead of 120 would
//! put all of them into the same set of the first-level cache.

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::Watched;

use super::evaluate::{BLOCK_LEN, Powers};
use super::scratch::Scratch;

/// Coefficients of a segment.
const SEGMENT_LEN: usize = 120;
/// Segments that go side by side. 2^20 coefficients in place took 14.1 ms with 32 of them and 11.7 to
/// 12.8 with 128, in separate runs of `cargo bench --bench bn254 -- 'polynomial divide by'`, 2-core
/// Zen 4, 2026-11-22.
const SEGMENTS_PER_TASK: usize = 128;
/// Up to here one chain is as fast: lanes are filled by eight segments.
const CHAIN_LEN_MAX: usize = 8 * SEGMENT_LEN;

const _: () = assert!(SEGMENT_LEN <= BLOCK_LEN, "a table holds the powers for a segment");

/// Coefficients become those of the quotient by X - z, the last of which is zero; returns the
/// remainder, which is the value at z. Where it is stopped, coefficients are anything.
pub(super) fn divide<F: Field>(
    coefficients: &mut [F],
    z: F,
    pool: Watched<'_>,
) -> Result<F, Error> {
    pool.go_on()?;
    if coefficients.len() <= CHAIN_LEN_MAX {
        return Ok(divide_in_a_chain(coefficients, z, F::ZERO));
    }
    let powers = Powers::new(z, SEGMENT_LEN);
    let mut above = Scratch::zeroed(coefficients.len().div_ceil(SEGMENT_LEN))?;
    let all = &*coefficients;
    pool.for_each_chunk_mut(&mut above, SEGMENTS_PER_TASK, |first, values| {
        let segments = all[first * SEGMENT_LEN..].chunks(SEGMENT_LEN);
        for (value, segment) in values.iter_mut().zip(segments) {
            *value = powers.value_of_block(segment);
        }
    })?;
    let remainder = divide(&mut above, powers.next(), pool)?;
    pool.for_each_chunk_mut(coefficients, SEGMENTS_PER_TASK * SEGMENT_LEN, |start, part| {
        divide_segments(part, z, &above[start / SEGMENT_LEN..]);
    })?;
    Ok(remainder)
}

/// As [`divide`], with the value of what lies above; returns the value with it.
fn divide_in_a_chain<F: Field>(coefficients: &mut [F], z: F, above: F) -> F {
    coefficients.iter_mut().rev().fold(above, |value, place| {
        let coefficient = core::mem::replace(place, value);
        value * z + coefficient
    })
}

/// As [`divide`] for at most [`SEGMENTS_PER_TASK`] segments, with what lies above each of them.
fn divide_segments<F: Field>(coefficients: &mut [F], z: F, above: &[F]) {
    let kernels = Kernels::host();
    let count = coefficients.len() / SEGMENT_LEN;
    let (whole, rest) = coefficients.split_at_mut(count * SEGMENT_LEN);
    if let Some(&above) = above.get(count).filter(|_| !rest.is_empty()) {
        divide_in_a_chain(rest, z, above);
    }
    let (mut values, mut taken) = ([F::ZERO; SEGMENTS_PER_TASK], [F::ZERO; SEGMENTS_PER_TASK]);
    let (values, taken) = (&mut values[..count], &mut taken[..count]);
    values.copy_from_slice(&above[..count]);
    for i in (0..SEGMENT_LEN).rev() {
        let places = whole.iter_mut().skip(i).step_by(SEGMENT_LEN);
        for ((place, &value), taken) in places.zip(&*values).zip(&mut *taken) {
            *taken = core::mem::replace(place, value);
        }
        F::multiply_all(kernels, values, z);
        F::add_each(kernels, values, taken);
    }
}
