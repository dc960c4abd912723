//! Values at points, and division by X - z.

use ark_poly::{DenseUVPolynomial, Polynomial as _, univariate::DensePolynomial};
use nalloc::Arena;
use nalloc_bn254::{Field, Fq2, Fr, Polynomial, Pool};

use super::{elements, naive, pools};
use crate::field::tiny::Tiny;
use crate::support::{Rng, ark_fr, our_fr};

/// Around the lengths of lanes, of Horner's rule, of blocks of powers, of segments and groups of
/// them, of chains, of tasks, and of the second round of a division.
const LENGTHS: [usize; 30] = [
    0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 119, 120, 121, 511, 512, 513, 959, 960, 961, 1079,
    1080, 4095, 4096, 4097, 8193, 15_359, 15_360, 15_361,
];

fn check<F: Field>(coefficients: &[F], points: &[F], pool: &Pool) {
    let polynomial = Polynomial::over(coefficients);
    for &z in points {
        let value = polynomial.evaluate(z, pool);
        let (quotient, remainder) = polynomial.divide_by_linear(z, pool).unwrap();

        let len = coefficients.len();
        assert_eq!(value, naive::value(coefficients, z), "{len} coefficients");
        let (expected, rest) = naive::divide(coefficients, &[-z, F::ONE]);
        assert!(quotient.coefficients() == expected, "{len} coefficients");
        assert_eq!(remainder, rest.first().copied().unwrap_or(F::ZERO), "{len} coefficients");
        assert_eq!(remainder, value, "{len} coefficients");
    }
}

#[test]
fn values_and_quotients_by_a_point_are_the_naive_ones_for_every_length() {
    let mut rng = Rng::new();
    let points = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::root_of_unity(28).unwrap(), rng.fr()];

    for (pool, len) in pools().iter().flat_map(|pool| LENGTHS.map(|len| (pool, len))) {
        check(&elements(len, || rng.fr()), &points, pool);
        check(&vec![-Fr::ONE; len], &points, pool);
    }
}

#[test]
fn values_and_quotients_by_a_point_are_the_naive_ones_over_every_field() {
    let mut rng = Rng::new();

    for (pool, len) in pools().iter().flat_map(|pool| LENGTHS.map(|len| (pool, len))) {
        let tiny = elements(len, || Tiny::from_u64(rng.word()));
        check(&tiny, &[Tiny::ZERO, Tiny::from_u64(rng.word())], pool);
        check(&elements(len, || rng.fq()), &[rng.fq()], pool);
        let pairs = elements(len.min(2000), || Fq2::new(rng.fq(), rng.fq()));
        check(&pairs, &[rng.fq2()], pool);
    }
}

#[test]
fn a_tiny_polynomial_has_its_value_at_every_point_of_the_field() {
    let mut rng = Rng::new();
    let [pool, ..] = pools();
    let coefficients = elements(100, || Tiny::from_u64(rng.word()));
    let polynomial = Polynomial::over(&*coefficients);

    for z in (0..Tiny::SIZE).map(Tiny::from_u64) {
        let value = naive::value(&coefficients, z);
        assert_eq!(polynomial.evaluate(z, &pool), value, "{z:?}");
        assert_eq!(polynomial.divide_by_linear(z, &pool).unwrap().1, value, "{z:?}");
    }
}

#[test]
fn large_values_and_quotients_equal_arkworks() {
    let mut rng = Rng::new();

    for len in [(1 << 16) - 1, 1 << 16, (1 << 16) + 1, (1 << 20) + 5] {
        let coefficients = elements(len, || rng.fr());
        let z = rng.fr();
        let theirs = coefficients.iter().copied().map(ark_fr).collect();
        let theirs = DensePolynomial::from_coefficients_vec(theirs);
        let divisor = DensePolynomial::from_coefficients_vec(vec![ark_fr(-z), ark_fr(Fr::ONE)]);
        let expected: Vec<Fr> = (&theirs / &divisor).coeffs.into_iter().map(our_fr).collect();

        for pool in pools() {
            let mut polynomial = Polynomial::over(coefficients.clone());
            assert_eq!(ark_fr(polynomial.evaluate(z, &pool)), theirs.evaluate(&ark_fr(z)));
            let remainder = polynomial.divide_by_linear_in_place(z, &pool).unwrap();
            assert_eq!(ark_fr(remainder), theirs.evaluate(&ark_fr(z)));
            assert!(polynomial.coefficients() == expected, "{len} coefficients");
        }
    }
}

#[test]
fn a_polynomial_in_an_arena_becomes_the_quotient_in_place() {
    let mut rng = Rng::new();
    let [pool, ..] = pools();
    let arena = Arena::with_capacity(1 << 20).unwrap();
    let polynomial = Polynomial::over(elements(5000, || rng.fr()));
    let z = rng.fr();
    let (quotient, remainder) = polynomial.divide_by_linear(z, &pool).unwrap();

    let mut in_place = polynomial.to_arena(&arena).unwrap();
    let place = in_place.coefficients().as_ptr();

    assert_eq!(in_place, polynomial);
    assert_eq!(in_place.divide_by_linear_in_place(z, &pool), Ok(remainder));
    assert_eq!(in_place, quotient);
    assert_eq!((in_place.coefficients().as_ptr(), in_place.degree()), (place, Some(4998)));
    let storage = in_place.into_storage();
    assert_eq!((storage.len(), storage[4999]), (5000, Fr::ZERO));
}

#[test]
fn many_points_and_many_polynomials_have_the_values_of_each_alone() {
    let mut rng = Rng::new();

    for (pool, len) in
        pools().iter().flat_map(|pool| [0, 1, 16, 17, 600, 9000_usize].map(|l| (pool, l)))
    {
        let all: Vec<_> = (0..5)
            .map(|i| Polynomial::over(elements(len.saturating_sub(i * 300), || rng.fr())))
            .collect();
        let points = elements(5, || rng.fr());
        for count in [0, 1, 2, 5] {
            let expected = points[..count].iter().map(|&x| naive::value(all[0].coefficients(), x));
            let values = all[0].evaluate_at(&points[..count], pool).unwrap();
            assert!(expected.eq(values.iter().copied()), "{count} points, {len} coefficients");

            let several: Vec<_> = all.iter().take(count).collect();
            let expected = several.iter().map(|p| naive::value(p.coefficients(), points[0]));
            let values = Polynomial::evaluate_each(&several, points[0], pool).unwrap();
            assert!(expected.eq(values.iter().copied()), "{count} polynomials, up to {len}");
        }
    }
}

#[test]
fn constants_have_a_quotient_of_zero_and_zero_has_nothing_else() {
    let [pool, ..] = pools();
    let (five, nine) = (Fr::from_u64(5), Fr::from_u64(9));

    let (quotient, remainder) =
        Polynomial::over([five].as_slice()).divide_by_linear(nine, &pool).unwrap();
    assert_eq!((quotient.degree(), remainder), (None, five));

    let (quotient, remainder) =
        Polynomial::<Fr>::zero().unwrap().divide_by_linear(nine, &pool).unwrap();
    assert_eq!((quotient.degree(), remainder), (None, Fr::ZERO));
}
