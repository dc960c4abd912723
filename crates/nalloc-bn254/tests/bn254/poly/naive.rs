//! Polynomials as one learns them: coefficients in a vector, everything term by term.

use nalloc_bn254::Field;

/// Without zeros at the end.
pub fn trimmed<F: Field>(mut coefficients: Vec<F>) -> Vec<F> {
    while coefficients.last().is_some_and(Field::is_zero) {
        coefficients.pop();
    }
    coefficients
}

pub fn add<F: Field>(a: &[F], b: &[F]) -> Vec<F> {
    let at = |x: &[F], i: usize| x.get(i).copied().unwrap_or(F::ZERO);
    trimmed((0..a.len().max(b.len())).map(|i| at(a, i) + at(b, i)).collect())
}

pub fn sub<F: Field>(a: &[F], b: &[F]) -> Vec<F> {
    add(a, &scale(b, -F::ONE))
}

pub fn scale<F: Field>(a: &[F], factor: F) -> Vec<F> {
    trimmed(a.iter().map(|&a| a * factor).collect())
}

pub fn mul<F: Field>(a: &[F], b: &[F]) -> Vec<F> {
    let mut product = vec![F::ZERO; a.len() + b.len()];
    for (i, &x) in a.iter().enumerate() {
        for (j, &y) in b.iter().enumerate() {
            product[i + j] += x * y;
        }
    }
    trimmed(product)
}

pub fn value<F: Field>(a: &[F], x: F) -> F {
    a.iter().rev().fold(F::ZERO, |value, &c| value * x + c)
}

/// Quotient and remainder, for a divisor whose last coefficient is not zero.
pub fn divide<F: Field>(a: &[F], divisor: &[F]) -> (Vec<F>, Vec<F>) {
    let leading = divisor.last().and_then(|c| c.invert()).expect("a divisor that is not zero");
    let mut remainder = a.to_vec();
    let mut quotient = vec![F::ZERO; a.len()];
    while remainder.len() >= divisor.len() {
        let place = remainder.len() - divisor.len();
        quotient[place] = remainder[remainder.len() - 1] * leading;
        for (i, &c) in divisor.iter().enumerate() {
            remainder[place + i] -= quotient[place] * c;
        }
        remainder.pop();
    }
    (trimmed(quotient), trimmed(remainder))
}

pub fn derivative<F: Field>(a: &[F]) -> Vec<F> {
    let terms = a.iter().enumerate().skip(1);
    trimmed(terms.map(|(power, &c)| c * F::from_u64(power as u64)).collect())
}
