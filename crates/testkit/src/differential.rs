//! Kernels of this CPU against plain Rust, on whatever elements the bytes of a fuzzer make.
//!
//! The first byte chooses sizes; the rest are stored words, taken as they are where they are below
//! the modulus. In a build with debug assertions the kernels check the bounds of every lane, too.
//! On a CPU without vectors there is nothing to compare.

use std::iter;
use std::sync::OnceLock;

use nalloc::Arena;
use nalloc_bn254::curve::{CurveField, batch_to_affine};
use nalloc_bn254::field::{FqModulus, FrModulus, Modulus, Montgomery};
use nalloc_bn254::{
    Affine, Field, FixedBases, FixedPlan, Fq, Fq2, Fr, HeapBuffer, Jacobian, Kernels, Ntt,
    OddPoints, Pool, TableLimits, Vectors, msm_scratch_bytes, msm_with_kernels, ntt_scratch_bytes,
};

/// Vectors of up to this many elements: a little more than one run that shares an inversion.
const LEN_MAX: usize = 2100;
/// Lengths that the first byte counts.
const LEN_STEP: usize = LEN_MAX / 255;
/// Transforms with one, two and four layers to a pass.
const LOG2: [u32; 4] = [8, 9, 10, 11];

/// Every verb over vectors, and both ways to invert, over both prime fields.
///
/// # Panics
/// When two ways to compute the same differ.
pub fn compare_field(bytes: &[u8]) {
    compare_verbs::<FrModulus>(bytes);
    compare_verbs::<FqModulus>(bytes);
}

fn compare_verbs<M: Modulus>(bytes: &[u8]) {
    let Some((&size, words)) = bytes.split_first() else { return };
    let elements = elements::<M>(words);
    for &x in &elements {
        assert_eq!(x.invert(), x.invert_vartime(), "{x:?}");
        assert_eq!(x.invert().map_or(x, |inverse| inverse * x * x), x);
    }
    let len = usize::from(size) * LEN_STEP;
    let a: Vec<_> = elements.iter().copied().cycle().take(len).collect();
    let b: Vec<_> = elements.iter().rev().copied().cycle().skip(1).take(len).collect();
    let verbs: [&Verb<'_, M>; 7] = [
        &|on, a| on.add(a, &b).expect("equal lengths"),
        &|on, a| on.sub(a, &b).expect("equal lengths"),
        &|on, a| on.mul(a, &b).expect("equal lengths"),
        &|on, a| on.scale(a, elements[0]),
        &|on, a| on.scale_by_powers(a, elements[0]),
        &|on, a| on.square(a),
        &|on, a| on.invert(a),
    ];
    let plain = Vectors::with_kernels(pool(), Kernels::PORTABLE);
    for kernels in of_this_cpu() {
        let ours = Vectors::with_kernels(pool(), kernels);
        for (index, verb) in verbs.iter().enumerate() {
            let mut results = [a.clone(), a.clone()];
            verb(&ours, &mut results[0]);
            verb(&plain, &mut results[1]);
            assert!(results[0] == results[1], "verb {index} of {len} elements, {kernels:?}");
        }
        assert_eq!(ours.inner_product(&a, &b), plain.inner_product(&a, &b));
        assert_eq!(ours.sum(&a), plain.sum(&a));
    }
}

/// The kernels that are compared with plain Rust.
fn of_this_cpu() -> impl Iterator<Item = Kernels> {
    Kernels::ifma().into_iter().chain(Kernels::avx2())
}

/// What is done to a vector in place.
type Verb<'b, M> = dyn Fn(&Vectors<'_>, &mut [Montgomery<M>]) + 'b;

/// Transforms in both directions and on the odd points, of four sizes.
///
/// # Panics
/// When two ways to compute the same differ, or when no memory can be had.
pub fn compare_ntt(bytes: &[u8]) {
    let Some((&size, words)) = bytes.split_first() else { return };
    let which = usize::from(size) % LOG2.len();
    let log2 = LOG2[which];
    let values: Vec<Fr> = elements(words).into_iter().cycle().take(1 << log2).collect();
    let transformed = |domain: &OddPoints<Fr>, transform: &Transform| {
        let arena = Arena::with_capacity(ntt_scratch_bytes(log2, 1)).expect("memory");
        let mut values = values.clone();
        transform(domain, &arena, &mut values);
        values
    };
    let transforms: [&Transform; 4] = [
        &|domain, arena, values| {
            let ntt: &Ntt<Fr> = domain.ntt();
            let mut work = ntt.work(pool(), arena, &()).expect("memory");
            ntt.forward(values, &mut work).expect("the domain's size");
        },
        &|domain, arena, values| {
            let ntt: &Ntt<Fr> = domain.ntt();
            let mut work = ntt.work(pool(), arena, &()).expect("memory");
            ntt.inverse(values, &mut work).expect("the domain's size");
        },
        &|domain, arena, values| {
            let ntt: &Ntt<Fr> = domain.ntt();
            let mut work = ntt.work(pool(), arena, &()).expect("memory");
            let shift = values[0];
            ntt.forward_coset(values, shift, &mut work).expect("the domain's size");
        },
        &|domain, arena, values| {
            let mut work = domain.ntt().work(pool(), arena, &()).expect("memory");
            domain.extend(values, &mut work).expect("the domain's size");
        },
    ];
    let (plain, others) = domains()[which].split_first().expect("plain Rust at least");
    for (index, transform) in transforms.iter().enumerate() {
        let expected = transformed(plain, transform);
        for ours in others {
            assert!(transformed(ours, transform) == expected, "transform {index} of 2^{log2}");
        }
    }
}

/// Points of a sum: enough for buckets, and for several blocks of them.
const POINTS: usize = 600;
/// Sums whose points repeat after so many: equal ones, opposite ones, and hardly any.
const PERIODS: [usize; 4] = [1, 2, 37, POINTS];

/// Sums of points of both groups, each times a scalar.
///
/// # Panics
/// When two ways to compute the same differ, or when no memory can be had.
pub fn compare_msm(bytes: &[u8]) {
    compare_sums::<Fq>(bytes);
    compare_sums::<Fq2>(bytes);
}

fn compare_sums<F: CurveField>(bytes: &[u8]) {
    let Some((&size, words)) = bytes.split_first() else { return };
    // Ones and minus ones go another way, and no fuzzer would find them.
    let scalar = |element: Fr| match element.to_plain() {
        [low, ..] if low % 8 == 0 => [1, 0, 0, 0],
        [low, ..] if low % 8 == 1 => (-Fr::ONE).to_plain(),
        scalar => scalar,
    };
    let scalars: Vec<_> = elements::<FrModulus>(words).into_iter().map(scalar).collect();
    let len = usize::from(size) * POINTS / 255;
    let scalars: Vec<_> = scalars.into_iter().cycle().take(len).collect();
    let generator = Affine::<F>::GENERATOR;
    let next = |sum: &Jacobian<F>| Some(-sum.add_affine(&generator));
    let multiples: Vec<_> = iter::successors(Some(generator.into()), next).take(POINTS).collect();
    let mut points = vec![Affine::INFINITY; POINTS];
    batch_to_affine(&multiples, &mut points).expect("as many of both");
    let period = PERIODS[usize::from(size) % PERIODS.len()];
    let bases: Vec<_> = points[..period].iter().copied().cycle().take(len).collect();
    let sum = |kernels| {
        let arena = Arena::with_capacity(msm_scratch_bytes::<F>(len, 1)).expect("memory");
        let sum = msm_with_kernels(&bases, &scalars, pool(), &arena, &(), kernels);
        sum.expect("as many scalars as points").to_affine()
    };
    let one_by_one = bases.iter().zip(&scalars).fold(Jacobian::INFINITY, |sum, (base, scalar)| {
        let scalar = Fr::from_plain(*scalar).expect("below r");
        sum.add(&base.mul_scalar_vartime(scalar))
    });
    let expected = one_by_one.to_affine();
    let plan = FixedPlan::<F>::new(len, TableLimits { threads: 1, bytes_max: usize::MAX });
    let sum_with_table = |kernels| {
        let points = HeapBuffer::from_slice(&bases).expect("memory");
        let bases = FixedBases::with_kernels(points, plan, pool(), &(), kernels).expect("memory");
        let arena = Arena::with_capacity(plan.scratch_bytes(1)).expect("memory");
        let sum = bases.msm_with_kernels(&scalars, pool(), &arena, &(), kernels);
        sum.expect("as many scalars as points").to_affine()
    };
    for kernels in [Kernels::PORTABLE].into_iter().chain(of_this_cpu()) {
        assert_eq!(sum(kernels), expected);
        assert_eq!(sum_with_table(kernels), expected);
    }
}

type Transform = dyn Fn(&OddPoints<Fr>, &Arena, &mut [Fr]);

/// Each size in plain Rust and with the other kernels, made once.
fn domains() -> &'static [Vec<OddPoints<Fr>>; 4] {
    static DOMAINS: OnceLock<[Vec<OddPoints<Fr>>; 4]> = OnceLock::new();
    let domain = |log2, kernels| OddPoints::with_kernels(log2, kernels).expect("a domain");
    let kernels = || [Kernels::PORTABLE].into_iter().chain(of_this_cpu());
    let all = |log2| kernels().map(|kernels| domain(log2, kernels)).collect();
    DOMAINS.get_or_init(|| LOG2.map(all))
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(Some(1)).expect("a thread"))
}

/// The stored words in `bytes`; those at or above the modulus less what makes them fit. Never none.
fn elements<M: Modulus>(bytes: &[u8]) -> Vec<Montgomery<M>> {
    let (words, _) = bytes.as_chunks::<32>();
    let mut elements: Vec<_> = words
        .iter()
        .map(|word| {
            let mut below = *word;
            below[31] &= 0x1f;
            let stored = Montgomery::from_montgomery_le_bytes(word);
            stored.or_else(|| Montgomery::from_montgomery_le_bytes(&below))
        })
        .map(|element| element.expect("2^253 is below both moduli"))
        .collect();
    elements.push(-Montgomery::ONE);
    elements
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{compare_field, compare_msm, compare_ntt};

    fn replay(target: &str, compare: fn(&[u8])) {
        let folder = format!("{}/../../fuzz/regressions/{target}", env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("the folder of regressions") {
            compare(&fs::read(entry.expect("a file").path()).expect("its bytes"));
            count += 1;
        }
        assert!(count > 0, "{folder} is empty");
    }

    #[test]
    fn kernels_agree_on_what_was_found_for_the_fields() {
        replay("field", compare_field);
    }

    #[test]
    fn kernels_agree_on_what_was_found_for_transforms() {
        replay("ntt", compare_ntt);
    }

    #[test]
    fn sums_agree_on_what_was_found_for_them() {
        replay("msm", compare_msm);
    }
}
