//! Products and divisions, against naive ones and arkworks.

use ark_poly::univariate::{DenseOrSparsePolynomial, DensePolynomial};
use ark_poly::{DenseUVPolynomial, EvaluationDomain, Radix2EvaluationDomain};
use nalloc_bn254::{Error, Field, Fr, Polynomial, Pool};

use super::{elements, naive, pools};
use crate::field::tiny::Tiny;
use crate::support::{Rng, ark_fr, our_fr};

/// Around powers of two and the lengths at which products and divisions change their ways.
const LENGTHS: [usize; 19] =
    [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 79, 80, 81, 128, 129, 256, 257, 511, 513];

fn ark(coefficients: &[Fr]) -> DensePolynomial<ark_bn254::Fr> {
    DensePolynomial::from_coefficients_vec(coefficients.iter().copied().map(ark_fr).collect())
}

fn ours(polynomial: DensePolynomial<ark_bn254::Fr>) -> Vec<Fr> {
    polynomial.coeffs.into_iter().map(our_fr).collect()
}

fn ark_divided(
    a: &DensePolynomial<ark_bn254::Fr>,
    divisor: &DenseOrSparsePolynomial<'_, ark_bn254::Fr>,
) -> (Vec<Fr>, Vec<Fr>) {
    let divided = DenseOrSparsePolynomial::from(a).divide_with_q_and_r(divisor);
    let (quotient, remainder) = divided.expect("a divisor that is not zero");
    (ours(quotient), ours(remainder))
}

fn check_pair<F: Field>(a: &[F], b: &[F], pool: &Pool) {
    let (left, right) = (Polynomial::over(a), Polynomial::over(b));
    let product = left.mul(&right, pool).unwrap();

    assert!(product.coefficients() == naive::mul(a, b), "{} times {}", a.len(), b.len());
    if right.is_zero() {
        assert_eq!(left.divide(&right, pool).err(), Some(Error::DivisionByZero));
        return;
    }
    let (quotient, remainder) = left.divide(&right, pool).unwrap();
    let expected = naive::divide(a, right.coefficients());
    assert!(quotient.coefficients() == expected.0, "{} by {}", a.len(), b.len());
    assert!(remainder.coefficients() == expected.1, "{} by {}", a.len(), b.len());
    // A product has no remainder.
    let (quotient, remainder) = product.divide(&right, pool).unwrap();
    assert!(quotient == left && remainder.is_zero(), "{} by {}", a.len() + b.len(), b.len());
}

#[test]
fn products_and_quotients_are_the_naive_ones_for_all_pairs_of_lengths() {
    let mut rng = Rng::new();
    let pools = pools();

    for (i, (m, n)) in LENGTHS.iter().flat_map(|&m| LENGTHS.map(|n| (m, n))).enumerate() {
        let pool = &pools[i % pools.len()];
        check_pair(&elements(m, || rng.fr()), &elements(n, || rng.fr()), pool);
        let mut tiny = |len| elements(len, || Tiny::from_u64(rng.word()));
        check_pair(&tiny(m), &tiny(n), pool);
    }
}

#[test]
fn long_products_and_quotients_equal_arkworks() {
    let mut rng = Rng::new();

    // Quotients of 640, 641 and 642 coefficients by divisors of as high degrees, then others.
    let around_newton = [(1280, 641), (1282, 642), (1284, 643), (2000, 641), (2000, 642)];
    let others = [(1000, 999), (2048, 2047), (4097, 1024), (20_000, 9000), (30_000, 300)];
    for (m, n) in around_newton.into_iter().chain(others) {
        let (a, b) = (elements(m, || rng.fr()), elements(n, || rng.fr()));
        let (left, right) = (Polynomial::over(&*a), Polynomial::over(&*b));
        let product = ours(&ark(&a) * &ark(&b));
        let expected = ark_divided(&ark(&a), &ark(&b).into());

        for pool in pools() {
            assert!(left.mul(&right, &pool).unwrap().coefficients() == product, "{m} times {n}");
            let (quotient, remainder) = left.divide(&right, &pool).unwrap();
            assert!(quotient.coefficients() == expected.0, "{m} by {n}");
            assert!(remainder.coefficients() == expected.1, "{m} by {n}");
        }
    }
}

#[test]
fn a_divisor_with_zeros_inside_and_a_sparse_dividend_divide_as_any_other() {
    let [pool, ..] = pools();
    let sparse = |len: usize, every: usize| -> Vec<Fr> {
        let at = |i| if usize::is_multiple_of(len - i, every) { -Fr::ONE } else { Fr::ZERO };
        (1..=len).map(at).collect()
    };

    for (m, n) in [(1500, 700), (1500, 40), (40, 3), (600, 600), (600, 601)] {
        check_pair(&sparse(m, 1), &sparse(n, n), &pool);
        check_pair(&sparse(m, 97), &sparse(n, 13), &pool);
        check_pair(&sparse(m, m), &sparse(n, 2), &pool);
    }
}

fn check_vanishing<F: Field>(a: &[F], n: usize, c: F, pool: &Pool) {
    let divided = Polynomial::over(a).divide_by_vanishing(n, c, pool).unwrap();

    let mut divisor = vec![F::ZERO; n + 1];
    (divisor[0], divisor[n]) = (-c, F::ONE);
    let expected = naive::divide(a, &divisor);
    assert!(divided.0.coefficients() == expected.0, "{} by X^{n} - {c:?}", a.len());
    assert!(divided.1.coefficients() == expected.1, "{} by X^{n} - {c:?}", a.len());
}

#[test]
fn division_by_a_vanishing_polynomial_is_the_naive_one() {
    let mut rng = Rng::new();
    let pools = pools();

    for (len, n) in
        LENGTHS.iter().flat_map(|&len| [1, 2, 3, 8, 32, 33, 256, 1024].map(|n| (len, n)))
    {
        let a = elements(len, || rng.fr());
        let tiny = elements(len, || Tiny::from_u64(rng.word()));
        let pool = &pools[(len + n) % pools.len()];
        for c in [Fr::ONE, Fr::ZERO, rng.fr()] {
            check_vanishing(&a, n, c, pool);
        }
        check_vanishing(&tiny, n, Tiny::from_u64(n as u64), pool);
    }
    check_vanishing(&elements(9300, || rng.fr()), 4500, rng.fr(), &pools[2]);
}

#[test]
fn division_by_what_vanishes_on_a_domain_or_coset_equals_arkworks() {
    let mut rng = Rng::new();
    let shift = rng.fr();

    for (len, log2) in [(5000, 10), (20_000, 12), (4097, 12), (4096, 12), (100, 12)] {
        let a = elements(len, || rng.fr());
        let domain = Radix2EvaluationDomain::<ark_bn254::Fr>::new(1 << log2).unwrap();
        let coset = domain.get_coset(ark_fr(shift)).unwrap();
        for (domain, c) in [(domain, Fr::ONE), (coset, shift.pow(&[1 << log2]))] {
            // Not arkworks' own `divide_by_vanishing_poly`, which leaves the coset out.
            let expected = ark_divided(&ark(&a), &domain.vanishing_polynomial().into());
            for pool in pools() {
                let polynomial = Polynomial::over(&*a);
                let divided = polynomial.divide_by_vanishing(1 << log2, c, &pool).unwrap();
                assert!(divided.0.coefficients() == expected.0, "{len}, 2^{log2}");
                assert!(divided.1.coefficients() == expected.1, "{len}, 2^{log2}");
            }
        }
    }
}

#[test]
fn divisors_that_are_no_polynomials_to_divide_by_are_refused() {
    let [pool, ..] = pools();
    let polynomial = Polynomial::over([Fr::ONE; 5].as_slice());
    let zero = Polynomial::over([Fr::ZERO; 3].as_slice());

    assert_eq!(polynomial.divide(&zero, &pool).err(), Some(Error::DivisionByZero));
    assert_eq!(zero.divide(&zero, &pool).err(), Some(Error::DivisionByZero));
    let refused = Error::Empty { what: "points of a vanishing polynomial" };
    assert_eq!(polynomial.divide_by_vanishing(0, Fr::ONE, &pool).err(), Some(refused));
    assert_eq!(
        Error::DivisionByZero.to_string(),
        "divisor: expected a polynomial that is not zero, got zero"
    );
}

#[test]
fn derivatives_are_the_naive_ones_and_vanish_with_the_characteristic() {
    let mut rng = Rng::new();
    let pools = pools();

    for (len, pool) in
        LENGTHS.iter().chain(&[4097, 9000]).flat_map(|&l| pools.each_ref().map(|p| (l, p)))
    {
        let a = elements(len, || rng.fr());
        let derivative = Polynomial::over(&*a).derivative(pool).unwrap();
        assert!(derivative.coefficients() == naive::derivative(&a), "{len} coefficients");
    }
    let mut power = vec![Tiny::ZERO; 12290];
    power[12289] = Tiny::ONE;
    assert!(Polynomial::over(&*power).derivative(&pools[1]).unwrap().is_zero());
    let all = vec![Tiny::ONE; 12290];
    let derivative = Polynomial::over(&*all).derivative(&pools[1]).unwrap();
    assert_eq!(derivative.degree(), Some(12287));
    assert!(derivative.coefficients() == naive::derivative(&all));
}
