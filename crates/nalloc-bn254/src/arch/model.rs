//! What each instruction of [`Lanes`] does, in plain Rust: the oracle of the intrinsics, on which
//! the kernels' tests run on CPUs without them. Slow; no result depends on it.

use core::array;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use super::lanes::{ELEMENT_OF_LANE, Elements, Kernel, LANES, Lanes};

/// Eight words in an array.
#[derive(Clone, Copy)]
pub(crate) struct Model;

const MASK_52: u64 = (1 << 52) - 1;

#[cfg(test)]
std::thread_local! {
    /// Multiply-adds of eight lanes that this thread did.
    pub(crate) static MADDS: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// Tests count multiply-adds.
fn count_madd() {
    #[cfg(test)]
    MADDS.set(MADDS.get() + 1);
}

fn product_52(a: u64, b: u64) -> u128 {
    u128::from(a & MASK_52) * u128::from(b & MASK_52)
}

fn each(f: impl FnMut(usize) -> u64) -> [u64; LANES] {
    array::from_fn(f)
}

impl Lanes for Model {
    type Word = [u64; LANES];

    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn splat(self, word: u64) -> Self::Word {
        [word; LANES]
    }

    fn load(self, words: &[u64; LANES]) -> Self::Word {
        *words
    }

    fn store(self, word: Self::Word, to: &mut [u64; LANES]) {
        *to = word;
    }

    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i].wrapping_add(b[i]))
    }

    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i].wrapping_sub(b[i]))
    }

    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i] & b[i])
    }

    fn masked_or(self, a: Self::Word, mask: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i] & mask[i] | b[i])
    }

    fn shl<const N: u32>(self, a: Self::Word) -> Self::Word {
        a.map(|a| a << N)
    }

    fn shr<const N: u32>(self, a: Self::Word) -> Self::Word {
        a.map(|a| a >> N)
    }

    fn sar<const N: u32>(self, a: Self::Word) -> Self::Word {
        a.map(|a| (a.cast_signed() >> N).cast_unsigned())
    }

    fn shl_by(self, a: Self::Word, bits: u32) -> Self::Word {
        a.map(|a| a << bits)
    }

    fn shr_by(self, a: Self::Word, bits: u32) -> Self::Word {
        a.map(|a| a >> bits)
    }

    fn sar_by(self, a: Self::Word, bits: u32) -> Self::Word {
        a.map(|a| (a.cast_signed() >> bits).cast_unsigned())
    }

    fn funnel<const N: i32>(self, low: Self::Word, high: Self::Word) -> Self::Word {
        each(|i| ((u128::from(high[i]) << 64 | u128::from(low[i])) >> N) as u64)
    }

    fn select_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| if sign[i] >> 63 == 1 { a[i] } else { b[i] })
    }

    fn add_where_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| if sign[i] >> 63 == 1 { a[i].wrapping_add(b[i]) } else { a[i] })
    }

    fn negate_where_negative(self, sign: Self::Word, a: Self::Word) -> Self::Word {
        each(|i| if sign[i] >> 63 == 1 { a[i].wrapping_neg() } else { a[i] })
    }

    fn min(self, a: Self::Word, b: Self::Word) -> Self::Word {
        each(|i| a[i].min(b[i]))
    }

    fn look_up_8(self, table: &[u64; 16], index: Self::Word) -> Self::Word {
        index.map(|index| table[(index % 8) as usize])
    }

    fn look_up_16(self, table: &[u64; 16], index: Self::Word) -> Self::Word {
        index.map(|index| table[(index % 16) as usize])
    }

    fn madd_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        count_madd();
        each(|i| sum[i].wrapping_add(product_52(a[i], b[i]) as u64 & MASK_52))
    }

    fn madd_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        count_madd();
        each(|i| sum[i].wrapping_add((product_52(a[i], b[i]) >> 52) as u64))
    }

    fn load_elements(self, elements: &Elements) -> [Self::Word; 4] {
        array::from_fn(|limb| each(|lane| elements[ELEMENT_OF_LANE[lane]][limb]))
    }

    fn store_elements(self, limbs: [Self::Word; 4], to: &mut Elements) {
        for (lane, element) in ELEMENT_OF_LANE.into_iter().enumerate() {
            to[element] = limbs.map(|limb| limb[lane]);
        }
    }

    fn stream_elements(self, limbs: [Self::Word; 4], to: &mut Elements) {
        self.store_elements(limbs, to);
    }

    fn load_transposed(self, rows: &[Elements; LANES], pair: usize) -> [[Self::Word; 4]; 2] {
        array::from_fn(|odd| {
            array::from_fn(|limb| each(|lane| rows[ELEMENT_OF_LANE[lane]][2 * pair + odd][limb]))
        })
    }

    unsafe fn gather(self, base: u64, offsets: &[u64; LANES]) -> [Self::Word; 4] {
        let elements = offsets.map(|offset| {
            let address = base.wrapping_add(offset) as usize;
            let element: *const [u64; 4] = with_exposed_provenance(address);
            // SAFETY: the caller's promise.
            unsafe { element.read() }
        });
        array::from_fn(|limb| each(|lane| elements[lane][limb]))
    }

    unsafe fn scatter(self, limbs: [Self::Word; 4], base: u64, offsets: &[u64; LANES]) {
        for (lane, &offset) in offsets.iter().enumerate() {
            let address = base.wrapping_add(offset) as usize;
            let element: *mut [u64; 4] = with_exposed_provenance_mut(address);
            // SAFETY: the caller's promise.
            unsafe { element.write(limbs.map(|limb| limb[lane])) };
        }
    }

    fn prefetch_near(self, _: *const u8) {}

    fn prefetch_far(self, _: *const u8) {}

    fn pin(self, _: &mut Self::Word, _: &mut Self::Word) {}

    fn opaque<T>(self, reference: &T) -> &T {
        reference
    }
}
