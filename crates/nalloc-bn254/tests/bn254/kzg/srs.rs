//! Reference strings: their points, and what they refuse.

use nalloc_bn254::kzg::{Srs, Verifier};
use nalloc_bn254::{Error, Field, Fq2, Fr, G1Affine, G2Affine, Jacobian, Pool};

use crate::curve::twist_points;
use crate::support::Rng;

#[test]
fn powers_are_those_of_doubling_and_adding_for_lengths_on_both_sides_of_a_block() {
    let tau = Rng::new().fr();
    let pool = Pool::new(Some(2)).unwrap();

    for len in [2, 3, 100, 2049] {
        let srs = Srs::unsafe_for_tests(tau, len, &pool).unwrap();

        assert_eq!(srs.powers().len(), len);
        assert_eq!(srs.degree_max(), len - 1);
        assert_eq!(srs.bytes(), 64 * len);
        for (index, power) in srs.powers().iter().enumerate().step_by(97) {
            let scalar = tau.pow(&[index as u64]);
            assert_eq!(*power, G1Affine::GENERATOR.mul_scalar_vartime(scalar).to_affine());
        }
        let tau_g2 = G2Affine::GENERATOR.mul_scalar_vartime(tau).to_affine();
        assert_eq!(srs.verifier().tau_g2(), tau_g2);
    }
}

/// Sums of Lagrange points with the powers of a root are the powers of tau.
#[test]
fn lagrange_points_commit_to_monomials_as_powers_do_also_where_tau_is_a_root() {
    let pool = Pool::new(Some(2)).unwrap();
    let root = Fr::root_of_unity(3).unwrap();

    for tau in [Rng::new().fr(), root.pow(&[5])] {
        let srs = Srs::unsafe_for_tests_with_lagrange(tau, 3, &pool).unwrap();

        let points = srs.lagrange().unwrap();
        for (degree, power) in srs.powers().iter().enumerate() {
            let value = |index: usize| root.pow(&[(index * degree) as u64]);
            let terms = points.iter().enumerate();
            let sum = terms.fold(Jacobian::INFINITY, |sum, (index, point)| {
                sum.add(&point.mul_scalar_vartime(value(index)))
            });
            assert_eq!(sum.to_affine(), *power, "{degree}");
        }
        assert_eq!(srs.bytes(), 64 * 16);
    }
}

#[test]
fn a_tau_of_zero_and_fewer_than_two_powers_are_refused() {
    let pool = Pool::new(Some(1)).unwrap();
    let refused = |tau, len| Srs::unsafe_for_tests(tau, len, &pool).err();

    assert!(matches!(refused(Fr::ZERO, 4), Some(Error::SrsRefused { got: "infinity", .. })));
    assert!(matches!(refused(Fr::ONE, 1), Some(Error::SrsRefused { got: "fewer of them", .. })));
    assert_eq!(
        Srs::unsafe_for_tests_with_lagrange(Fr::ONE, 29, &pool).err(),
        Some(Error::DomainTooLarge { log2: 29, log2_max: 28 })
    );
}

#[test]
fn a_verifier_refuses_infinity_and_points_that_are_not_of_g2() {
    let refused = |point| Verifier::new(point).unwrap_err().to_string();
    let off_curve = G2Affine { x: Fq2::ONE, y: Fq2::ONE };

    let text = "SRS: expected tau G2 to be a point of G2, got infinity";
    assert_eq!(refused(G2Affine::INFINITY), text);
    assert!(refused(off_curve).ends_with("off the curve"));
    let outside = twist_points().next().unwrap();
    assert!(refused(outside).ends_with("outside of the group of order r"));
}
