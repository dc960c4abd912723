//! The polynomial of least degree through points.
//!
//! With Z the product of all X - x[i] it is the sum of y[i] / Z'(x[i]) * Z / (X - x[i]), and with all
//! factors 1 the same sum is Z'. Such sums and their Z are joined in pairs, by products: the sum
//! of both halves is left * Z of the right + right * Z of the left. That takes n log2(n)^2 steps of
//! transforms; the values of Z' take n^2 multiplications, at 1 ns each.

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::Watched;

use super::evaluate::evaluate_at;
use super::product::product;
use super::scratch::Scratch;
use super::{ELEMENTS_PER_TASK, each};

/// Up to so many points are joined one after the other.
const POINTS_IN_TURN_MAX: usize = 32;

pub(super) fn interpolate<F: Field>(
    points: &[F],
    values: &[F],
    pool: Watched<'_>,
) -> Result<Scratch<F>, Error> {
    if points.is_empty() {
        return Err(Error::Empty { what: "points" });
    }
    let (expected, got) = (points.len(), values.len());
    if expected != got {
        return Err(Error::LengthMismatch { what: "values", expected, got });
    }
    let mut weights = Scratch::zeroed(points.len())?;
    weights.fill(F::ONE);
    let derivative = Sum::of(points, &weights, pool)?.numerator;
    evaluate_at(&derivative, points, &mut weights, pool)?;
    if let Some(first) = weights.iter().position(Field::is_zero) {
        // Z has a double root there.
        let later = points[first + 1..].iter().position(|&point| point == points[first]);
        return Err(Error::PointRepeated { index: first + 1 + later.unwrap_or(0), first });
    }
    pool.for_each_chunk_mut(&mut weights, ELEMENTS_PER_TASK, |_, weights| {
        F::invert_each(Kernels::host(), weights);
    })?;
    each(&mut weights, values, pool, F::multiply_each)?;
    Ok(Sum::of(points, &weights, pool)?.numerator)
}

/// The sum of w[i] / (X - x[i]).
struct Sum<F> {
    /// As many coefficients as there are points.
    numerator: Scratch<F>,
    /// One more: the product of all X - x[i].
    denominator: Scratch<F>,
}

impl<F: Field> Sum<F> {
    fn of(points: &[F], weights: &[F], pool: Watched<'_>) -> Result<Self, Error> {
        pool.go_on()?;
        if points.len() <= POINTS_IN_TURN_MAX {
            return Self::in_turn(points, weights);
        }
        let (left, right) = points.split_at(points.len() / 2);
        let (weights_left, weights_right) = weights.split_at(left.len());
        let (left, right) =
            (Self::of(left, weights_left, pool)?, Self::of(right, weights_right, pool)?);
        let denominator =
            trimmed(product(&left.denominator, &right.denominator, pool)?, points.len() + 1)?;
        let mut numerator =
            trimmed(product(&left.numerator, &right.denominator, pool)?, points.len())?;
        let other = product(&right.numerator, &left.denominator, pool)?;
        each(&mut numerator, &other[..points.len()], pool, F::add_each)?;
        Ok(Self { numerator, denominator })
    }

    /// Point by point: both are multiplied by X - x, from the highest coefficient down.
    fn in_turn(points: &[F], weights: &[F]) -> Result<Self, Error> {
        let mut numerator = Scratch::zeroed(points.len())?;
        let mut denominator = Scratch::zeroed(points.len() + 1)?;
        denominator[0] = F::ONE;
        for (degree, (&point, &weight)) in points.iter().zip(weights).enumerate() {
            for i in (0..=degree).rev() {
                let below = if i == 0 { F::ZERO } else { numerator[i - 1] };
                numerator[i] = below - point * numerator[i] + weight * denominator[i];
            }
            for i in (0..=degree + 1).rev() {
                let below = if i == 0 { F::ZERO } else { denominator[i - 1] };
                denominator[i] = below - point * denominator[i];
            }
        }
        Ok(Self { numerator, denominator })
    }
}

/// The first `len` elements, after which there are zeros at most.
fn trimmed<F: Field>(product: Scratch<F>, len: usize) -> Result<Scratch<F>, Error> {
    if product.len() == len {
        return Ok(product);
    }
    let mut trimmed = Scratch::zeroed(len)?;
    trimmed.copy_from_slice(&product[..len]);
    Ok(trimmed)
}
