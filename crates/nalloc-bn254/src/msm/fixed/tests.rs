//! Sums with a table against doubling and adding, at every width and depth, and tables against
//! doublings.

use core::sync::atomic::{AtomicUsize, Ordering};

use nalloc::Arena;

use super::super::digits::CHUNK;
use super::super::plan::Shape;
use super::super::tests::{ALL_THREADS, ALL_WIDTHS, all_kernels, naive, patterns, points, scalars};
use super::{FixedBases, FixedPlan, SHIFT, TableLimits, doubled};
use crate::arch::Kernels;
use crate::buffer::HeapBuffer;
use crate::curve::{Affine, CurveField};
use crate::error::Error;
use crate::field::{Field, Fq, Fq2, Fr};
use crate::observer::Observer;
use crate::pool::Pool;

fn pool(threads: usize) -> Pool {
    Pool::new(Some(threads)).unwrap()
}

fn plain(scalars: &[Fr]) -> Vec<[u64; 4]> {
    scalars.iter().map(|scalar| scalar.to_plain()).collect()
}

fn build<F: CurveField>(
    bases: &[Affine<F>],
    plan: FixedPlan<F>,
    pool: &Pool,
    kernels: Kernels,
) -> FixedBases<F> {
    let points = HeapBuffer::from_slice(bases).unwrap();
    FixedBases::with_kernels(points, plan, pool, &(), kernels).unwrap()
}

/// The sum, in an arena of the bytes that it may need.
fn sum<F: CurveField>(
    bases: &FixedBases<F>,
    scalars: &[Fr],
    pool: &Pool,
    kernels: Kernels,
) -> Affine<F> {
    let bytes = bases.plan().scratch_bytes(pool.thread_count());
    let scratch = Arena::with_capacity(bytes).unwrap();
    let sum = bases.msm_with_kernels(&plain(scalars), pool, &scratch, &(), kernels);
    assert!(scratch.used_bytes() <= bytes);
    sum.unwrap().to_affine()
}

fn check_kinds<F: CurveField>(len: usize, shapes: &[Shape], threads: usize) {
    let pool = pool(threads);
    for (what, bases, scalars) in patterns::<F>(len) {
        let expected = naive(&bases, &scalars);
        for &shape in shapes {
            for kernels in all_kernels() {
                let table = build(&bases, FixedPlan::of_shape(len, shape), &pool, kernels);
                let got = sum(&table, &scalars, &pool, kernels);
                assert_eq!(got, expected, "{what}: {len} points, {shape:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn sums_with_tables_of_every_shape_equal_doubling_and_adding() {
    let (bases, scalars, pool) = (points::<Fq>(33), scalars(33), pool(2));
    let expected = naive(&bases, &scalars);

    for shape in ALL_WIDTHS.into_iter().flat_map(Shape::all_of) {
        for kernels in all_kernels() {
            let table = build(&bases, FixedPlan::of_shape(33, shape), &pool, kernels);
            assert_eq!(sum(&table, &scalars, &pool, kernels), expected, "{shape:?}");
        }
    }
}

#[test]
fn sums_of_every_kind_with_tables_equal_doubling_and_adding() {
    let shapes = [(9, 2), (13, 5), (16, 8)].map(|(bits, levels)| Shape { bits, levels });

    check_kinds::<Fq>(CHUNK + 3, &shapes, 2);
    check_kinds::<Fq2>(40, &shapes[..2], 1);
}

#[test]
fn sums_with_tables_on_one_to_eight_threads_equal_doubling_and_adding() {
    let len = 2 * CHUNK + 1;
    let (bases, scalars) = (points::<Fq>(len), scalars(len));
    let expected = naive(&bases, &scalars);

    for levels in [2, 4, 10] {
        let plan = FixedPlan::of_shape(len, Shape { bits: 13, levels });
        let table = build(&bases, plan, &pool(3), Kernels::host());
        for threads in ALL_THREADS {
            assert_eq!(sum(&table, &scalars, &pool(threads), Kernels::host()), expected);
        }
    }
}

/// Every level is the one below it, doubled; those that have no slope on the way included.
#[test]
fn levels_are_multiples_by_powers_of_two_whatever_the_points() {
    let shape = Shape { bits: 14, levels: 3 };
    let steps = 14 * 3;
    let t = Affine::GENERATOR.mul_scalar_vartime(Fr::from_u64(SHIFT)).to_affine();
    let two = Affine::<Fq>::GENERATOR.mul_scalar_vartime(Fr::from_u64(2 * SHIFT)).to_affine();
    let far = Affine::GENERATOR.mul_scalar_vartime(-Fr::from_u64(SHIFT)).double().to_affine();
    let mut bases = points::<Fq>(30);
    bases.extend([t, -t, two, -two, far, Affine::INFINITY, bases[0], -bases[0]]);

    for (with_edges, len) in [(false, 30), (true, bases.len())] {
        for kernels in all_kernels() {
            let plan = FixedPlan::of_shape(len, shape);
            let table = build(&bases[..len], plan, &pool(2), kernels);
            let levels: Vec<_> = table.points.chunks(len).collect();
            assert_eq!(levels.len(), shape.levels);
            for pair in levels.windows(2) {
                for (below, above) in pair[0].iter().zip(pair[1]) {
                    let expected = doubled(below, steps).to_affine();
                    assert_eq!(*above, expected, "with edges: {with_edges}");
                }
            }
        }
    }
}

#[test]
fn a_plan_stays_within_its_budget_and_says_what_it_takes() {
    let table_bytes = |n, bytes_max| {
        let plan = FixedPlan::<Fq>::new(n, TableLimits { threads: 2, bytes_max });
        (plan.levels(), plan.table_bytes())
    };

    // Of few points, and of very many, reductions are a small part of the time.
    let pays = [(25, false), (1000, true), (5000, true), (1 << 16, true), (1 << 20, false)];
    for (n, has_table) in pays {
        let mut before = 1;
        for log2 in 0..36 {
            let (levels, bytes) = table_bytes(n, 1 << log2);
            assert!(bytes <= 1 << log2, "{n}: {bytes} of 2^{log2}");
            assert!(levels >= before.min(2), "more memory took the table of {n} away");
            assert_eq!(bytes, if levels == 1 { 0 } else { n * (96 * levels - 64) });
            before = levels;
        }
        assert_eq!(before > 1, has_table, "{n} points with all memory");
    }
}

#[test]
fn where_no_table_fits_sums_are_plain_ones() {
    let (bases, scalars, pool) = (points::<Fq2>(500), scalars(500), pool(2));
    let expected = naive(&bases, &scalars);

    for (len, bytes_max) in [(500, 0), (20, usize::MAX), (0, usize::MAX), (500, usize::MAX)] {
        let plan = FixedPlan::new(len, TableLimits { threads: 2, bytes_max });
        let table = build(&bases[..len], plan, &pool, Kernels::host());
        let has_table = len == 500 && bytes_max > 0;
        assert_eq!((plan.levels() > 1, table.images.is_empty()), (has_table, !has_table));
        let got = sum(&table, &scalars[..len], &pool, Kernels::host());
        assert_eq!(got, if len == 500 { expected } else { naive(&bases[..len], &scalars[..len]) });
    }
}

#[test]
fn what_does_not_fit_a_table_is_refused_with_its_index() {
    let (mut bases, pool) = (points::<Fq>(100), pool(1));
    let plan = FixedPlan::new(100, TableLimits { threads: 1, bytes_max: usize::MAX });
    let new = |bases: &[Affine<Fq>]| {
        let points = HeapBuffer::from_slice(bases).unwrap();
        FixedBases::new(points, plan, &pool, &()).err()
    };

    let expected = Error::LengthMismatch { what: "points", expected: 100, got: 99 };
    assert_eq!(new(&bases[1..]), Some(expected));
    let table = build(&bases, plan, &pool, Kernels::host());
    let scratch = Arena::with_capacity(plan.scratch_bytes(1)).unwrap();
    let refused = table.msm(&[[0; 4]; 99], &pool, &scratch, &());
    let expected = Error::LengthMismatch { what: "scalars", expected: 100, got: 99 };
    assert_eq!(refused.err(), Some(expected));
    bases[41].y = Fq::from_stored([u64::MAX; 4]);
    assert_eq!(new(&bases), Some(Error::PointNotCanonical { index: 41 }));
}

#[test]
fn points_off_the_curve_make_a_table_of_no_use_and_no_panic() {
    let wild = |i: u64| Affine { x: Fq::from_u64(i % 5), y: Fq::from_u64(i % 3) };
    let (bases, pool): (Vec<_>, _) = ((0..500).map(wild).collect(), pool(2));
    let scalars = scalars(500);

    for kernels in all_kernels() {
        let plan = FixedPlan::of_shape(500, Shape { bits: 8, levels: 8 });
        let table = build(&bases, plan, &pool, kernels);
        sum(&table, &scalars, &pool, kernels);
    }
}

/// Wants to stop after it was asked a number of times.
struct StopAfter(AtomicUsize);

impl Observer for StopAfter {
    fn is_cancelled(&self) -> bool {
        let update = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, update).is_err()
    }
}

#[test]
fn a_table_that_shall_not_be_finished_is_not() {
    let (bases, pool) = (points::<Fq>(3000), pool(2));
    let plan = FixedPlan::of_shape(3000, Shape { bits: 16, levels: 8 });

    for questions in [0, 1, 5] {
        let points = HeapBuffer::from_slice(&bases).unwrap();
        let observer = StopAfter(AtomicUsize::new(questions));
        let stopped = FixedBases::new(points, plan, &pool, &observer);
        assert_eq!(stopped.err(), Some(Error::Cancelled), "{questions}");
    }
}
