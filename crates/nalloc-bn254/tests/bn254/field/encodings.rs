//! One table of known encodings, the refusals, and the double-Montgomery rule of `.zkey`.

use ark_ff::PrimeField;
use nalloc_bn254::{Error, Field, Fq, Fr};

use crate::support::{Rng, ark_fr, edge_numbers, minus, our_fr};

/// A number below r in decimal, its plain limbs, and its stored limbs in Fr.
const KNOWN: [(&str, [u64; 4], [u64; 4]); 4] = [
    ("0", [0; 4], [0; 4]),
    (
        "1",
        [1, 0, 0, 0],
        [
            0xac96_341c_4fff_fffb,
            0x36fc_7695_9f60_cd29,
            0x666e_a36f_7879_462e,
            0x0e0a_77c1_9a07_df2f,
        ],
    ),
    ("10000000000000000000", [10_000_000_000_000_000_000, 0, 0, 0], KNOWN_TEN_TO_19),
    (
        "21888242871839275222246405745257275088548364400416034343698204186575808495616",
        [
            0x43e1_f593_f000_0000,
            0x2833_e848_79b9_7091,
            0xb850_45b6_8181_585d,
            0x3064_4e72_e131_a029,
        ],
        [
            0x974b_c177_a000_0006,
            0xf137_71b2_da58_a367,
            0x51e1_a247_0908_122e,
            0x2259_d6b1_4729_c0fa,
        ],
    ),
];

const KNOWN_TEN_TO_19: [u64; 4] =
    [0x3761_02f9_b7e6_21a7, 0x3b66_4429_b2f4_4ab4, 0x90f3_725a_e125_948a, 0x1797_b993_644a_4cc6];

/// The limbs in a row, least significant byte first.
fn bytes_of(limbs: [u64; 4]) -> [u8; 32] {
    core::array::from_fn(|i| limbs[i / 8].to_le_bytes()[i % 8])
}

#[test]
fn every_encoding_of_known_numbers_is_right_both_ways() {
    for (decimal, plain, stored) in KNOWN {
        let x = Fr::from_decimal(decimal).unwrap();
        let mut big_endian = bytes_of(plain);
        big_endian.reverse();

        assert_eq!((x.to_plain(), x.to_montgomery()), (plain, stored));
        assert_eq!(x.to_decimal(), decimal);
        assert_eq!(x.to_le_bytes(), bytes_of(plain));
        assert_eq!(x.to_be_bytes(), big_endian);
        assert_eq!(x.to_montgomery_le_bytes(), bytes_of(stored));
        assert_eq!(Fr::from_plain(plain), Some(x));
        assert_eq!(Fr::from_montgomery(stored), Some(x));
        assert_eq!(Fr::from_le_bytes(&bytes_of(plain)), Some(x));
        assert_eq!(Fr::from_be_bytes(&big_endian), Some(x));
        assert_eq!(Fr::from_montgomery_le_bytes(&bytes_of(stored)), Some(x));
        assert_eq!(format!("{x:?}"), format!("Fr({decimal})"));
    }
}

#[test]
fn every_encoding_survives_a_round_trip() {
    let mut rng = Rng::new();
    let edges = edge_numbers(Fq::MODULUS).into_iter().map(|n| Fq::from_plain(n).unwrap());
    let values: Vec<Fq> = edges.chain((0..500).map(|_| rng.fq())).collect();

    for x in values {
        assert_eq!(Fq::from_plain(x.to_plain()), Some(x));
        assert_eq!(Fq::from_montgomery(x.to_montgomery()), Some(x));
        assert_eq!(Fq::from_le_bytes(&x.to_le_bytes()), Some(x));
        assert_eq!(Fq::from_be_bytes(&x.to_be_bytes()), Some(x));
        assert_eq!(Fq::from_montgomery_le_bytes(&x.to_montgomery_le_bytes()), Some(x));
        assert_eq!(Fq::from_decimal(&x.to_decimal()), Some(x));
    }
}

#[test]
fn decimal_equals_arkworks() {
    let mut rng = Rng::new();

    for _ in 0..500 {
        let x = rng.fr();
        assert_eq!(x.to_decimal(), ark_fr(x).into_bigint().to_string());
    }
}

#[test]
fn numbers_at_or_above_the_modulus_are_refused_in_every_encoding() {
    let above = [
        Fr::MODULUS,
        Fq::MODULUS,
        [u64::MAX; 4],
        [0, 0, 0, 1 << 63],
        [Fr::MODULUS[0] + 1, Fr::MODULUS[1], Fr::MODULUS[2], Fr::MODULUS[3]],
    ];

    for number in above {
        let mut big_endian = bytes_of(number);
        big_endian.reverse();
        assert!(!Fr::is_canonical(&number));
        assert_eq!(Fr::from_plain(number), None);
        assert_eq!(Fr::from_montgomery(number), None);
        assert_eq!(Fr::from_le_bytes(&bytes_of(number)), None);
        assert_eq!(Fr::from_be_bytes(&big_endian), None);
        assert_eq!(Fr::from_montgomery_le_bytes(&bytes_of(number)), None);
    }
    assert!(Fr::is_canonical(&minus(Fr::MODULUS, 1)));
}

#[test]
fn vectors_of_bytes_are_refused_with_the_index_of_the_first_that_is_too_large() {
    let mut rng = Rng::new();
    let good: Vec<Fr> = (0..20).map(|_| rng.fr()).collect();
    let bytes: Vec<[u8; 32]> = good.iter().map(|x| x.to_le_bytes()).collect();
    let stored: Vec<[u8; 32]> = good.iter().map(|x| x.to_montgomery_le_bytes()).collect();
    let mut read = vec![Fr::ZERO; 20];

    assert_eq!(Fr::read_le_bytes(&bytes, &mut read), Ok(()));
    assert_eq!(read, good);
    assert_eq!(Fr::read_montgomery_le_bytes(&stored, &mut read), Ok(()));
    assert_eq!(read, good);
    for index in [0, 7, 8, 19] {
        let mut bad = bytes.clone();
        bad[index..].fill([0xff; 32]);
        bad[index] = bytes_of(Fr::MODULUS);
        let refused = Err(Error::ElementNotCanonical { field: "Fr", index });
        assert_eq!(Fr::read_le_bytes(&bad, &mut read), refused);
        assert_eq!(Fr::read_montgomery_le_bytes(&bad, &mut read), refused);
    }
    let refused = Err(Error::LengthMismatch { what: "elements", expected: 20, got: 19 });
    assert_eq!(Fr::read_le_bytes(&bytes, &mut read[1..]), refused);
}

#[test]
fn only_canonical_decimals_are_read() {
    let r = "21888242871839275222246405745257275088548364400416034343698204186575808495617";
    let nines = "9".repeat(77);
    let long = "1".repeat(1000);
    let refused = [
        "",
        "00",
        "01",
        "-0",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x0",
        "1e3",
        "1.0",
        "1_000",
        "\u{661}",
        "a",
        "12345678901234567890a",
        r,
        &nines,
        &long,
    ];

    for text in refused {
        assert_eq!(Fr::from_decimal(text), None, "{text:?}");
    }
    assert_eq!(Fr::from_decimal("42"), Some(Fr::from_u64(42)));
}

#[test]
fn uniform_bytes_are_reduced_modulo_the_prime() {
    let mut rng = Rng::new();
    let samples = [[0; 64], [0xff; 64], rng.bytes(), rng.bytes(), rng.bytes()];

    for bytes in samples {
        let expected = our_fr(ark_bn254::Fr::from_le_bytes_mod_order(&bytes));
        assert_eq!(Fr::from_uniform_bytes(&bytes), expected);
    }
}

#[test]
fn a_double_montgomery_word_times_a_plain_word_is_the_product() {
    let mut rng = Rng::new();
    let edges = edge_numbers(Fr::MODULUS).into_iter().map(|n| Fr::from_plain(n).unwrap());
    let values: Vec<Fr> = edges.chain((0..100).map(|_| rng.fr())).collect();

    for (&coefficient, &witness) in values.iter().zip(values.iter().rev()) {
        let word = Fr::from_plain(coefficient.to_montgomery()).unwrap();

        let product = word.mul_by_plain(witness.to_plain());

        assert_eq!(product, coefficient * witness);
    }
    // Any plain word below 2^256 will do: it counts modulo r.
    let word = Fr::from_plain(Fr::ONE.to_montgomery()).unwrap();
    let all_ones = our_fr(ark_bn254::Fr::from_le_bytes_mod_order(&[0xff; 32]));
    assert_eq!(word.mul_by_plain([u64::MAX; 4]), all_ones);
}
