//! Scalars as sums of points want them: plain integers, in the place of the elements.
//!
//! An element is stored as x * 2^256, so its product with the element whose stored limbs are 1 is
//! stored as x. A vector that is multiplied by that element holds integers, eight at a time on
//! kernels with lanes, and is no longer one of elements: nothing may be done with it but to sum.

use nalloc::Arena;

use crate::curve::{G1Affine, Jacobian};
use crate::error::Error;
use crate::field::{Fq, Fr};
use crate::msm::msm;
use crate::observer::Observer;
use crate::pool::Pool;
use crate::vector::Vectors;

/// The element that makes integers of elements: 2^-256.
pub(super) const TO_PLAIN: Fr = Fr::from_stored([1, 0, 0, 0]);

/// Makes integers of elements.
pub(super) fn to_plain(scalars: &mut [Fr], pool: &Pool) {
    Vectors::new(pool).scale(scalars, TO_PLAIN);
}

/// The sum of `points`, each times one of `scalars`, which are integers.
pub(super) fn sum_of(
    points: &[G1Affine],
    scalars: &[Fr],
    pool: &Pool,
    scratch: &Arena,
    observer: &dyn Observer,
) -> Result<Jacobian<Fq>, Error> {
    msm(points, Fr::as_stored(scalars), pool, scratch, observer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    #[test]
    fn elements_become_the_integers_that_they_stand_for() {
        let pool = Pool::new(Some(2)).expect("threads");
        let seven = Fr::from_u64(7);
        let mut scalars: Vec<Fr> = (0..5000).map(|exponent| seven.pow(&[exponent])).collect();
        scalars.extend([Fr::ZERO, -Fr::ONE]);
        let expected: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.to_plain()).collect();

        to_plain(&mut scalars, &pool);

        assert_eq!(Fr::as_stored(&scalars), expected);
    }
}
