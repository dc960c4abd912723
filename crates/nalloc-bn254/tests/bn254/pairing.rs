//! Pairing products against arkworks and against bilinearity.

use ark_bn254::Bn254;
use ark_ec::pairing::Pairing;
use ark_ff::Zero;
use nalloc_bn254::{Fr, G1Affine, G2Affine, pairing_product_is_one};

use crate::support::{Rng, ark_g1, ark_g2};

fn ark_says(pairs: &[(G1Affine, G2Affine)]) -> bool {
    let left: Vec<_> = pairs.iter().map(|pair| ark_g1(pair.0)).collect();
    let right: Vec<_> = pairs.iter().map(|pair| ark_g2(pair.1)).collect();
    Bn254::multi_pairing(left, right).is_zero()
}

#[test]
fn a_product_is_one_exactly_where_bilinearity_says_so() {
    let mut rng = Rng::new();
    let (p, q) = (rng.g1(), rng.g2());
    let (a, b) = (rng.fr(), rng.fr());
    let times = |scalar: Fr| p.mul_scalar_vartime(scalar).to_affine();
    let q_times = |scalar: Fr| q.mul_scalar_vartime(scalar).to_affine();
    let infinity = (G1Affine::INFINITY, G2Affine::INFINITY);

    let products = [
        (vec![], true),
        (vec![(p, q)], false),
        (vec![(p, q), (-p, q)], true),
        (vec![(p, q), (p, -q)], true),
        (vec![(times(a), q_times(b)), (times(-(a * b)), q)], true),
        (vec![(times(a), q_times(b)), (times(a * b), q)], false),
        (vec![(times(a), q), (times(b), q), (times(-(a + b)), q)], true),
        (vec![infinity, (p, infinity.1), (infinity.0, q)], true),
        (vec![infinity, (p, q)], false),
    ];

    for (pairs, expected) in products {
        assert_eq!(pairing_product_is_one(&pairs), expected, "{pairs:?}");
        assert_eq!(ark_says(&pairs), expected, "{pairs:?}");
    }
}
