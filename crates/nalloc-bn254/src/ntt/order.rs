//! The permutation between natural and bit-reversed order; it is its own inverse.

use crate::field::Field;

/// Exchanges the elements whose indices are each other's bits read backwards.
///
/// The length must be a power of two.
pub(super) fn reverse_bits<F: Field>(values: &mut [F]) {
    let len = values.len();
    debug_assert!(len.is_power_of_two(), "{len} elements have no bit-reversed order");
    let unused_bits = len.leading_zeros() + 1;
    for index in 1..len {
        let partner = index.reverse_bits() >> unused_bits;
        if index < partner {
            values.swap(index, partner);
        }
    }
}
