//! Vectors of a prime field on kernels with narrow lanes: eight elements at a time, too. Each verb
//! says how many elements it did.

use core::marker::PhantomData;

use super::mont::{Modulus, Montgomery};
use crate::arch::Kernels;
use crate::arch::lanes::LANES;
use crate::arch::limbs29::{
    ForwardButterflies, InverseButterflies, MultiplyAll, MultiplyEach, SquareEach,
};
use crate::arch::narrow::{NarrowKernel, NarrowLanes as _};

impl<M: Modulus> Montgomery<M> {
    fn call_narrow(kernels: Kernels, len: usize, kernel: impl NarrowKernel) -> usize {
        let Some(lanes) = kernels.narrow_lanes() else { return 0 };
        lanes.call(kernel);
        len / LANES * LANES
    }

    pub(super) fn multiply_each_in_fours(kernels: Kernels, a: &mut [Self], b: &[Self]) -> usize {
        let (len, modulus) = (a.len(), PhantomData::<M>);
        let (a, b) = (Self::as_elements_mut(a), Self::as_elements(b));
        Self::call_narrow(kernels, len, MultiplyEach { a, b, modulus })
    }

    pub(super) fn multiply_all_in_fours(kernels: Kernels, a: &mut [Self], factor: Self) -> usize {
        let (len, modulus) = (a.len(), PhantomData::<M>);
        let (a, factor) = (Self::as_elements_mut(a), &[factor.to_montgomery(); LANES]);
        Self::call_narrow(kernels, len, MultiplyAll { a, factor, modulus })
    }

    pub(super) fn square_each_in_fours(kernels: Kernels, a: &mut [Self]) -> usize {
        let (len, modulus) = (a.len(), PhantomData::<M>);
        Self::call_narrow(kernels, len, SquareEach { a: Self::as_elements_mut(a), modulus })
    }

    pub(super) fn forward_in_fours(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        let (len, modulus) = (low.len(), PhantomData::<M>);
        let (low, high) = (Self::as_elements_mut(low), Self::as_elements_mut(high));
        let roots = Self::as_elements(roots);
        Self::call_narrow(kernels, len, ForwardButterflies { low, high, roots, modulus })
    }

    pub(super) fn inverse_in_fours(
        kernels: Kernels,
        low: &mut [Self],
        high: &mut [Self],
        roots: &[Self],
    ) -> usize {
        let (len, modulus) = (low.len(), PhantomData::<M>);
        let (low, high) = (Self::as_elements_mut(low), Self::as_elements_mut(high));
        // The last roots are those of the first pairs.
        let roots = Self::as_elements(&roots[len % LANES..]);
        Self::call_narrow(kernels, len, InverseButterflies { low, high, roots, modulus })
    }
}
