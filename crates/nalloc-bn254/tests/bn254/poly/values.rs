//! From coefficients to values and back: on domains, on cosets, through any points.

use nalloc_bn254::{Error, Evaluations, Field, Fq, Fr, Polynomial, Pool};

use super::{elements, naive, pools};
use crate::field::tiny::Tiny;
use crate::support::Rng;

/// Points `shift` * w^i of the domain of 2^`log2`.
fn points<F: Field>(log2: u32, shift: F) -> Vec<F> {
    let root = F::root_of_unity(log2).unwrap();
    core::iter::successors(Some(shift), |&point| Some(point * root)).take(1 << log2).collect()
}

fn check_conversions<F: Field>(coefficients: &[F], log2: u32, shift: F, pool: &Pool) {
    let polynomial = Polynomial::over(coefficients);
    let values = Evaluations::of_on_coset(&polynomial, log2, shift, pool).unwrap();

    let expected = points(log2, shift).into_iter().map(|x| naive::value(coefficients, x));
    assert!(expected.eq(values.values().iter().copied()), "2^{log2}");
    assert!(values.interpolate(pool).unwrap() == polynomial, "2^{log2}");
    let again = Evaluations::on_coset(values.values(), shift).unwrap();
    assert!(again == values && (again.log2(), again.shift()) == (log2, shift));
}

#[test]
fn values_on_domains_and_cosets_are_those_of_the_coefficients_and_go_back() {
    let mut rng = Rng::new();
    let pools = pools();

    for (log2, pool) in
        [0, 1, 2, 5, 8, 10].into_iter().flat_map(|l| pools.each_ref().map(|p| (l, p)))
    {
        for len in [0, 1, (1 << log2) / 2, 1 << log2] {
            let a = elements(len, || rng.fr());
            check_conversions(&a, log2, Fr::ONE, pool);
            check_conversions(&a, log2, rng.fr(), pool);
            let tiny = elements(len, || Tiny::from_u64(rng.word()));
            check_conversions(&tiny, log2, Tiny::ONE, pool);
            check_conversions(&tiny, log2, Tiny::from_u64(5), pool);
        }
    }
}

#[test]
fn operations_go_value_by_value() {
    let mut rng = Rng::new();
    let shift = rng.fr();

    for (pool, log2) in pools().iter().flat_map(|pool| [0, 4, 13].map(|log2| (pool, log2))) {
        let (a, b) = (elements(1 << log2, || rng.fr()), elements(1 << log2, || rng.fr()));
        let factor = rng.fr();
        let on_coset = |values: &[Fr]| Evaluations::on_coset(values, shift).unwrap();
        let each =
            |f: fn(Fr, Fr) -> Fr| -> Vec<Fr> { a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect() };
        let (left, right) = (on_coset(&a), on_coset(&b));

        assert!(left.add(&right, pool).unwrap() == on_coset(&each(|a, b| a + b)));
        assert!(left.sub(&right, pool).unwrap() == on_coset(&each(|a, b| a - b)));
        assert!(left.mul(&right, pool).unwrap() == on_coset(&each(|a, b| a * b)));
        let scaled: Vec<Fr> = a.iter().map(|&a| a * factor).collect();
        assert!(left.scale(factor, pool).unwrap() == on_coset(&scaled));
        let inverses = left.invert(pool).unwrap();
        assert!(inverses.mul(&left, pool).unwrap() == on_coset(&vec![Fr::ONE; 1 << log2]));
        assert_eq!(inverses.shift(), shift);
    }
}

/// The values of a product of higher degree are those of its remainder.
#[test]
fn a_product_of_values_is_the_product_modulo_what_vanishes() {
    let mut rng = Rng::new();
    let [_, pool, _] = pools();
    let (a, b) = (elements(100, || rng.fr()), elements(120, || rng.fr()));
    let (a, b) = (Polynomial::over(a), Polynomial::over(b));
    let shift = rng.fr();
    let values = |p| Evaluations::of_on_coset(p, 7, shift, &pool).unwrap();

    let product = values(&a).mul(&values(&b), &pool).unwrap().interpolate(&pool).unwrap();

    let whole = a.mul(&b, &pool).unwrap();
    let (_, rest) = whole.divide_by_vanishing(128, shift.pow(&[128]), &pool).unwrap();
    assert_eq!(product, rest);
    let refused = Evaluations::of(&whole, 7, &pool).err();
    assert_eq!(refused, Some(Error::TooManyCoefficients { max: 128, got: 219 }));
}

#[test]
fn values_that_belong_to_no_domain_are_refused() {
    let [pool, ..] = pools();
    let one = Polynomial::over([Fr::ONE].as_slice());
    let what = "values on a domain";
    let eight = Evaluations::new(&[Fr::ONE; 8]).unwrap();

    assert_eq!(Evaluations::<Fr>::new(&[]).err(), Some(Error::Empty { what }));
    let refused = Some(Error::NotPowerOfTwo { what, got: 12 });
    assert_eq!(Evaluations::new(&[Fr::ONE; 12]).err(), refused);
    let refused = Some(Error::DomainTooLarge { log2: 2, log2_max: 1 });
    assert_eq!(Evaluations::new(&[Fq::ONE; 4]).err(), refused);
    assert_eq!(Evaluations::on_coset(&[Fr::ONE; 4], Fr::ZERO).err(), Some(Error::ShiftIsZero));
    assert_eq!(Evaluations::of_on_coset(&one, 3, Fr::ZERO, &pool).err(), Some(Error::ShiftIsZero));
    for log2 in [29, u32::MAX] {
        let refused = Some(Error::DomainTooLarge { log2, log2_max: 28 });
        assert_eq!(Evaluations::of(&one, log2, &pool).err(), refused);
    }
    let four = Evaluations::new(&[Fr::ONE; 4]).unwrap();
    let refused = Some(Error::LengthMismatch { what: "other values", expected: 8, got: 4 });
    assert_eq!(eight.add(&four, &pool).err(), refused);
    let shifted = Evaluations::on_coset(&[Fr::ONE; 8], Fr::from_u64(5)).unwrap();
    assert_eq!(eight.mul(&shifted, &pool).err(), Some(Error::CosetMismatch));
    let mut values = [Fr::ONE; 8];
    (values[5], values[6]) = (Fr::ZERO, Fr::ZERO);
    let refused = Evaluations::new(&values).unwrap().invert(&pool).err();
    assert_eq!(refused, Some(Error::ValueIsZero { index: 5 }));
    assert_eq!(format!("{eight:?}"), "Evaluations(8 values)");
}

fn check_interpolation<F: Field>(points: &[F], values: &[F], pool: &Pool) {
    let polynomial = Polynomial::interpolate(points, values, pool).unwrap();

    let len = points.len();
    assert!(polynomial.degree().is_none_or(|degree| degree < len), "{len} points");
    for (&x, &y) in points.iter().zip(values) {
        assert_eq!(naive::value(polynomial.coefficients(), x), y, "{len} points");
    }
}

#[test]
fn the_polynomial_through_points_has_their_values_and_no_higher_degree() {
    let mut rng = Rng::new();

    for (pool, len) in
        pools().iter().flat_map(|p| [1, 2, 3, 31, 32, 33, 64, 65, 100, 300, 513].map(|l| (p, l)))
    {
        let (x, y) = (elements(len, || rng.fr()), elements(len, || rng.fr()));
        check_interpolation(&x, &y, pool);
        check_interpolation(&x, &vec![Fr::ZERO; len], pool);
        let numbers: Vec<Tiny> = (0..len as u64).map(|n| Tiny::from_u64(n * 5)).collect();
        let tiny = elements(len, || Tiny::from_u64(rng.word()));
        check_interpolation(&numbers, &tiny, pool);
    }
    // On a domain it is the inverse transform.
    let [_, pool, _] = pools();
    let y = elements(256, || rng.fr());
    let through = Polynomial::interpolate(&points(8, Fr::ONE), &y, &pool).unwrap();
    assert_eq!(through, Evaluations::new(&y).unwrap().interpolate(&pool).unwrap());
}

#[test]
fn a_repeated_point_is_told_with_both_of_its_places() {
    let mut rng = Rng::new();
    let [pool, ..] = pools();

    for (len, first, index) in [(2, 0, 1), (10, 3, 7), (100, 0, 99), (100, 98, 99), (40, 31, 32)] {
        let mut x = elements(len, || rng.fr());
        x[index] = x[first];
        let refused = Polynomial::interpolate(&x, &vec![Fr::ONE; len], &pool).err();
        assert_eq!(refused, Some(Error::PointRepeated { index, first }));
    }
    let none: [Fr; 0] = [];
    let refused = Polynomial::interpolate(&none, &none, &pool).err();
    assert_eq!(refused, Some(Error::Empty { what: "points" }));
    let refused = Polynomial::interpolate(&[Fr::ONE], &none, &pool).err();
    assert_eq!(refused, Some(Error::LengthMismatch { what: "values", expected: 1, got: 0 }));
    let message = Error::PointRepeated { index: 7, first: 3 }.to_string();
    assert_eq!(message, "point 7: expected one that was not there before, got point 3");
}
