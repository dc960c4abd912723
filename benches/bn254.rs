//! Fields, NTT and MSM beside arkworks on the same inputs and threads: `cargo bench --bench bn254`.
//!
//! Every result is checked against arkworks' before anything is timed. Both sides run on all
//! threads of the machine. Figures are comparable within one run only.

use ark_bn254::{
    Fq as ArkFq, Fr as ArkFr, G1Affine as ArkG1, G1Projective as ArkG1Projective,
    G2Affine as ArkG2, G2Projective as ArkG2Projective,
};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{BigInt, PrimeField};
use ark_poly::univariate::{DenseOrSparsePolynomial, DensePolynomial};
use ark_poly::{DenseUVPolynomial, EvaluationDomain, Polynomial as _, Radix2EvaluationDomain};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalloc::{Arena, NAlloc};
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::field::{FqModulus, FrModulus, Modulus, Montgomery};
use nalloc_bn254::{
    Affine, Field, Fq, Fq2, Fr, G1Affine, G2Affine, Kernels, Ntt, Polynomial, Pool, Vectors, msm,
    msm_scratch_bytes, ntt_scratch_bytes,
};
use std::hint::black_box;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// Sizes of a small and of a middling circuit.
const LOG_SIZES: [u32; 2] = [13, 16];

/// Field elements that look random and are the same in every run: powers of seven.
fn powers_of_seven<F: Field>(count: usize) -> Vec<F> {
    let seven = F::from_u64(7);
    std::iter::successors(Some(F::ONE), |&power| Some(power * seven)).take(count).collect()
}

fn to_ark<M: Modulus, A: PrimeField<BigInt = BigInt<4>>>(value: Montgomery<M>) -> A {
    A::from_bigint(BigInt::new(value.to_plain())).expect("canonical")
}

fn fields(criterion: &mut Criterion) {
    operations::<FrModulus, ArkFr>(criterion, "Fr");
    operations::<FqModulus, ArkFq>(criterion, "Fq");
}

/// The operations of a field on one pair of elements.
fn operations<M, A>(criterion: &mut Criterion, field: &str)
where
    M: Modulus,
    Montgomery<M>: Field,
    A: PrimeField<BigInt = BigInt<4>>,
{
    let powers = powers_of_seven::<Montgomery<M>>(200);
    let (a, b) = (powers[150], powers[199]);
    let (ark_a, ark_b): (A, A) = (to_ark(a), to_ark(b));
    let inverse = a.invert().expect("not zero");
    assert_eq!(to_ark::<M, A>(a * b), ark_a * ark_b);
    assert_eq!(to_ark::<M, A>(a.square()), ark_a.square());
    assert_eq!(to_ark::<M, A>(a + b), ark_a + ark_b);
    assert_eq!(Some(to_ark::<M, A>(inverse)), ark_a.inverse());
    assert_eq!(a.invert_vartime(), Some(inverse));

    let mut both = |name: &str, ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()| {
        let mut group = criterion.benchmark_group(format!("{field} {name}"));
        group.bench_function("nalloc", |bench| bench.iter(&mut *ours));
        group.bench_function("arkworks", |bench| bench.iter(&mut *theirs));
        group.finish();
    };
    // A chain, because one operation takes less time than the call around it.
    let chained = |name: &str| format!("{name}, {CHAIN} in a chain");
    let (mut x, mut y) = (a, ark_a);
    both(&chained("multiply"), &mut || (0..CHAIN).for_each(|_| x *= black_box(b)), &mut || {
        (0..CHAIN).for_each(|_| y *= black_box(ark_b));
    });
    both(&chained("square"), &mut || (0..CHAIN).for_each(|_| x = x.square()), &mut || {
        (0..CHAIN).for_each(|_| y = y.square());
    });
    both(&chained("add"), &mut || (0..CHAIN).for_each(|_| x += black_box(b)), &mut || {
        (0..CHAIN).for_each(|_| y += black_box(ark_b));
    });
    both(
        "inverse",
        &mut || {
            black_box(black_box(a).invert());
        },
        &mut || {
            black_box(black_box(ark_a).inverse());
        },
    );
    both(
        "inverse, variable time",
        &mut || {
            black_box(black_box(a).invert_vartime());
        },
        &mut || {
            black_box(black_box(ark_a).inverse());
        },
    );
    black_box((x, y));
}

/// Operations of a chain, each on the result of the one before.
const CHAIN: usize = 100;

/// Verbs over vectors that fit the second-level cache and that do not, on one thread and on all;
/// arkworks has none, so plain Rust stands beside them.
fn vectors(criterion: &mut Criterion) {
    for log_size in [12, 18] {
        let b = powers_of_seven::<Fr>(1 << log_size);
        for threads in [Some(1), None] {
            let pool = Pool::new(threads).expect("threads");
            for kernels in
                [Kernels::ifma(), Kernels::avx2(), Some(Kernels::PORTABLE)].into_iter().flatten()
            {
                verbs(criterion, &b, Vectors::with_kernels(&pool, kernels), &|verb| {
                    let name = format!("vector {verb}, {}", kernels.name());
                    (name, format!("2^{log_size}, {} threads", pool.thread_count()))
                });
            }
        }
    }
}

fn verbs(
    criterion: &mut Criterion,
    b: &[Fr],
    vectors: Vectors<'_>,
    name: &dyn Fn(&str) -> (String, String),
) {
    let mut a: Vec<Fr> = b.iter().rev().copied().collect();
    let mut product = a.clone();
    vectors.mul(&mut product, b).expect("equal lengths");
    assert!(product.iter().zip(a.iter().zip(b)).all(
        |(&c, (&a, &b))| to_ark::<_, ArkFr>(c) == to_ark::<_, ArkFr>(a) * to_ark::<_, ArkFr>(b)
    ));
    let mut measure = |verb: &str, work: &mut dyn FnMut()| {
        let (group, id) = name(verb);
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(b.len() as u64));
        group.bench_function(id, |bench| bench.iter(&mut *work));
        group.finish();
    };
    measure("add", &mut || vectors.add(&mut a, b).expect("equal lengths"));
    measure("sub", &mut || vectors.sub(&mut a, b).expect("equal lengths"));
    measure("mul", &mut || vectors.mul(&mut a, b).expect("equal lengths"));
    measure("mul_into", &mut || vectors.mul_into(&a, b, &mut product).expect("equal lengths"));
    measure("scale", &mut || vectors.scale(&mut a, b[1]));
    measure("square", &mut || vectors.square(&mut a));
    measure("invert", &mut || vectors.invert(&mut a));
    measure("inner product", &mut || {
        black_box(vectors.inner_product(&a, b).expect("equal lengths"));
    });
    measure("sum", &mut || {
        black_box(vectors.sum(&a));
    });
}

fn transforms(criterion: &mut Criterion) {
    let pool = Pool::new(None).expect("threads");
    for log_size in LOG_SIZES {
        let values = powers_of_seven::<Fr>(1 << log_size);
        let ark_values: Vec<ArkFr> = values.iter().copied().map(to_ark).collect();
        let ntt = Ntt::<Fr>::new(log_size).expect("a domain of this size");
        let domain = Radix2EvaluationDomain::<ArkFr>::new(1 << log_size).expect("a domain");
        let are_equal = |ours: &[Fr], theirs: &[ArkFr]| {
            ours.iter().zip(theirs).all(|(&a, &b)| to_ark::<_, ArkFr>(a) == b)
        };

        let bytes = ntt_scratch_bytes(log_size, pool.thread_count());
        let arena = Arena::with_capacity(bytes).expect("memory");
        let mut work = ntt.work(&pool, &arena, &()).expect("memory");
        let (mut ours, mut theirs) = (values.clone(), ark_values.clone());
        ntt.forward(&mut ours, &mut work).expect("equal lengths");
        domain.fft_in_place(&mut theirs);
        assert!(are_equal(&ours, &theirs), "forward, 2^{log_size}");
        ntt.inverse(&mut ours, &mut work).expect("equal lengths");
        domain.ifft_in_place(&mut theirs);
        assert!(are_equal(&ours, &theirs) && ours == values, "inverse, 2^{log_size}");

        let mut forward = criterion.benchmark_group("NTT forward");
        forward.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| ntt.forward(black_box(&mut ours), &mut work).expect("equal lengths"));
        });
        forward.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| domain.fft_in_place(black_box(&mut theirs)));
        });
        forward.finish();
        let mut inverse = criterion.benchmark_group("NTT inverse");
        inverse.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| ntt.inverse(black_box(&mut ours), &mut work).expect("equal lengths"));
        });
        inverse.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| domain.ifft_in_place(black_box(&mut theirs)));
        });
        inverse.finish();
    }
}

/// Values and quotients of polynomials; arkworks runs on all threads, too.
fn polynomials(criterion: &mut Criterion) {
    let pool = Pool::new(None).expect("threads");
    for log_size in [16, 20] {
        let coefficients = powers_of_seven::<Fr>(1 << log_size);
        let z = coefficients[12_345];
        let theirs = coefficients.iter().copied().map(to_ark).collect();
        let theirs = DensePolynomial::<ArkFr>::from_coefficients_vec(theirs);
        let (ark_z, minus_z): (ArkFr, ArkFr) = (to_ark(z), to_ark(-z));
        let divisor = DensePolynomial::from_coefficients_vec(vec![minus_z, to_ark(Fr::ONE)]);
        let divisor = DenseOrSparsePolynomial::from(&divisor);
        let ark_divided = || DenseOrSparsePolynomial::from(&theirs).divide_with_q_and_r(&divisor);
        let ours = Polynomial::over(&*coefficients);

        let (quotient, value) = ours.divide_by_linear(z, &pool).expect("memory");
        assert_eq!(to_ark::<_, ArkFr>(value), theirs.evaluate(&ark_z));
        assert_eq!(ours.evaluate(z, &pool), value);
        let (expected, _) = ark_divided().expect("not zero");
        let mut pairs = quotient.coefficients().iter().zip(&expected.coeffs);
        assert!(pairs.all(|(&a, &b)| to_ark::<_, ArkFr>(a) == b), "2^{log_size}");

        let mut evaluate = criterion.benchmark_group("polynomial evaluate");
        evaluate.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| ours.evaluate(black_box(z), &pool));
        });
        evaluate.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| theirs.evaluate(black_box(&ark_z)));
        });
        evaluate.finish();
        let mut divide = criterion.benchmark_group("polynomial divide by X - z");
        divide.sample_size(20);
        divide.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| ours.divide_by_linear(black_box(z), &pool).expect("memory"));
        });
        divide.bench_function(BenchmarkId::new("nalloc, in place", log_size), |bench| {
            let divided = |copy: &mut Vec<Fr>| {
                let mut polynomial = Polynomial::over(copy.as_mut_slice());
                polynomial.divide_by_linear_in_place(black_box(z), &pool).expect("memory")
            };
            bench.iter_batched_ref(|| coefficients.clone(), divided, BatchSize::LargeInput);
        });
        divide.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| ark_divided().expect("not zero"));
        });
        divide.finish();
    }
    products_and_quotients(criterion, &pool);
}

/// Squares, and polynomials of twice the length divided by shorter ones: where methods change.
fn products_and_quotients(criterion: &mut Criterion, pool: &Pool) {
    for len in [32, 64, 128, 256, 512, 1024, 2048] {
        let coefficients = powers_of_seven::<Fr>(len);
        let factor = Polynomial::over(&*coefficients);
        let square = factor.mul(&factor, pool).expect("a domain of this size");
        let (quotient, remainder) = square.divide(&factor, pool).expect("not zero");
        assert!(quotient == factor && remainder.is_zero(), "{len}");

        let mut products = criterion.benchmark_group("polynomial square");
        products.bench_function(BenchmarkId::new("nalloc", len), |bench| {
            bench.iter(|| factor.mul(black_box(&factor), pool).expect("a domain of this size"));
        });
        products.finish();
        let mut quotients = criterion.benchmark_group("polynomial divide a square");
        quotients.bench_function(BenchmarkId::new("nalloc", len), |bench| {
            bench.iter(|| square.divide(black_box(&factor), pool).expect("not zero"));
        });
        quotients.finish();
    }
}

fn multi_scalar(criterion: &mut Criterion) {
    sums::<Fq, ArkG1Projective>(criterion, "MSM G1", g1_from_ark);
    sums::<Fq2, ArkG2Projective>(criterion, "MSM G2", g2_from_ark);
}

/// Sums of points of a group, each times a scalar.
fn sums<F, A>(criterion: &mut Criterion, name: &str, from_ark: fn(&A::Affine) -> Affine<F>)
where
    F: CurveField,
    A: CurveGroup<ScalarField = ArkFr> + VariableBaseMSM,
{
    let pool = Pool::new(None).expect("threads");
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    for log_size in LOG_SIZES {
        let powers = powers_of_seven::<Fr>(1 << log_size);
        let scalars: Vec<[u64; 4]> = powers.iter().map(|power| power.to_plain()).collect();
        let ark_scalars: Vec<_> = scalars.iter().map(|&limbs| BigInt::new(limbs)).collect();
        let ark_bases = multiples_of_generator::<A>(1 << log_size);
        let bases: Vec<Affine<F>> = ark_bases.iter().map(from_ark).collect();
        let mut scratch =
            Arena::with_capacity(msm_scratch_bytes::<F>(bases.len(), pool.thread_count()))
                .expect("memory");

        let ours = msm(&bases, &scalars, &pool, &scratch, &()).expect("equal lengths").to_affine();
        let theirs = A::msm_bigint(&ark_bases, &ark_scalars).into_affine();
        assert_eq!(ours, from_ark(&theirs), "{name} 2^{log_size}");

        group.bench_function(BenchmarkId::new("nalloc", log_size), |bench| {
            bench.iter(|| {
                scratch.reset();
                msm(&bases, &scalars, &pool, &scratch, &()).expect("equal lengths")
            });
        });
        group.bench_function(BenchmarkId::new("arkworks", log_size), |bench| {
            bench.iter(|| A::msm_bigint(&ark_bases, &ark_scalars));
        });
    }
    group.finish();
}

fn multiples_of_generator<A: CurveGroup>(count: usize) -> Vec<A::Affine> {
    let generator = A::Affine::generator();
    let multiples: Vec<A> =
        std::iter::successors(Some(generator.into_group()), |&sum| Some(sum + generator))
            .take(count)
            .collect();
    A::normalize_batch(&multiples)
}

fn g1_from_ark(point: &ArkG1) -> G1Affine {
    G1Affine { x: coordinate(point.x), y: coordinate(point.y) }
}

fn g2_from_ark(point: &ArkG2) -> G2Affine {
    let pair = |value: ark_bn254::Fq2| Fq2::new(coordinate(value.c0), coordinate(value.c1));
    G2Affine { x: pair(point.x), y: pair(point.y) }
}

fn coordinate(value: ArkFq) -> Fq {
    Fq::from_plain(value.into_bigint().0).expect("arkworks' values are canonical")
}

criterion_group!(benches, fields, vectors, transforms, polynomials, multi_scalar);
criterion_main!(benches);
