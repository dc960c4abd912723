//! A field that counts: each formula costs what the comment above it says.

use core::cell::Cell;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use nalloc::{Arena, Zeroable};
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{
    Affine, Field, Fq, Fr, Jacobian, PlainBytes, Pool, Xyzz, msm, msm_scratch_bytes,
};

thread_local! {
    /// Multiplications and squarings of this thread so far.
    static COUNTS: Cell<Cost> = const { Cell::new(Cost { m: 0, s: 0 }) };
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cost {
    m: u32,
    s: u32,
}

/// Adds to the counts of this thread.
fn count(m: u32, s: u32) {
    COUNTS.with(|counts| counts.update(|sum| Cost { m: sum.m + m, s: sum.s + s }));
}

/// An element of Fq whose products are counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(transparent)]
struct Counted(Fq);

// SAFETY: it is an Fq, for which zero bytes are a value.
unsafe impl Zeroable for Counted {}
// SAFETY: it is an Fq, which is plain bytes.
unsafe impl PlainBytes for Counted {}

impl Field for Counted {
    const ZERO: Self = Self(Fq::ZERO);
    const ONE: Self = Self(Fq::ONE);
    const TWO_ADICITY: u32 = Fq::TWO_ADICITY;
    const TWO_ADIC_ROOT: Self = Self(Fq::TWO_ADIC_ROOT);

    fn from_u64(number: u64) -> Self {
        Self(Fq::from_u64(number))
    }

    fn invert(self) -> Option<Self> {
        self.0.invert().map(Self)
    }

    fn select(mask: u64, when_set: Self, when_clear: Self) -> Self {
        Self(Fq::select(mask, when_set.0, when_clear.0))
    }

    fn square(self) -> Self {
        count(0, 1);
        Self(self.0.square())
    }
}

impl CurveField for Counted {
    const B: Self = Self(Fq::B);
    const GENERATOR: (Self, Self) = (Self(Fq::GENERATOR.0), Self(Fq::GENERATOR.1));
    const BYTES: usize = Fq::BYTES;
    const BETA: Self = Self(Fq::BETA);
    const HAS_COFACTOR: bool = Fq::HAS_COFACTOR;

    fn read_montgomery(bytes: &[u8]) -> Option<Self> {
        Fq::read_montgomery(bytes).map(Self)
    }

    fn write_montgomery(self, out: &mut [u8]) {
        self.0.write_montgomery(out);
    }

    fn is_canonical(&self) -> bool {
        CurveField::is_canonical(&self.0)
    }
}

impl Add for Counted {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Counted {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Counted {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        count(1, 0);
        Self(self.0 * other.0)
    }
}

impl Neg for Counted {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Counted {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Counted {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl MulAssign for Counted {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

/// What `work` costs.
fn cost<R>(work: impl FnOnce() -> R) -> (u32, u32) {
    let before = COUNTS.get();
    work();
    let after = COUNTS.get();
    (after.m - before.m, after.s - before.s)
}

#[test]
fn every_formula_costs_what_its_comment_says() {
    let generator = Affine::<Counted>::GENERATOR;
    let one = Jacobian::from(generator);
    let two = one.double();
    let three = two.add(&one);
    let again = one.add(&two);
    let mut bucket = Xyzz::INFINITY;
    bucket.add_affine(&generator);
    let other = bucket.double();

    assert_eq!(cost(|| two.double()), (2, 5));
    assert_eq!(cost(|| two.add_affine(&generator)), (7, 4));
    assert_eq!(cost(|| two.add(&three)), (11, 5));
    assert_eq!(cost(|| three == again), (6, 2));
    assert_eq!(cost(|| other.double()), (6, 3));
    assert_eq!(cost(|| other.to_jacobian()), (2, 0));
    assert_eq!(cost(|| two.to_affine()), (3, 1));
    assert_eq!(cost(|| Xyzz { ..other }.add_affine(&generator)), (8, 2));
    assert_eq!(cost(|| Xyzz { ..other }.add(&bucket)), (12, 2));
    assert_eq!(cost(|| Xyzz { ..bucket }.add_affine(&generator)), (2 + 4, 3));
}

#[test]
fn a_secret_multiplication_costs_the_same_for_all_scalars_and_points() {
    let points = [Affine::<Counted>::GENERATOR, Affine::INFINITY];
    let scalars = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from_u64(0xffff_0000_ffff)];

    for point in points {
        for scalar in scalars {
            let expected = (78 * 14 + 256 * 7 + 2, 256 * 2 + 1);
            assert_eq!(cost(|| point.mul_secret(&scalar)), expected);
        }
    }
}

#[test]
fn an_addition_that_shares_an_inversion_costs_six_products() {
    let multiple = |i| Affine::<Counted>::GENERATOR.mul_scalar_vartime(Fr::from_u64(7).pow(&[i]));
    let bases: Vec<_> = (1..=402).map(|i| multiple(i).to_affine()).collect();
    let pool = Pool::new(Some(1)).unwrap();
    // Points of ones are added to each other by halves, in blocks, of which both lengths have nine.
    // Windows of both have the same width, too, and so as many doublings.
    let sum_of = |len: usize| {
        let scratch = Arena::with_capacity(msm_scratch_bytes::<Counted>(len, 1)).unwrap();
        let ones = vec![[1, 0, 0, 0]; len];
        pool.install(|| cost(|| msm(&bases[..len], &ones, &pool, &scratch, &()).unwrap()))
    };

    let [(fewer, _), (more, _)] = [302, 402].map(sum_of);

    // Five and a square, which is a product, too: alone a square is not faster.
    assert_eq!(more - fewer, 100 * 6);
}
