//! Sums of products against arkworks, for every kind of points and scalars, in G1 and G2.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

use ark_ec::{CurveGroup, VariableBaseMSM};
use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{
    Affine, Error, Field, Fq, Fq2, Fr, G1Affine, G2Affine, Jacobian, Observer, Pool, msm,
    msm_scratch_bytes,
};
use testkit::StopAfter;

use crate::support::{Rng, ark_fr, ark_g1, ark_g2, our_g1, our_g2};

/// A group whose sums arkworks can check.
trait Oracle: CurveField {
    fn expected(bases: &[Affine<Self>], scalars: &[Fr]) -> Affine<Self>;
}

impl Oracle for Fq {
    fn expected(bases: &[G1Affine], scalars: &[Fr]) -> G1Affine {
        let bases: Vec<_> = bases.iter().copied().map(ark_g1).collect();
        let scalars: Vec<_> = scalars.iter().copied().map(ark_fr).collect();
        our_g1(ark_bn254::G1Projective::msm(&bases, &scalars).unwrap().into_affine())
    }
}

impl Oracle for Fq2 {
    fn expected(bases: &[G2Affine], scalars: &[Fr]) -> G2Affine {
        let bases: Vec<_> = bases.iter().copied().map(ark_g2).collect();
        let scalars: Vec<_> = scalars.iter().copied().map(ark_fr).collect();
        our_g2(ark_bn254::G2Projective::msm(&bases, &scalars).unwrap().into_affine())
    }
}

fn plain(scalars: &[Fr]) -> Vec<[u64; 4]> {
    scalars.iter().map(|scalar| scalar.to_plain()).collect()
}

/// The sum, in an arena of exactly the bytes that it may need.
fn sum<F: CurveField>(bases: &[Affine<F>], scalars: &[Fr], pool: &Pool) -> Affine<F> {
    let bytes = msm_scratch_bytes::<F>(bases.len(), pool.thread_count());
    let scratch = Arena::with_capacity(bytes).unwrap();
    msm(bases, &plain(scalars), pool, &scratch, &()).unwrap().to_affine()
}

fn pools() -> Vec<Pool> {
    (1..=4).map(|threads| Pool::new(Some(threads)).unwrap()).collect()
}

fn check<F: Oracle>(what: &str, bases: &[Affine<F>], scalars: &[Fr], pools: &[Pool]) {
    let expected = F::expected(bases, scalars);
    for pool in pools {
        let (n, threads) = (bases.len(), pool.thread_count());
        assert_eq!(sum(bases, scalars, pool), expected, "{what}, {n} points, {threads} threads");
    }
}

/// `len` different points: random multiples of the generator, then sums of neighbours.
fn points<F: CurveField>(rng: &mut Rng, len: usize) -> Vec<Affine<F>> {
    let generator = Affine::<F>::GENERATOR;
    let mut current = generator.mul_scalar_vartime(rng.fr());
    let step = generator.mul_scalar_vartime(rng.fr()).to_affine();
    let sums: Vec<Jacobian<F>> = core::iter::repeat_with(|| {
        current = current.add_affine(&step);
        current
    })
    .take(len)
    .collect();
    let mut affine = vec![Affine::INFINITY; len];
    nalloc_bn254::curve::batch_to_affine(&sums, &mut affine).unwrap();
    affine
}

fn scalars(rng: &mut Rng, len: usize) -> Vec<Fr> {
    (0..len).map(|_| rng.fr()).collect()
}

/// Checks `len` points of every kind with scalars of every kind.
fn check_kinds<F: Oracle>(rng: &mut Rng, len: usize, pools: &[Pool]) {
    let random_points = points::<F>(rng, len);
    let random_scalars = scalars(rng, len);
    let equal_points = vec![random_points[0]; len];
    let opposites: Vec<_> = (0..len)
        .map(|i| if i % 2 == 0 { random_points[i / 2] } else { -random_points[i / 2] })
        .collect();
    let pairs_of_scalars: Vec<Fr> = (0..len).map(|i| random_scalars[i / 2]).collect();
    let with_infinity: Vec<_> =
        (0..len).map(|i| if i % 3 == 0 { Affine::INFINITY } else { random_points[i] }).collect();
    let edge = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_u64(2), -Fr::from_u64(2)];
    let edges: Vec<Fr> = (0..len).map(|i| edge[i % edge.len()]).collect();
    let small: Vec<Fr> = (0..len)
        .map(|i| {
            let small = Fr::from_u64(rng.word() >> (i % 64));
            if i % 2 == 0 { small } else { -small }
        })
        .collect();
    let mixed: Vec<Fr> = (0..len).map(|i| [edges[i], small[i], random_scalars[i]][i % 3]).collect();

    check("random", &random_points, &random_scalars, pools);
    check("equal points", &equal_points, &random_scalars, pools);
    check("equal scalars", &random_points, &vec![random_scalars[0]; len], pools);
    check("both equal", &equal_points, &vec![random_scalars[0]; len], pools);
    check("P and -P", &opposites, &random_scalars, pools);
    check("P and -P with one scalar", &opposites, &pairs_of_scalars, pools);
    check("infinity mixed in", &with_infinity, &random_scalars, pools);
    check("infinity alone", &vec![Affine::<F>::INFINITY; len], &random_scalars, pools);
    check("scalars 0", &random_points, &vec![Fr::ZERO; len], pools);
    check("scalars 1", &random_points, &vec![Fr::ONE; len], pools);
    check("scalars r-1", &random_points, &vec![-Fr::ONE; len], pools);
    check("scalars 0, 1, 2, r-1, r-2", &random_points, &edges, pools);
    check("scalars of all lengths to 64 bits", &random_points, &small, pools);
    check("scalars of all kinds", &with_infinity, &mixed, pools);
}

#[test]
fn sums_of_few_points_of_every_kind_equal_arkworks() {
    let mut rng = Rng::new();
    let pools = pools();

    for len in [1, 2, 3, 31, 32, 33, 100] {
        check_kinds::<Fq>(&mut rng, len, &pools);
        check_kinds::<Fq2>(&mut rng, len, &pools);
    }
}

#[test]
fn sums_of_many_points_of_every_kind_equal_arkworks() {
    let mut rng = Rng::new();
    let pools = pools();

    check_kinds::<Fq>(&mut rng, 1000, &pools);
    check_kinds::<Fq2>(&mut rng, 1000, &pools[1..2]);
    check_kinds::<Fq>(&mut rng, 5000, &pools[1..2]);
    let (bases, scalars) = (points::<Fq2>(&mut rng, 5000), scalars(&mut rng, 5000));
    check("random", &bases, &scalars, &pools[3..]);
}

/// log2 of the most points that are summed.
fn log2_max() -> u32 {
    let log2_max = env::var("NALLOC_TEST_MSM_LOG2_MAX");
    log2_max.map_or(0, |text| text.parse().expect("a number of at most 18"))
}

#[test]
fn sums_of_very_many_points_of_every_kind_equal_arkworks() {
    let mut rng = Rng::new();
    let pools = pools();

    for log2 in [14, 16, 18] {
        if log2 > log2_max() {
            println!("skipped 2^{log2}: it runs where NALLOC_TEST_MSM_LOG2_MAX is as large");
            continue;
        }
        check_kinds::<Fq>(&mut rng, 1 << log2, &pools[..2]);
        check_kinds::<Fq2>(&mut rng, 1 << log2, &pools[1..2]);
    }
}

#[test]
fn scalars_at_the_edges_of_every_window_equal_arkworks() {
    let mut rng = Rng::new();
    let two = Fr::from_u64(2);
    let half = two.invert().unwrap();
    let mut scalars = vec![half, -half, half - Fr::ONE];
    for bit in 0..254 {
        let power = two.pow(&[bit]);
        scalars.extend([power, power - Fr::ONE, -power]);
    }
    let bases = points::<Fq>(&mut rng, scalars.len());

    check("edges", &bases, &scalars, &pools()[..2]);
    for (&base, &scalar) in bases.iter().zip(&scalars) {
        let expected = base.mul_scalar_vartime(scalar).to_affine();
        assert_eq!(sum(&[base], &[scalar], &pools()[0]), expected, "{scalar:?}");
    }
}

#[test]
fn a_sum_of_no_points_is_infinity() {
    let pool = Pool::new(Some(2)).unwrap();

    assert!(sum::<Fq>(&[], &[], &pool).is_infinity());
    assert!(sum::<Fq2>(&[], &[], &pool).is_infinity());
}

#[test]
fn slices_of_different_lengths_are_refused() {
    let pool = Pool::new(Some(1)).unwrap();
    let scratch = Arena::with_capacity(1 << 20).unwrap();
    let bases = [G1Affine::GENERATOR; 3];

    let refused = Error::LengthMismatch { what: "scalars", expected: 3, got: 2 };
    assert_eq!(msm(&bases, &[[1, 0, 0, 0]; 2], &pool, &scratch, &()), Err(refused));
}

#[test]
fn a_scalar_at_or_above_r_is_refused_with_its_index() {
    let pool = Pool::new(Some(1)).unwrap();
    let scratch = Arena::with_capacity(1 << 20).unwrap();
    let bases = [G1Affine::GENERATOR; 3];

    for scalar in [Fr::MODULUS, [u64::MAX; 4]] {
        let scalars = [[1, 0, 0, 0], scalar, [1, 0, 0, 0]];
        let refused = Err(Error::ScalarNotCanonical { index: 1 });
        assert_eq!(msm(&bases, &scalars, &pool, &scratch, &()), refused);
    }
}

#[test]
fn scratch_stays_within_its_bound_and_too_little_is_an_error() {
    let mut rng = Rng::new();
    let pools = pools();

    for len in [1, 2, 10, 100, 3000] {
        let bases = points::<Fq2>(&mut rng, len);
        for scalars in [scalars(&mut rng, len), vec![Fr::ONE; len]] {
            for pool in &pools {
                let bound = msm_scratch_bytes::<Fq2>(len, pool.thread_count());
                let scratch = Arena::with_capacity(bound + 4096).unwrap();
                let _taken = scratch.alloc_array::<u8>(1);
                let before = scratch.used_bytes();
                msm(&bases, &plain(&scalars), pool, &scratch, &()).unwrap();
                assert!(scratch.used_bytes() - before <= bound, "{len}: {scratch:?}");
            }
        }
        let scratch = Arena::with_capacity(1).unwrap();
        let _taken = scratch.alloc_array::<u8>(4096);
        let refused = msm(&bases, &plain(&vec![Fr::ONE; len]), &pools[0], &scratch, &());
        assert!(matches!(refused, Err(Error::Memory(nalloc::Error::ArenaFull { .. }))));
    }
}

#[test]
fn many_sums_share_a_pool_and_an_arena() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(2)).unwrap();
    let bases = points::<Fq>(&mut rng, 500);
    let scalars: Vec<Vec<Fr>> = (0..6).map(|_| scalars(&mut rng, 500)).collect();
    let scratch = Arena::with_capacity(6 * msm_scratch_bytes::<Fq>(500, 2)).unwrap();
    let mut sums = [G1Affine::INFINITY; 6];

    pool.for_each_chunk_mut(&mut sums, 1, |index, sum| {
        let result = msm(&bases, &plain(&scalars[index]), &pool, &scratch, &());
        sum[0] = result.unwrap().to_affine();
    });

    for (scalars, sum) in scalars.iter().zip(sums) {
        assert_eq!(sum, Fq::expected(&bases, scalars));
    }
}

#[test]
fn an_observer_that_wants_to_stop_is_obeyed_whenever_it_says_so() {
    let mut rng = Rng::new();
    let (bases, scalars) = (points::<Fq>(&mut rng, 20_000), scalars(&mut rng, 20_000));

    for (len, questions) in [(1, 0), (1, 1), (2000, 0), (2000, 1), (20_000, 5), (20_000, 15)] {
        let (bases, scalars) = (&bases[..len], &scalars[..len]);
        for pool in &pools()[..2] {
            let scratch = Arena::with_capacity(msm_scratch_bytes::<Fq>(len, 2)).unwrap();
            let observer = StopAfter::new(questions);
            let stopped = msm(bases, &plain(scalars), pool, &scratch, &observer);
            assert_eq!(stopped, Err(Error::Cancelled), "{len} {questions}");
        }
    }
    let all = sum(&bases, &scalars, &pools()[0]);
    assert_eq!(all, Fq::expected(&bases, &scalars));
}

/// Remembers the furthest progress.
#[derive(Default)]
struct Furthest {
    done: AtomicU64,
    total: AtomicU64,
}

impl Observer for Furthest {
    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        assert_eq!(phase, "msm");
        self.done.fetch_max(done, Ordering::SeqCst);
        self.total.store(total, Ordering::SeqCst);
    }
}

#[test]
fn progress_ends_at_its_total() {
    let mut rng = Rng::new();
    let (bases, scalars) = (points::<Fq>(&mut rng, 500), scalars(&mut rng, 500));
    let pool = Pool::new(Some(2)).unwrap();
    let scratch = Arena::with_capacity(msm_scratch_bytes::<Fq>(500, 2)).unwrap();
    let furthest = Furthest::default();

    msm(&bases, &plain(&scalars), &pool, &scratch, &furthest).unwrap();

    let (done, total) = (furthest.done.into_inner(), furthest.total.into_inner());
    assert!(total > 0 && done == total, "{done} of {total}");
}
