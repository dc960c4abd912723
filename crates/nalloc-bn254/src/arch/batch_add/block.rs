//! The additions of one block: forward to the product of all d, one inversion, and back.
//!
//! A CPU looks some 200 vector instructions ahead, which is two products; so what leads to products
//! and away from them runs beside others (`beside.rs`), and the way back is a pipeline in which no
//! product uses the result of the one before it. While the inverses of a pair of vectors are taken
//! off, the slopes of the pair before it are squared, and it gets its x:
//!
//! | products | beside them |
//! |---|---|
//! | inverse of the first vector taken off | y of the first vector are gathered |
//! | squares of the slopes of the pair before | y of the second vector are gathered |
//! | inverse of the second vector taken off | x3 of the pair before |
//! | last products of the pair before | its x3 are written |
//! | slopes of this pair | y3 of the pair before are written |

use core::marker::PhantomData;

use super::stages::{Differences, Numerators, ThirdX, ThirdY};
use super::{Places, Step};
use crate::arch::beside::Nothing;
use crate::arch::constants::{Constants, Limbs52, MASK};
use crate::arch::coordinate::{self, Factors, InLanes, PAIR, Sums};
use crate::arch::lanes::{Elements, Kernel, LANES, Lanes};
use crate::arch::value::{Columns, Lazy, Stored};
use crate::field::FqModulus;

/// Pairs of vectors ahead of which rows are asked for.
const AHEAD: usize = 2;

/// The additions of all steps but the last two. Those are of the pads: the pipeline begins with
/// them.
pub(super) struct AddBlock<'a, F, const D: usize> {
    pub(super) steps: &'a mut [Step<D>],
    pub(super) places: &'a Places,
    pub(super) field: PhantomData<F>,
}

impl<F: InLanes<D>, const D: usize> Kernel for AddBlock<'_, F, D> {
    /// Whether it was done: no d was zero.
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> bool {
        let chains = forward::<L, F, D>(l, self.steps, self.places);
        let Some(inverses) = quarter_inverses::<L, F, D>(l, &chains) else { return false };
        backward::<L, F, D>(l, self.steps, self.places, inverses);
        true
    }
}

/// Notes x1, d and the products before each d, and returns the products of all: one of the first
/// steps of pairs, one of the second.
#[inline(always)]
fn forward<L: Lanes, F: InLanes<D>, const D: usize>(
    l: L,
    steps: &mut [Step<D>],
    places: &Places,
) -> [Factors<L, D>; PAIR] {
    let last = steps.len() / PAIR - 1;
    let mut chains = [one::<L, D>(l); PAIR];
    let mut first = Differences::new(l, pair_mut(steps, 0), places);
    coordinate::all_slices(l, &mut first);
    let mut d = first.d;
    for pair in 0..last {
        for step in two(steps, (pair + AHEAD).min(last)) {
            for lane in 0..LANES {
                prefetch(l, places.rows, step.to[lane]);
                prefetch(l, places.from, step.x[lane]);
            }
        }
        let [s0, s1] = pair_mut(steps, pair);
        store(l, &chains[0], &mut s0.before);
        store(l, &chains[1], &mut s1.before);
        let mut next = Differences::new(l, pair_mut(steps, pair + 1), places);
        let z = F::products(l, [&chains[0], &chains[1]], [&d[0], &d[1]], &mut next);
        chains = [carried(l, &z[0]), carried(l, &z[1])];
        d = next.d;
    }
    chains
}

/// What the way back knows of a pair until its sums are written.
struct Unfinished<L: Lanes, const D: usize> {
    y: [Sums<L, D>; PAIR],
    slopes: [Factors<L, D>; PAIR],
}

/// Adds what the steps describe.
#[inline(always)]
fn backward<L: Lanes, F: InLanes<D>, const D: usize>(
    l: L,
    steps: &[Step<D>],
    places: &Places,
    mut inverses: [Factors<L, D>; PAIR],
) {
    let zero = [Columns::constant(l, &[0; 5]); D];
    let mut before = Unfinished { y: [zero; PAIR], slopes: [one::<L, D>(l); PAIR] };
    for pair in (0..steps.len() / PAIR).rev() {
        for step in two(steps, pair.saturating_sub(1 + AHEAD)) {
            for lane in 0..LANES {
                prefetch(l, places.rows, step.to[lane]);
            }
        }
        let finished = two(steps, pair);
        // The last turn does the first pair once more, for nothing, and ends it.
        let [s0, s1] = two(steps, pair.saturating_sub(1));

        let mut n0 = Numerators::new(l, s0, places);
        let (b, d, inverse) = (load(l, &s0.before), load(l, &s0.d), inverses[0]);
        let z = F::products(l, [&b, &d], [&inverse, &inverse], &mut n0);
        let (t0, next0) = (carried(l, &z[0]), carried(l, &z[1]));

        let mut n1 = Numerators::new(l, s1, places);
        let [l0, l1] = &before.slopes;
        let squares = F::squares(l, [l0, l1], &mut n1);

        let mut x = ThirdX::new(l, finished, &squares);
        let (b, d, inverse) = (load(l, &s1.before), load(l, &s1.d), inverses[1]);
        let z = F::products(l, [&b, &d], [&inverse, &inverse], &mut x);
        let (t1, next1) = (carried(l, &z[0]), carried(l, &z[1]));
        inverses = [next0, next1];

        let [e0, e1] = &x.e;
        let z = F::products(l, [e0, e1], [l0, l1], &mut x.writing(places));

        let mut ys = ThirdY { steps: finished, places, products: z, y: before.y };
        let z = F::products(l, [&n0.n, &n1.n], [&t0, &t1], &mut ys);
        let slopes = [carried(l, &z[0]), carried(l, &z[1])];
        before = Unfinished { y: [n0.y, n1.y], slopes };
    }
}

/// Two steps at once.
#[inline(always)]
fn two<const D: usize>(steps: &[Step<D>], pair: usize) -> [&Step<D>; PAIR] {
    let steps = &steps[PAIR * pair..PAIR * pair + PAIR];
    [&steps[0], &steps[1]]
}

/// As [`two`], to be written.
#[inline(always)]
fn pair_mut<const D: usize>(steps: &mut [Step<D>], pair: usize) -> [&mut Step<D>; PAIR] {
    let (first, second) = steps[PAIR * pair..PAIR * pair + PAIR].split_at_mut(1);
    [&mut first[0], &mut second[0]]
}

/// One, times 2^260.
#[inline(always)]
pub(super) fn one<L: Lanes, const D: usize>(l: L) -> Factors<L, D> {
    let mut one = [Lazy(Columns::constant(l, &[0; 5]).0); D];
    one[0] = Lazy(Columns::constant(l, &ONE).0);
    one
}

/// 2^260 modulo q: 84 q less than 2^260.
const ONE: Limbs52 = {
    let multiple = Constants::<FqModulus>::multiple(84);
    let (mut limbs, mut carry, mut i) = ([0; 5], 1, 0);
    while i < 5 {
        carry += MASK - multiple[i];
        limbs[i] = carry & MASK;
        carry >>= 52;
        i += 1;
    }
    limbs
};

#[inline(always)]
fn carried<L: Lanes, const D: usize>(l: L, sums: &Sums<L, D>) -> Factors<L, D> {
    let mut factors = [sums[0].carried(l); D];
    for part in 1..D {
        factors[part] = sums[part].carried(l);
    }
    factors
}

#[inline(always)]
fn load<L: Lanes, const D: usize>(l: L, stored: &[Stored; D]) -> Factors<L, D> {
    let mut factors = [Lazy::load(l, &stored[0]); D];
    for part in 1..D {
        factors[part] = Lazy::load(l, &stored[part]);
    }
    factors
}

#[inline(always)]
fn store<L: Lanes, const D: usize>(l: L, factors: &Factors<L, D>, to: &mut [Stored; D]) {
    for part in 0..D {
        factors[part].store(l, &mut to[part]);
    }
}

/// Asks for what lies at an offset, which may be anything.
#[inline(always)]
fn prefetch<L: Lanes>(l: L, base: u64, offset: u64) {
    l.prefetch_near(core::ptr::without_provenance(base.wrapping_add(offset) as usize));
}

/// A quarter of the inverse of each chain's product; none where one is zero.
#[inline(always)]
fn quarter_inverses<L: Lanes, F: InLanes<D>, const D: usize>(
    l: L,
    chains: &[Factors<L, D>; PAIR],
) -> Option<[Factors<L, D>; PAIR]> {
    let [all, _] = F::products(l, [&chains[0]; PAIR], [&chains[1]; PAIR], &mut Nothing);
    let mut parts: [Elements; D] = [[[0; 4]; LANES]; D];
    for part in 0..D {
        let canonical = all[part].carried(l).reduced_to_p::<FqModulus>(l);
        l.store_elements(canonical.pack(l), &mut parts[part]);
    }
    let elements =
        core::array::from_fn(|lane| F::of_stored(core::array::from_fn(|part| parts[part][lane])));
    let inverses = coordinate::quarter_inverses(&elements)?;
    for (lane, inverse) in inverses.into_iter().enumerate() {
        for (part, stored) in inverse.to_stored().into_iter().enumerate() {
            parts[part][lane] = stored;
        }
    }
    let mut inverse = one::<L, D>(l);
    for part in 0..D {
        inverse[part] = Lazy::unpack(l, l.load_elements(&parts[part]));
    }
    let z = F::products(l, [&inverse; PAIR], [&chains[1], &chains[0]], &mut Nothing);
    Some([carried(l, &z[0]), carried(l, &z[1])])
}
