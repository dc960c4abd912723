//! Transforms against their definition, against arkworks, and there and back.

mod large;

use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use nalloc::Arena;
use nalloc_bn254::{Error, Field, Fq, Fr, Kernels, Ntt, OddPoints, Pool, Work, ntt_scratch_bytes};
use testkit::StopAfter;

use crate::field::tiny::Tiny;
use crate::support::{Rng, all_kernels, ark_fr, our_fr};

fn pools() -> [Pool; 2] {
    [1, 3].map(|threads| Pool::new(Some(threads)).unwrap())
}

/// Room for the transforms of 2^`log2` values on `pool`.
fn arena(log2: u32, pool: &Pool) -> Arena {
    Arena::with_capacity(ntt_scratch_bytes(log2, pool.thread_count())).unwrap()
}

/// The polynomial's value at `x`.
fn value_at<F: Field>(coefficients: &[F], x: F) -> F {
    coefficients.iter().rev().fold(F::ZERO, |value, &c| value * x + c)
}

/// The values on `shift` * w^i, by definition.
fn naive<F: Field>(coefficients: &[F], shift: F, root: F) -> Vec<F> {
    let points = core::iter::successors(Some(shift), |&point| Some(point * root));
    points.take(coefficients.len()).map(|point| value_at(coefficients, point)).collect()
}

fn check_against_naive<F: Field>(coefficients: &[F], pool: &Pool, kernels: Kernels) {
    let log2 = coefficients.len().ilog2();
    let root = F::root_of_unity(log2).unwrap();
    let ntt = Ntt::with_kernels(log2, kernels).unwrap();
    let arena = arena(log2, pool);
    let mut work = ntt.work(pool, &arena, &()).unwrap();
    let shift = F::from_u64(7);

    let mut values = coefficients.to_vec();
    ntt.forward(&mut values, &mut work).unwrap();
    assert_eq!(values, naive(coefficients, F::ONE, root), "2^{log2}");
    ntt.inverse(&mut values, &mut work).unwrap();
    assert_eq!(values, coefficients, "2^{log2}");

    ntt.forward_coset(&mut values, shift, &mut work).unwrap();
    assert_eq!(values, naive(coefficients, shift, root), "coset, 2^{log2}");
    ntt.inverse_coset(&mut values, shift, &mut work).unwrap();
    assert_eq!(values, coefficients, "coset, 2^{log2}");

    if log2 < F::TWO_ADICITY {
        let odd = OddPoints::with_kernels(log2, kernels).unwrap();
        odd.ntt().forward(&mut values, &mut work).unwrap();
        odd.extend(&mut values, &mut work).unwrap();
        let first = F::root_of_unity(log2 + 1).unwrap();
        assert_eq!(values, naive(coefficients, first, root), "odd points, 2^{log2}");
    }
}

#[test]
fn ntt_matches_naive_for_every_log_size_to_10() {
    let mut rng = Rng::new();
    let [one, three] = pools();

    for log2 in 0..=10 {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        for kernels in all_kernels() {
            check_against_naive(&coefficients, &one, kernels);
            check_against_naive(&coefficients, &three, kernels);
        }
    }
}

/// Each call may find the tables of another shift, its own or none.
#[test]
fn cosets_one_after_the_other_are_transformed_as_each_alone() {
    let mut rng = Rng::new();
    let [_, three] = pools();
    let shifts = [7, 5, 5, 0, 1, 7].map(Fr::from_u64);

    for (log2, kernels) in
        [3, 8, 9].into_iter().flat_map(|l| all_kernels().into_iter().map(move |k| (l, k)))
    {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let ntt = Ntt::with_kernels(log2, kernels).unwrap();
        let arena = arena(log2, &three);
        let mut work = ntt.work(&three, &arena, &()).unwrap();
        for shift in shifts {
            let mut values = coefficients.clone();
            ntt.forward_coset(&mut values, shift, &mut work).unwrap();
            let expected = naive(&coefficients, shift, Fr::root_of_unity(log2).unwrap());
            assert_eq!(values, expected, "2^{log2}, {kernels:?}, {shift:?}");
            if !shift.is_zero() {
                ntt.inverse_coset(&mut values, shift, &mut work).unwrap();
                assert_eq!(values, coefficients, "2^{log2}, {kernels:?}, {shift:?}");
            }
        }
    }
}

#[test]
fn ntt_matches_naive_over_every_field() {
    let mut rng = Rng::new();
    let [one, three] = pools();

    for log2 in 0..=Tiny::TWO_ADICITY {
        let coefficients: Vec<Tiny> = (0..1 << log2).map(|_| Tiny::from_u64(rng.word())).collect();
        check_against_naive(&coefficients, &three, Kernels::host());
    }
    check_against_naive(&[rng.fq(), rng.fq()], &one, Kernels::host());
    let pairs: Vec<_> = (0..16).map(|_| rng.fq2()).collect();
    check_against_naive(&pairs, &one, Kernels::host());
}

#[test]
fn transforms_larger_than_the_cache_equal_arkworks() {
    let mut rng = Rng::new();

    for log2 in [11, 12, 13, 14, 17, 19, 20] {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let theirs: Vec<_> = coefficients.iter().copied().map(ark_fr).collect();
        let domain = Radix2EvaluationDomain::<ark_bn254::Fr>::new(1 << log2).unwrap();
        let coset = domain.get_coset(ark_fr(Fr::root_of_unity(log2 + 1).unwrap())).unwrap();
        let expected: Vec<Fr> = domain.fft(&theirs).into_iter().map(our_fr).collect();
        let expected_odd: Vec<Fr> = coset.fft(&theirs).into_iter().map(our_fr).collect();

        for (pool, kernels) in
            pools().iter().flat_map(|p| all_kernels().into_iter().map(move |k| (p, k)))
        {
            let odd = OddPoints::with_kernels(log2, kernels).unwrap();
            let arena = arena(log2, pool);
            let mut work = odd.ntt().work(pool, &arena, &()).unwrap();
            let mut values = coefficients.clone();
            odd.ntt().forward(&mut values, &mut work).unwrap();
            assert!(values == expected, "2^{log2}, {kernels:?}");
            odd.extend(&mut values, &mut work).unwrap();
            assert!(values == expected_odd, "odd points, 2^{log2}, {kernels:?}");
        }
    }
}

#[test]
fn transforms_survive_a_round_trip() {
    let mut rng = Rng::new();
    let pools = pools();

    for log2 in 0..=large::log2_max().min(large::LOG2.start() - 1) {
        let ntt = Ntt::new(log2).unwrap();
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        for pool in &pools {
            let arena = arena(log2, pool);
            let mut work = ntt.work(pool, &arena, &()).unwrap();
            let mut values = coefficients.clone();
            ntt.forward(&mut values, &mut work).unwrap();
            let point = Fr::root_of_unity(log2).unwrap().pow(&[5]);
            assert_eq!(values[5 % values.len()], value_at(&coefficients, point));
            ntt.inverse(&mut values, &mut work).unwrap();
            assert_eq!(values, coefficients, "2^{log2}");
        }
    }
}

/// On each number of threads, and with all kernels, the results of one thread.
#[test]
fn results_are_the_same_on_1_to_64_threads() {
    let mut rng = Rng::new();
    let pools = [1, 2, 3, 8, 17, 64].map(|threads| Pool::new(Some(threads)).unwrap());

    for (log2, kernels) in
        [6, 8, 9, 13, 16].into_iter().flat_map(|l| all_kernels().into_iter().map(move |k| (l, k)))
    {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let odd = OddPoints::with_kernels(log2, kernels).unwrap();
        let results = pools.iter().map(|pool| {
            let arena = arena(log2, pool);
            let mut work = odd.ntt().work(pool, &arena, &()).unwrap();
            let mut values = coefficients.clone();
            // One after the other, so that threads meet the ends of several sweeps.
            for _ in 0..3 {
                odd.ntt().forward(&mut values, &mut work).unwrap();
                odd.extend(&mut values, &mut work).unwrap();
            }
            values
        });
        let results: Vec<Vec<Fr>> = results.collect();
        assert!(results.windows(2).all(|two| two[0] == two[1]), "2^{log2}, {kernels:?}");
    }
}

#[test]
fn values_without_order_become_natural_and_go_back_to_their_coefficients() {
    let mut rng = Rng::new();
    let pools = pools();

    for (log2, pool) in (0..=13).flat_map(|log2| pools.iter().map(move |pool| (log2, pool))) {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        for kernels in all_kernels() {
            let ntt = Ntt::with_kernels(log2, kernels).unwrap();
            let arena = arena(log2, pool);
            let mut work = ntt.work(pool, &arena, &()).unwrap();
            let mut natural = coefficients.clone();
            ntt.forward(&mut natural, &mut work).unwrap();

            let mut values = coefficients.clone();
            let unordered = ntt.forward_unordered(&mut values, &mut work).unwrap();
            assert!(unordered.into_natural(pool) == natural, "2^{log2}, {kernels:?}");

            let mut values = coefficients.clone();
            let mut unordered = ntt.forward_unordered(&mut values, &mut work).unwrap();
            unordered.as_mut_slice().iter_mut().for_each(|value| *value += Fr::ONE);
            let back = ntt.inverse_unordered(unordered, &mut work).unwrap();
            // One on every point is the constant one.
            back[0] -= Fr::ONE;
            assert!(back == coefficients, "2^{log2}, {kernels:?}");
        }
    }
}

#[test]
fn transforms_are_linear() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(2)).unwrap();

    for (log2, kernels) in
        [5, 9, 12, 15].into_iter().flat_map(|l| all_kernels().into_iter().map(move |k| (l, k)))
    {
        let ntt = Ntt::with_kernels(log2, kernels).unwrap();
        let arena = arena(log2, &pool);
        let mut work = ntt.work(&pool, &arena, &()).unwrap();
        let mut a: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let mut b: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let factor = rng.fr();
        let mut sums: Vec<Fr> = a.iter().zip(&b).map(|(&a, &b)| a * factor + b).collect();

        ntt.forward_each(&mut [&mut a, &mut b, &mut sums], &mut work).unwrap();

        let expected = a.iter().zip(&b).map(|(&a, &b)| a * factor + b);
        assert!(expected.eq(sums.iter().copied()), "2^{log2}, {kernels:?}");
    }
}

#[test]
fn several_vectors_are_transformed_as_each_alone() {
    let mut rng = Rng::new();

    for (log2, pool) in [0, 3, 7, 8, 11].into_iter().flat_map(|log2| pools().map(|p| (log2, p))) {
        for kernels in all_kernels() {
            let ntt = Ntt::with_kernels(log2, kernels).unwrap();
            let arena = arena(log2, &pool);
            let mut work = ntt.work(&pool, &arena, &()).unwrap();
            let mut vectors: Vec<Vec<Fr>> =
                (0..5).map(|_| (0..1 << log2).map(|_| rng.fr()).collect()).collect();
            let mut alone = vectors.clone();

            let mut slices: Vec<&mut [Fr]> = vectors.iter_mut().map(Vec::as_mut_slice).collect();
            ntt.forward_each(&mut slices, &mut work).unwrap();

            for values in &mut alone {
                ntt.forward(values, &mut work).unwrap();
            }
            assert!(vectors == alone, "2^{log2}, {kernels:?}");
        }
    }
}

#[test]
fn domains_that_the_field_does_not_have_are_refused() {
    let refused = |log2, log2_max| Some(Error::DomainTooLarge { log2, log2_max });

    assert_eq!(Ntt::<Fr>::new(29).err(), refused(29, 28));
    assert_eq!(Ntt::<Fr>::new(u32::MAX).err(), refused(u32::MAX, 28));
    assert_eq!(OddPoints::<Fr>::new(28).err(), refused(28, 27));
    assert_eq!(OddPoints::<Fr>::new(u32::MAX).err(), refused(u32::MAX, 27));
    assert_eq!(Ntt::<Fq>::new(2).err(), refused(2, 1));
}

#[test]
fn values_of_another_length_are_refused_and_left_alone() {
    let pool = Pool::new(Some(1)).unwrap();
    let odd = OddPoints::new(3).unwrap();
    let arena = arena(3, &pool);
    let mut work = odd.ntt().work(&pool, &arena, &()).unwrap();

    for len in [0, 7, 9, 16] {
        let mut values = vec![Fr::ONE; len];
        let refused =
            Err(Error::LengthMismatch { what: "values of a transform", expected: 8, got: len });
        assert_eq!(odd.ntt().forward(&mut values, &mut work), refused);
        assert_eq!(odd.ntt().inverse(&mut values, &mut work), refused);
        assert_eq!(odd.ntt().forward_coset(&mut values, Fr::ONE, &mut work), refused);
        assert_eq!(odd.ntt().inverse_coset(&mut values, Fr::ONE, &mut work), refused);
        assert_eq!(odd.extend(&mut values, &mut work), refused);
        let mut right = [Fr::ONE; 8];
        assert_eq!(odd.ntt().forward_each(&mut [&mut right, &mut values], &mut work), refused);
        assert_eq!(right, [Fr::ONE; 8]);
        assert_eq!(values, vec![Fr::ONE; len]);
    }
}

/// Values that reach the bounds of lazy arithmetic, as random ones never do.
#[test]
fn extreme_values_give_the_same_with_all_kernels() {
    let pool = Pool::new(Some(2)).unwrap();
    let words = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_montgomery([0, 0, 0, 1 << 61]).unwrap()];
    let patterns: [fn(usize) -> usize; 5] = [
        |_| 2,
        |i| i % 2 * 2,
        |i| i / 8 % 4,
        |i| (i ^ i >> 5) % 4,
        |i| i.count_ones() as usize % 4,
    ];

    for log2 in 8..=16 {
        for pattern in patterns {
            let results = all_kernels().into_iter().map(|kernels| {
                let arena = arena(log2, &pool);
                let odd = OddPoints::with_kernels(log2, kernels).unwrap();
                let mut work = odd.ntt().work(&pool, &arena, &()).unwrap();
                let mut values: Vec<Fr> = (0..1 << log2).map(|i| words[pattern(i)]).collect();
                odd.extend(&mut values, &mut work).unwrap();
                odd.ntt().forward(&mut values, &mut work).unwrap();
                values
            });
            let results: Vec<Vec<Fr>> = results.collect();
            assert!(results.windows(2).all(|two| two[0] == two[1]), "2^{log2}");
        }
    }
}

#[test]
fn a_transform_stops_at_every_question() {
    type Transform<'a> = &'a dyn Fn(&mut [Fr], &mut Work<'_>) -> Result<(), Error>;
    let (pool, shift) = (Pool::new(Some(2)).unwrap(), Fr::from_u64(5));

    for (kernels, log2) in all_kernels().into_iter().flat_map(|k| [4, 12].map(|log2| (k, log2))) {
        let odd = OddPoints::<Fr>::with_kernels(log2, kernels).unwrap();
        let ntt = odd.ntt();
        let transforms: [Transform<'_>; 7] = [
            &|values, work| ntt.forward(values, work),
            &|values, work| ntt.inverse(values, work),
            &|values, work| ntt.forward_each(&mut [values], work),
            &|values, work| ntt.forward_coset(values, shift, work),
            &|values, work| ntt.inverse_coset(values, shift, work),
            &|values, work| odd.extend(values, work),
            &|values, work| {
                let unordered = ntt.forward_unordered(values, work)?;
                ntt.inverse_unordered(unordered, work).map(|_| ())
            },
        ];
        for (index, transform) in transforms.into_iter().enumerate() {
            let stop_after = |observer: &StopAfter| {
                let arena = arena(log2, &pool);
                let mut work = ntt.work(&pool, &arena, observer).unwrap();
                transform(&mut vec![Fr::ONE; 1 << log2], &mut work)
            };
            // Of this domain alone, which makes its tables once; that asks, too.
            let observer = StopAfter::never();
            assert_eq!(stop_after(&observer), Ok(()));
            observer.reset(u64::MAX);
            assert_eq!(stop_after(&observer), Ok(()));
            let questions = observer.asked();
            assert!(questions > 0, "{index} of 2^{log2} asks nothing");
            for question in 0..questions {
                let stopped = stop_after(&StopAfter::new(question));
                assert_eq!(stopped, Err(Error::Cancelled), "{index} of 2^{log2}: {question}");
            }
        }
    }
}
