//! Verbs over vectors, with every kernel of this CPU, against arkworks and big integers.

use nalloc_bn254::field::{Modulus, Montgomery};
use nalloc_bn254::{Error, Field, Fq2, Fr, Kernels, Pool, Vectors};
use num_bigint::BigUint;

use crate::field::tiny::Tiny;
use crate::support::{Rng, all_kernels, ark_fr, edge_numbers, element, integer};

/// Lengths around those of vectors, of groups of them, of runs that share a reduction or an
/// inversion, and of tasks.
const LENGTHS: [usize; 14] =
    [0, 1, 7, 8, 9, 31, 32, 33, 511, 1024, 1033, 2048 + 40, 4096, 3 * 4096 + 5];

/// Edge values as integers and as stored words, among them limbs of 52 ones, then random values.
fn values<M: Modulus>(rng: &mut Rng, len: usize) -> Vec<Montgomery<M>> {
    let words = [[u64::MAX >> 12, 0, 0, 0], [u64::MAX, u64::MAX, u64::MAX, M::LIMBS[3] - 1]];
    let stored = words.into_iter().chain(edge_numbers(M::LIMBS)).map(Montgomery::from_montgomery);
    let plain = edge_numbers(M::LIMBS).into_iter().map(Montgomery::from_plain);
    let edges: Vec<Montgomery<M>> = stored.chain(plain).flatten().collect();
    let random = core::iter::repeat_with(|| Montgomery::from_uniform_bytes(&rng.bytes()));
    // Every third value is an edge, so that lanes hold different kinds.
    random
        .enumerate()
        .map(|(i, x)| if i % 3 == 0 { edges[i / 3 % edges.len()] } else { x })
        .take(len)
        .collect()
}

fn check_verbs<F: Field>(vectors: &Vectors<'_>, a: &[F], b: &[F]) {
    let changed = |verb: &dyn Fn(&mut [F])| {
        let mut changed = a.to_vec();
        verb(&mut changed);
        changed
    };
    let pairs = || a.iter().copied().zip(b.iter().copied());
    let (sums, differences): (Vec<F>, Vec<F>) = pairs().map(|(a, b)| (a + b, a - b)).unzip();
    let products: Vec<F> = pairs().map(|(a, b)| a * b).collect();
    let factor = b.last().copied().unwrap_or(F::ONE);

    assert_eq!(changed(&|a| vectors.add(a, b).unwrap()), sums);
    assert_eq!(changed(&|a| vectors.sub(a, b).unwrap()), differences);
    assert_eq!(changed(&|a| vectors.mul(a, b).unwrap()), products);
    assert_eq!(changed(&|to| vectors.add_into(a, b, to).unwrap()), sums);
    assert_eq!(changed(&|to| vectors.sub_into(a, b, to).unwrap()), differences);
    assert_eq!(changed(&|to| vectors.mul_into(a, b, to).unwrap()), products);
    let multiples: Vec<F> = a.iter().map(|&a| a * factor).collect();
    assert_eq!(changed(&|a| vectors.scale(a, factor)), multiples);
    let combined: Vec<F> = pairs().map(|(a, b)| a + b * factor).collect();
    assert_eq!(changed(&|a| vectors.add_scaled(a, b, factor).unwrap()), combined);
    let powers = core::iter::successors(Some(F::ONE), |&power| Some(power * factor));
    let scaled: Vec<F> = a.iter().zip(powers).map(|(&a, power)| a * power).collect();
    assert_eq!(changed(&|a| vectors.scale_by_powers(a, factor)), scaled);
    let squares: Vec<F> = a.iter().map(|&a| a * a).collect();
    assert_eq!(changed(&|a| vectors.square(a)), squares);
    let sum = |terms: &[F]| terms.iter().fold(F::ZERO, |sum, &term| sum + term);
    assert_eq!(vectors.inner_product(a, b), Ok(sum(&products)));
    assert_eq!(vectors.sum(a), sum(a));
    let inverses = changed(&|a| vectors.invert(a));
    for (&a, &inverse) in a.iter().zip(&inverses) {
        assert_eq!(a * inverse, if a.is_zero() { F::ZERO } else { F::ONE });
        assert_eq!(a.is_zero(), inverse.is_zero());
    }
}

fn check_every_length<M: Modulus>() {
    let mut rng = Rng::new();
    for threads in [1, 3] {
        let pool = Pool::new(Some(threads)).unwrap();
        for kernels in all_kernels() {
            for len in LENGTHS {
                let (a, b) = (values::<M>(&mut rng, len), values::<M>(&mut rng, len + 4));
                check_verbs(&Vectors::with_kernels(&pool, kernels), &a, &b[4..]);
            }
        }
    }
}

#[test]
fn verbs_equal_those_of_single_elements_for_every_length_and_kernel() {
    check_every_length::<nalloc_bn254::field::FrModulus>();
    check_every_length::<nalloc_bn254::field::FqModulus>();
}

#[test]
fn verbs_work_over_fields_without_kernels() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(2)).unwrap();
    let tiny: Vec<Tiny> = (0..5000).map(|_| Tiny::from_u64(rng.word())).collect();
    let pairs: Vec<Fq2> = (0..600).map(|i| Fq2::new(rng.fq(), rng.fq().pow(&[i % 2]))).collect();

    check_verbs(&Vectors::new(&pool), &tiny, &tiny[..].iter().rev().copied().collect::<Vec<_>>());
    check_verbs(&Vectors::new(&pool), &pairs[..300], &pairs[300..]);
}

/// All pairs of edge values, in every lane, as big integers say.
fn check_big_integers<M: Modulus>(kernels: Kernels) {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(1)).unwrap();
    let vectors = Vectors::with_kernels(&pool, kernels);
    let a = values::<M>(&mut rng, 1200);
    let p = integer(M::LIMBS);
    let integers: Vec<BigUint> = a.iter().map(|a| integer(a.to_plain())).collect();

    for turn in [0, 1, 2, 5, 8, 300, 601] {
        let (mut b, mut integers_b) = (a.clone(), integers.clone());
        b.rotate_left(turn);
        integers_b.rotate_left(turn);
        let mut results = [a.clone(), a.clone(), a.clone()];
        vectors.mul(&mut results[0], &b).unwrap();
        vectors.add(&mut results[1], &b).unwrap();
        vectors.sub(&mut results[2], &b).unwrap();

        let mut total = BigUint::ZERO;
        for (i, (x, y)) in integers.iter().zip(&integers_b).enumerate() {
            assert_eq!(results[0][i], element(&(x * y)), "product {i}, turn {turn}");
            assert_eq!(results[1][i], element(&(x + y)), "sum {i}, turn {turn}");
            assert_eq!(results[2][i], element(&(x + &p - y)), "difference {i}, turn {turn}");
            total += x * y;
        }
        assert_eq!(vectors.inner_product(&a, &b), Ok(element(&total)));
    }
}

#[test]
fn verbs_equal_big_integers_on_edge_values_in_every_lane() {
    for kernels in all_kernels() {
        check_big_integers::<nalloc_bn254::field::FrModulus>(kernels);
        check_big_integers::<nalloc_bn254::field::FqModulus>(kernels);
    }
}

#[test]
fn inverses_of_vectors_leave_zeros_and_invert_the_rest() {
    let mut rng = Rng::new();
    let pool = Pool::new(Some(1)).unwrap();

    for kernels in all_kernels() {
        let vectors = Vectors::with_kernels(&pool, kernels);
        for zeros in [1, 2, 3, 8, 9, 32] {
            let values: Vec<Fr> =
                (0..4000).map(|i| if i % zeros == 0 { Fr::ZERO } else { rng.fr() }).collect();
            let mut inverses = values.clone();
            vectors.invert(&mut inverses);

            vectors.invert(&mut inverses);
            assert!(inverses == values, "every {zeros}th is zero, {kernels:?}");
        }
    }
}

#[test]
fn vectors_of_different_lengths_are_refused_with_both_lengths() {
    let pool = Pool::new(Some(1)).unwrap();
    let vectors = Vectors::new(&pool);
    let (mut three, four) = ([Fr::ONE; 3], [Fr::ONE; 4]);
    let refused = |what, expected, got| Some(Error::LengthMismatch { what, expected, got });

    assert_eq!(vectors.add(&mut three, &four).err(), refused("second vector", 3, 4));
    assert_eq!(vectors.sub(&mut three, &[]).err(), refused("second vector", 3, 0));
    assert_eq!(vectors.mul(&mut three, &four).err(), refused("second vector", 3, 4));
    assert_eq!(vectors.inner_product(&four, &three).err(), refused("second vector", 4, 3));
    let scaled = vectors.add_scaled(&mut three, &four, Fr::ONE);
    assert_eq!(scaled.err(), refused("second vector", 3, 4));
    assert_eq!(vectors.add_into(&four, &four, &mut three).err(), refused("result", 4, 3));
    assert_eq!(vectors.mul_into(&four, &three, &mut []).err(), refused("second vector", 4, 3));
    assert_eq!(three, [Fr::ONE; 3]);
}

/// 20,000 products of each kernel, or as many as `NALLOC_TEST_PRODUCTS` says.
#[test]
fn random_products_equal_arkworks_and_every_thousandth_big_integers() {
    let asked = std::env::var("NALLOC_TEST_PRODUCTS").ok();
    let count = asked.map_or(20_000, |text| text.parse().expect("a number of products"));
    let mut rng = Rng::new();
    let pool = Pool::new(Some(1)).unwrap();
    let (all, piece) = (all_kernels(), 1000);

    for _ in 0..usize::div_ceil(count, piece) {
        let mut random = || -> Vec<Fr> {
            // A quarter of the numbers are refused; 2^254 is little more than r.
            let words = core::iter::repeat_with(|| core::array::from_fn(|_| rng.word()));
            let below = words.map(|[a, b, c, d]: [u64; 4]| [a, b, c, d >> 2]);
            below.filter_map(Fr::from_montgomery).take(piece).collect()
        };
        let (a, b) = (random(), random());
        let expected: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| ark_fr(a) * ark_fr(b)).collect();
        let first = integer(a[0].to_plain()) * integer(b[0].to_plain());
        for &kernels in &all {
            let mut products = a.clone();
            Vectors::with_kernels(&pool, kernels).mul(&mut products, &b).unwrap();
            assert!(products.iter().zip(&expected).all(|(&c, &d)| ark_fr(c) == d), "{kernels:?}");
            assert_eq!(products[0], element(&first), "{kernels:?}");
        }
    }
}
