//! Fields: their laws, arkworks as oracle, and every encoding.

mod encodings;
mod inverses;
mod laws;
pub mod tiny;

use core::fmt::Debug;

use ark_ff::{FftField, Field as _};
use nalloc_bn254::field::{Modulus, Montgomery, batch_invert};
use nalloc_bn254::{Field, Fq, Fq2, Fr};

use crate::support::{Rng, ark_fq, ark_fq2, ark_fr, edge_numbers, our_fq, our_fq2, our_fr};

/// The edge values of a prime field as its elements.
fn edges<M: Modulus>() -> Vec<Montgomery<M>> {
    edge_numbers(M::LIMBS).into_iter().map(|n| Montgomery::from_plain(n).unwrap()).collect()
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
