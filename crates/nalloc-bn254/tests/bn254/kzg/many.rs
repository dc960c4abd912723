//! Several polynomials, points and openings at once.

use nalloc_bn254::kzg::{
    Claim, Commitment, Committed, Opening, OpeningAtPoint, OpeningAtPoints, Proof, Query,
    VerifyError,
};
use nalloc_bn254::{Error, Field, Fr, G1Affine, Jacobian, Polynomial};

use super::{LEN, Setup, committed};
use crate::support::Rng;

type Pairs = [(Polynomial<Fr>, Commitment)];

fn refs(pairs: &Pairs) -> Vec<Committed<'_>> {
    let pairs = pairs.iter();
    pairs.map(|&(ref polynomial, commitment)| Committed { polynomial, commitment }).collect()
}

fn commitments(pairs: &Pairs) -> Vec<Commitment> {
    pairs.iter().map(|(_, commitment)| *commitment).collect()
}

fn plus_generator(point: G1Affine) -> G1Affine {
    Jacobian::from(point).add_affine(&G1Affine::GENERATOR).to_affine()
}

#[test]
fn polynomials_of_all_lengths_open_at_one_point_with_one_proof() {
    for threads in [1, 2, 5] {
        let setup = Setup::new(LEN, threads);
        let (mut prover, mut rng) = (setup.prover(), Rng::new());
        for lens in [&[LEN][..], &[0], &[0, 0, 1], &[5, LEN, 1, 0, 33, LEN - 1]] {
            let pairs = committed(&mut prover, lens);
            for point in [Fr::ZERO, setup.tau, rng.fr()] {
                let opening = prover.open_at_point(&refs(&pairs), point, b"test").unwrap();

                let values = pairs.iter().map(|(p, _)| p.evaluate(point, &setup.pool));
                assert!(values.eq(opening.values.iter().copied()));
                let all = commitments(&pairs);
                let verifier = setup.srs.verifier();
                let accepted = verifier.verify_at_point(&all, &opening, b"test", &setup.pool);
                assert_eq!(accepted, Ok(()), "{lens:?}");
            }
        }
    }
}

#[test]
fn a_forged_opening_of_several_polynomials_at_one_point_is_rejected() {
    let setup = Setup::new(LEN, 2);
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let pairs = committed(&mut prover, &[LEN, 20, 3]);
    let all = commitments(&pairs);
    let good = prover.open_at_point(&refs(&pairs), rng.fr(), b"test").unwrap();
    let check = |all: &[Commitment], opening: &OpeningAtPoint, context: &[u8]| {
        setup.srs.verifier().verify_at_point(all, opening, context, &setup.pool)
    };
    let with = |spoil: &dyn Fn(&mut OpeningAtPoint)| {
        let mut opening = good.clone();
        spoil(&mut opening);
        check(&all, &opening, b"test")
    };
    assert_eq!(check(&all, &good, b"test"), Ok(()));

    let rejected = Err(VerifyError::Rejected);
    for index in 0..3 {
        assert_eq!(with(&|opening| opening.values[index] += Fr::ONE), rejected);
        let mut others = all.clone();
        others[index] = Commitment::new(plus_generator(others[index].point())).unwrap();
        assert_eq!(check(&others, &good, b"test"), rejected);
    }
    assert_eq!(with(&|opening| opening.values.swap(0, 1)), rejected);
    assert_eq!(with(&|opening| opening.point += Fr::ONE), rejected);
    let proof = Proof::new(plus_generator(good.proof.point())).unwrap();
    assert_eq!(with(&|opening| opening.proof = proof), rejected);
    assert_eq!(check(&all, &good, b"tests"), rejected);
    assert_eq!(check(&all, &good, b""), rejected);
    let length = |what, expected, got| Err(VerifyError::Length { what, expected, got });
    assert_eq!(with(&|opening| opening.values.truncate(2)), length("values", 3, 2));
    assert_eq!(check(&all[..2], &good, b"test"), length("values", 2, 3));
    assert_eq!(check(&[], &good, b"test"), length("commitments", 1, 0));
}

/// Values that are wrong by amounts whose sum is zero, and that a challenge known in advance would
/// let through.
#[test]
fn wrong_values_that_make_up_for_each_other_are_rejected() {
    let setup = Setup::new(LEN, 1);
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let pairs = committed(&mut prover, &[LEN, LEN]);
    let mut opening = prover.open_at_point(&refs(&pairs), rng.fr(), b"").unwrap();

    opening.values[0] += Fr::ONE;
    opening.values[1] -= Fr::ONE;

    let verifier = setup.srs.verifier();
    let got = verifier.verify_at_point(&commitments(&pairs), &opening, b"", &setup.pool);
    assert_eq!(got, Err(VerifyError::Rejected));
}

/// Sets of points that are equal, apart, overlapping, empty, and of more points than coefficients.
fn point_sets(setup: &Setup, rng: &mut Rng) -> Vec<Vec<Vec<Fr>>> {
    let r: Vec<Fr> = (0..6).map(|_| rng.fr()).collect();
    let root = Fr::root_of_unity(6).unwrap();
    vec![
        vec![vec![r[0]], vec![r[0]], vec![r[0]]],
        vec![vec![r[0]], vec![r[1]], vec![r[2]]],
        vec![vec![r[0], r[1]], vec![r[1], r[2], r[3]], vec![r[3], r[0]]],
        vec![vec![], vec![r[4]], vec![]],
        vec![vec![Fr::ZERO, root, root.square()], vec![setup.tau], r.clone()],
    ]
}

fn queries<'a>(pairs: &'a Pairs, sets: &'a [Vec<Fr>]) -> Vec<Query<'a>> {
    let pairs = pairs.iter().zip(sets);
    pairs
        .map(|(&(ref polynomial, commitment), points)| Query { polynomial, commitment, points })
        .collect()
}

fn claims<'a>(pairs: &Pairs, sets: &'a [Vec<Fr>]) -> Vec<Claim<'a>> {
    let claims = pairs.iter().zip(sets);
    claims.map(|((_, commitment), points)| Claim { commitment: *commitment, points }).collect()
}

#[test]
fn polynomials_open_at_points_of_their_own_with_one_proof() {
    for threads in [1, 3] {
        let setup = Setup::new(LEN, threads);
        let (mut prover, mut rng) = (setup.prover(), Rng::new());
        for sets in point_sets(&setup, &mut rng) {
            for lens in [[LEN, 17, LEN - 1], [2, 0, 1]] {
                let pairs = committed(&mut prover, &lens);
                let opening = prover.open_at_points(&queries(&pairs, &sets), b"test").unwrap();

                for (((polynomial, _), points), values) in
                    pairs.iter().zip(&sets).zip(&opening.values)
                {
                    let expected = points.iter().map(|&z| polynomial.evaluate(z, &setup.pool));
                    assert!(expected.eq(values.iter().copied()));
                }
                let verifier = setup.srs.verifier();
                let claims = claims(&pairs, &sets);
                let got = verifier.verify_at_points(&claims, &opening, b"test", &setup.pool);
                assert_eq!(got, Ok(()), "{lens:?} {sets:?}");
            }
        }
    }
}

#[test]
fn a_forged_opening_at_several_points_is_rejected() {
    let setup = Setup::new(LEN, 2);
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let pairs = committed(&mut prover, &[LEN, 20, 3]);
    let sets = point_sets(&setup, &mut rng).swap_remove(2);
    let good = prover.open_at_points(&queries(&pairs, &sets), b"test").unwrap();
    let honest = claims(&pairs, &sets);
    let check = |claims: &[Claim<'_>], opening: &OpeningAtPoints, context: &[u8]| {
        setup.srs.verifier().verify_at_points(claims, opening, context, &setup.pool)
    };
    let with = |spoil: &dyn Fn(&mut OpeningAtPoints)| {
        let mut opening = good.clone();
        spoil(&mut opening);
        check(&honest, &opening, b"test")
    };
    assert_eq!(check(&honest, &good, b"test"), Ok(()));

    let rejected = Err(VerifyError::Rejected);
    for (index, values) in good.values.iter().enumerate() {
        for place in 0..values.len() {
            assert_eq!(with(&|opening| opening.values[index][place] += Fr::ONE), rejected);
        }
    }
    let other = |proof: Proof| Proof::new(plus_generator(proof.point())).unwrap();
    assert_eq!(with(&|opening| opening.quotient = other(good.quotient)), rejected);
    assert_eq!(with(&|opening| opening.proof = other(good.proof)), rejected);
    let infinity = Proof::new(G1Affine::INFINITY).unwrap();
    assert_eq!(with(&|opening| (opening.quotient, opening.proof) = (infinity, infinity)), rejected);
    assert_eq!(check(&honest, &good, b"other"), rejected);
    let mut others = sets.clone();
    others[1][2] += Fr::ONE;
    assert_eq!(check(&claims(&pairs, &others), &good, b"test"), rejected);
    let length = |what, expected, got| Err(VerifyError::Length { what, expected, got });
    assert_eq!(check(&honest[..2], &good, b"test"), length("lists of values", 2, 3));
    let short = with(&|opening| opening.values[1].truncate(1));
    assert_eq!(short, length("values of a commitment", 3, 1));
    let none = OpeningAtPoints { values: vec![], ..good.clone() };
    assert_eq!(check(&[], &none, b"test"), length("points", 1, 0));
    others[0] = vec![Fr::ONE, Fr::ONE];
    let repeated = Err(VerifyError::RepeatedPoint { commitment: 0 });
    assert_eq!(check(&claims(&pairs, &others), &good, b"test"), repeated);
}

#[test]
fn provers_refuse_what_cannot_be_opened() {
    let setup = Setup::new(LEN, 1);
    let mut prover = setup.prover();
    let pairs = committed(&mut prover, &[LEN, 20]);
    let long = super::random(&mut Rng::new(), LEN + 9);
    let (polynomial, commitment) = (&long, pairs[0].1);

    let twice = vec![vec![Fr::ZERO], vec![Fr::ONE, Fr::ZERO, Fr::ONE]];
    let got = prover.open_at_points(&queries(&pairs, &twice), b"");
    assert_eq!(got, Err(Error::RepeatedPoint { polynomial: 1 }));
    let nowhere = vec![vec![], vec![]];
    let got = prover.open_at_points(&queries(&pairs, &nowhere), b"");
    assert_eq!(got, Err(Error::Empty { what: "points to open at" }));
    let none: &[Committed<'_>] = &[];
    let got = prover.open_at_point(none, Fr::ONE, b"");
    assert_eq!(got, Err(Error::Empty { what: "polynomials to open" }));
    let refused = Error::DegreeTooLarge { degree: LEN + 8, degree_max: LEN - 1 };
    let got = prover.open_at_point(&[Committed { polynomial, commitment }], Fr::ONE, b"");
    assert_eq!(got, Err(refused.clone()));
    let query = Query { polynomial, commitment, points: &[Fr::ONE] };
    assert_eq!(prover.open_at_points(&[query], b""), Err(refused));
}

fn openings(setup: &Setup, count: usize) -> Vec<(Commitment, Opening)> {
    let (mut prover, mut rng) = (setup.prover(), Rng::new());
    let lens: Vec<usize> = (0..count).map(|index| (7 * index) % (LEN + 1)).collect();
    let pairs = committed(&mut prover, &lens);
    pairs
        .iter()
        .map(|(polynomial, commitment)| (*commitment, prover.open(polynomial, rng.fr()).unwrap()))
        .collect()
}

#[test]
fn independent_openings_are_accepted_at_once_and_one_wrong_one_spoils_them() {
    for threads in [1, 4] {
        let setup = Setup::new(LEN, threads);
        let verifier = setup.srs.verifier();
        for count in [0, 1, 2, 9, 40] {
            let good = openings(&setup, count);
            assert_eq!(verifier.verify_each(&good, &setup.pool), Ok(()), "{count}");

            for index in [0, count / 2, count.saturating_sub(1)] {
                let mut spoiled = good.clone();
                let Some((_, opening)) = spoiled.get_mut(index) else { continue };
                opening.value += Fr::ONE;
                let got = verifier.verify_each(&spoiled, &setup.pool);
                assert_eq!(got, Err(VerifyError::Rejected), "{index} of {count}");
            }
        }
    }
}

/// Without weights the wrong terms of such pairs would cancel.
#[test]
fn wrong_openings_that_would_make_up_for_each_other_are_rejected() {
    let setup = Setup::new(LEN, 1);
    let verifier = setup.srs.verifier();
    let good = openings(&setup, 6);

    let mut values = good.clone();
    values[2].1.value += Fr::ONE;
    values[3].1.value -= Fr::ONE;
    let mut equal = vec![good[1]; 2];
    for ((_, opening), sign) in equal.iter_mut().zip([Fr::ONE, -Fr::ONE]) {
        let shift = G1Affine::GENERATOR.mul_scalar_vartime(sign).to_affine();
        let proof = Jacobian::from(opening.proof.point()).add_affine(&shift).to_affine();
        opening.proof = Proof::new(proof).unwrap();
    }

    for spoiled in [values, equal] {
        let got = verifier.verify_each(&spoiled, &setup.pool);
        assert_eq!(got, Err(VerifyError::Rejected));
    }
}
