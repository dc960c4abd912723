//! Division with remainder, by any polynomial and by those that vanish on a domain.
//!
//! Long division computes the quotient from its highest coefficient down: each is what the dividend
//! has there less an inner product of those before with the divisor. Where quotient and divisor
//! are long, the quotient backwards is the dividend backwards times the inverse of the divisor
//! backwards, as power series in X. Newton's iteration v <- v (2 - d v) doubles the
//! coefficients of that inverse which are right; it and the two products after it take some 25
//! transforms of the quotient's length.

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::Watched;
use crate::vector::add_scaled;

use super::product::{coefficient, product, reversed};
use super::scratch::Scratch;
use super::{ELEMENTS_PER_TASK, copied, copy, each, linear, scale};

/// Quotients with at most this many coefficients, and those by divisors of at most this degree, are
/// computed by long division. With both at 512 that took 0.71 ms, and 0.92 by Newton's iteration,
/// with both at 1024 2.5 and 1.6: `cargo bench --bench bn254 -- 'polynomial divide a square'` with
/// this at 10000 and at 0, 2-core Zen 4, 2026-11-22.
const LONG_DIVISION_LEN_MAX: usize = 640;
/// Coefficients of a remainder that one task computes.
const REMAINDERS_PER_TASK: usize = 64;

/// Coefficients of a quotient by long division between two questions whether to go on: 0.2 ms in
/// lanes, some 3 in plain Rust.
const COEFFICIENTS_PER_QUESTION: usize = 256;

/// Quotient and remainder.
pub(super) type Divided<F> = (Scratch<F>, Scratch<F>);

/// Quotient and remainder by a divisor whose last coefficient is not zero.
pub(super) fn divide<F: Field>(
    a: &[F],
    divisor: &[F],
    pool: Watched<'_>,
) -> Result<Divided<F>, Error> {
    let Some((leading, lower)) = divisor.split_last() else {
        return Err(Error::DivisionByZero);
    };
    let Some(quotient_len) = a.len().checked_sub(lower.len()).filter(|&len| len > 0) else {
        return Ok((Scratch::zeroed(0)?, copied(a, a.len(), pool)?));
    };
    let inverse = leading.invert().ok_or(Error::DivisionByZero)?;
    if quotient_len.min(lower.len()) <= LONG_DIVISION_LEN_MAX {
        return long_division(a, divisor, inverse, pool);
    }
    let quotient = quotient_by_newton(a, divisor, inverse, pool)?;
    // The remainder has as many coefficients as `lower`, and higher ones of the product cancel.
    let multiple = product(&quotient, divisor, pool)?;
    let mut remainder = copied(&a[..lower.len()], lower.len(), pool)?;
    each(&mut remainder, &multiple[..lower.len()], pool, F::subtract_each)?;
    Ok((quotient, remainder))
}

fn long_division<F: Field>(
    a: &[F],
    divisor: &[F],
    inverse: F,
    pool: Watched<'_>,
) -> Result<Divided<F>, Error> {
    let degree = divisor.len() - 1;
    let backwards = reversed(divisor)?;
    let below_leading = &backwards[1..];
    let mut quotient = Scratch::<F>::zeroed(a.len() - degree)?;
    for i in (0..quotient.len()).rev() {
        if i.is_multiple_of(COEFFICIENTS_PER_QUESTION) {
            pool.go_on()?;
        }
        let above = &quotient[i + 1..];
        let count = above.len().min(degree);
        let done = F::inner_product(Kernels::host(), &above[..count], &below_leading[..count]);
        quotient[i] = (a[i + degree] - done) * inverse;
    }
    let mut remainder = Scratch::zeroed(degree)?;
    pool.for_each_chunk_mut(&mut remainder, REMAINDERS_PER_TASK, |start, part| {
        for (k, rest) in (start..).zip(part) {
            *rest = a[k] - coefficient(k, &backwards, &quotient);
        }
    })?;
    Ok((quotient, remainder))
}

fn quotient_by_newton<F: Field>(
    a: &[F],
    divisor: &[F],
    inverse: F,
    pool: Watched<'_>,
) -> Result<Scratch<F>, Error> {
    let len = a.len() + 1 - divisor.len();
    let highest_first = reversed(&divisor[divisor.len().saturating_sub(len)..])?;
    let inverse = inverse_series(&highest_first, inverse, len, pool)?;
    let dividend = reversed(&a[divisor.len() - 1..])?;
    let quotient = product(&dividend, &inverse, pool)?;
    let mut forwards = Scratch::zeroed(len)?;
    for (to, &from) in forwards.iter_mut().rev().zip(&quotient[..len]) {
        *to = from;
    }
    Ok(forwards)
}

/// The first `len` coefficients of 1 / `series`, whose first coefficient has this inverse.
fn inverse_series<F: Field>(
    series: &[F],
    inverse: F,
    len: usize,
    pool: Watched<'_>,
) -> Result<Scratch<F>, Error> {
    let mut right = copied(&[inverse], 1, pool)?;
    while right.len() < len {
        let more = len.min(2 * right.len());
        let mut factor = product(&series[..more.min(series.len())], &right, pool)?;
        // 2 - product, up to the coefficients that shall be right.
        let used = more.min(factor.len());
        scale(&mut factor[..used], -F::ONE, pool)?;
        factor[0] += F::ONE.double();
        let next = product(&right, &factor[..used], pool)?;
        let mut grown = Scratch::zeroed(more)?;
        let known = more.min(next.len());
        copy(&next[..known], &mut grown[..known], pool)?;
        right = grown;
    }
    Ok(right)
}

/// Quotient and remainder by X^`n` - `c`, for an `n` of at least 1: q[i] = a[i + n] + c q[i + n], and
/// what has no i + n remains.
pub(super) fn divide_by_vanishing<F: Field>(
    a: &[F],
    n: usize,
    c: F,
    pool: Watched<'_>,
) -> Result<Divided<F>, Error> {
    if n == 1 {
        let mut quotient = copied(a, a.len(), pool)?;
        let remainder = linear::divide(&mut quotient, c, pool)?;
        return Ok((quotient, copied(&[remainder], 1, pool)?));
    }
    let (low, high) = a.split_at(n.min(a.len()));
    let mut quotient = copied(high, high.len(), pool)?;
    let mut remainder = copied(low, low.len(), pool)?;
    for row in (1..high.len().div_ceil(n)).rev() {
        let (below, above) = quotient.split_at_mut(row * n);
        let above = &above[..n.min(above.len())];
        add_multiple(&mut below[(row - 1) * n..][..above.len()], above, c, pool)?;
    }
    let first = &quotient[..n.min(quotient.len())];
    add_multiple(&mut remainder[..first.len()], first, c, pool)?;
    Ok((quotient, remainder))
}

/// `sums` += `c` * `terms`. Whether `c` is 1, as for a domain that is no coset, is no secret.
fn add_multiple<F: Field>(
    sums: &mut [F],
    terms: &[F],
    c: F,
    pool: Watched<'_>,
) -> Result<(), Error> {
    if c == F::ONE {
        return each(sums, terms, pool, F::add_each);
    }
    pool.for_each_chunk_mut(sums, ELEMENTS_PER_TASK, |start, sums| {
        add_scaled(Kernels::host(), sums, &terms[start..][..sums.len()], c);
    })
}
