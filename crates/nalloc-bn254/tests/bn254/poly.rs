//! Polynomials against naive ones and arkworks, and the rules of degrees.

mod linear;
mod naive;

use nalloc_bn254::{Error, Field, Fq, Fr, Polynomial, Pool};

use crate::support::Rng;

fn random(rng: &mut Rng, len: usize) -> Polynomial<Fr> {
    Polynomial::from_coefficients(&elements(len, || rng.fr())).unwrap()
}

fn elements<F>(len: usize, element: impl FnMut() -> F) -> Vec<F> {
    core::iter::repeat_with(element).take(len).collect()
}

fn pools() -> [Pool; 3] {
    [1, 2, 3].map(|threads| Pool::new(Some(threads)).unwrap())
}

#[test]
fn products_equal_the_product_of_values_on_both_sides_of_the_crossover() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(2)).unwrap();

    for (m, n) in [(1, 1), (1, 100), (31, 32), (32, 32), (32, 33), (33, 33), (300, 1000)] {
        let (a, b) = (random(&mut rng, m), random(&mut rng, n));
        let product = a.mul(&b, &pool).unwrap();

        assert_eq!(product.degree(), Some(m + n - 2));
        assert_eq!(product, b.mul(&a, &pool).unwrap());
        for _ in 0..5 {
            let x = rng.fr();
            let expected = a.evaluate(x, &pool) * b.evaluate(x, &pool);
            assert_eq!(product.evaluate(x, &pool), expected, "{m} {n}");
        }
    }
}

#[test]
fn a_product_by_transform_equals_the_product_term_by_term() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(1)).unwrap();
    let (a, b) = (random(&mut rng, 150), random(&mut rng, 70));

    let product = a.mul(&b, &pool).unwrap();

    assert_eq!(product.coefficients(), naive::mul(a.coefficients(), b.coefficients()));
}

#[test]
fn sums_differences_and_multiples_are_those_of_the_coefficients() {
    let mut rng = Rng::new();

    for pool in pools() {
        for (m, n) in [(0, 0), (0, 3), (5, 2), (2, 5), (7, 7), (4097, 8000), (9000, 4095)] {
            let (a, b) = (elements(m, || rng.fr()), elements(n, || rng.fr()));
            let factor = rng.fr();
            let (left, right) = (Polynomial::over(&*a), Polynomial::over(&*b));

            assert_eq!(left.add(&right, &pool).unwrap().coefficients(), naive::add(&a, &b));
            assert_eq!(left.sub(&right, &pool).unwrap().coefficients(), naive::sub(&a, &b));
            let multiple = left.scale(factor, &pool).unwrap();
            assert_eq!(multiple.coefficients(), naive::scale(&a, factor));
        }
    }
}

#[test]
fn the_degree_falls_where_leading_terms_cancel() {
    let numbers = |numbers: &[u64]| {
        let coefficients: Vec<Fr> = numbers.iter().map(|&n| Fr::from_u64(n)).collect();
        Polynomial::over(coefficients)
    };
    let pool = Pool::new(Some(1)).unwrap();
    let zero = numbers(&[]);

    assert_eq!(numbers(&[1, 2, 0, 0]).degree(), Some(1));
    assert_eq!(numbers(&[5]).degree(), Some(0));
    assert_eq!(numbers(&[0, 0]).degree(), None);
    assert_eq!(numbers(&[1, 2, 3]).sub(&numbers(&[1, 1, 3]), &pool).unwrap(), numbers(&[0, 1]));
    assert!(numbers(&[1, 2]).sub(&numbers(&[1, 2]), &pool).unwrap().is_zero());
    assert!(numbers(&[1, 2]).scale(Fr::ZERO, &pool).unwrap().is_zero());
    assert!(numbers(&[1, 2]).mul(&zero, &pool).unwrap().is_zero());
    assert_eq!(zero.evaluate(Fr::ONE, &pool), Fr::ZERO);
}

#[test]
fn a_product_that_no_domain_of_the_field_holds_is_refused() {
    let pool = Pool::new(Some(1)).unwrap();
    let long = Polynomial::from_coefficients(&[Fq::ONE; 33]).unwrap();

    let refused = Some(Error::DomainTooLarge { log2: 7, log2_max: 1 });
    assert_eq!(long.mul(&long, &pool).err(), refused);
}

#[test]
fn printing_a_polynomial_shows_no_coefficient() {
    let polynomial = Polynomial::from_coefficients(&[Fr::from_u64(123_456_789)]).unwrap();

    assert_eq!(format!("{polynomial:?}"), "Polynomial(1 coefficients)");
}

#[test]
fn a_wiped_polynomial_is_zero_and_so_is_its_storage() {
    let mut polynomial = Polynomial::from_coefficients(&[Fr::from_u64(123); 100]).unwrap();

    polynomial.wipe();

    assert!(polynomial.is_zero());
    assert_eq!(&*polynomial.into_storage(), [Fr::ZERO; 100]);
}
