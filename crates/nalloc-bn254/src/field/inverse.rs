//! Many inverses by Montgomery's trick: one inversion for a run of elements.

use super::Field;
use crate::arch::Kernels;

/// How many elements share one inversion. The products of one run lie on the stack (16 KiB for
/// Fq2), and an inversion adds a third of a multiplication per element.
const RUN: usize = 256;

/// Replaces every element by its inverse; zeros stay zero.
///
/// Three multiplications an element, and an inversion for every 256, or every 2048 in lanes.
/// Allocates nothing; what it leaves on the stack tells about the elements.
pub fn batch_invert<F: Field>(values: &mut [F]) {
    F::invert_each(Kernels::host(), values);
}

/// As [`batch_invert`], one element after the other.
pub(super) fn invert_each<F: Field>(values: &mut [F]) {
    let mut products = [F::ZERO; RUN];
    for run in values.chunks_mut(RUN) {
        invert_run(run, &mut products);
    }
}

/// Walks forward collecting products of what is not zero, inverts the last, and walks back.
fn invert_run<F: Field>(run: &mut [F], products: &mut [F]) {
    let mut product = F::ONE;
    for (value, before) in run.iter().zip(products.iter_mut()) {
        *before = product;
        if !value.is_zero() {
            product *= *value;
        }
    }
    // A product of elements that are not zero has an inverse.
    let mut inverse = product.invert().unwrap_or(F::ZERO);
    for (value, before) in run.iter_mut().zip(products.iter()).rev() {
        if !value.is_zero() {
            let inverted = inverse * *before;
            inverse *= *value;
            *value = inverted;
        }
    }
}
