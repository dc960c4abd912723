//! Sums against doubling and adding, at every width of windows and with every kernel, and additions
//! of every kernel against the curve's formulas.

mod cost;

use nalloc::Arena;

use super::adder::{Adder, Entry, FLAG_BITS, IMAGE, OPPOSITE, Points, Portable, Source, TO_SHIFT};
use super::adder::{portable_bytes, settled};
use super::buckets::{ROWS_BESIDE, Run};
use super::digits::{Digits, Mix, Windows};
use super::glv::halves;
use super::plan::Plan;
use super::{CHUNK, Sum};
use crate::arch::Kernels;
use crate::arch::batch_add::{InVectors, step_bytes};
use crate::arch::coordinate::InLanes;
use crate::arch::halves::RecodeHalves;
use crate::arch::lanes::Lanes;
use crate::arch::model::Model;
use crate::curve::{Affine, CurveField, Jacobian, batch_to_affine};
use crate::error::Error;
use crate::field::{Field, Fq, Fq2, Fr};
use crate::pool::Pool;

/// From [`Windows::BITS_MIN`] to [`Windows::BITS_MAX`].
pub(super) const ALL_WIDTHS: [u32; 13] = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const _: () = assert!(ALL_WIDTHS[0] == Windows::BITS_MIN && ALL_WIDTHS[12] == Windows::BITS_MAX);
pub(super) const ALL_THREADS: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Different points.
pub(super) fn points<F: CurveField>(len: usize) -> Vec<Affine<F>> {
    let mut current = Affine::<F>::GENERATOR.mul_scalar_vartime(Fr::from_u64(1 << 40));
    let step = Affine::<F>::GENERATOR.mul_scalar_vartime(-Fr::from_u64(987_654_321)).to_affine();
    let mut sums = Vec::new();
    for _ in 0..len {
        current = current.add_affine(&step);
        sums.push(current);
    }
    let mut points = vec![Affine::INFINITY; len];
    batch_to_affine(&sums, &mut points).unwrap();
    points
}

pub(super) fn scalars(len: usize) -> Vec<Fr> {
    let mut x = Fr::from_u64(7);
    let mut next = || {
        x = x.square() + Fr::from_u64(3);
        x
    };
    (0..len).map(|_| next()).collect()
}

pub(super) fn all_kernels() -> Vec<Kernels> {
    let (ifma, avx2) = (Kernels::ifma(), Kernels::avx2());
    if ifma.is_none() {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
    }
    if avx2.is_none() {
        println!("skipped with avx2: this CPU has no AVX2");
    }
    ifma.into_iter().chain(avx2).chain([Kernels::PORTABLE]).collect()
}

/// Doubling and adding, in one pass over the bits.
pub(super) fn naive<F: CurveField>(bases: &[Affine<F>], scalars: &[Fr]) -> Affine<F> {
    let scalars: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.to_plain()).collect();
    let mut sum = Jacobian::INFINITY;
    for bit in (0..254).rev() {
        sum = sum.double();
        for (base, scalar) in bases.iter().zip(&scalars) {
            if scalar[bit / 64] >> (bit % 64) & 1 == 1 {
                sum = sum.add_affine(base);
            }
        }
    }
    sum.to_affine()
}

/// What it is, points and scalars.
pub(super) type Pattern<F> = (&'static str, Vec<Affine<F>>, Vec<Fr>);

/// Points and scalars of every kind that a case of its own is made for.
pub(super) fn patterns<F: CurveField>(len: usize) -> Vec<Pattern<F>> {
    let (bases, random) = (points::<F>(len), scalars(len));
    let pick = |of: &[Fr]| (0..len).map(|i| of[i % of.len()]).collect::<Vec<_>>();
    let one = Fr::ONE;
    let equal = vec![bases[0]; len];
    let opposite = |i: usize| if i.is_multiple_of(2) { bases[i / 2] } else { -bases[i / 2] };
    let opposites: Vec<_> = (0..len).map(opposite).collect();
    let holes = |i: usize| if i.is_multiple_of(3) { Affine::INFINITY } else { bases[i] };
    let with_infinity: Vec<_> = (0..len).map(holes).collect();
    let short: Vec<_> = (0..len).map(|i| Fr::from_u64(u64::MAX >> (i % 64))).collect();
    vec![
        ("random", bases.clone(), random.clone()),
        ("equal points", equal.clone(), random.clone()),
        ("equal scalars", bases.clone(), pick(&random[..1])),
        ("both equal", equal.clone(), pick(&random[..1])),
        ("P and -P", opposites.clone(), random.clone()),
        ("P and -P with one scalar", opposites, pick(&random[..1])),
        ("infinity mixed in", with_infinity, random.clone()),
        ("infinity alone", vec![Affine::INFINITY; len], random),
        ("0", bases.clone(), pick(&[Fr::ZERO])),
        ("one bucket", equal, pick(&[one])),
        ("0, 1, r-1, 2, r-2", bases.clone(), pick(&[Fr::ZERO, one, -one, one + one, -one - one])),
        ("r-1", bases.clone(), pick(&[-one])),
        ("short", bases, short),
    ]
}

fn check<F: CurveField>(len: usize, widths: &[u32], threads: &[usize]) {
    let pools: Vec<Pool> = threads.iter().map(|&count| Pool::new(Some(count)).unwrap()).collect();
    for (what, bases, scalars) in patterns::<F>(len) {
        check_pattern(what, &bases, &scalars, widths, &pools);
    }
}

fn check_pattern<F: CurveField>(
    what: &str,
    bases: &[Affine<F>],
    scalars: &[Fr],
    widths: &[u32],
    pools: &[Pool],
) {
    let expected = naive(bases, scalars);
    let scalars: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.to_plain()).collect();
    for &bits in widths {
        for pool in pools {
            let got = sums_of(bases, &scalars, bits, pool);
            let (len, threads) = (bases.len(), pool.thread_count());
            let is_right = got.iter().all(|sum| *sum == expected);
            assert!(is_right, "{what}: {len}, {bits} bits, {threads} threads, {got:?}");
        }
    }
}

/// The sum with each of the kernels.
fn sums_of<F: CurveField>(
    bases: &[Affine<F>],
    scalars: &[[u64; 4]],
    bits: u32,
    pool: &Pool,
) -> Vec<Affine<F>> {
    let plan = Plan::with_bits(bases.len(), bits, pool.thread_count());
    let sum_with = |kernels| {
        let scratch = Arena::with_capacity(1 << 28).unwrap();
        let (table, scratch, observer) = (None, &scratch, &());
        let sum = Sum { bases, table, scalars, pool, scratch, observer, kernels };
        sum.large(plan).unwrap().to_affine()
    };
    all_kernels().into_iter().map(sum_with).collect()
}

#[test]
fn sums_at_every_width_of_windows_equal_doubling_and_adding() {
    check::<Fq>(33, &ALL_WIDTHS, &[1, 2]);
    check::<Fq2>(31, &ALL_WIDTHS, &[1]);
    check::<Fq>(CHUNK, &[4, 7, 10, 14, 16], &[1]);
}

#[test]
fn sums_on_one_to_eight_threads_equal_doubling_and_adding() {
    check::<Fq>(2 * CHUNK + 1, &[6, 9], &ALL_THREADS);
}

#[test]
fn sums_at_every_width_on_every_number_of_threads_equal_doubling_and_adding() {
    let (bases, scalars) = (points::<Fq>(CHUNK + 100), scalars(CHUNK + 100));
    let pools = ALL_THREADS.map(|count| Pool::new(Some(count)).unwrap());

    check_pattern("random", &bases, &scalars, &ALL_WIDTHS, &pools);
}

#[test]
fn sums_of_short_lengths_equal_doubling_and_adding() {
    for len in [1, 2, 31, 32] {
        check::<Fq>(len, &[5, 8], &[2]);
        check::<Fq2>(len, &[5], &[2]);
    }
}

/// Every adder does what [`Portable`] does, and that is what the curve's formulas do.
fn check_adder<F: CurveField>(adder: &mut dyn Adder<F>, entries_len: usize) {
    let bases = points::<F>(200);
    let mut images: Vec<F> = bases.iter().map(|base| base.x).collect();
    F::multiply_by_beta(Kernels::PORTABLE, &mut images);
    let points = Points { bases: &bases, images: &images };
    // Rows 0 .. are to get points; some get themselves, some their opposite.
    let mut rows: Vec<Affine<F>> = (0..entries_len).map(|i| bases[(i * 7 + 3) % 200]).collect();
    let entry = |to: usize| {
        let (from, flags) = match to % 16 {
            5 => ((to * 7 + 3) % 200, 0),
            11 => ((to * 7 + 3) % 200, OPPOSITE),
            _ => ((to * 7 + 50 + to / 16) % 200, to as u64 % 4),
        };
        Entry((to as u64) << TO_SHIFT | (from as u64) << FLAG_BITS | flags)
    };
    let entries: Vec<Entry> = (0..entries_len).map(entry).collect();
    let mut expected = rows.clone();
    for &entry in &entries {
        let sum = Jacobian::from(expected[entry.to()]).add_affine(&points.get(entry));
        expected[entry.to()] = sum.to_affine();
    }
    let has_equal_x = adder.add(&mut rows, Source::Points(points), &entries);
    let rows_settled: Vec<_> = rows.iter().map(settled).collect();
    assert_eq!(rows_settled, expected);
    assert_eq!(has_equal_x, entries_len > 5);

    // Rows to rows, as the first additions left them.
    let half = entries_len / 2;
    let pairs = (0..half).map(|to| Entry::rows(to, half + to));
    let is_finite = |e: &Entry| !rows[e.to()].is_infinity() && !rows[e.from()].is_infinity();
    let entries: Vec<Entry> = pairs.filter(is_finite).collect();
    for &entry in &entries {
        let sum = Jacobian::from(expected[entry.to()]).add_affine(&expected[entry.from()]);
        expected[entry.to()] = sum.to_affine();
    }
    adder.add(&mut rows, Source::Rows, &entries);
    let rows_settled: Vec<_> = rows.iter().map(settled).collect();
    assert_eq!(rows_settled, expected);
}

fn check_vectors<L: Lanes, F: CurveField + InLanes<D>, const D: usize>(lanes: L) {
    let scratch = Arena::with_capacity(portable_bytes::<F>() + step_bytes::<D>()).unwrap();
    let mut adder = InVectors::<L, F, D>::new(lanes, &scratch).unwrap();
    for len in [1, 2, 7, 8, 16, 17, 48, 150] {
        check_adder(&mut adder, len);
    }
}

#[test]
fn additions_in_lanes_are_those_of_the_curve() {
    check_vectors::<_, Fq, 1>(Model);
    check_vectors::<_, Fq2, 2>(Model);
    let Some(lanes) = Kernels::ifma().and_then(Kernels::lanes) else {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
        return;
    };
    check_vectors::<_, Fq, 1>(lanes);
    check_vectors::<_, Fq2, 2>(lanes);
}

#[test]
fn additions_in_plain_rust_are_those_of_the_curve() {
    let scratch = Arena::with_capacity(portable_bytes::<Fq2>()).unwrap();
    check_adder(&mut Portable::<Fq2>::new(&scratch).unwrap(), 150);
}

/// The digits of halves in lanes, and the numbers that they should stand for.
fn check_halves<L: Lanes>(lanes: L) {
    let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_u64(2).invert().unwrap()];
    let long: Vec<[u64; 4]> = edges.into_iter().chain(scalars(60)).map(Fr::to_plain).collect();
    let (eights, _) = long.as_chunks();
    for bits in ALL_WIDTHS {
        let windows = Windows::new(bits);
        let (count, stride) = (windows.count(), long.len() + 3);
        let mut digits = vec![Digits::default(); count * stride];
        let bias = windows.bias().cast_unsigned();
        let kernel = RecodeHalves {
            scalars: eights,
            bits,
            windows: count,
            bias,
            digits: &mut digits,
            stride,
        };
        lanes.call(kernel);
        for (index, scalar) in long.iter().enumerate() {
            let value = |part: usize| {
                (0..count).rev().fold(0_i128, |sum, window| {
                    (sum << bits) + i128::from(digits[window * stride + index].0[part])
                })
            };
            assert_eq!([value(0), value(1)], halves(scalar), "{bits} bits, scalar {index}");
        }
    }
}

#[test]
fn digits_in_lanes_stand_for_the_halves_of_every_scalar() {
    check_halves(Model);
    let Some(lanes) = Kernels::ifma().and_then(Kernels::lanes) else {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
        return;
    };
    check_halves(lanes);
}

/// Digits that leave a full queue of different buckets when a block is done.
#[test]
fn a_queue_that_fills_the_next_block_at_once_loses_no_point() {
    const FULL: i16 = 2032;
    const BUCKETS: i16 = 2080;
    let digits: Vec<i16> = (1..=BUCKETS)
        .chain(1..=FULL - 16)
        .chain(1..=FULL - 16)
        .chain(FULL - 15..=FULL)
        .chain(FULL - 15..=FULL)
        .chain(FULL + 1..=BUCKETS)
        .collect();
    let (pairs, _) = digits.as_chunks();
    let pairs: Vec<Digits> = pairs.iter().copied().map(Digits).collect();
    let bases = points::<Fq>(pairs.len());
    let images = bases.iter().map(|base| base.x * Fq::BETA).collect::<Vec<_>>();
    let order: Vec<u32> = (0..).take(pairs.len()).collect();
    let mut expected = vec![Jacobian::INFINITY; digits.len()];
    for ((base, image), digits) in bases.iter().zip(&images).zip(&pairs) {
        let [first, second] = digits.0.map(|digit| usize::from(digit.unsigned_abs()));
        expected[first] = expected[first].add_affine(base);
        expected[second] = expected[second].add_affine(&Affine { x: *image, y: base.y });
    }
    for kernels in all_kernels() {
        let (scratch, pool) = (Arena::with_capacity(1 << 24).unwrap(), Pool::new(Some(1)).unwrap());
        let (bases, table, scalars, observer) = (&bases, None, &[], &());
        let (pool, scratch) = (&pool, &scratch);
        let sum = Sum { bases, table, scalars, pool, scratch, observer, kernels };
        let count = usize::from(BUCKETS.unsigned_abs());
        let mut buckets = sum.buckets(1 + count + ROWS_BESIDE).unwrap();
        let points = Points { bases, images: &images };
        buckets.begin(count);
        let (run, ahead) = (Run { order: &order, first: 0 }, Run { order: &[], first: 0 });
        buckets.add(points, run, &pairs, 0, ahead);
        buckets.finish(points);
        for (bucket, expected) in expected.iter().enumerate().take(count + 1) {
            assert_eq!(settled(&buckets.rows[bucket]), expected.to_affine(), "bucket {bucket}");
        }
    }
}

#[test]
fn the_tasks_cover_every_window_and_chunk_once() {
    for n in [25, 1000, 5000, 1 << 16, 1 << 20] {
        for threads in [1, 2, 3, 7, 8, 64] {
            let mixes = [(0, 256), (0, 0), (30, 20), (200, 56)];
            let mixes = mixes.map(|(halved, short)| Mix { halved, short });
            for mix in mixes.into_iter().chain([Mix::LONG]) {
                let plan = Plan::new(n, mix, threads);
                let chunks = n.div_ceil(CHUNK);
                let mut covered = vec![0; plan.windows.count() * chunks];
                let mut ones = vec![0; chunks];
                for task in plan.tasks() {
                    assert!(plan.bucket_count(task.sets.clone()) < 1 << 16);
                    if task.sets.is_empty() {
                        task.chunks.clone().for_each(|chunk| ones[chunk] += 1);
                    }
                    for window in plan.windows_of(task.sets) {
                        for chunk in task.chunks.clone() {
                            covered[window * chunks + chunk] += 1;
                        }
                    }
                }
                let mut all = covered.iter().chain(&ones);
                assert!(all.all(|&times| times == 1), "{n} {threads} {mix:?}");
            }
        }
    }
}

#[test]
fn points_off_the_curve_and_of_order_two_make_no_panic() {
    let wild = |i: u64| Affine { x: Fq::from_u64(i % 5), y: Fq::from_u64(i % 3) };
    let bases: Vec<_> = (0..500).map(wild).collect();
    let scalars: Vec<_> = scalars(500).iter().map(|scalar| scalar.to_plain()).collect();
    let pool = Pool::new(Some(2)).unwrap();
    for kernels in all_kernels() {
        for len in [3, 20, 500] {
            let scratch = Arena::with_capacity(super::msm_scratch_bytes::<Fq>(len, 2)).unwrap();
            let (bases, scalars) = (&bases[..len], &scalars[..len]);
            let sum = super::msm_with_kernels(bases, scalars, &pool, &scratch, &(), kernels);
            assert!(sum.is_ok());
        }
    }
}

#[test]
fn scratch_of_any_size_makes_a_sum_or_an_error_with_all_kernels() {
    const LEN: usize = 500;
    let (bases, scalars) = (points::<Fq>(LEN), scalars(LEN));
    let scalars: Vec<_> = scalars.iter().map(|scalar| scalar.to_plain()).collect();
    let pool = Pool::new(Some(2)).unwrap();
    let bound = super::msm_scratch_bytes::<Fq>(LEN, 2);

    for kernels in all_kernels() {
        for bytes in (0..bound).step_by(bound / 24).chain([bound]) {
            let scratch = Arena::with_capacity(bound).unwrap();
            let _taken = scratch.alloc_array::<u8>(scratch.capacity_bytes() - bytes);
            let sum = super::msm_with_kernels(&bases, &scalars, &pool, &scratch, &(), kernels);
            match sum {
                Ok(_) => assert!(bytes > bound / 2, "{bytes} of {bound} bytes were enough"),
                Err(Error::Memory(nalloc::Error::ArenaFull { .. })) => {
                    assert!(bytes < bound, "{bound} bytes were too few");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_flag_and_an_index_share_32_bits() {
    let entry = Entry(9 << TO_SHIFT | 5 << FLAG_BITS | IMAGE | OPPOSITE);

    assert_eq!((entry.to(), entry.from()), (9, 5));
    assert!(Entry::rows(8, u32::MAX as usize >> FLAG_BITS) < entry);
}
