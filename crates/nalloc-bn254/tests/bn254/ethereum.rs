//! Vectors of EIP-196 and EIP-197 from the tests of the crate revm-precompile 43.0.3 (MIT), where
//! they are hexadecimal words of 32 bytes, the most significant first: sums, multiples and
//! pairings.

use nalloc::Arena;
use nalloc_bn254::{
    Affine, Field, Fq, Fq2, Fr, G1Affine, G2Affine, Jacobian, Pool, msm, msm_scratch_bytes,
    pairing_product_is_one,
};

const ADDED: [[&str; 2]; 3] = [
    [
        "18b18acfb4c2c30276db5411368e7185b311dd124691610c5d3b74034e093dc9",
        "063c909c4720840cb5134cb9f59fa749755796819658d32efc0d288198f37266",
    ],
    [
        "07c2b7f58a84bd6145f00c9c2bc0bb1a187f20ff2c92963a88019e7c6a014eed",
        "06614e20c147e940f2d70da3f74c9a17df361706a4485c742bd6788478fa17d7",
    ],
    [
        "2243525c5efd4b9c3d3c45ac0ca3fe4dd85e830a4ce6b65fa1eeaee202839703",
        "301d1d33be6da8e509df21cc35964723180eed7532537db9ae5e7d48f195c915",
    ],
];
const SCALAR: &str = "00000000000000000000000000000000000000000000000011138ce750fa15c2";
const MULTIPLIED: [[&str; 2]; 2] = [
    [
        "2bd3e6d0f3b142924f5ca7b49ce5b9d54c4703d7ae5648e61d02268b1a0a9fb7",
        "21611ce0a6af85915e2f1d70300909ce2e49dfad4a4619c8390cae66cefdb204",
    ],
    [
        "070a8d6a982153cae4be29d434e8faef8a47b274a053f5a4ee2a6c9c13c31e5c",
        "031b8ce914eba3a9ffb989f9cdd5b0f01943074bf4f0f315690ec3cec6981afc",
    ],
];
/// Of each pair the point of G1, and that of G2: of its coordinates the imaginary parts first.
const PAIRED: [([&str; 2], [&str; 4]); 2] = [
    (
        [
            "1c76476f4def4bb94541d57ebba1193381ffa7aa76ada664dd31c16024c43f59",
            "3034dd2920f673e204fee2811c678745fc819b55d3e9d294e45c9b03a76aef41",
        ],
        [
            "209dd15ebff5d46c4bd888e51a93cf99a7329636c63514396b4a452003a35bf7",
            "04bf11ca01483bfa8b34b43561848d28905960114c8ac04049af4b6315a41678",
            "2bb8324af6cfc93537a2ad1a445cfd0ca2a71acd7ac41fadbf933c2a51be344d",
            "120a2a4cf30c1bf9845f20c6fe39e07ea2cce61f0c9bb048165fe5e4de877550",
        ],
    ),
    (
        [
            "111e129f1cf1097710d41c4ac70fcdfa5ba2023c6ff1cbeac322de49d1b6df7c",
            "2032c61a830e3c17286de9462bf242fca2883585b93870a73853face6a6bf411",
        ],
        [
            "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
            "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
            "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
            "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
        ],
    ),
];

/// Limbs of a word, the least significant first.
fn limbs(word: &str) -> [u64; 4] {
    [48, 32, 16, 0].map(|at| u64::from_str_radix(&word[at..at + 16], 16).unwrap())
}

fn fq(word: &str) -> Fq {
    Fq::from_plain(limbs(word)).unwrap()
}

fn g1([x, y]: [&str; 2]) -> G1Affine {
    let point = Affine { x: fq(x), y: fq(y) };
    assert!(point.is_on_curve());
    point
}

fn g2([x1, x0, y1, y0]: [&str; 4]) -> G2Affine {
    let point = Affine { x: Fq2::new(fq(x0), fq(x1)), y: Fq2::new(fq(y0), fq(y1)) };
    assert!(point.is_on_curve() && point.is_in_subgroup());
    point
}

/// Sums of `copies` times the points, with scalars that are shares of those given.
fn sum(points: &[G1Affine], scalar: [u64; 4], copies: usize) -> G1Affine {
    let pool = Pool::new(Some(2)).unwrap();
    let bases: Vec<_> = points.iter().cycle().take(points.len() * copies).copied().collect();
    let mut shares = vec![[3, 0, 0, 0]; copies];
    let given = Fr::from_plain(scalar).unwrap();
    shares[0] = (given - Fr::from_u64(3 * (copies as u64 - 1))).to_plain();
    let scalars: Vec<_> =
        shares.iter().flat_map(|share| core::iter::repeat_n(*share, points.len())).collect();
    let scratch = Arena::with_capacity(msm_scratch_bytes::<Fq>(bases.len(), 2)).unwrap();
    msm(&bases, &scalars, &pool, &scratch, &()).unwrap().to_affine()
}

#[test]
fn additions_of_eip_196_give_what_it_says() {
    let [a, b, expected] = ADDED.map(g1);

    assert_eq!(Jacobian::from(a).add_affine(&b).to_affine(), expected);
    assert_eq!(Jacobian::from(a).add_affine(&G1Affine::INFINITY).to_affine(), a);
    for copies in [1, 40] {
        assert_eq!(sum(&[a, b], [1, 0, 0, 0], copies), expected, "{copies} copies");
    }
}

#[test]
fn multiples_of_eip_196_give_what_it_says() {
    let [point, expected] = MULTIPLIED.map(g1);
    let scalar = limbs(SCALAR);

    let multiple = point.mul_scalar_vartime(Fr::from_plain(scalar).unwrap());
    assert_eq!(multiple.to_affine(), expected);
    for copies in [1, 100] {
        assert_eq!(sum(&[point], scalar, copies), expected, "{copies} copies");
    }
}

#[test]
fn a_point_that_eip_196_refuses_is_not_on_the_curve() {
    let word = "1111111111111111111111111111111111111111111111111111111111111111";

    assert!(!Affine { x: fq(word), y: fq(word) }.is_on_curve());
}

#[test]
fn pairings_of_eip_197_give_what_it_says() {
    let [(a, p), (b, q)] = PAIRED.map(|(a, p)| (g1(a), g2(p)));

    assert!(pairing_product_is_one(&[(a, p), (b, q)]));
    assert!(!pairing_product_is_one(&[(a, p)]));
    assert!(pairing_product_is_one(&[]));
    assert!(pairing_product_is_one(&[(G1Affine::INFINITY, p)]));
    assert!(pairing_product_is_one(&[(a, G2Affine::INFINITY)]));
}
