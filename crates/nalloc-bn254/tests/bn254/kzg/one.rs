//! One polynomial: commitments, openings, and forged ones.

use ark_bn254::{Bn254, G1Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use nalloc_bn254::kzg::{Commitment, Opening, Proof, Prover, ProverOptions, Srs, VerifyError};
use nalloc_bn254::{Error, Field, Fq, Fr, G1Affine, G2Affine, PointError, Polynomial, Pool};

use super::{LEN, Setup, random};
use crate::support::{Rng, ark_fr, ark_g1, ark_g2, our_g1};

/// Zero, constants, the highest degree, and lengths between, of which some end with zeros.
fn polynomials(rng: &mut Rng, len_max: usize) -> Vec<Polynomial<Fr>> {
    let mut all: Vec<_> = [0, 1, 2, 3, 33, len_max - 1, len_max]
        .into_iter()
        .map(|len| random(rng, len.min(len_max)))
        .collect();
    let sparse: Vec<Fr> = (0..len_max)
        .map(|index| if index % 7 == 6 { Fr::from_u64(index as u64) } else { Fr::ZERO })
        .collect();
    all.push(Polynomial::from_coefficients(&sparse).unwrap());
    all.push(Polynomial::from_coefficients(&[-Fr::ONE]).unwrap());
    all
}

#[test]
fn commitments_are_values_at_tau_and_arkworks_sums_with_all_numbers_of_threads() {
    for threads in 1..=8 {
        let setup = Setup::new(LEN, threads);
        let powers: Vec<_> = setup.srs.powers().iter().map(|&power| ark_g1(power)).collect();
        let mut prover = setup.prover();
        for polynomial in polynomials(&mut Rng::new(), LEN) {
            let got = prover.commit(&polynomial).unwrap().point();

            assert_eq!(got, setup.oracle(&polynomial));
            let scalars: Vec<_> = polynomial.coefficients().iter().map(|&c| ark_fr(c)).collect();
            let ark = G1Projective::msm(&powers[..scalars.len()], &scalars).unwrap();
            assert_eq!(got, our_g1(ark.into_affine()));
        }
    }
}

#[test]
fn commitments_to_values_are_those_of_the_interpolated_polynomial() {
    let tau = Rng::new().fr();
    let pool = Pool::new(Some(2)).unwrap();
    // Of one domain there are Lagrange points; smaller ones, and the other SRS, need transforms.
    let with = Srs::unsafe_for_tests_with_lagrange(tau, 6, &pool).unwrap();
    let without = Srs::unsafe_for_tests(tau, LEN, &pool).unwrap();
    let mut rng = Rng::new();

    for srs in [&with, &without] {
        let mut prover = Prover::new(srs, ProverOptions::new(&pool)).unwrap();
        for log2 in 0..=6 {
            let polynomial = random(&mut rng, 1 << log2);
            let root = Fr::root_of_unity(log2).unwrap();
            let value = |index| polynomial.evaluate(root.pow(&[index]), &pool);
            let values: Vec<Fr> = (0..1 << log2).map(value).collect();

            let expected = prover.commit(&polynomial).unwrap();
            assert_eq!(prover.commit_evaluations(&values).unwrap(), expected, "{log2}");
            let zeros = prover.commit_evaluations(&vec![Fr::ZERO; 1 << log2]).unwrap();
            assert_eq!(zeros.point(), G1Affine::INFINITY);
        }
    }
}

/// Points where divisions are special: zero, roots of unity, tau itself, and random ones.
fn points(setup: &Setup, rng: &mut Rng) -> Vec<Fr> {
    let root = Fr::root_of_unity(6).unwrap();
    vec![Fr::ZERO, Fr::ONE, -Fr::ONE, root, root.pow(&[17]), setup.tau, rng.fr(), rng.fr()]
}

#[test]
fn openings_are_accepted_by_us_and_by_arkworks_pairing() {
    for threads in [1, 2, 3, 8] {
        let setup = Setup::new(LEN, threads);
        let (mut prover, mut rng) = (setup.prover(), Rng::new());
        let verifier = setup.srs.verifier();
        for polynomial in polynomials(&mut rng, LEN) {
            let commitment = prover.commit(&polynomial).unwrap();
            for point in points(&setup, &mut rng) {
                let opening = prover.open(&polynomial, point).unwrap();

                assert_eq!(opening.value, polynomial.evaluate(point, &setup.pool));
                if point != setup.tau {
                    let expected = setup.proof(&polynomial, point, opening.value);
                    assert_eq!(opening.proof.point(), expected);
                }
                assert_eq!(verifier.verify(commitment, &opening), Ok(()), "{point:?}");
                assert!(ark_accepts(verifier.tau_g2(), commitment, &opening));
            }
        }
    }
}

/// e(C - y G, G2) = e(P, tau G2 - z G2), by arkworks alone.
fn ark_accepts(tau_g2: G2Affine, commitment: Commitment, opening: &Opening) -> bool {
    let g1 = ark_bn254::G1Affine::generator();
    let g2 = ark_bn254::G2Affine::generator();
    let left = ark_g1(commitment.point()) - g1 * ark_fr(opening.value);
    let right = ark_g2(tau_g2) - g2 * ark_fr(opening.point);
    Bn254::pairing(left, g2) == Bn254::pairing(ark_g1(opening.proof.point()), right)
}

#[test]
fn long_polynomials_open_as_their_quotient_says_with_all_numbers_of_threads() {
    let len = 9000;
    for threads in [1, 2, 4] {
        let setup = Setup::new(len, threads);
        let (mut prover, mut rng) = (setup.prover(), Rng::new());
        let polynomial = random(&mut rng, len);

        assert_eq!(prover.commit(&polynomial).unwrap().point(), setup.oracle(&polynomial));
        let point = rng.fr();
        let opening = prover.open(&polynomial, point).unwrap();
        assert_eq!(opening.value, polynomial.evaluate(point, &setup.pool));
        assert_eq!(opening.proof.point(), setup.proof(&polynomial, point, opening.value));
    }
}

#[test]
fn whatever_is_forged_is_rejected() {
    let setup = Setup::new(LEN, 1);
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let verifier = setup.srs.verifier();
    let polynomial = random(&mut rng, LEN);
    let commitment = prover.commit(&polynomial).unwrap();
    let good = prover.open(&polynomial, rng.fr()).unwrap();
    let proof = |point| Proof::new(point).unwrap();
    let infinity = Commitment::new(G1Affine::INFINITY).unwrap();
    let other = prover.commit(&random(&mut rng, LEN)).unwrap();
    assert_eq!(verifier.verify(commitment, &good), Ok(()));

    let forged = [
        (commitment, Opening { value: good.value + Fr::ONE, ..good }),
        (commitment, Opening { value: Fr::ZERO, ..good }),
        (commitment, Opening { point: good.point + Fr::ONE, ..good }),
        (commitment, Opening { point: Fr::ZERO, ..good }),
        (commitment, Opening { proof: proof(-good.proof.point()), ..good }),
        (commitment, Opening { proof: proof(G1Affine::INFINITY), ..good }),
        (commitment, Opening { proof: proof(G1Affine::GENERATOR), ..good }),
        (commitment, Opening { proof: proof(commitment.point()), ..good }),
        (Commitment::new(-commitment.point()).unwrap(), good),
        (infinity, good),
        (other, good),
    ];
    for (commitment, opening) in forged {
        assert_eq!(verifier.verify(commitment, &opening), Err(VerifyError::Rejected));
        assert!(!ark_accepts(verifier.tau_g2(), commitment, &opening));
    }
    // Another tau.
    let other = Srs::unsafe_for_tests(rng.fr(), LEN, &setup.pool).unwrap();
    assert_eq!(other.verifier().verify(commitment, &good), Err(VerifyError::Rejected));
}

/// The reason why nobody may know tau, and the control of the tests above: the oracle's proof of a
/// wrong value is accepted.
#[test]
fn whoever_knows_tau_can_prove_everything() {
    let setup = Setup::new(LEN, 1);
    let mut rng = Rng::new();
    let polynomial = random(&mut rng, LEN);
    let commitment = setup.prover().commit(&polynomial).unwrap();
    let (point, value) = (rng.fr(), rng.fr());

    let proof = Proof::new(setup.proof(&polynomial, point, value)).unwrap();

    let opening = Opening { point, value, proof };
    assert_eq!(setup.srs.verifier().verify(commitment, &opening), Ok(()));
}

#[test]
fn points_from_outside_are_checked() {
    let off_curve = G1Affine { x: Fq::ONE, y: Fq::ONE };

    assert_eq!(Commitment::new(off_curve), Err(PointError::NotOnCurve));
    assert_eq!(Proof::new(off_curve), Err(PointError::NotOnCurve));
    let point = G1Affine::GENERATOR;
    assert_eq!(Commitment::new(point).unwrap().point(), point);
    assert_eq!(Proof::new(point).unwrap().point(), point);
}

#[test]
fn polynomials_and_values_that_do_not_fit_are_refused_with_both_numbers() {
    let setup = Setup::new(LEN, 1);
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let long = random(&mut rng, LEN + 1);
    let refused = Error::DegreeTooLarge { degree: LEN, degree_max: LEN - 1 };

    assert_eq!(prover.commit(&long), Err(refused.clone()));
    assert_eq!(prover.open(&long, Fr::ONE), Err(refused.clone()));
    assert_eq!(refused.to_string(), "polynomial: expected a degree of at most 63, got 64");
    let of = |values| prover.commit_evaluations(values).unwrap_err().to_string();
    let mut of = of;
    assert_eq!(of(&[]), "evaluations: expected at least one, got none");
    assert_eq!(of(&[Fr::ONE; 6]), "evaluations: expected a power of two of them, got 6");
    assert_eq!(of(&[Fr::ONE; 128]), "polynomial: expected a degree of at most 63, got 127");
    // And it works afterwards.
    let polynomial = random(&mut rng, LEN);
    assert_eq!(prover.commit(&polynomial).unwrap().point(), setup.oracle(&polynomial));
}
