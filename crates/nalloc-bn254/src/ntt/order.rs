//! The permutation between natural and bit-reversed order; it is its own inverse.

use crate::field::Field;

/// log2 of the side of a tile: rows of 512 bytes, so that each page that is visited is used for 16
/// elements before the next one.
const LOG2_SIDE: u32 = 4;

/// Exchanges the elements whose indices are each other's bits read backwards.
///
/// The length must be a power of two.
pub(super) fn reverse_bits<F: Field>(values: &mut [F]) {
    let len = values.len();
    debug_assert!(len.is_power_of_two(), "{len} elements have no bit-reversed order");
    let log2 = len.ilog2();
    if log2 < 2 * LOG2_SIDE {
        for index in 0..len {
            exchange(values, index, log2);
        }
        return;
    }
    // An index is row, tile, column; its partner is column, tile, row, each backwards.
    let shift = log2 - LOG2_SIDE;
    for tile in 0..1usize << (log2 - 2 * LOG2_SIDE) {
        for row in 0..1 << LOG2_SIDE {
            for column in 0..1 << LOG2_SIDE {
                exchange(values, row << shift | tile << LOG2_SIDE | column, log2);
            }
        }
    }
}

fn exchange<F: Field>(values: &mut [F], index: usize, log2: u32) {
    let partner = if log2 == 0 { 0 } else { index.reverse_bits() >> (usize::BITS - log2) };
    if index < partner {
        values.swap(index, partner);
    }
}
