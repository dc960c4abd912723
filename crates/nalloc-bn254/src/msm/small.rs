//! Few points: Straus' way, where all of them share the doublings.
//!
//! Of each point the multiples P .. 8P are made affine, and the 32 digits of 4 bits of each half
//! add one of them, or its image. 7 additions and the share of an inversion for the multiples, 64
//! additions of 7M + 4S for each point; 124 doublings in all.

use super::digits::{Digits, Reached, Windows};
use crate::curve::{Affine, CurveField, Jacobian, batch_to_affine};

/// The most points: for more of them buckets are cheaper.
pub(super) const POINTS_MAX: usize = 24;
/// Multiples of each point: sizes of a digit.
const MULTIPLES: usize = 1 << (Windows::BITS_MIN - 1);

/// The sum of `bases[order[i]]` times what its digits stand for.
pub(super) fn sum<F: CurveField>(
    bases: &[Affine<F>],
    order: &[u32],
    reached: &Reached,
    digits: &[Digits],
) -> Jacobian<F> {
    // Of all points, whatever their scalars: nobody wipes these two.
    let mut multiples = Vec::with_capacity(bases.len() * MULTIPLES);
    for base in bases {
        let mut multiple = Jacobian::INFINITY;
        for _ in 0..MULTIPLES {
            multiple = multiple.add_affine(base);
            multiples.push(multiple);
        }
    }
    let mut table = vec![Affine::INFINITY; multiples.len()];
    // Both have the same length.
    let _ = batch_to_affine(&multiples, &mut table);
    let (tables, _) = table.as_chunks::<MULTIPLES>();
    let planes = digits.chunks_exact(order.len().max(1));
    let mut sum = Jacobian::INFINITY;
    for (plane, &reached) in planes.zip(&reached.windows).rev() {
        for _ in 0..Windows::BITS_MIN {
            sum = sum.double();
        }
        for (digits, &index) in plane.iter().zip(order).take(reached as usize) {
            let multiples = &tables[index as usize];
            let [first, second] = digits.0;
            if let Some(point) = pick(multiples, first) {
                sum = sum.add_affine(&point);
            }
            if let Some(Affine { x, y }) = pick(multiples, second) {
                sum = sum.add_affine(&Affine { x: x * F::BETA, y });
            }
        }
    }
    let (ones, minus_ones) =
        order[reached.windows[0] as usize..].split_at(reached.ones[0] as usize);
    for &index in ones {
        sum = sum.add_affine(&bases[index as usize]);
    }
    for &index in &minus_ones[..reached.ones[1] as usize] {
        sum = sum.add_affine(&-bases[index as usize]);
    }
    sum
}

/// The multiple that a digit means, unless it is zero.
fn pick<F: CurveField>(multiples: &[Affine<F>], digit: i16) -> Option<Affine<F>> {
    let size = usize::from(digit.unsigned_abs());
    let point = multiples[size.checked_sub(1)?];
    Some(if digit < 0 { -point } else { point })
}
