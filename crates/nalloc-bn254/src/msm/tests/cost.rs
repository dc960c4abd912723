//! What eight additions cost in lanes, counted by the model of the instructions.

use nalloc::Arena;

use super::super::adder::{Adder, Entry, Points, Source, portable_bytes};
use super::points;
use crate::arch::batch_add::{InVectors, step_bytes};
use crate::arch::coordinate::InLanes;
use crate::arch::model::{MADDS, Model};
use crate::curve::CurveField;
use crate::field::{Fq, Fq2};

/// Multiply-adds of one block of so many additions.
fn madds<F: CurveField + InLanes<D>, const D: usize>(len: usize) -> usize {
    let points = points::<F>(2 * len);
    let (rows, bases) = points.split_at(len);
    let (mut rows, images) = (rows.to_vec(), vec![F::ZERO; len]);
    let entries: Vec<Entry> = (0..len).map(|row| Entry::rows(row, row)).collect();
    let scratch = Arena::with_capacity(portable_bytes::<F>() + step_bytes::<D>()).unwrap();
    let mut adder = InVectors::<Model, F, D>::new(Model, &scratch).unwrap();
    let before = MADDS.get();
    let has_equal_x =
        adder.add(&mut rows, Source::Points(Points { bases, images: &images }), &entries);
    assert!(!has_equal_x);
    MADDS.get() - before
}

/// Of eight additions: what a block has for each of its vectors.
fn madds_of_eight<F: CurveField + InLanes<D>, const D: usize>() -> usize {
    let [fewer, more] = [64, 128].map(madds::<F, D>);
    (more - fewer) / 8
}

#[test]
fn eight_additions_cost_the_multiply_adds_that_the_comments_say() {
    // Six products, and a quotient for x3. In Fq2 five of 300 and a square of 200, and quotients
    // for both parts of x3 and y3.
    assert_eq!(madds_of_eight::<Fq, 1>(), 6 * 100 + 1);
    assert_eq!(madds_of_eight::<Fq2, 2>(), 5 * 300 + 200 + 4);
}
