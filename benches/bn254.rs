//! Field, NTT and MSM beside arkworks on the same inputs and threads: `cargo bench --bench bn254`.
//!
//! Every result is checked against arkworks' before anything is timed. Both sides run on all
//! threads of the machine. Figures are comparable within one run only.

use ark_bn254::{Fr as ArkFr, G1Affine as ArkG1, G1Projective as ArkG1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{BigInt, Field as ArkField, PrimeField};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalloc::{Arena, NAlloc};
use nalloc_bn254::{Field, Fq, Fr, G1Affine, Ntt, Pool, msm, msm_scratch_bytes};
use std::hint::black_box;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// Sizes of a small and of a middling circuit.
const LOG_SIZES: [u32; 2] = [13, 16];

/// Field elements that look random and are the same in every run: powers of seven.
fn powers_of_seven(count: usize) -> Vec<Fr> {
    let seven = Fr::from_u64(7);
    std::iter::successors(Some(Fr::ONE), |&power| Some(power * seven)).take(count).collect()
}

fn to_ark(value: Fr) -> ArkFr {
    ArkFr::from_bigint(BigInt::new(value.to_plain())).expect("canonical")
}

fn multiply(criterion: &mut Criterion) {
    let (a, b) = (powers_of_seven(9)[8], powers_of_seven(10)[9]);
    let (ark_a, ark_b) = (to_ark(a), to_ark(b));
    assert_eq!(to_ark(a * b), ark_a * ark_b);
    assert_eq!(to_ark(a.square()), ArkField::square(&ark_a));
    let mut group = criterion.benchmark_group("Fr multiply");
    group.bench_function("nalloc", |bench| bench.iter(|| black_box(a) * black_box(b)));
    group.bench_function("arkworks", |bench| bench.iter(|| black_box(ark_a) * black_box(ark_b)));
    group.finish();
}

fn transform(criterion: &mut Criterion) {
    let pool = Pool::new(None).expect("threads");
    let mut group = criterion.benchmark_group("NTT");
    for log_size in LOG_SIZES {
        let values = powers_of_seven(1 << log_size);
        let ark_values: Vec<ArkFr> = values.iter().copied().map(to_ark).collect();
        let ntt = Ntt::<Fr>::new(log_size).expect("a domain of this size");
        let domain = Radix2EvaluationDomain::<ArkFr>::new(1 << log_size).expect("a domain");

        let mut ours = values.clone();
        ntt.forward(&mut ours, &pool).expect("equal lengths");
        let theirs = domain.fft(&ark_values);
        assert!(ours.iter().zip(&theirs).all(|(&a, &b)| to_ark(a) == b), "2^{log_size}");

        group.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| ntt.forward(black_box(&mut ours), &pool).expect("equal lengths"));
        });
        let mut theirs = ark_values.clone();
        group.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| domain.fft_in_place(black_box(&mut theirs)));
        });
    }
    group.finish();
}

fn multi_scalar(criterion: &mut Criterion) {
    let pool = Pool::new(None).expect("threads");
    let mut group = criterion.benchmark_group("MSM G1");
    group.sample_size(10);
    for log_size in LOG_SIZES {
        let scalars: Vec<[u64; 4]> =
            powers_of_seven(1 << log_size).iter().map(|power| power.to_plain()).collect();
        let ark_scalars: Vec<_> = scalars.iter().map(|&limbs| BigInt::new(limbs)).collect();
        let ark_bases = multiples_of_generator(1 << log_size);
        let bases: Vec<G1Affine> = ark_bases.iter().map(from_ark).collect();
        let mut scratch = Arena::with_capacity(msm_scratch_bytes(bases.len(), pool.thread_count()))
            .expect("memory");

        let ours = msm(&bases, &scalars, &pool, &scratch, &()).expect("equal lengths").to_affine();
        let theirs = ArkG1Projective::msm_bigint(&ark_bases, &ark_scalars).into_affine();
        assert_eq!(ours, from_ark(&theirs), "2^{log_size}");

        group.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| {
                scratch.reset();
                msm(&bases, &scalars, &pool, &scratch, &()).expect("equal lengths")
            });
        });
        group.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| ArkG1Projective::msm_bigint(&ark_bases, &ark_scalars));
        });
    }
    group.finish();
}

fn multiples_of_generator(count: usize) -> Vec<ArkG1> {
    let generator = ArkG1::new(1.into(), 2.into());
    let multiples: Vec<ArkG1Projective> =
        std::iter::successors(Some(ArkG1Projective::from(generator)), |&sum| Some(sum + generator))
            .take(count)
            .collect();
    ArkG1Projective::normalize_batch(&multiples)
}

fn from_ark(point: &ArkG1) -> G1Affine {
    let coordinate = |value: ark_bn254::Fq| {
        Fq::from_plain(value.into_bigint().0).expect("arkworks' values are canonical")
    };
    G1Affine { x: coordinate(point.x), y: coordinate(point.y) }
}

criterion_group!(benches, multiply, transform, multi_scalar);
criterion_main!(benches);
