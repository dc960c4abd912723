//! Kernels on every implementation of [`Lanes`], with bounds asserted by debug builds.

mod narrow;

use core::marker::PhantomData;

use super::Kernels;
use super::constants::Factor;
use super::inverse::InvertEach;
use super::lanes::{Elements, Kernel, Lanes};
use super::model::Model;
use super::multiply::{MultiplyAll, MultiplyEach, SquareEach};
use super::product::shoup;
use super::value::{Columns, Lazy};
use super::vector::{AddEach, InnerProduct, SubtractEach, Sum};
use crate::field::{Field, Fq, Fr, Modulus, Montgomery};
use crate::ntt::four_step::{Direction, FourStep, Plan};
use crate::ntt::three_sweeps::{self, ThreeSweeps};
use crate::ntt::work::{Work, scratch_bytes};
use crate::pool::Pool;

const SEED: u64 = 0x6e61_6c6c_6f63_0254;

/// Edge values first, then values that look random and are the same in every run.
fn values<M: Modulus>(count: usize) -> Vec<Montgomery<M>> {
    let one = Montgomery::<M>::ONE;
    let all_ones = [(1 << 52) - 1, 0, 0, 0];
    let limbs = [[1, 0, 0, 0], all_ones, [u64::MAX, u64::MAX, u64::MAX, M::LIMBS[3] - 1]];
    let edges = [Montgomery::ZERO, one, -one, one + one, -(one + one)];
    let edges = edges.into_iter().chain(limbs.map(|x| Montgomery::from_montgomery(x).unwrap()));
    let ratio = Montgomery::from_u64(SEED);
    edges.chain(core::iter::successors(Some(ratio), |&x| Some(x * ratio))).take(count).collect()
}

/// Every pair of edges meets in every lane: `b` turns by one element in each round.
fn check_products<L: Lanes, M: Modulus>(lanes: L) {
    let a = values::<M>(24);
    for turn in 0..24 {
        let mut b = a.clone();
        b.rotate_left(turn);
        let mut products = a.clone();
        let (x, y) = (Montgomery::as_elements_mut(&mut products), Montgomery::as_elements(&b));
        lanes.call(MultiplyEach::<M> { a: x, b: y, modulus: PhantomData });
        let expected: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| a * b).collect();
        assert_eq!(products, expected);

        let mut sums = a.clone();
        let (x, y) = (Montgomery::as_elements_mut(&mut sums), Montgomery::as_elements(&b));
        lanes.call(AddEach::<M> { a: x, b: y, modulus: PhantomData });
        let expected: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| a + b).collect();
        assert_eq!(sums, expected);
        let x = Montgomery::as_elements_mut(&mut sums);
        lanes.call(SubtractEach::<M> { a: x, b: y, modulus: PhantomData });
        assert_eq!(sums, a);

        let mut scaled = a.clone();
        let x = Montgomery::as_elements_mut(&mut scaled);
        lanes.call(MultiplyAll { a: x, factor: b[0] });
        let expected: Vec<_> = a.iter().map(|&a| a * b[0]).collect();
        assert_eq!(scaled, expected);
    }
}

/// Squares, inverses and sums of edge values, of the most that is summed before a reduction, and
/// of the largest element everywhere.
fn check_folds<L: Lanes, M: Modulus>(lanes: L) {
    let most = 8 * 129;
    for a in [values::<M>(64), values(most), vec![-Montgomery::ONE; most]] {
        let eights = Montgomery::as_elements(&a);
        let fold = |sums: Elements| {
            let sums = sums.into_iter().map(|sum| Montgomery::<M>::from_montgomery(sum).unwrap());
            sums.fold(Montgomery::ZERO, |sum, term| sum + term)
        };
        let mut squares = a.clone();
        let x = Montgomery::as_elements_mut(&mut squares);
        lanes.call(SquareEach::<M> { a: x, modulus: PhantomData });
        assert!(squares.iter().zip(&a).all(|(&square, &a)| square == a * a));
        let sum = lanes.call(Sum::<M> { a: eights, modulus: PhantomData });
        assert_eq!(fold(sum), a.iter().fold(Montgomery::ZERO, |sum, &a| sum + a));
        let product = lanes.call(InnerProduct::<M> { a: eights, b: eights, modulus: PhantomData });
        assert_eq!(fold(product), squares.iter().fold(Montgomery::ZERO, |sum, &a| sum + a));

        let mut inverses = a.clone();
        let (groups, rest) = Montgomery::as_elements_mut(&mut inverses).as_chunks_mut();
        let done = a.len() - 8 * rest.len();
        let invert = |eight: &mut [Montgomery<M>; 8]| {
            *eight = eight.map(|x| x.invert().expect("no zero comes this far"));
        };
        lanes.call(InvertEach { a: groups, invert });
        for (&a, &inverse) in a[..done].iter().zip(&inverses) {
            assert_eq!(inverse, a.invert().unwrap_or(Montgomery::ZERO));
        }
    }
}

/// `values[i] = values[i] * factor`, by Shoup's product.
struct ShoupAll<'a, M: Modulus> {
    values: &'a mut [Elements],
    factor: Montgomery<M>,
}

impl<M: Modulus> Kernel for ShoupAll<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let factor = Factor::new(self.factor);
        let five_p = Columns::constant(l, &super::constants::Constants::<M>::multiple(5));
        for eight in self.values {
            let x = Lazy::unpack(l, l.load_elements(eight));
            let [product] = shoup::<L, M, 1>(l, [&x], [&factor]);
            let product = product.add(l, &five_p).carried(l).reduced::<M>(l).canonical(l);
            l.store_elements(product.pack(l), eight);
        }
    }
}

fn check_shoup<L: Lanes, M: Modulus>(lanes: L) {
    let a = values::<M>(64);
    for &factor in &a {
        let mut products = a.clone();
        let values = Montgomery::as_elements_mut(&mut products);
        lanes.call(ShoupAll { values, factor });
        let expected: Vec<_> = a.iter().map(|&a| a * factor).collect();
        assert_eq!(products, expected);
    }
}

#[test]
fn verbs_on_edge_values_equal_portable_ones_in_every_lane() {
    println!("seed {SEED:#x}");
    check_folds::<_, crate::field::FrModulus>(Model);
    check_folds::<_, crate::field::FqModulus>(Model);
    check_products::<_, crate::field::FrModulus>(Model);
    check_products::<_, crate::field::FqModulus>(Model);
    check_shoup::<_, crate::field::FrModulus>(Model);
    check_shoup::<_, crate::field::FqModulus>(Model);
    let Some(lanes) = Kernels::ifma().and_then(Kernels::lanes) else {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
        return;
    };
    check_folds::<_, crate::field::FrModulus>(lanes);
    check_folds::<_, crate::field::FqModulus>(lanes);
    check_products::<_, crate::field::FrModulus>(lanes);
    check_products::<_, crate::field::FqModulus>(lanes);
    check_shoup::<_, crate::field::FrModulus>(lanes);
    check_shoup::<_, crate::field::FqModulus>(lanes);
}

#[test]
fn vectors_of_any_length_equal_portable_ones() {
    let kernels = Kernels::ifma().unwrap_or(Kernels::PORTABLE);
    for len in [0, 1, 7, 8, 9, 15, 16, 17, 31, 100] {
        let a: Vec<Fq> = values(len);
        let b: Vec<Fq> = values(len + 3)[3..].to_vec();
        let (mut products, mut scaled) = (a.clone(), a.clone());
        Fq::multiply_each(kernels, &mut products, &b);
        Fq::multiply_all(kernels, &mut scaled, -Fq::ONE);
        assert!(products.iter().zip(a.iter().zip(&b)).all(|(&c, (&a, &b))| c == a * b), "{len}");
        assert!(scaled.iter().zip(&a).all(|(&c, &a)| c == -a), "{len}");
    }
}

/// The transform's kernels in plain Rust, where a debug build asserts the bounds of every value.
#[test]
fn the_model_of_a_transform_undoes_itself() {
    let pool = Pool::new(Some(1)).unwrap();
    for log2 in [8, 9, 11] {
        let bytes = scratch_bytes(log2, pool.thread_count());
        let arena = nalloc::Arena::with_capacity(bytes).unwrap();
        let mut work = Work::new(log2, &pool, &arena, &()).unwrap();
        let root = Fr::root_of_unity(log2).unwrap();
        let shift = Fr::ONE;
        let forward = Direction { root, scale: Fr::ONE, shift };
        let forward = Plan::new(Model, log2, &forward, &()).unwrap();
        let root = root.invert().unwrap();
        let scale = Fr::from_u64(1 << log2).invert().unwrap();
        let inverse = Plan::new(Model, log2, &Direction { root, scale, shift }, &()).unwrap();
        let coefficients: Vec<Fr> = values(1 << log2);

        let mut there = coefficients.clone();
        forward.run(&mut there, &mut work).unwrap();
        assert_eq!(there[0], coefficients.iter().fold(Fr::ZERO, |sum, &c| sum + c));
        inverse.run(&mut there, &mut work).unwrap();
        assert!(there == coefficients, "2^{log2}");
    }
}

/// Three sweeps give what two do, on sizes that both can; a debug build asserts all bounds.
fn check_three_sweeps<L: Lanes>(lanes: L, log2: u32) {
    let pool = Pool::new(Some(2)).unwrap();
    let arena = nalloc::Arena::with_capacity(2 * scratch_bytes(log2, 2) + (1 << 20)).unwrap();
    let mut two = Work::new(log2, &pool, &arena, &()).unwrap();
    let lengths = three_sweeps::lengths(log2);
    let mut three = Work::with_lengths(lengths, &pool, &arena, &()).unwrap();
    let (root, seven) = (Fr::root_of_unity(log2).unwrap(), Fr::from_u64(7));
    for (scale, shift) in [(Fr::ONE, Fr::ONE), (seven, seven), (seven.invert().unwrap(), -Fr::ONE)]
    {
        let direction = Direction { root, scale, shift };
        let mut expected: Vec<Fr> = values(1 << log2);
        let mut got = expected.clone();
        Plan::new(lanes, log2, &direction, &()).unwrap().run(&mut expected, &mut two).unwrap();
        ThreeSweeps::new(lanes, log2, &direction).unwrap().run(&mut got, &mut three).unwrap();
        assert!(got == expected, "2^{log2}, {direction:?}");
    }
}

#[test]
fn three_sweeps_give_what_two_do() {
    check_three_sweeps(Model, 14);
    let Some(lanes) = Kernels::ifma().and_then(Kernels::lanes) else {
        println!("skipped with ifma: this CPU has no AVX-512 IFMA");
        return;
    };
    for log2 in 14..=18 {
        check_three_sweeps(lanes, log2);
    }
}
