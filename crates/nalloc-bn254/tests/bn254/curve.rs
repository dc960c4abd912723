//! Points: arkworks as oracle for every pair of kinds of points, and the checks at the boundary.

mod cost;

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field as _;
use nalloc_bn254::curve::{CurveField, batch_to_affine, validate_points};
use nalloc_bn254::{
    Affine, Error, Field, Fq, Fq2, Fr, G1Affine, G2Affine, HeapBuffer, Jacobian, PointError, Pool,
    Xyzz,
};

use crate::support::{Rng, SEED, ark_fr, ark_g1, ark_g2, our_g1, our_g2};

/// The same point in another form: (X c^2, Y c^3, Z c).
fn rescaled<F: CurveField>(point: Jacobian<F>, c: F) -> Jacobian<F> {
    let square = c.square();
    Jacobian { x: point.x * square, y: point.y * square * c, z: point.z * c }
}

/// The same point as a bucket whose denominators are not one.
fn bucket<F: CurveField>(point: Affine<F>, c: F) -> Xyzz<F> {
    if point.is_infinity() {
        return Xyzz::INFINITY;
    }
    let (zz, zzz) = (c.square(), c.square() * c);
    Xyzz { x: point.x * zz, y: point.y * zzz, zz, zzz }
}

/// Checks each way of adding `a` and `b` in each shape against `expected`.
fn check_sum<F: CurveField>(a: Affine<F>, b: Affine<F>, expected: Affine<F>) {
    let c = F::from_u64(7);
    for left in [Jacobian::from(a), rescaled(Jacobian::from(a), c)] {
        assert_eq!(left.add_affine(&b).to_affine(), expected, "{a:?} {b:?}");
        for right in [Jacobian::from(b), rescaled(Jacobian::from(b), c.square())] {
            assert_eq!(left.add(&right).to_affine(), expected, "{a:?} {b:?}");
        }
    }
    for left in [bucket(a, F::ONE), bucket(a, c)] {
        for right in [bucket(b, F::ONE), bucket(b, c.square())] {
            let mut sum = left;
            sum.add(&right);
            assert_eq!(sum.to_jacobian().to_affine(), expected, "{a:?} {b:?}");
        }
        if !b.is_infinity() {
            let mut sum = left;
            sum.add_affine(&b);
            assert_eq!(sum.to_jacobian().to_affine(), expected, "{a:?} {b:?}");
        }
    }
}

/// Infinity, the generator, its double and its opposite, and two random points.
fn kinds<F: CurveField>(random: [Affine<F>; 2]) -> Vec<Affine<F>> {
    let generator = Affine::<F>::GENERATOR;
    let twice = Jacobian::from(generator).double().to_affine();
    let [one, other] = random;
    vec![Affine::INFINITY, generator, -generator, twice, -twice, one, -one, other]
}

#[test]
fn sums_of_all_kinds_of_points_equal_arkworks_in_g1_and_g2() {
    let mut rng = Rng::new();
    let (g1, g2) = (kinds([rng.g1(), rng.g1()]), kinds([rng.g2(), rng.g2()]));

    for &a in &g1 {
        for &b in &g1 {
            check_sum(a, b, our_g1((ark_g1(a) + ark_g1(b)).into_affine()));
        }
    }
    for &a in &g2 {
        for &b in &g2 {
            check_sum(a, b, our_g2((ark_g2(a) + ark_g2(b)).into_affine()));
        }
    }
}

#[test]
fn doubling_equals_arkworks_in_every_shape() {
    let mut rng = Rng::new();

    for point in kinds([rng.g1(), rng.g1()]) {
        let expected = our_g1((ark_g1(point) + ark_g1(point)).into_affine());
        let scaled = rescaled(Jacobian::from(point), rng.fq());
        assert_eq!(scaled.double().to_affine(), expected);
        assert_eq!(bucket(point, rng.fq()).double().to_jacobian().to_affine(), expected);
    }
}

#[test]
fn equality_is_of_points_and_not_of_coordinates() {
    let mut rng = Rng::new();
    let point = Jacobian::from(rng.g1());
    let infinity = Jacobian { x: Fq::ONE, y: Fq::ONE, z: Fq::ZERO };

    assert_eq!(point, rescaled(point, rng.fq()));
    assert_ne!(point, -point);
    assert_ne!(point, infinity);
    assert_eq!(infinity, Jacobian::INFINITY);
}

#[test]
fn multiples_equal_arkworks_by_both_ways_of_multiplying() {
    let mut rng = Rng::new();
    let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_u64(2), Fr::from_u64(15)];
    scalars.extend([4, 64, 192, 253].map(|bit| Fr::from_u64(2).pow(&[bit])));
    scalars.extend((0..10).map(|_| rng.fr()));

    for scalar in scalars {
        for point in [G1Affine::INFINITY, G1Affine::GENERATOR, rng.g1()] {
            let expected = our_g1((ark_g1(point) * ark_fr(scalar)).into_affine());
            assert_eq!(point.mul_scalar_vartime(scalar).to_affine(), expected);
            assert_eq!(point.mul_secret(&scalar).to_affine(), expected);
        }
        for point in [G2Affine::INFINITY, G2Affine::GENERATOR, rng.g2()] {
            let expected = our_g2((ark_g2(point) * ark_fr(scalar)).into_affine());
            assert_eq!(point.mul_scalar_vartime(scalar).to_affine(), expected);
            assert_eq!(point.mul_secret(&scalar).to_affine(), expected);
        }
    }
}

#[test]
fn generators_are_those_of_arkworks_and_generate_the_subgroup() {
    assert_eq!(ark_g1(G1Affine::GENERATOR), ark_bn254::G1Affine::generator());
    assert_eq!(ark_g2(G2Affine::GENERATOR), ark_bn254::G2Affine::generator());
    assert!(G1Affine::GENERATOR.is_on_curve() && G1Affine::GENERATOR.is_in_subgroup());
    assert!(G2Affine::GENERATOR.is_on_curve() && G2Affine::GENERATOR.is_in_subgroup());
    assert!(G2Affine::INFINITY.is_in_subgroup());
}

/// Points of the twist: almost none of them lies in G2.
pub fn twist_points() -> impl Iterator<Item = G2Affine> {
    (1..).filter_map(|seed| {
        let x = ark_bn254::Fq2::new(seed.into(), 1.into());
        ark_bn254::G2Affine::get_point_from_x_unchecked(x, true).map(our_g2)
    })
}

#[test]
fn a_point_of_the_twist_outside_the_subgroup_is_refused() {
    for point in twist_points().take(20) {
        assert!(point.is_on_curve());
        assert!(!point.is_in_subgroup(), "{point:?}");
    }
}

#[test]
fn batch_conversion_equals_single_conversion_and_keeps_infinity() {
    let mut rng = Rng::new();
    let points: Vec<Jacobian<Fq>> = (0..300)
        .map(|i| match i % 5 {
            3 => Jacobian::INFINITY,
            _ => rescaled(Jacobian::from(rng.g1()), rng.fq()),
        })
        .collect();

    for len in [0, 1, 127, 128, 129, 300] {
        let mut affine = vec![G1Affine::GENERATOR; len];
        batch_to_affine(&points[..len], &mut affine).unwrap();
        let expected: Vec<G1Affine> = points[..len].iter().map(Jacobian::to_affine).collect();
        assert_eq!(affine, expected);
    }
    assert_eq!(
        batch_to_affine(&points, &mut [G1Affine::INFINITY; 2]),
        Err(Error::LengthMismatch { what: "affine points", expected: 300, got: 2 })
    );
}

fn check_bytes<F: CurveField>(point: Affine<F>) {
    let mut bytes = vec![0xaa; Affine::<F>::BYTES];
    point.write_montgomery(&mut bytes).unwrap();

    assert_eq!(Affine::read_montgomery(&bytes), Ok(point));
    if point.is_infinity() {
        assert!(bytes.iter().all(|&byte| byte == 0));
    }

    let wrong_length =
        PointError::Length { expected: Affine::<F>::BYTES, got: Affine::<F>::BYTES - 1 };
    assert_eq!(Affine::<F>::read_montgomery(&bytes[1..]), Err(wrong_length));
    assert_eq!(point.write_montgomery(&mut bytes[1..]), Err(wrong_length));
    for start in (0..bytes.len()).step_by(32) {
        let mut above = bytes.clone();
        above[start..start + 32].copy_from_slice(&modulus_bytes());
        assert_eq!(Affine::<F>::read_montgomery(&above), Err(PointError::NonCanonical));
        let mut off = bytes.clone();
        off[start] ^= 1;
        assert_eq!(Affine::<F>::read_montgomery(&off), Err(PointError::NotOnCurve));
    }
}

fn modulus_bytes() -> [u8; 32] {
    core::array::from_fn(|i| Fq::MODULUS[i / 8].to_le_bytes()[i % 8])
}

#[test]
fn bytes_of_points_survive_a_round_trip_and_wrong_ones_are_refused() {
    let mut rng = Rng::new();

    kinds([rng.g1(), rng.g1()]).into_iter().for_each(check_bytes::<Fq>);
    kinds([rng.g2(), rng.g2()]).into_iter().for_each(check_bytes::<Fq2>);
}

#[test]
fn the_memory_of_a_point_is_its_bytes_in_a_zkey() {
    let mut rng = Rng::new();
    let point = rng.g2();
    let mut bytes = [0; 128];
    point.write_montgomery(&mut bytes).unwrap();

    let buffer = HeapBuffer::from_slice(&[point]).unwrap();

    if cfg!(target_endian = "little") {
        assert_eq!(buffer.as_bytes(), bytes);
    }
    let part = point.x.c1.to_montgomery_le_bytes();
    assert_eq!(bytes[32..64], part);
}

#[test]
fn the_first_wrong_point_of_many_is_found_with_its_index() {
    let pool = Pool::new(Some(2)).unwrap();
    let good = vec![G1Affine::GENERATOR; 5000];
    println!("seed {SEED:#x}");

    assert_eq!(validate_points(&good, &pool), Ok(()));
    assert_eq!(validate_points::<Fq2>(&[], &pool), Ok(()));
    for (first, second) in [(0, 4999), (1023, 1024), (1024, 1023), (4999, 4998), (2500, 10)] {
        let mut points = HeapBuffer::from_slice(&good).unwrap();
        points.as_bytes_mut()[64 * first] ^= 1;
        points.as_bytes_mut()[64 * second + 32..][..32].fill(0xff);

        let expected = if first < second {
            (first, PointError::NotOnCurve)
        } else {
            (second, PointError::NonCanonical)
        };
        assert_eq!(validate_points(&points, &pool), Err(expected));
    }
}

#[test]
fn random_coordinates_are_on_the_curve_only_where_arkworks_says_so() {
    let mut rng = Rng::new();

    for _ in 0..100 {
        let point = G1Affine { x: rng.fq(), y: rng.fq() };
        let ark = ark_g1(point);
        assert_eq!(
            point.is_on_curve(),
            ark.y.square() == ark.x.square() * ark.x + ark_bn254::Fq::from(3)
        );
    }
}
