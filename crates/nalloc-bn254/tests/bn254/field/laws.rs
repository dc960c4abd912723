//! The laws that [`Field`] promises, for every implementation of it.

use nalloc_bn254::field::{FqModulus, FrModulus, Modulus};
use nalloc_bn254::{Field, Fq, Fq2, Fr, HeapBuffer};
use num_bigint::BigUint;

use super::edges;
use super::tiny::Tiny;
use crate::support::{Rng, integer};

/// Checks every law on all triples of neighbours in `values`, in a field of `size` elements.
fn laws<F: Field>(values: &[F], size: &BigUint) {
    let neighbours = values.iter().cycle().skip(1).zip(values.iter().cycle().skip(2));
    for (&a, (&b, &c)) in values.iter().zip(neighbours) {
        laws_of_one(a);
        laws_of_two(a, b);
        assert_eq!((a + b) + c, a + (b + c));
        assert_eq!((a * b) * c, a * (b * c));
        assert_eq!(a * (b + c), a * b + a * c);
        let mut assigned = a;
        assigned += b;
        assigned -= c;
        assigned *= b;
        assert_eq!(assigned, (a + b - c) * b);
    }
    laws_of_numbers::<F>();
    laws_of_roots::<F>(values, &(size - 1u32));
}

fn laws_of_one<F: Field>(a: F) {
    assert_eq!(a + F::ZERO, a);
    assert_eq!(a * F::ONE, a);
    assert_eq!(a * F::ZERO, F::ZERO);
    assert_eq!(a + (-a), F::ZERO);
    assert_eq!(a.square(), a * a);
    assert_eq!(a.double(), a + a);
    assert_eq!(a.pow(&[5]), a * a * a * a * a);
    assert_eq!(a.pow(&[]), F::ONE);
    assert_eq!(a.pow(&[3, 0, 0]), a.square() * a);
    assert_eq!(a.is_zero(), a == F::ZERO);
    assert_eq!(a.invert_vartime(), a.invert());
    match a.invert() {
        Some(inverse) => assert_eq!(a * inverse, F::ONE),
        None => assert_eq!(a, F::ZERO),
    }
    assert_eq!(F::ZERO.invert(), None);
}

fn laws_of_two<F: Field>(a: F, b: F) {
    assert_eq!(a + b, b + a);
    assert_eq!(a * b, b * a);
    assert_eq!(a - b, a + (-b));
    assert_eq!((a - b) + b, a);
    assert_eq!((F::select(u64::MAX, a, b), F::select(0, a, b)), (a, b));
    assert_eq!((a * b).is_zero(), a.is_zero() || b.is_zero());
}

fn laws_of_numbers<F: Field>() {
    assert_eq!((F::from_u64(0), F::from_u64(1)), (F::ZERO, F::ONE));
    assert_eq!((F::default(), HeapBuffer::zeroed(1).unwrap()[0]), (F::ZERO, F::ZERO));
    for (m, n) in [(2, 3), (1000, 999), (12288, 12289), (u64::from(u32::MAX), 0xffff_fff1)] {
        assert_eq!(F::from_u64(m) + F::from_u64(n), F::from_u64(m + n));
        assert_eq!(F::from_u64(m) * F::from_u64(n), F::from_u64(m * n));
    }
}

/// `order` is that of the multiplicative group.
fn laws_of_roots<F: Field>(values: &[F], order: &BigUint) {
    for a in values.iter().filter(|a| !a.is_zero()) {
        assert_eq!(a.pow(&order.to_u64_digits()), F::ONE);
    }
    assert_eq!(order.trailing_zeros(), Some(u64::from(F::TWO_ADICITY)));
    assert_eq!(F::root_of_unity(0), Some(F::ONE));
    assert_eq!(F::root_of_unity(1), Some(-F::ONE));
    assert_eq!(F::root_of_unity(F::TWO_ADICITY), Some(F::TWO_ADIC_ROOT));
    assert_eq!(F::root_of_unity(F::TWO_ADICITY + 1), None);
    for log2 in 1..=F::TWO_ADICITY {
        let root = F::root_of_unity(log2).unwrap();
        assert_eq!(root.square(), F::root_of_unity(log2 - 1).unwrap());
        assert_eq!(root.pow(&[1 << (log2 - 1)]), -F::ONE);
    }
}

#[test]
fn the_laws_of_a_field_hold_for_edge_and_random_values() {
    let mut rng = Rng::new();
    let mut fr = edges();
    fr.extend((0..1000).map(|_| rng.fr()));
    let mut fq = edges();
    fq.extend((0..1000).map(|_| rng.fq()));
    let mut fq2: Vec<Fq2> = fq.iter().zip(fq.iter().rev()).map(|(&a, &b)| Fq2::new(a, b)).collect();
    fq2.extend(fq.iter().flat_map(|&a| [Fq2::new(a, Fq::ZERO), Fq2::new(Fq::ZERO, a)]));
    let tiny: Vec<Tiny> = (0..3000).map(|n| Tiny::from_u64(n * 97)).collect();
    let (r, q) = (integer(FrModulus::LIMBS), integer(FqModulus::LIMBS));

    laws::<Fr>(&fr, &r);
    laws::<Fq>(&fq, &q);
    laws::<Fq2>(&fq2, &q.pow(2));
    laws::<Tiny>(&tiny, &BigUint::from(Tiny::SIZE));
}

#[test]
fn the_laws_of_a_field_hold_for_all_elements_and_pairs_of_a_tiny_one() {
    let all: Vec<Tiny> = (0..Tiny::SIZE).map(Tiny::from_u64).collect();

    for (index, &a) in all.iter().enumerate() {
        laws_of_one(a);
        // One more or one less in each factor, from which distributivity follows by induction.
        for &b in &all[index..] {
            assert_eq!(a + b, b + a);
            assert_eq!((a * b, (a + Tiny::ONE) * b), (b * a, a * b + b));
        }
    }
}
