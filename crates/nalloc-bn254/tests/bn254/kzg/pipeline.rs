//! Many polynomials through one prover: its memory, its table, and how it is stopped.

use nalloc::Arena;
use nalloc_bn254::kzg::{Committed, Privacy, Prover, ProverOptions, Query};
use nalloc_bn254::{Error, Fr, Ntt, Polynomial, ntt_scratch_bytes};
use testkit::StopAfter;

use super::{Setup, random};
use crate::support::Rng;

const LEN: usize = 1 << 12;

#[test]
fn many_polynomials_of_all_lengths_fit_the_bytes_that_were_predicted() {
    for threads in [1, 3] {
        let setup = Setup::new(LEN, threads);
        for (table_bytes_max, privacy) in [(0, Privacy::Secret), (1 << 20, Privacy::Public)] {
            let mut options = ProverOptions::new(&setup.pool);
            (options.table_bytes_max, options.privacy) = (table_bytes_max, privacy);
            let bytes = Prover::bytes(&setup.srs, &options);
            options.bytes_max = Some(bytes);
            let mut prover = Prover::new(&setup.srs, options).unwrap();

            let mut rng = Rng::new();
            for len in [LEN, 1, 25, 700, 0, LEN / 2, LEN / 2 + 1, LEN - 1, 1500, LEN] {
                let polynomial = random(&mut rng, len);
                let point = rng.fr();
                let commitment = prover.commit(&polynomial).unwrap();
                assert_eq!(commitment.point(), setup.oracle(&polynomial), "{len}");
                let opening = prover.open(&polynomial, point).unwrap();
                let expected = setup.proof(&polynomial, point, opening.value);
                assert_eq!(opening.proof.point(), expected, "{len}");
            }
            let values = vec![Fr::from_montgomery([1, 0, 0, 0]).unwrap(); LEN];
            prover.commit_evaluations(&values).unwrap();
        }
    }
}

#[test]
fn a_limit_is_refused_before_any_memory_is_taken_with_both_numbers() {
    let setup = Setup::new(LEN, 2);
    let mut options = ProverOptions::new(&setup.pool);
    let needed = Prover::bytes(&setup.srs, &options);
    options.bytes_max = Some(needed - 1);

    let refused = Prover::new(&setup.srs, options).err();
    assert_eq!(refused, Some(Error::MemoryLimit { needed, limit: needed - 1 }));
    let said = refused.unwrap().to_string();
    assert!(said.contains(&needed.to_string()), "{said}");
    // Fewer coefficients need less, and a table more.
    options.coefficients_max = Some(LEN / 2);
    let prover = Prover::new(&setup.srs, options).unwrap();
    assert_eq!(prover.degree_max(), LEN / 2 - 1);
    let less = Prover::bytes(&setup.srs, &options);
    options.table_bytes_max = 8 << 20;
    assert!(less < needed && Prover::bytes(&setup.srs, &options) > less);
}

#[test]
fn a_prover_for_no_coefficients_or_for_too_many_is_refused() {
    let setup = Setup::new(LEN, 1);
    let refused = |coefficients_max| {
        let mut options = ProverOptions::new(&setup.pool);
        options.coefficients_max = Some(coefficients_max);
        Prover::new(&setup.srs, options).err()
    };

    assert!(matches!(refused(0), Some(Error::Empty { .. })));
    let too_large = Error::DegreeTooLarge { degree: LEN, degree_max: LEN - 1 };
    assert_eq!(refused(LEN + 1), Some(too_large));
}

#[test]
fn a_prover_stops_at_every_question_and_goes_on_afterwards() {
    type Call<'a> = &'a dyn Fn(&mut Prover<'_>) -> Option<Error>;
    let setup = Setup::new(LEN, 2);
    let observer = StopAfter::never();
    let mut options = ProverOptions::new(&setup.pool);
    options.observer = &observer;
    let mut prover = Prover::new(&setup.srs, options).unwrap();
    let mut rng = Rng::new();
    let polynomials: Vec<Polynomial<Fr>> = (0..3).map(|_| random(&mut rng, LEN)).collect();
    let values: Vec<Fr> = polynomials[0].coefficients().to_vec();
    let points = [rng.fr(), rng.fr()];
    // Held, so that no call makes these tables: that asks, too.
    let ntt = Ntt::<Fr>::new(LEN.ilog2()).unwrap();
    let arena = Arena::with_capacity(ntt_scratch_bytes(ntt.log2(), 2)).unwrap();
    let mut work = ntt.work(&setup.pool, &arena, &()).unwrap();
    ntt.inverse(&mut values.clone(), &mut work).unwrap();
    let committed = prover.commit_each(&polynomials).unwrap();
    let all = || polynomials.iter().zip(&committed);
    let committed: Vec<_> =
        all().map(|(polynomial, &commitment)| Committed { polynomial, commitment }).collect();
    let queries: Vec<_> = all()
        .map(|(polynomial, &commitment)| Query { polynomial, commitment, points: &points })
        .collect();
    let calls: [Call<'_>; 6] = [
        &|prover| prover.commit(&polynomials[0]).err(),
        &|prover| prover.commit_each(&polynomials).err(),
        &|prover| prover.commit_evaluations(&values).err(),
        &|prover| prover.open(&polynomials[0], points[0]).err(),
        &|prover| prover.open_at_point(&committed, points[0], b"").err(),
        &|prover| prover.open_at_points(&queries, b"").err(),
    ];

    for (index, call) in calls.into_iter().enumerate() {
        observer.reset(u64::MAX);
        assert_eq!(call(&mut prover), None);
        let questions = observer.asked();
        assert!(questions > 1, "call {index} asks {questions} times");
        for question in 0..questions {
            observer.reset(question);
            assert_eq!(call(&mut prover), Some(Error::Cancelled), "call {index}, {question}");
        }
    }
    let opening = |prover: &mut Prover<'_>| prover.open(&polynomials[1], points[0]).unwrap();
    observer.reset(u64::MAX);
    assert_eq!(opening(&mut prover), opening(&mut setup.prover()));
}

#[test]
fn a_prover_tells_how_many_polynomials_are_committed_to() {
    let setup = Setup::new(LEN, 2);
    let observer = StopAfter::never();
    let mut options = ProverOptions::new(&setup.pool);
    options.observer = &observer;
    let mut rng = Rng::new();
    let polynomials: Vec<Polynomial<Fr>> = (0..3).map(|_| random(&mut rng, LEN)).collect();

    let commitments = Prover::new(&setup.srs, options).unwrap().commit_each(&polynomials).unwrap();

    for (polynomial, commitment) in polynomials.iter().zip(&commitments) {
        assert_eq!(commitment.point(), setup.oracle(polynomial));
    }
    let told = observer.told();
    let commits: Vec<_> = told.iter().filter(|(phase, ..)| *phase == "commit").copied().collect();
    assert_eq!(commits, [("commit", 1, 3), ("commit", 2, 3), ("commit", 3, 3)]);
    assert!(told.iter().any(|(phase, ..)| *phase == "msm"));
}

#[test]
fn what_a_prover_prints_shows_no_coefficient() {
    let setup = Setup::new(8, 1);

    assert_eq!(format!("{:?}", setup.prover()), "Prover(degree at most 7)");
    assert_eq!(format!("{:?}", setup.srs), "Srs(8 powers, 0 Lagrange points)");
}
