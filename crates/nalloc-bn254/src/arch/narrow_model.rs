//! What each instruction of [`NarrowLanes`] does, in plain Rust: the oracle of the intrinsics, on
//! which the kernels' tests run on CPUs without them. Slow; no result depends on it.

use core::array;

use super::narrow::{Four, LANES, NarrowKernel, NarrowLanes};

/// Four words in an array.
#[derive(Clone, Copy)]
pub(crate) struct NarrowModel;

fn each(f: impl FnMut(usize) -> u64) -> [u64; LANES] {
    array::from_fn(f)
}

impl NarrowLanes for NarrowModel {
    type Word = [u64; LANES];

    fn call<K: NarrowKernel>(self, kernel: K) {
        kernel.run(self);
    }

    fn splat(self, word: u64) -> Self::Word {
        [word; LANES]
    }

    fn words(self, a: Self::Word) -> [u64; LANES] {
        a
    }

    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i].wrapping_add(b[i]))
    }

    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i].wrapping_sub(b[i]))
    }

    fn mul(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| u64::from(a[i] as u32) * u64::from(b[i] as u32))
    }

    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i] & b[i])
    }

    fn or(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i] | b[i])
    }

    fn shl<const N: i32>(self, a: Self::Word) -> Self::Word {
        a.map(|a| a << N)
    }

    fn shr<const N: i32>(self, a: Self::Word) -> Self::Word {
        a.map(|a| a >> N)
    }

    fn sar<const N: i32>(self, a: Self::Word) -> Self::Word {
        let is_small = a.iter().all(|a| i32::try_from(a.cast_signed()).is_ok());
        debug_assert!(is_small, "expected numbers in [-2^31, 2^31), got {a:x?}");
        a.map(|a| (a.cast_signed() >> N).cast_unsigned())
    }

    fn select_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| if sign[i].cast_signed() < 0 { a[i] } else { b[i] })
    }

    fn load(self, elements: &Four) -> [Self::Word; 4] {
        array::from_fn(|limb| each(|i| elements[i][limb]))
    }

    fn load_backwards(self, elements: &Four) -> [Self::Word; 4] {
        array::from_fn(|limb| each(|i| elements[LANES - 1 - i][limb]))
    }

    fn store(self, limbs: [Self::Word; 4], to: &mut Four) {
        *to = array::from_fn(|i| limbs.map(|limb| limb[i]));
    }
}
