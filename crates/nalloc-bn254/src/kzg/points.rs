//! Several polynomials at several points each, with one proof of two points of G1: the second
//! scheme of Boneh, Drake, Fisch and Gabizon (Efficient polynomial commitment schemes for multiple
//! points and polynomials, eprint 2020/081, section 4).
//!
//! Polynomial `f_i` with commitment `C_i` is opened at the points `S_i`, where it equals `r_i`, the
//! polynomial of least degree through its values. T is the union of all `S_i`; Z of a set is the
//! product of X - s over it.
//!
//! ```text
//! verifier  gamma
//! prover    h = sum of gamma^i (f_i - r_i) / Z(S_i),  W = [h]
//! verifier  z
//! prover    L = sum of gamma^i Z(T \ S_i)(z) (f_i - r_i(z)) - Z(T)(z) h,  which is 0 at z
//!           W' = [L / (X - z)]
//! verifier  F = sum of gamma^i Z(T \ S_i)(z) (C_i - r_i(z) G) - Z(T)(z) W
//!           accepts where e(F + z W', G2) = e(W', tau G2)
//! ```
//!
//! The quotient h needs no division but by single points. With `c_is` = 1 / product of s - s' over
//! the other s' of `S_i`, partial fractions give
//!
//! ```text
//! (f_i - r_i) / Z(S_i) = sum over s of c_is (f_i - f_i(s)) / (X - s)
//! h = sum over s of T of the quotient by X - s of  sum over i of gamma^i c_is f_i
//! ```
//!
//! where an empty `S_i` has no part in either: such a polynomial is not opened, and gamma^i is left
//! out. So each point costs one division (poly/linear.rs) of one combination of the polynomials that
//! are asked there. In L the terms without X drop out, because only its quotient counts.

use crate::field::{Field, Fr, batch_invert};

/// For each point the inverse of the product of its differences to the others. Points differ.
pub(super) fn weights(points: &[Fr]) -> Vec<Fr> {
    let product = |(index, &point): (usize, &Fr)| {
        let others = points.iter().enumerate().filter(|(other, _)| *other != index);
        others.fold(Fr::ONE, |product, (_, &other)| product * (point - other))
    };
    let mut weights: Vec<Fr> = points.iter().enumerate().map(product).collect();
    batch_invert(&mut weights);
    weights
}

/// The value at `z` of the polynomial of least degree with `values` at `points`.
pub(super) fn interpolate(points: &[Fr], values: &[Fr], z: Fr) -> Fr {
    let terms = weights(points).into_iter().zip(values).enumerate();
    terms.fold(Fr::ZERO, |sum, (index, (weight, &value))| {
        let others = points.iter().enumerate().filter(|(other, _)| *other != index);
        let above = others.fold(Fr::ONE, |product, (_, &other)| product * (z - other));
        sum + weight * value * above
    })
}

/// The product of `z` - s over all points.
pub(super) fn vanishing(all: &[Fr], z: Fr) -> Fr {
    all.iter().fold(Fr::ONE, |product, &point| product * (z - point))
}

/// The product of `z` - s over the points that are not among `opened`, by which a polynomial counts
/// in L and F: zero where it is not opened at all.
pub(super) fn share(all: &[Fr], opened: &[Fr], z: Fr) -> Fr {
    if opened.is_empty() {
        return Fr::ZERO;
    }
    let rest = all.iter().filter(|point| !opened.contains(point));
    rest.fold(Fr::ONE, |product, &point| product * (z - point))
}

/// All points, each once, in the order in which they come up.
pub(super) fn union<'a>(sets: impl Iterator<Item = &'a [Fr]>) -> Vec<Fr> {
    let mut all = Vec::new();
    for &point in sets.flatten() {
        if !all.contains(&point) {
            all.push(point);
        }
    }
    all
}

/// Whether a point comes up twice.
pub(super) fn has_repeated(points: &[Fr]) -> bool {
    points.iter().enumerate().any(|(index, point)| points[..index].contains(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_gives_the_value_of_the_polynomial_of_least_degree() {
        let f = |x: Fr| x.square() * x + Fr::from_u64(3) * x + Fr::from_u64(11);
        let points: Vec<Fr> = [4, 9, 1, 100].map(Fr::from_u64).to_vec();
        let values: Vec<Fr> = points.iter().map(|&point| f(point)).collect();

        for z in [Fr::ZERO, Fr::from_u64(9), -Fr::ONE] {
            assert_eq!(interpolate(&points, &values, z), f(z));
        }
        assert_eq!(interpolate(&points[..1], &values[..1], Fr::ZERO), values[0]);
        assert_eq!(interpolate(&[], &[], Fr::ONE), Fr::ZERO);
    }

    #[test]
    fn unions_and_vanishing_polynomials_count_each_point_once() {
        let numbers =
            |numbers: &[u64]| numbers.iter().map(|&n| Fr::from_u64(n)).collect::<Vec<_>>();
        let (a, b) = (numbers(&[1, 2]), numbers(&[2, 5]));
        let all = union([&a[..], &b[..]].into_iter());

        assert_eq!(all, numbers(&[1, 2, 5]));
        let nine = Fr::from_u64(9);
        assert_eq!(share(&all, &a, nine), Fr::from_u64(4));
        assert_eq!(share(&all, &all, nine), Fr::ONE);
        assert_eq!(share(&all, &[], nine), Fr::ZERO);
        assert_eq!(vanishing(&all, nine), Fr::from_u64(8 * 7 * 4));
        assert!(!has_repeated(&all) && has_repeated(&numbers(&[1, 2, 1])));
    }
}
