//! Fields: their laws, arkworks as oracle, and every encoding.

mod encodings;
mod inverses;
pub mod tiny;

use core::fmt::Debug;

use ark_ff::{FftField, Field as _};
use nalloc_bn254::field::{Modulus, Montgomery, batch_invert};
use nalloc_bn254::{Field, Fq, Fq2, Fr};

use crate::support::{Rng, ark_fq, ark_fq2, ark_fr, edge_numbers, our_fq, our_fq2, our_fr};
use tiny::Tiny;

/// The edge values of a prime field as its elements.
fn edges<M: Modulus>() -> Vec<Montgomery<M>> {
    edge_numbers(M::LIMBS).into_iter().map(|n| Montgomery::from_plain(n).unwrap()).collect()
}

/// Checks every law of [`Field`] on all triples of neighbours in `values`.
fn check_laws<F: Field>(values: &[F]) {
    let neighbours = values.iter().cycle().skip(1).zip(values.iter().cycle().skip(2));
    for (&a, (&b, &c)) in values.iter().zip(neighbours) {
        assert_eq!(a + F::ZERO, a);
        assert_eq!(a * F::ONE, a);
        assert_eq!(a + b, b + a);
        assert_eq!(a * b, b * a);
        assert_eq!((a + b) + c, a + (b + c));
        assert_eq!((a * b) * c, a * (b * c));
        assert_eq!(a * (b + c), a * b + a * c);
        assert_eq!(a + (-a), F::ZERO);
        assert_eq!(a - b, a + (-b));
        assert_eq!(a.square(), a * a);
        assert_eq!(a.double(), a + a);
        assert_eq!(a.pow(&[5]), a * a * a * a * a);
        assert_eq!(a.pow(&[]), F::ONE);
        assert_eq!(a.is_zero(), a == F::ZERO);
        assert_eq!(a.invert_vartime(), a.invert());
        match a.invert() {
            Some(inverse) => assert_eq!(a * inverse, F::ONE),
            None => assert_eq!(a, F::ZERO),
        }
        assert_eq!((F::select(u64::MAX, a, b), F::select(0, a, b)), (a, b));
        let mut assigned = a;
        assigned += b;
        assigned -= c;
        assigned *= b;
        assert_eq!(assigned, (a + b - c) * b);
    }
    check_numbers_and_roots::<F>();
}

fn check_numbers_and_roots<F: Field>() {
    assert_eq!((F::from_u64(0), F::from_u64(1)), (F::ZERO, F::ONE));
    for (m, n) in [(2, 3), (1000, 999), (12288, 12289), (u64::from(u32::MAX), 0xffff_fff1)] {
        assert_eq!(F::from_u64(m) + F::from_u64(n), F::from_u64(m + n));
        assert_eq!(F::from_u64(m) * F::from_u64(n), F::from_u64(m * n));
    }
    assert_eq!(F::root_of_unity(0), Some(F::ONE));
    assert_eq!(F::root_of_unity(1), Some(-F::ONE));
    assert_eq!(F::root_of_unity(F::TWO_ADICITY), Some(F::TWO_ADIC_ROOT));
    assert_eq!(F::root_of_unity(F::TWO_ADICITY + 1), None);
    let squared = (0..F::TWO_ADICITY - 1).fold(F::TWO_ADIC_ROOT, |root, _| root.square());
    assert_eq!(squared, -F::ONE);
}

/// Checks that `batch_invert` inverts each element alone and leaves zeros.
fn check_batch_invert<F: Field + Debug>(values: &[F]) {
    for len in [0, 1, 2, 255, 256, 257, values.len()] {
        let mut inverted = values[..len].to_vec();

        batch_invert(&mut inverted);

        let expected: Vec<F> =
            values[..len].iter().map(|value| value.invert().unwrap_or(F::ZERO)).collect();
        assert_eq!(inverted, expected);
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

    check_laws::<Fr>(&fr);
    check_laws::<Fq>(&fq);
    check_laws::<Fq2>(&fq2);
    check_laws::<Tiny>(&tiny);
}

#[test]
fn arithmetic_equals_arkworks_on_all_pairs_of_edge_values() {
    let fr: Vec<Fr> = edges().into_iter().step_by(5).collect();
    let fq: Vec<Fq> = edges().into_iter().step_by(5).collect();

    for &a in &fr {
        for &b in &fr {
            assert_eq!(ark_fr(a * b), ark_fr(a) * ark_fr(b));
            assert_eq!(ark_fr(a + b), ark_fr(a) + ark_fr(b));
            assert_eq!(ark_fr(a - b), ark_fr(a) - ark_fr(b));
        }
    }
    for &a in &fq {
        for &b in &fq {
            assert_eq!(ark_fq(a * b), ark_fq(a) * ark_fq(b));
            let (pair, other) = (Fq2::new(a, b), Fq2::new(b, a));
            assert_eq!(ark_fq2(pair * other), ark_fq2(pair) * ark_fq2(other));
            assert_eq!(ark_fq2(pair.square()), ark_fq2(pair).square());
        }
    }
}

#[test]
fn arithmetic_equals_arkworks_on_random_values() {
    let mut rng = Rng::new();

    for _ in 0..20_000 {
        let (a, b) = (rng.fr(), rng.fr());
        assert_eq!(a * b, our_fr(ark_fr(a) * ark_fr(b)));
        assert_eq!(-a, our_fr(-ark_fr(a)));
        let (a, b) = (rng.fq(), rng.fq());
        assert_eq!(a * b, our_fq(ark_fq(a) * ark_fq(b)));
    }
    for _ in 0..200 {
        let (a, b) = (rng.fr(), rng.fq2());
        assert_eq!(a.invert(), ark_fr(a).inverse().map(our_fr));
        assert_eq!(b.invert(), ark_fq2(b).inverse().map(our_fq2));
        assert_eq!(a.pow(&b.c0.to_plain()), our_fr(ark_fr(a).pow(b.c0.to_plain())));
    }
}

#[test]
fn batch_inversion_inverts_each_and_leaves_zeros() {
    let mut rng = Rng::new();
    let values: Vec<Fr> = (0..700).map(|i| if i % 7 == 3 { Fr::ZERO } else { rng.fr() }).collect();
    let pairs: Vec<Fq2> = (0..300).map(|i| Fq2::new(Fq::from_u64(i % 5), Fq::ZERO)).collect();

    check_batch_invert(&values);
    check_batch_invert(&vec![Fr::ZERO; 300]);
    check_batch_invert(&pairs);
}

#[test]
fn roots_of_unity_are_those_of_arkworks_and_snarkjs() {
    for log2 in 0..=28 {
        let ours = Fr::root_of_unity(log2).unwrap();
        assert_eq!(Some(ark_fr(ours)), ark_bn254::Fr::get_root_of_unity(1 << log2));
    }
    assert_eq!(Fr::root_of_unity(29), None);
    assert_eq!(Fr::TWO_ADICITY, 28);
}
