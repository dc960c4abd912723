//! Vectors of a prime field on kernels with lanes: eight elements at a time, the rest one by one.

use core::marker::PhantomData;

use super::Field;
use super::inverse;
use super::mont::{Modulus, Montgomery};
use crate::arch::Kernels;
use crate::arch::constants::times_2_to_260;
use crate::arch::inverse::{CHAINS, InvertEach};
use crate::arch::lanes::{Elements, Kernel, LANES, Lanes as _};
use crate::arch::multiply::{MultiplyAll, MultiplyEach, SquareEach};
use crate::arch::vector::{AddEach, InnerProduct, MultiplyByPowers, SubtractEach, Sum};

impl<M: Modulus> Montgomery<M> {
    /// Runs a kernel where there are lanes. What it computed, or none.
    fn call<K: Kernel>(kernels: Kernels, kernel: K) -> Option<K::Output> {
        kernels.lanes().map(|lanes| lanes.call(kernel))
    }

    /// Runs a kernel that works in place; how many elements of `a` it did.
    fn in_place<'a, K: Kernel>(
        kernels: Kernels,
        a: &'a mut [Self],
        kernel: impl FnOnce(&'a mut [Elements]) -> K,
    ) -> usize {
        let done = a.len() / LANES * LANES;
        let called = Self::call(kernels, kernel(Self::as_elements_mut(a)));
        called.map_or(0, |_| done)
    }

    pub(super) fn add_each_in_lanes(kernels: Kernels, a: &mut [Self], b: &[Self]) -> usize {
        let (b, modulus) = (Self::as_elements(b), PhantomData::<M>);
        Self::in_place(kernels, a, |a| AddEach { a, b, modulus })
    }

    pub(super) fn subtract_each_in_lanes(kernels: Kernels, a: &mut [Self], b: &[Self]) -> usize {
        let (b, modulus) = (Self::as_elements(b), PhantomData::<M>);
        Self::in_place(kernels, a, |a| SubtractEach { a, b, modulus })
    }

    pub(super) fn multiply_each_in_lanes(kernels: Kernels, a: &mut [Self], b: &[Self]) -> usize {
        let (b, modulus) = (Self::as_elements(b), PhantomData::<M>);
        Self::in_place(kernels, a, |a| MultiplyEach { a, b, modulus })
    }

    pub(super) fn multiply_all_in_lanes(kernels: Kernels, a: &mut [Self], factor: Self) -> usize {
        Self::in_place(kernels, a, |a| MultiplyAll { a, factor })
    }

    pub(super) fn multiply_by_powers_in_lanes(
        kernels: Kernels,
        a: &mut [Self],
        first: Self,
        ratio: Self,
    ) -> usize {
        let (pairs, _) = Self::as_elements_mut(a).as_chunks_mut();
        let done = pairs.as_flattened().len() * LANES;
        let mut powers = [[[0; 4]; LANES]; 2];
        let mut power = first;
        for stored in powers.as_flattened_mut() {
            *stored = times_2_to_260(power).to_plain();
            power *= ratio;
        }
        let step = (0..4).fold(ratio, |power, _| power.square());
        let step = [times_2_to_260(step).to_plain(); LANES];
        let kernel = MultiplyByPowers { a: pairs, powers, step, modulus: PhantomData::<M> };
        Self::call(kernels, kernel).map_or(0, |()| done)
    }

    pub(super) fn square_each_in_lanes(kernels: Kernels, a: &mut [Self]) -> usize {
        Self::in_place(kernels, a, |a| SquareEach { a, modulus: PhantomData::<M> })
    }

    pub(super) fn invert_each_in_lanes(kernels: Kernels, a: &mut [Self]) -> usize {
        let (groups, _) = Self::as_elements_mut(a).as_chunks_mut::<CHAINS>();
        let done = groups.as_flattened().len() * LANES;
        if done == 0 {
            return 0;
        }
        let invert = |eight: &mut [Self; LANES]| inverse::invert_each(eight);
        Self::call(kernels, InvertEach { a: groups, invert }).map_or(0, |()| done)
    }

    /// The sum of the products of whole eights, and how many elements these are.
    pub(super) fn inner_product_in_lanes(
        kernels: Kernels,
        a: &[Self],
        b: &[Self],
    ) -> (Self, usize) {
        let eights = (Self::as_elements(a), Self::as_elements(b));
        let kernel = InnerProduct { a: eights.0, b: eights.1, modulus: PhantomData::<M> };
        Self::folded(Self::call(kernels, kernel).as_ref(), a.len())
    }

    /// The sum of whole eights, and how many elements these are.
    pub(super) fn sum_in_lanes(kernels: Kernels, a: &[Self]) -> (Self, usize) {
        let kernel = Sum { a: Self::as_elements(a), modulus: PhantomData::<M> };
        Self::folded(Self::call(kernels, kernel).as_ref(), a.len())
    }

    fn folded(sums: Option<&Elements>, len: usize) -> (Self, usize) {
        let Some(sums) = sums else { return (Self::ZERO, 0) };
        let sum = sums.iter().fold(Self::ZERO, |sum, &stored| sum + Self::from_stored(stored));
        (sum, len / LANES * LANES)
    }
}
