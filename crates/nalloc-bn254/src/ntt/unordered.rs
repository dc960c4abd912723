//! Values in whatever order a transform leaves them at the least cost.
//!
//! Slices hold natural order everywhere, and [`Unordered`] is the type of everything else: only
//! the inverse that undoes its order takes it, and natural order is made on request. In lanes
//! natural order is free, and this is it. In plain Rust it costs a permutation, 2 to 4 % of a
//! transform, which products element by element do not need: they get the bit-reversed order of the
//! values on w^0, w^-1, w^-2, .., which the inverse half-transform leaves (see the head of ntt.rs).

use super::{Ntt, Work, order};
use crate::error::Error;
use crate::field::Field;
use crate::pool::Pool;

/// Values on the points of a domain, each of them once, in an order that only depends on the
/// domain: good for verbs element by element.
#[must_use = "the values are not in natural order"]
pub struct Unordered<'v, F> {
    values: &'v mut [F],
    is_reversed: bool,
}

impl<'v, F: Field> Unordered<'v, F> {
    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[F] {
        self.values
    }

    /// The values, to be changed in place.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [F] {
        self.values
    }

    /// The values in natural order: value i is that on w^i.
    #[must_use]
    pub fn into_natural(self, pool: &Pool) -> &'v mut [F] {
        if self.is_reversed {
            order::reverse_bits(self.values, pool);
            self.values[1..].reverse();
        }
        self.values
    }
}

impl<F: Field> Ntt<F> {
    /// As [`forward`](Self::forward), in the order that costs least.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_unordered<'v>(
        &self,
        values: &'v mut [F],
        work: &mut Work<'_>,
    ) -> Result<Unordered<'v, F>, Error> {
        self.check_len(values)?;
        if let Some(transform) = self.forward_tables(work.observer())? {
            transform.run(values, work)?;
            return Ok(Unordered { values, is_reversed: false });
        }
        let stop = work.stop();
        self.butterflies(work.pool, &stop)?.inverse(values);
        stop.result()?;
        Ok(Unordered { values, is_reversed: true })
    }

    /// Values to coefficients in natural order: undoes
    /// [`forward_unordered`](Self::forward_unordered) of this size.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn inverse_unordered<'v>(
        &self,
        unordered: Unordered<'v, F>,
        work: &mut Work<'_>,
    ) -> Result<&'v mut [F], Error> {
        let Unordered { values, is_reversed } = unordered;
        self.check_len(values)?;
        if !is_reversed {
            self.inverse(values, work)?;
            return Ok(values);
        }
        let stop = work.stop();
        self.butterflies(work.pool, &stop)?.forward(values);
        stop.result()?;
        self.divide_by_size(values, work)?;
        Ok(values)
    }
}
