//! Random sequences of operations, each also done by the naive model.

use nalloc::Arena;
use nalloc_bn254::{Error, Evaluations, Field, Fr, Polynomial, Pool};

use super::{naive, pools};
use crate::field::tiny::Tiny;
use crate::support::Rng;

/// Polynomials that a sequence works on.
const PLACES: usize = 4;
/// Coefficients that a product may have.
const LEN_MAX: usize = 1500;
const OPERATIONS: usize = 400;

/// What becomes of the polynomial at a place; numbers are places and choices.
#[derive(Clone, Copy, Debug)]
enum Operation {
    New { len: usize },
    Add { other: usize },
    Sub { other: usize },
    AddInPlace { other: usize },
    SubInPlace { other: usize },
    AddScaled { other: usize, factor: u64 },
    Mul { other: usize },
    Scale { factor: u64 },
    Derivative,
    Quotient { other: usize },
    Remainder { other: usize },
    LinearQuotient { z: u64 },
    VanishingQuotient { n: usize, c: u64 },
    VanishingRemainder { n: usize, c: u64 },
    ThereAndBack { shift: u64 },
    ThroughPoints,
}

fn next_operation(rng: &mut Rng) -> Operation {
    let mut below = |bound: u64| rng.word() % bound;
    let (number, other, n) = (below(12289), below(PLACES as u64), below(300));
    let (other, n) = (usize::try_from(other).unwrap(), usize::try_from(n).unwrap());
    match below(20) {
        0..5 => Operation::New { len: 2 * n },
        5 => Operation::Add { other },
        6 => Operation::Sub { other },
        7 => Operation::AddInPlace { other },
        8 => Operation::SubInPlace { other },
        9 => Operation::AddScaled { other, factor: number },
        10 | 11 => Operation::Mul { other },
        12 => Operation::Scale { factor: number % 3 },
        13 => Operation::Derivative,
        14 => Operation::Quotient { other },
        15 => Operation::Remainder { other },
        16 => Operation::LinearQuotient { z: number },
        17 => Operation::VanishingQuotient { n: n + 1, c: number % 4 },
        18 => Operation::VanishingRemainder { n: n + 1, c: number % 4 },
        _ if n % 4 == 0 => Operation::ThroughPoints,
        _ => Operation::ThereAndBack { shift: number + 1 },
    }
}

type Pair<F> = (Polynomial<F>, Vec<F>);

/// The new polynomial at a place, by the crate and by the model.
fn apply<F: Field>(
    operation: Operation,
    place: usize,
    all: &[Pair<F>],
    element: impl FnMut() -> F,
    pool: &Pool,
) -> Pair<F> {
    let (p, model) = &all[place];
    match operation {
        Operation::New { len } => {
            let coefficients: Vec<F> = core::iter::repeat_with(element).take(len).collect();
            (heap(&coefficients), naive::trimmed(coefficients))
        }
        Operation::Add { other } => {
            (p.add(&all[other].0, pool).unwrap(), naive::add(model, &all[other].1))
        }
        Operation::Sub { other } => {
            (p.sub(&all[other].0, pool).unwrap(), naive::sub(model, &all[other].1))
        }
        Operation::AddInPlace { other } => {
            let sum = in_place(model, &all[other], |p, other| p.add_in_place(other, pool));
            (sum, naive::add(model, &all[other].1))
        }
        Operation::SubInPlace { other } => {
            let difference = in_place(model, &all[other], |p, other| p.sub_in_place(other, pool));
            (difference, naive::sub(model, &all[other].1))
        }
        Operation::AddScaled { other, factor } => {
            let factor = F::from_u64(factor);
            let sum =
                in_place(model, &all[other], |p, other| p.add_scaled_in_place(other, factor, pool));
            (sum, naive::add(model, &naive::scale(&all[other].1, factor)))
        }
        Operation::Scale { factor } => {
            let factor = F::from_u64(factor);
            let mut scaled = heap(model);
            scaled.scale_in_place(factor, pool);
            assert_eq!(scaled, p.scale(factor, pool).unwrap());
            (scaled, naive::scale(model, factor))
        }
        Operation::Derivative => (p.derivative(pool).unwrap(), naive::derivative(model)),
        Operation::Mul { other }
        | Operation::Quotient { other }
        | Operation::Remainder { other } => {
            multiplied_or_divided(operation, &all[place], &all[other], pool)
        }
        _ => divided_or_converted(operation, p, model, pool),
    }
}

fn heap<F: Field>(coefficients: &[F]) -> Polynomial<F> {
    Polynomial::from_coefficients(coefficients).unwrap()
}

/// What `change` makes of a polynomial in an arena whose storage has room for either.
fn in_place<F: Field>(
    model: &[F],
    other: &Pair<F>,
    change: impl FnOnce(&mut Polynomial<F, &mut [F]>, &Polynomial<F>) -> Result<(), Error>,
) -> Polynomial<F> {
    let len = model.len().max(other.1.len());
    let arena = Arena::with_capacity(len * size_of::<F>() + 4096).unwrap();
    let storage = arena.alloc_array(len);
    storage[..model.len()].copy_from_slice(model);
    let mut changed = Polynomial::over(storage);
    change(&mut changed, &other.0).unwrap();
    changed.to_heap().unwrap()
}

fn multiplied_or_divided<F: Field>(
    operation: Operation,
    (p, model): &Pair<F>,
    (other, other_model): &Pair<F>,
    pool: &Pool,
) -> Pair<F> {
    match operation {
        Operation::Mul { .. } if model.len() + other_model.len() <= LEN_MAX => {
            (p.mul(other, pool).unwrap(), naive::mul(model, other_model))
        }
        Operation::Quotient { .. } | Operation::Remainder { .. } if other.is_zero() => {
            assert_eq!(p.divide(other, pool).err(), Some(Error::DivisionByZero));
            (heap(model), model.clone())
        }
        Operation::Quotient { .. } => {
            (p.divide(other, pool).unwrap().0, naive::divide(model, other_model).0)
        }
        Operation::Remainder { .. } => {
            (p.divide(other, pool).unwrap().1, naive::divide(model, other_model).1)
        }
        // A product that is too long for the sequence.
        _ => (heap(model), model.clone()),
    }
}

fn divided_or_converted<F: Field>(
    operation: Operation,
    p: &Polynomial<F>,
    model: &[F],
    pool: &Pool,
) -> Pair<F> {
    let number = F::from_u64;
    match operation {
        Operation::LinearQuotient { z } => {
            let (quotient, value) = p.divide_by_linear(number(z), pool).unwrap();
            assert_eq!(value, naive::value(model, number(z)));
            (quotient, naive::divide(model, &[-number(z), F::ONE]).0)
        }
        Operation::VanishingQuotient { n, c } => {
            let quotient = p.divide_by_vanishing(n, number(c), pool).unwrap().0;
            (quotient, naive::divide(model, &vanishing(n, number(c))).0)
        }
        Operation::VanishingRemainder { n, c } => {
            let remainder = p.divide_by_vanishing(n, number(c), pool).unwrap().1;
            (remainder, naive::divide(model, &vanishing(n, number(c))).1)
        }
        Operation::ThereAndBack { shift } => {
            let log2 = model.len().next_power_of_two().ilog2();
            let shift = if number(shift).is_zero() { F::ONE } else { number(shift) };
            let values = Evaluations::of_on_coset(p, log2, shift, pool).unwrap();
            assert_eq!(values.values()[0], naive::value(model, shift));
            (values.interpolate(pool).unwrap(), model.to_vec())
        }
        Operation::ThroughPoints => {
            let points: Vec<F> = (0..=model.len() as u64).map(|n| number(3 * n + 1)).collect();
            let values = p.evaluate_at(&points, pool).unwrap();
            (Polynomial::interpolate(&points, &values, pool).unwrap(), model.to_vec())
        }
        other => unreachable!("{other:?} is done by `apply`"),
    }
}

fn vanishing<F: Field>(n: usize, c: F) -> Vec<F> {
    let mut coefficients = vec![F::ZERO; n + 1];
    (coefficients[0], coefficients[n]) = (-c, F::ONE);
    coefficients
}

fn run<F: Field>(rng: &mut Rng, element: fn(&mut Rng) -> F, pool: &Pool) {
    let mut all: Vec<Pair<F>> =
        (0..PLACES).map(|_| (Polynomial::zero().unwrap(), vec![])).collect();
    let mut done = Vec::new();
    for step in 0..OPERATIONS {
        let (operation, place) = (next_operation(rng), step % PLACES);
        done.push((place, operation));
        let (polynomial, model) = apply(operation, place, &all, || element(rng), pool);
        assert!(polynomial.coefficients() == model, "{done:?}");
        assert_eq!(polynomial.degree(), model.len().checked_sub(1), "{done:?}");
        assert_eq!(polynomial.is_zero(), model.is_empty(), "{done:?}");
        all[place] = (polynomial, model);
    }
}

#[test]
fn random_sequences_of_operations_are_those_of_the_model() {
    let mut rng = Rng::new();

    for pool in pools() {
        run::<Fr>(&mut rng, Rng::fr, &pool);
        run::<Tiny>(&mut rng, |rng| Tiny::from_u64(rng.word()), &pool);
    }
}
