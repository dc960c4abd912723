//! Transforms against their definition, against arkworks, and there and back.

use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use nalloc_bn254::{Error, Field, Fq, Fr, Ntt, OddPoints, Pool};

use crate::field::tiny::Tiny;
use crate::support::{Rng, ark_fr, our_fr};

fn pools() -> [Pool; 2] {
    [1, 3].map(|threads| Pool::new(Some(threads)).unwrap())
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

fn check_against_naive<F: Field>(coefficients: &[F], pool: &Pool) {
    let log2 = coefficients.len().ilog2();
    let root = F::root_of_unity(log2).unwrap();
    let ntt = Ntt::new(log2).unwrap();
    let shift = F::from_u64(7);

    let mut values = coefficients.to_vec();
    ntt.forward(&mut values, pool).unwrap();
    assert_eq!(values, naive(coefficients, F::ONE, root), "2^{log2}");
    ntt.inverse(&mut values, pool).unwrap();
    assert_eq!(values, coefficients, "2^{log2}");

    ntt.forward_coset(&mut values, shift, pool).unwrap();
    assert_eq!(values, naive(coefficients, shift, root), "coset, 2^{log2}");
    ntt.inverse_coset(&mut values, shift, pool).unwrap();
    assert_eq!(values, coefficients, "coset, 2^{log2}");

    if log2 < F::TWO_ADICITY {
        let odd = OddPoints::new(log2).unwrap();
        odd.ntt().forward(&mut values, pool).unwrap();
        odd.extend(&mut values, pool).unwrap();
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
        check_against_naive(&coefficients, &one);
        check_against_naive(&coefficients, &three);
    }
}

#[test]
fn ntt_matches_naive_over_every_field() {
    let mut rng = Rng::new();
    let [one, three] = pools();

    for log2 in 0..=Tiny::TWO_ADICITY {
        let coefficients: Vec<Tiny> = (0..1 << log2).map(|_| Tiny::from_u64(rng.word())).collect();
        check_against_naive(&coefficients, &three);
    }
    check_against_naive(&[rng.fq(), rng.fq()], &one);
    let pairs: Vec<_> = (0..16).map(|_| rng.fq2()).collect();
    check_against_naive(&pairs, &one);
}

#[test]
fn transforms_larger_than_the_cache_equal_arkworks() {
    let mut rng = Rng::new();

    for log2 in [11, 12, 13] {
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        let theirs: Vec<_> = coefficients.iter().copied().map(ark_fr).collect();
        let domain = Radix2EvaluationDomain::<ark_bn254::Fr>::new(1 << log2).unwrap();
        let coset = domain.get_coset(ark_fr(Fr::root_of_unity(log2 + 1).unwrap())).unwrap();
        let expected: Vec<Fr> = domain.fft(&theirs).into_iter().map(our_fr).collect();
        let expected_odd: Vec<Fr> = coset.fft(&theirs).into_iter().map(our_fr).collect();

        for pool in pools() {
            let odd = OddPoints::new(log2).unwrap();
            let mut values = coefficients.clone();
            odd.ntt().forward(&mut values, &pool).unwrap();
            assert_eq!(values, expected);
            odd.extend(&mut values, &pool).unwrap();
            assert_eq!(values, expected_odd);
        }
    }
}

#[test]
fn transforms_to_2_to_the_16_survive_a_round_trip() {
    let mut rng = Rng::new();
    let pools = pools();

    for log2 in 0..=16 {
        let ntt = Ntt::new(log2).unwrap();
        let coefficients: Vec<Fr> = (0..1 << log2).map(|_| rng.fr()).collect();
        for pool in &pools {
            let mut values = coefficients.clone();
            ntt.forward(&mut values, pool).unwrap();
            let point = Fr::root_of_unity(log2).unwrap().pow(&[5]);
            assert_eq!(values[5 % values.len()], value_at(&coefficients, point));
            ntt.inverse(&mut values, pool).unwrap();
            assert_eq!(values, coefficients, "2^{log2}");
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

    for len in [0, 7, 9, 16] {
        let mut values = vec![Fr::ONE; len];
        let refused =
            Err(Error::LengthMismatch { what: "values of a transform", expected: 8, got: len });
        assert_eq!(odd.ntt().forward(&mut values, &pool), refused);
        assert_eq!(odd.ntt().inverse(&mut values, &pool), refused);
        assert_eq!(odd.ntt().forward_coset(&mut values, Fr::ONE, &pool), refused);
        assert_eq!(odd.ntt().inverse_coset(&mut values, Fr::ONE, &pool), refused);
        assert_eq!(odd.extend(&mut values, &pool), refused);
        assert_eq!(values, vec![Fr::ONE; len]);
    }
}
