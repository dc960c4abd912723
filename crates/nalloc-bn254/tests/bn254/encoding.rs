//! Bytes of points and scalars against arkworks, against Ethereum's vectors and by hand; and every
//! way in which bytes can be wrong.

use ark_serialize::CanonicalSerialize;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::encoding::{Coordinate, opening_calldata, point_calldata, scalar_calldata};
use nalloc_bn254::{
    Affine, Encoding, Error, Field, Fq, Fq2, Fr, G1Affine, G2Affine, PointError, Pool,
};

use crate::support::{Rng, ark_fq, ark_fq2, ark_fr, ark_g1, ark_g2, our_fq, our_fq2};

/// Points of both signs, and infinity.
fn samples<F: Coordinate>(random: impl FnMut() -> Affine<F>) -> Vec<Affine<F>> {
    let mut points = vec![Affine::INFINITY, Affine::GENERATOR, -Affine::<F>::GENERATOR];
    points.extend(std::iter::repeat_with(random).take(40).flat_map(|point| [point, -point]));
    points
}

fn bytes_of<F: Coordinate>(encoding: Encoding, point: &Affine<F>) -> Vec<u8> {
    let mut bytes = vec![0xaa; encoding.point_bytes::<F>()];
    encoding.write_point(point, &mut bytes).expect("a point with a form");
    bytes
}

#[test]
fn square_roots_are_those_of_arkworks_up_to_sign() {
    use ark_ff::Field as _;
    let mut rng = Rng::new();
    let mut found = [0, 0];
    for number in 0..200 {
        let a = if number < 4 { Fq::from_u64(number) } else { rng.fq() };
        let (root, expected) = (a.sqrt_vartime(), ark_fq(a).sqrt().map(our_fq));
        assert!(root == expected || root == expected.map(|root| -root), "{a:?}");
        found[0] += usize::from(root.is_some());
    }
    for number in 0..200 {
        // Elements of Fq, and multiples of u, have ways of their own.
        let a = match number % 4 {
            0 => Fq2::new(rng.fq(), Fq::ZERO),
            1 => Fq2::new(Fq::ZERO, rng.fq()),
            2 => rng.fq2().square(),
            _ => rng.fq2(),
        };
        let (root, expected) = (a.sqrt_vartime(), ark_fq2(a).sqrt().map(our_fq2));
        assert!(root == expected || root == expected.map(|root| -root), "{a:?}");
        found[1] += usize::from(root.is_some());
    }
    assert_eq!(Fq2::ZERO.sqrt_vartime(), Some(Fq2::ZERO));
    assert!(found.iter().all(|found| (60..190).contains(found)), "{found:?}");
}

#[test]
fn arkworks_writes_the_same_bytes() {
    let mut rng = Rng::new();
    for point in samples(|| rng.g1()) {
        let (mut whole, mut short) = (Vec::new(), Vec::new());
        ark_g1(point).serialize_uncompressed(&mut whole).unwrap();
        ark_g1(point).serialize_compressed(&mut short).unwrap();
        assert_eq!(bytes_of(Encoding::ArkUncompressed, &point), whole);
        assert_eq!(bytes_of(Encoding::ArkCompressed, &point), short);
    }
    for point in samples(|| rng.g2()) {
        let (mut whole, mut short) = (Vec::new(), Vec::new());
        ark_g2(point).serialize_uncompressed(&mut whole).unwrap();
        ark_g2(point).serialize_compressed(&mut short).unwrap();
        assert_eq!(bytes_of(Encoding::ArkUncompressed, &point), whole);
        assert_eq!(bytes_of(Encoding::ArkCompressed, &point), short);
    }
    for scalar in [Fr::ZERO, -Fr::ONE, rng.fr()] {
        let (mut ark, mut ours) = (Vec::new(), [0; 32]);
        ark_fr(scalar).serialize_uncompressed(&mut ark).unwrap();
        Encoding::ArkUncompressed.write_scalars(&[scalar], &mut ours).unwrap();
        assert_eq!(ours, *ark);
    }
}

fn round_trip<F: Coordinate>(points: &[Affine<F>]) {
    let pool = Pool::new(Some(2)).expect("threads");
    for encoding in Encoding::ALL {
        let has_infinity = encoding != Encoding::Ignition;
        let points: Vec<Affine<F>> =
            points.iter().filter(|point| has_infinity || !point.is_infinity()).copied().collect();
        let mut bytes = vec![0; points.len() * encoding.point_bytes::<F>()];
        encoding.write_points(&points, &mut bytes).expect("points with a form");
        let mut read = vec![Affine::INFINITY; points.len()];
        encoding.read_points(&bytes, &mut read, &pool).expect("what was written");
        assert!(read == points, "{encoding:?}");
    }
}

#[test]
fn what_was_written_is_read_in_every_encoding() {
    let mut rng = Rng::new();
    // More than one task.
    round_trip(&samples(|| rng.g1()).repeat(5));
    round_trip(&samples(|| rng.g2()));
    let scalars: Vec<Fr> = [Fr::ZERO, -Fr::ONE].into_iter().chain([rng.fr(), rng.fr()]).collect();
    for encoding in Encoding::ALL {
        let (mut bytes, mut read) = ([0; 128], [Fr::ONE; 4]);
        encoding.write_scalars(&scalars, &mut bytes).unwrap();
        encoding.read_scalars(&bytes, &mut read).unwrap();
        assert_eq!(read, *scalars, "{encoding:?}");
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let digits = digits.map(|pair| std::str::from_utf8(pair).expect("digits"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect()
}

#[test]
fn words_are_in_the_order_of_ethereum() {
    // EIP-197's generator of G2, as it stands there: the imaginary part first.
    let generator = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2\
                     1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed\
                     090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b\
                     12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    assert_eq!(bytes_of(Encoding::Ethereum, &G2Affine::GENERATOR), hex(generator));
    let read: G2Affine = Encoding::Ethereum.read_point(&hex(generator)).unwrap();
    assert_eq!(read, G2Affine::GENERATOR);
    // From the vectors of EIP-196 in ethereum.rs.
    let added = "2243525c5efd4b9c3d3c45ac0ca3fe4dd85e830a4ce6b65fa1eeaee202839703\
                 301d1d33be6da8e509df21cc35964723180eed7532537db9ae5e7d48f195c915";
    let point: G1Affine = Encoding::Ethereum.read_point(&hex(added)).unwrap();
    assert_eq!(bytes_of(Encoding::Ethereum, &point), hex(added));

    let words = |text: &str| text.replace(['[', ']', '"', ' '], "").replace("0x", "");
    assert_eq!(words(&point_calldata(&G2Affine::GENERATOR)).replace(',', ""), generator);
    let text = point_calldata(&point);
    assert_eq!(text, format!("[\"0x{}\",\"0x{}\"]", &added[..64], &added[64..]));
    let one = format!("\"0x{}1\"", "0".repeat(63));
    assert_eq!(scalar_calldata(Fr::ONE), one);
    let opening = opening_calldata(&point, Fr::ONE, Fr::ZERO, &G1Affine::INFINITY);
    let zero = one.replace('1', "0");
    assert_eq!(opening, format!("{text},{one},{zero},[{zero},{zero}]"));
}

#[test]
fn forms_without_an_oracle_here_are_as_their_sources_say() {
    // (1, 2): limbs with the least one first, each big-endian, after Aztec's transcripts.
    let mut ignition = [0; 64];
    (ignition[7], ignition[39]) = (1, 2);
    assert_eq!(bytes_of(Encoding::Ignition, &G1Affine::GENERATOR), ignition);
    // gnark: x big-endian; 2 is the smaller of 2 and q - 2.
    let mut gnark = [0; 32];
    (gnark[0], gnark[31]) = (0x80, 1);
    assert_eq!(bytes_of(Encoding::GnarkCompressed, &G1Affine::GENERATOR), gnark);
    gnark[0] = 0xc0;
    assert_eq!(bytes_of(Encoding::GnarkCompressed, &-G1Affine::GENERATOR), gnark);
    (gnark[0], gnark[31]) = (0x40, 0);
    assert_eq!(bytes_of(Encoding::GnarkCompressed, &G1Affine::INFINITY), gnark);
    let mut montgomery = [0; 128];
    G2Affine::GENERATOR.write_montgomery(&mut montgomery).unwrap();
    assert_eq!(bytes_of(Encoding::Montgomery, &G2Affine::GENERATOR), montgomery);
}

/// x = 4 is on no point: 4^3 + 3 = 67 is no square.
const NO_X: u64 = 4;

/// What is wrong, the bytes, and what must be said about them.
type Malformed = (&'static str, Vec<u8>, PointError);

/// What can be wrong in any encoding of a coordinate's point.
fn malformed<F: Coordinate>(encoding: Encoding, no_x: F) -> Vec<Malformed> {
    let good = bytes_of(encoding, &Affine::<F>::GENERATOR);
    let (expected, is_short) = (good.len(), encoding.point_bytes::<F>() == F::BYTES);
    let mut cases = vec![
        ("empty", vec![], PointError::Length { expected, got: 0 }),
        ("short", good[1..].to_vec(), PointError::Length { expected, got: expected - 1 }),
        ("long", [&good[..], &[0]].concat(), PointError::Length { expected, got: expected + 1 }),
    ];
    // All ones but for flags: above q.
    let mut large = good.clone();
    let ones = large.len() - F::BYTES..large.len();
    large[ones].fill(0xff);
    match encoding {
        Encoding::ArkUncompressed | Encoding::ArkCompressed => {
            *large.last_mut().unwrap() = 0x3f;
        }
        Encoding::GnarkCompressed => large[0] = 0xbf,
        _ => {}
    }
    cases.push(("too large", large, PointError::NonCanonical));
    if !is_short {
        let off = Affine { x: F::GENERATOR.0, y: F::GENERATOR.1 + F::ONE };
        cases.push(("off the curve", bytes_of(encoding, &off), PointError::NotOnCurve));
    }
    let off = Affine { x: no_x, y: F::ONE };
    cases.push(("an x without a point", bytes_of(encoding, &off), PointError::NotOnCurve));
    let last = expected - 1;
    let with = |at: usize, flags: u8| {
        let mut bytes = good.clone();
        bytes[at] = bytes[at] & 0x3f | flags;
        bytes
    };
    let flags = |at: usize, flags: u8| PointError::Flags { got: good[at] & 0x3f | flags };
    let dirty = PointError::InfinityWithCoordinates;
    match encoding {
        Encoding::ArkUncompressed | Encoding::ArkCompressed => {
            cases.push(("two flags", with(last, 0xc0), flags(last, 0xc0)));
            cases.push(("infinity with coordinates", with(last, 0x40), dirty));
            if !is_short {
                let other = !good[last] & 0x80;
                cases.push(("the sign of the other", with(last, other), flags(last, other)));
                let zeros = (vec![0; expected], PointError::NotOnCurve);
                cases.push(("zeros without the flag", zeros.0, zeros.1));
            }
        }
        Encoding::GnarkCompressed => {
            cases.push(("uncompressed", with(0, 0), flags(0, 0)));
            cases.push(("infinity with coordinates", with(0, 0x40), dirty));
        }
        Encoding::Ignition => cases.push(("zeros", vec![0; expected], PointError::Infinity)),
        Encoding::Ethereum | Encoding::Montgomery => {}
    }
    cases
}

fn check_malformed<F: Coordinate>(no_x: F, also: impl Fn(Encoding) -> Vec<Malformed>) {
    let pool = Pool::new(Some(2)).expect("threads");
    for encoding in Encoding::ALL {
        let good = bytes_of(encoding, &Affine::<F>::GENERATOR);
        for (name, bytes, reason) in [malformed(encoding, no_x), also(encoding)].concat() {
            let read = encoding.read_point::<F>(&bytes);
            assert_eq!(read, Err(reason), "{encoding:?}: {name}");
            if bytes.len() != good.len() {
                continue;
            }
            // Among good ones it is found, the first of two.
            let mut all = good.repeat(600);
            for index in [599, 431] {
                all[index * good.len()..][..good.len()].copy_from_slice(&bytes);
            }
            let mut out = vec![Affine::<F>::INFINITY; 600];
            let error = encoding.read_points(&all, &mut out, &pool).expect_err(name);
            assert_eq!(error, Error::Point { index: 431, reason }, "{encoding:?}: {name}");
            assert!(error.to_string().starts_with("point 431: expected "), "{error}");
        }
    }
}

#[test]
fn every_malformed_form_is_refused_by_its_name_and_index() {
    check_malformed(Fq::from_u64(NO_X), |_| vec![]);
    // A point of G2's curve outside of G2: nearly every one is.
    let (x, y) = (1..50)
        .map(|small| Fq2::new(Fq::from_u64(small), Fq::ONE))
        .find_map(|x| Some((x, (x.square() * x + Fq2::B).sqrt_vartime()?)))
        .expect("half of all x have a point");
    let outside = Affine { x, y };
    assert!(outside.is_on_curve());
    let no_x = (1..50)
        .map(|small| Fq2::new(Fq::from_u64(small), Fq::ONE))
        .find(|&x| (x.square() * x + Fq2::B).sqrt_vartime().is_none())
        .expect("half of all x have none");
    check_malformed(no_x, |encoding| {
        vec![("outside of G2", bytes_of(encoding, &outside), PointError::NotInSubgroup)]
    });
}

#[test]
fn scalars_that_are_too_large_and_lengths_that_differ_are_refused() {
    let pool = Pool::new(Some(1)).expect("a thread");
    for encoding in Encoding::ALL {
        let mut bytes = [0; 96];
        bytes[32..64].fill(0xff);
        let read = encoding.read_scalars(&bytes, &mut [Fr::ZERO; 3]);
        assert_eq!(read, Err(Error::ElementNotCanonical { field: "Fr", index: 1 }));
        let mismatch = |what, expected, got| Err(Error::LengthMismatch { what, expected, got });
        let read = encoding.read_scalars(&bytes, &mut [Fr::ZERO; 2]);
        assert_eq!(read, mismatch("bytes of the scalars", 64, 96));
        let written = encoding.write_scalars(&[Fr::ZERO; 2], &mut bytes);
        assert_eq!(written, mismatch("bytes of the scalars", 64, 96));
        let size = encoding.point_bytes::<Fq>();
        let read = encoding.read_points(&bytes, &mut [G1Affine::INFINITY; 7], &pool);
        assert_eq!(read, mismatch("bytes of the points", 7 * size, 96));
        let written = encoding.write_points(&[G1Affine::GENERATOR; 7], &mut bytes);
        assert_eq!(written, mismatch("bytes of the points", 7 * size, 96));
    }
    let infinity = [G1Affine::GENERATOR, G1Affine::INFINITY];
    let written = Encoding::Ignition.write_points(&infinity, &mut [0; 128]);
    assert_eq!(written, Err(Error::Point { index: 1, reason: PointError::Infinity }));
}
