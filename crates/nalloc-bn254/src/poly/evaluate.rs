//! Values of polynomials at points.
//!
//! Horner's rule waits for each multiplication before it begins the next. Here a block of 512
//! coefficients is an inner product with the powers x^0 .. x^511, which lanes do without waiting and
//! with one reduction for many products; the blocks' values are coefficients of a polynomial in
//! x^512, which is short enough for Horner.
//!
//! Cost: a multiplication for each coefficient, 512 for the powers; docs/polynomials.md has times.

use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::{Stop, Watched};
use crate::pool::Pool;

/// Powers in a table, and coefficients of a block: 16 KiB of each, so that the table stays in the
/// first-level cache.
pub(super) const BLOCK_LEN: usize = 512;
/// Coefficients that one task evaluates, at least: 4 microseconds.
const ELEMENTS_PER_TASK_MIN: usize = 8 * BLOCK_LEN;
/// Tasks of one polynomial. Their values are on the stack, and joined one after the other.
const TASKS_MAX: usize = 256;
/// Blocks between two questions whether to go on: 4 microseconds in lanes, 70 in plain Rust.
const BLOCKS_PER_QUESTION: usize = 8;
/// Up to here Horner's rule is done before a table of powers is.
const HORNER_LEN_MAX: usize = 16;

/// The value at `x` of the polynomial with these coefficients; anything once it shall stop.
pub(super) fn evaluate<F: Field>(coefficients: &[F], x: F, pool: &Pool, stop: &Stop<'_>) -> F {
    if coefficients.len() <= HORNER_LEN_MAX {
        return horner(coefficients, x);
    }
    Powers::new(x, coefficients.len().min(BLOCK_LEN)).evaluate(coefficients, pool, stop)
}

/// The value at each of `points`, of which there are as many as `values`. Each value is the work of
/// one thread, unless there are fewer of them than threads.
pub(super) fn evaluate_at<F: Field>(
    coefficients: &[F],
    points: &[F],
    values: &mut [F],
    pool: Watched<'_>,
) -> Result<(), Error> {
    let (pool, stop) = (pool.pool, &Stop::new(pool.observer));
    if points.len() < pool.thread_count() {
        for (value, &point) in values.iter_mut().zip(points).take_while(|_| !stop.is_wanted()) {
            *value = evaluate(coefficients, point, pool, stop);
        }
        return stop.result();
    }
    pool.for_each_chunk_mut(values, 1, |first, values| {
        let places = values.iter_mut().zip(&points[first..]);
        for (value, &point) in places.take_while(|_| !stop.is_wanted()) {
            *value = if coefficients.len() <= HORNER_LEN_MAX {
                horner(coefficients, point)
            } else {
                Powers::new(point, coefficients.len().min(BLOCK_LEN)).value(coefficients, stop)
            };
        }
    });
    stop.result()
}

/// The value at `x` of each of as many polynomials as there are `values`; the powers are computed
/// once. Short polynomials are shared out between the threads, long ones are each the work of all.
pub(super) fn evaluate_each<F: Field>(
    polynomials: &[&[F]],
    x: F,
    values: &mut [F],
    pool: Watched<'_>,
) -> Result<(), Error> {
    let (pool, stop) = (pool.pool, &Stop::new(pool.observer));
    let longest = polynomials.iter().map(|coefficients| coefficients.len()).max().unwrap_or(0);
    let powers = Powers::new(x, longest.clamp(1, BLOCK_LEN));
    if longest > ELEMENTS_PER_TASK_MIN {
        for (value, coefficients) in values.iter_mut().zip(polynomials) {
            *value = powers.evaluate(coefficients, pool, stop);
        }
        return stop.result();
    }
    pool.for_each_chunk_mut(values, 1, |first, values| {
        for (value, coefficients) in values.iter_mut().zip(&polynomials[first..]) {
            *value = powers.value(coefficients, stop);
        }
    });
    stop.result()
}

fn horner<F: Field>(coefficients: &[F], x: F) -> F {
    coefficients.iter().rev().fold(F::ZERO, |value, &c| value * x + c)
}

/// The first powers of a point.
pub(super) struct Powers<F> {
    kernels: Kernels,
    table: [F; BLOCK_LEN],
    /// How many there are.
    len: usize,
    /// The power after those of the table.
    next: F,
}

impl<F: Field> Powers<F> {
    /// x^0 .. x^(`len` - 1), of which there are at most [`BLOCK_LEN`].
    pub(super) fn new(x: F, len: usize) -> Self {
        debug_assert!((1..=BLOCK_LEN).contains(&len), "{len} powers in a table of {BLOCK_LEN}");
        let kernels = Kernels::host();
        let mut table = [F::ONE; BLOCK_LEN];
        F::multiply_by_powers(kernels, &mut table[..len], F::ONE, x);
        let next = table[len - 1] * x;
        Self { kernels, table, len, next }
    }

    /// The power after those of the table.
    pub(super) fn next(&self) -> F {
        self.next
    }

    /// The value of a polynomial with at most as many coefficients as the table has powers.
    pub(super) fn value_of_block(&self, coefficients: &[F]) -> F {
        F::inner_product(self.kernels, coefficients, &self.table[..coefficients.len()])
    }

    /// The value of any polynomial, on this thread; anything once it shall stop.
    fn value(&self, coefficients: &[F], stop: &Stop<'_>) -> F {
        let mut value = F::ZERO;
        for (index, block) in coefficients.chunks(self.len).enumerate().rev() {
            if index.is_multiple_of(BLOCKS_PER_QUESTION) && stop.is_wanted() {
                break;
            }
            value = value * self.next + self.value_of_block(block);
        }
        value
    }

    /// The value of any polynomial; anything once it shall stop.
    fn evaluate(&self, coefficients: &[F], pool: &Pool, stop: &Stop<'_>) -> F {
        let len = coefficients.len();
        if len <= ELEMENTS_PER_TASK_MIN {
            return self.value(coefficients, stop);
        }
        let per_task = len.div_ceil(TASKS_MAX).max(ELEMENTS_PER_TASK_MIN);
        let blocks_per_task = per_task.div_ceil(self.len);
        let per_task = blocks_per_task * self.len;
        let mut values = [F::ZERO; TASKS_MAX];
        let values = &mut values[..len.div_ceil(per_task)];
        pool.for_each_chunk_mut(values, 1, |task, values| {
            let tasks = coefficients[task * per_task..].chunks(per_task);
            for (value, coefficients) in values.iter_mut().zip(tasks) {
                *value = self.value(coefficients, stop);
            }
        });
        horner(values, self.next.pow(&[blocks_per_task as u64]))
    }
}
