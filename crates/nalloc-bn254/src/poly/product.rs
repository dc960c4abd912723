//! Products: term by term where a factor is short, by transforms where it is not.
//!
//! Coefficient k of a product is an inner product: of a piece of the long factor and a piece of the
//! short one backwards. Both lie in a row, so lanes do it at 1 ns a term. Transforms cost three of
//! the product's length, rounded up to a power of two.

use nalloc::Arena;

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::ntt::{Ntt, Work, scratch_bytes};
use crate::observer::Watched;

use super::scratch::Scratch;
use super::{copy, each};

/// Products with a factor of at most this many coefficients are made term by term. A square of 64
/// took 32 microseconds by terms and 56 by transforms, one of 128 took 67 and 42: `cargo bench
/// --bench bn254 -- 'polynomial square'` with this at 10000 and at 0, 2-core Zen 4, 2026-11-22.
const SCHOOLBOOK_LEN_MAX: usize = 80;
/// Terms that one task adds up, at least: 8 microseconds.
const TERMS_PER_TASK: usize = 8192;

/// The product's coefficients, and zeros perhaps; nothing where a factor has none.
pub(super) fn product<F: Field>(a: &[F], b: &[F], pool: Watched<'_>) -> Result<Scratch<F>, Error> {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    match short.len() {
        0 => Scratch::zeroed(0),
        1..=SCHOOLBOOK_LEN_MAX => term_by_term(short, long, pool),
        _ => by_transforms(short, long, pool),
    }
}

fn term_by_term<F: Field>(short: &[F], long: &[F], pool: Watched<'_>) -> Result<Scratch<F>, Error> {
    let backwards = reversed(short)?;
    let mut product = Scratch::zeroed(short.len() + long.len() - 1)?;
    pool.for_each_chunk_mut(&mut product, TERMS_PER_TASK.div_ceil(short.len()), |start, part| {
        for (k, sum) in (start..).zip(part) {
            *sum = coefficient(k, &backwards, long);
        }
    })?;
    Ok(product)
}

/// Coefficient `k` of the product of two factors that have some, the first of which is given
/// backwards; zero above its degree.
pub(super) fn coefficient<F: Field>(k: usize, backwards: &[F], other: &[F]) -> F {
    // Terms are other[j] * factor[k - j], and factor[k - j] is backwards[last + j - k].
    let last = backwards.len() - 1;
    let (first, end) = (k.saturating_sub(last), other.len().min(k + 1));
    if first >= end {
        return F::ZERO;
    }
    let backwards = &backwards[last + first - k..][..end - first];
    F::inner_product(Kernels::host(), &other[first..end], backwards)
}

pub(super) fn reversed<F: Field>(elements: &[F]) -> Result<Scratch<F>, Error> {
    let mut reversed = Scratch::zeroed(elements.len())?;
    for (to, &from) in reversed.iter_mut().rev().zip(elements) {
        *to = from;
    }
    Ok(reversed)
}

fn by_transforms<F: Field>(a: &[F], b: &[F], pool: Watched<'_>) -> Result<Scratch<F>, Error> {
    let ntt = Ntt::new((a.len() + b.len() - 1).next_power_of_two().ilog2())?;
    let mut product = Scratch::zeroed(ntt.size())?;
    let mut factor = Scratch::zeroed(ntt.size())?;
    copy(a, &mut product[..a.len()], pool)?;
    copy(b, &mut factor[..b.len()], pool)?;
    with_work(&ntt, pool, |work| {
        let mut values = ntt.forward_unordered(&mut product, work)?;
        let factors = ntt.forward_unordered(&mut factor, work)?;
        each(values.as_mut_slice(), factors.as_slice(), pool, F::multiply_each)?;
        ntt.inverse_unordered(values, work)?;
        Ok(())
    })?;
    Ok(product)
}

/// Runs transforms whose scratch is wiped: coefficients and values may be secret.
pub(super) fn with_work<F: Field>(
    ntt: &Ntt<F>,
    pool: Watched<'_>,
    transform: impl FnOnce(&mut Work<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let bytes = scratch_bytes(ntt.log2(), pool.pool.thread_count());
    let arena = Arena::builder().capacity_bytes(bytes).secret(true).build()?;
    transform(&mut ntt.work(pool.pool, &arena, pool.observer)?)
}
