//! Inverses by both ways, against big integers and arkworks.

use ark_ff::Field as _;
use nalloc_bn254::field::{FqModulus, FrModulus, Modulus, Montgomery};
use nalloc_bn254::{Field, Fq, Fr};
use num_bigint::BigUint;

use crate::support::{Rng, ark_fq, ark_fr, edge_numbers, element, integer, our_fq, our_fr};

/// Numbers and stored words at the edges, with few and with many ones, and random ones.
fn values<M: Modulus>(count: usize) -> Vec<Montgomery<M>> {
    let mut rng = Rng::new();
    let edges = edge_numbers(M::LIMBS);
    let stored = edges.iter().filter_map(|&word| Montgomery::from_montgomery(word));
    let plain = edges.iter().filter_map(|&number| Montgomery::from_plain(number));
    let mut values: Vec<_> = stored.chain(plain).collect();
    for _ in 0..count {
        let bits = rng.bytes::<2>().map(u32::from);
        let ones = BigUint::from(rng.word() >> (bits[0] % 64)) << (bits[1] % 254);
        values.extend([
            element(&ones),
            -element(&ones),
            Montgomery::from_uniform_bytes(&rng.bytes()),
        ]);
    }
    values
}

fn check_big_integers<M: Modulus>() {
    let p = integer(M::LIMBS);
    for x in values::<M>(3000) {
        let expected = integer(x.to_plain()).modinv(&p).map(|inverse| element(&inverse));

        assert_eq!(x.invert(), expected, "{x:?}");
        assert_eq!(x.invert_vartime(), expected, "{x:?}");
    }
}

#[test]
fn inverses_equal_those_of_big_integers() {
    check_big_integers::<FrModulus>();
    check_big_integers::<FqModulus>();
}

#[test]
fn inverses_equal_arkworks() {
    for x in values::<FrModulus>(3000) {
        assert_eq!(x.invert(), ark_fr(x).inverse().map(our_fr));
    }
    for x in values::<FqModulus>(3000) {
        assert_eq!(x.invert_vartime(), ark_fq(x).inverse().map(our_fq));
    }
}

#[test]
fn zero_alone_has_no_inverse() {
    assert_eq!((Fr::ZERO.invert(), Fr::ZERO.invert_vartime()), (None, None));
    assert_eq!((Fq::ZERO.invert(), Fq::ZERO.invert_vartime()), (None, None));
    assert_eq!((Fr::ONE.invert(), (-Fr::ONE).invert_vartime()), (Some(Fr::ONE), Some(-Fr::ONE)));
}
