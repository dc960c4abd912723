//! Kernels with four narrow lanes on every implementation of [`NarrowLanes`], against plain Rust.

use core::marker::PhantomData;

use super::values;
use crate::arch::Kernels;
use crate::arch::lanes::Elements;
use crate::arch::limbs29::{
    ForwardButterflies, InverseButterflies, MultiplyAll, MultiplyEach, SquareEach,
};
use crate::arch::narrow::NarrowLanes;
use crate::arch::narrow_model::NarrowModel;
use crate::field::limbs;
use crate::field::{Field, FqModulus, FrModulus, Modulus, Montgomery};

/// Elements of every test: whole eights.
const LEN: usize = 24;

fn eights<M: Modulus>(elements: &[Montgomery<M>]) -> Vec<Elements> {
    let stored: Vec<[u64; 4]> = elements.iter().map(|x| x.to_montgomery()).collect();
    stored.as_chunks().0.to_vec()
}

fn elements<M: Modulus>(eights: &[Elements]) -> Vec<Montgomery<M>> {
    eights.as_flattened().iter().map(|&x| Montgomery::from_stored(x)).collect()
}

/// The same elements as values of butterflies: with p added up to `most` times.
fn lifted<M: Modulus>(elements: &[Montgomery<M>], most: usize) -> Vec<Montgomery<M>> {
    let lift = |(i, x): (usize, &Montgomery<M>)| {
        let times = i % (most + 1);
        (0..times).fold(x.to_montgomery(), |x, _| limbs::add(&x, &M::LIMBS).0)
    };
    elements.iter().enumerate().map(lift).map(Montgomery::from_stored).collect()
}

/// Every pair of edges meets in every lane: `b` turns by one element in each round.
fn check_products<L: NarrowLanes, M: Modulus>(lanes: L) {
    let a = values::<M>(LEN);
    for turn in 0..LEN {
        let mut b = a.clone();
        b.rotate_left(turn);
        let [mut products, mut scaled, mut squares] = [eights(&a), eights(&a), eights(&a)];
        let modulus = PhantomData::<M>;

        lanes.call(MultiplyEach { a: &mut products, b: &eights(&b), modulus });
        lanes.call(MultiplyAll { a: &mut scaled, factor: &eights(&[b[0]; 8])[0], modulus });
        lanes.call(SquareEach { a: &mut squares, modulus });

        let expected: Vec<_> = a.iter().zip(&b).map(|(&a, &b)| a * b).collect();
        assert_eq!(elements::<M>(&products), expected);
        let expected: Vec<_> = a.iter().map(|&a| a * b[0]).collect();
        assert_eq!(elements::<M>(&scaled), expected);
        let expected: Vec<_> = a.iter().map(|&a| a * a).collect();
        assert_eq!(elements::<M>(&squares), expected);
    }
}

/// Butterflies of the least and the largest values that a layer may leave.
fn check_butterflies<L: NarrowLanes, M: Modulus>(lanes: L) {
    let a = values::<M>(LEN);
    for turn in 0..LEN {
        let mut b = a.clone();
        b.rotate_left(turn);
        let mut roots = a.clone();
        roots.rotate_right(turn / 2);
        let modulus = PhantomData::<M>;
        let settled = |values: Vec<Montgomery<M>>| -> Vec<Montgomery<M>> {
            values.into_iter().map(Field::settled).collect()
        };

        let (x, y) = (lifted(&a, 3), lifted(&b, 2));
        let (mut low, mut high) = (eights(&x), eights(&y));
        lanes.call(ForwardButterflies {
            low: &mut low,
            high: &mut high,
            roots: &eights(&roots),
            modulus,
        });
        let sums = a.iter().zip(&b).zip(&roots).map(|((&l, &h), &w)| l + w * h);
        assert_eq!(settled(elements(&low)), sums.collect::<Vec<_>>());
        let differences = a.iter().zip(&b).zip(&roots).map(|((&l, &h), &w)| l - w * h);
        assert_eq!(settled(elements(&high)), differences.collect::<Vec<_>>());

        let (x, y) = (lifted(&a, 1), lifted(&b, 1));
        let (mut low, mut high) = (eights(&x), eights(&y));
        lanes.call(InverseButterflies {
            low: &mut low,
            high: &mut high,
            roots: &eights(&roots),
            modulus,
        });
        let sums = a.iter().zip(&b).map(|(&l, &h)| l + h);
        assert_eq!(settled(elements(&low)), sums.collect::<Vec<_>>());
        let pairs = a.iter().zip(&b).zip(roots.iter().rev());
        let differences = pairs.map(|((&l, &h), &w)| (h - l) * w);
        assert_eq!(settled(elements(&high)), differences.collect::<Vec<_>>());
    }
}

#[test]
fn narrow_kernels_on_edge_values_equal_plain_rust_in_every_lane() {
    check_products::<_, FrModulus>(NarrowModel);
    check_products::<_, FqModulus>(NarrowModel);
    check_butterflies::<_, FrModulus>(NarrowModel);
    check_butterflies::<_, FqModulus>(NarrowModel);
    let Some(lanes) = Kernels::avx2().and_then(Kernels::narrow_lanes) else {
        println!("skipped with avx2: this CPU has no AVX2");
        return;
    };
    check_products::<_, FrModulus>(lanes);
    check_products::<_, FqModulus>(lanes);
    check_butterflies::<_, FrModulus>(lanes);
    check_butterflies::<_, FqModulus>(lanes);
}
