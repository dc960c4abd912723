//! Polynomials against naive ones and arkworks, and the rules of degrees.

mod divide;
mod linear;
mod naive;
mod sequences;
mod values;

use nalloc_bn254::{Error, Field, Fq, Fr, Polynomial, Pool};

use crate::support::Rng;

fn elements<F>(len: usize, element: impl FnMut() -> F) -> Vec<F> {
    core::iter::repeat_with(element).take(len).collect()
}

fn pools() -> [Pool; 3] {
    [1, 2, 3].map(|threads| Pool::new(Some(threads)).unwrap())
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
    let long = Polynomial::from_coefficients(&[Fq::ONE; 100]).unwrap();

    let refused = Some(Error::DomainTooLarge { log2: 8, log2_max: 1 });
    assert_eq!(long.mul(&long, &pool).err(), refused);
}

#[test]
fn a_sum_in_place_that_has_no_room_is_refused_and_changes_nothing() {
    let pool = Pool::new(Some(1)).unwrap();
    let mut storage = [Fr::ONE, Fr::ONE, Fr::ZERO];
    let mut short = Polynomial::over(storage.as_mut_slice());
    let (three, four) = ([Fr::ONE; 3], [Fr::ONE; 4]);
    let refused = Err(Error::LengthMismatch { what: "storage of a sum", expected: 4, got: 3 });

    assert_eq!(short.add_in_place(&Polynomial::over(four.as_slice()), &pool), refused);
    assert_eq!(short.sub_in_place(&Polynomial::over(four.as_slice()), &pool), refused);
    assert_eq!(short.degree(), Some(1));
    assert_eq!(short.add_in_place(&Polynomial::over(three.as_slice()), &pool), Ok(()));
    assert_eq!(storage, [Fr::ONE.double(), Fr::ONE.double(), Fr::ONE]);
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
