//! The instruction set AVX-512 IFMA: eight lanes in one register. Intrinsics, and no algorithm.

mod assembly;

use core::arch::asm;
use core::arch::x86_64::{
    __m256i, __m512i, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch, _mm256_loadu_si256,
    _mm256_storeu_si256, _mm512_add_epi64, _mm512_and_si512, _mm512_castsi256_si512,
    _mm512_castsi512_si256, _mm512_extracti64x4_epi64, _mm512_inserti64x4, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64, _mm512_mask_mov_epi64,
    _mm512_mask_sub_epi64, _mm512_min_epu64, _mm512_movepi64_mask, _mm512_or_si512,
    _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_sllv_epi64,
    _mm512_srai_epi64, _mm512_srav_epi64, _mm512_srli_epi64, _mm512_srlv_epi64,
    _mm512_storeu_si512, _mm512_stream_si512, _mm512_sub_epi64, _mm512_ternarylogic_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use super::lanes::{ELEMENT_OF_LANE, Elements, Kernel, LANES, Lanes};
use assembly::{pin, row_high, row_low, shifted_right};

/// The proof that this CPU has AVX-512 F, DQ, IFMA and VBMI2.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

impl Ifma {
    /// None where the CPU or the kernel lacks one of the features.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi2");
        has_all.then_some(Self(()))
    }
}

/// The one function that is compiled for the instruction set.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
#[inline(never)]
fn enter<K: Kernel>(lanes: Ifma, kernel: K) -> K::Output {
    kernel.run(lanes)
}

/// One intrinsic that touches no memory.
macro_rules! register {
    ($intrinsic:expr) => {
        // SAFETY: an `Ifma` exists, so the CPU has the instruction (see `detect`).
        unsafe { $intrinsic }
    };
}

/// Bits of a truth table: the operands of `vpternlog`.
const A: i32 = 0xf0;
const B: i32 = 0xcc;
const C: i32 = 0xaa;

impl Lanes for Ifma {
    type Word = __m512i;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: an `Ifma` exists, so the CPU has the features.
        unsafe { enter(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m512i {
        register!(_mm512_set1_epi64(word.cast_signed()))
    }

    #[inline(always)]
    fn load(self, words: &[u64; LANES]) -> __m512i {
        // SAFETY: the reference is good for 64 bytes.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, word: __m512i, to: &mut [u64; LANES]) {
        // SAFETY: the reference is good for 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), word) };
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_add_epi64(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_sub_epi64(a, b))
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_and_si512(a, b))
    }

    #[inline(always)]
    fn masked_or(self, a: __m512i, mask: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_ternarylogic_epi64::<{ (A & B) | C }>(a, mask, b))
    }

    #[inline(always)]
    fn shl<const N: u32>(self, a: __m512i) -> __m512i {
        register!(_mm512_slli_epi64::<N>(a))
    }

    #[inline(always)]
    fn shr<const N: u32>(self, a: __m512i) -> __m512i {
        register!(_mm512_srli_epi64::<N>(a))
    }

    #[inline(always)]
    fn sar<const N: u32>(self, a: __m512i) -> __m512i {
        register!(_mm512_srai_epi64::<N>(a))
    }

    #[inline(always)]
    fn shl_by(self, a: __m512i, bits: u32) -> __m512i {
        register!(_mm512_sllv_epi64(a, _mm512_set1_epi64(i64::from(bits))))
    }

    #[inline(always)]
    fn shr_by(self, a: __m512i, bits: u32) -> __m512i {
        register!(_mm512_srlv_epi64(a, _mm512_set1_epi64(i64::from(bits))))
    }

    #[inline(always)]
    fn sar_by(self, a: __m512i, bits: u32) -> __m512i {
        register!(_mm512_srav_epi64(a, _mm512_set1_epi64(i64::from(bits))))
    }

    #[inline(always)]
    fn funnel<const N: i32>(self, low: __m512i, high: __m512i) -> __m512i {
        // Not `vpshrdq`, which only the two ports of multiply-adds have (Zen 5), where shifts have
        // two others; in assembly, because a compiler makes one of both.
        let shifted = register!(shifted_right::<N>(low));
        let by = register!(_mm512_set1_epi64(i64::from(64 - N)));
        register!(_mm512_or_si512(shifted, _mm512_sllv_epi64(high, by)))
    }

    #[inline(always)]
    fn select_negative(self, sign: __m512i, a: __m512i, b: __m512i) -> __m512i {
        let negative = register!(_mm512_movepi64_mask(sign));
        register!(_mm512_mask_mov_epi64(b, negative, a))
    }

    #[inline(always)]
    fn add_where_negative(self, sign: __m512i, a: __m512i, b: __m512i) -> __m512i {
        let negative = register!(_mm512_movepi64_mask(sign));
        register!(_mm512_mask_add_epi64(a, negative, a, b))
    }

    #[inline(always)]
    fn negate_where_negative(self, sign: __m512i, a: __m512i) -> __m512i {
        let negative = register!(_mm512_movepi64_mask(sign));
        register!(_mm512_mask_sub_epi64(a, negative, _mm512_setzero_si512(), a))
    }

    #[inline(always)]
    fn min(self, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_min_epu64(a, b))
    }

    #[inline(always)]
    fn look_up_8(self, table: &[u64; 16], index: __m512i) -> __m512i {
        let (words, _) = table.as_chunks::<LANES>();
        register!(_mm512_permutexvar_epi64(index, self.load(&words[0])))
    }

    #[inline(always)]
    fn look_up_16(self, table: &[u64; 16], index: __m512i) -> __m512i {
        let (words, _) = table.as_chunks::<LANES>();
        let [low, high] = [self.load(&words[0]), self.load(&words[1])];
        register!(_mm512_permutex2var_epi64(low, index, high))
    }

    #[inline(always)]
    fn madd_low(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_madd52lo_epu64(sum, a, b))
    }

    #[inline(always)]
    fn madd_high(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        register!(_mm512_madd52hi_epu64(sum, a, b))
    }

    #[inline(always)]
    fn load_elements(self, elements: &Elements) -> [__m512i; 4] {
        let (words, _) = elements.as_flattened().as_chunks::<LANES>();
        let z = [
            self.load(&words[0]),
            self.load(&words[1]),
            self.load(&words[2]),
            self.load(&words[3]),
        ];
        // Elements 0 2 1 3, limbs 0 2 and 1 3; then 4 6 5 7.
        let [a, b] = interleave(z[0], z[1]);
        let [c, d] = interleave(z[2], z[3]);
        let [limb0, limb2] = deal(a, c);
        let [limb1, limb3] = deal(b, d);
        [limb0, limb1, limb2, limb3]
    }

    #[inline(always)]
    fn store_elements(self, limbs: [__m512i; 4], to: &mut Elements) {
        let rows = rows_of(limbs);
        let (words, _) = to.as_flattened_mut().as_chunks_mut::<LANES>();
        self.store(rows[0], &mut words[0]);
        self.store(rows[1], &mut words[1]);
        self.store(rows[2], &mut words[2]);
        self.store(rows[3], &mut words[3]);
    }

    #[inline(always)]
    fn stream_elements(self, limbs: [__m512i; 4], to: &mut Elements) {
        let rows = rows_of(limbs);
        debug_assert!(to.as_ptr().addr().is_multiple_of(64), "{:p} is not aligned", to.as_ptr());
        let (words, _) = to.as_flattened_mut().as_chunks_mut::<LANES>();
        for (row, words) in rows.into_iter().zip(words) {
            // SAFETY: the reference is good for 64 bytes, and aligned as its caller promised.
            unsafe { _mm512_stream_si512(words.as_mut_ptr().cast(), row) };
        }
    }

    #[inline(always)]
    fn load_transposed(self, rows: &[Elements; LANES], pair: usize) -> [[__m512i; 4]; 2] {
        macro_rules! row {
            ($lane:literal) => {{
                let (words, _) = rows[ELEMENT_OF_LANE[$lane]].as_flattened().as_chunks::<LANES>();
                self.load(&words[pair])
            }};
        }
        // Of two rows: limbs 0 and 2 of both elements, and limbs 1 and 3.
        let [low0, high0] = interleave(row!(0), row!(1));
        let [low1, high1] = interleave(row!(2), row!(3));
        let [low2, high2] = interleave(row!(4), row!(5));
        let [low3, high3] = interleave(row!(6), row!(7));
        let [[a0, c0], [a1, c1]] = [deal(low0, low1), deal(low2, low3)];
        let [[b0, d0], [b1, d1]] = [deal(high0, high1), deal(high2, high3)];
        let [[a, even_a], [b, even_b]] = [deal(a0, a1), deal(b0, b1)];
        let [[c, even_c], [d, even_d]] = [deal(c0, c1), deal(d0, d1)];
        [[a, b, c, d], [even_a, even_b, even_c, even_d]]
    }

    #[inline(always)]
    unsafe fn gather(self, base: u64, offsets: &[u64; LANES]) -> [__m512i; 4] {
        let at = |lane: usize| base.wrapping_add(offsets[lane]) as usize;
        macro_rules! pair {
            ($low:literal, $high:literal) => {{
                let low: *const __m256i = with_exposed_provenance(at($low));
                let high: *const __m256i = with_exposed_provenance(at($high));
                // SAFETY: the caller's promise, for both.
                let (low, high) = unsafe { (_mm256_loadu_si256(low), _mm256_loadu_si256(high)) };
                register!(_mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high))
            }};
        }
        // Limbs 0 and 2, and limbs 1 and 3, of lanes 0 to 3; then of lanes 4 to 7.
        let [a, b] = interleave(pair!(0, 2), pair!(1, 3));
        let [c, d] = interleave(pair!(4, 6), pair!(5, 7));
        let [limb0, limb2] = deal(a, c);
        let [limb1, limb3] = deal(b, d);
        [limb0, limb1, limb2, limb3]
    }

    #[inline(always)]
    unsafe fn scatter(self, limbs: [__m512i; 4], base: u64, offsets: &[u64; LANES]) {
        let at = |lane: usize| base.wrapping_add(offsets[lane]) as usize;
        // Elements 0 and 2, 1 and 3, 4 and 6, 5 and 7.
        let [even, odd, later_even, later_odd] = rows_of(limbs);
        macro_rules! write {
            ($row:expr, $low:literal, $high:literal) => {{
                let low: *mut __m256i = with_exposed_provenance_mut(at($low));
                let high: *mut __m256i = with_exposed_provenance_mut(at($high));
                let upper = register!(_mm512_extracti64x4_epi64::<1>($row));
                // SAFETY: the caller's promise.
                unsafe { _mm256_storeu_si256(low, _mm512_castsi512_si256($row)) };
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(high, upper) };
            }};
        }
        write!(even, 0, 2);
        write!(odd, 1, 3);
        write!(later_even, 4, 6);
        write!(later_odd, 5, 7);
    }

    #[inline(always)]
    fn prefetch_near(self, address: *const u8) {
        // SAFETY: a prefetch reads nothing that could fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }

    #[inline(always)]
    fn prefetch_far(self, address: *const u8) {
        // SAFETY: a prefetch reads nothing that could fault.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
    }

    #[inline(always)]
    fn row_low(
        self,
        t: &mut [[__m512i; 6]; 2],
        x: [__m512i; 2],
        y: [&[__m512i; 5]; 2],
        minus_inverse: __m512i,
    ) -> [__m512i; 2] {
        // SAFETY: an `Ifma` exists, so the CPU has the features.
        unsafe { row_low(t, x, y, minus_inverse) }
    }

    #[inline(always)]
    fn row_high(
        self,
        t: &mut [[__m512i; 6]; 2],
        x: [__m512i; 2],
        y: [&[__m512i; 5]; 2],
        m: [__m512i; 2],
        p: &[__m512i; 5],
    ) {
        // SAFETY: an `Ifma` exists, so the CPU has the features.
        unsafe { row_high(t, x, y, m, p) };
    }

    #[inline(always)]
    fn pin(self, a: &mut __m512i, b: &mut __m512i) {
        // SAFETY: an `Ifma` exists, so the CPU has the features.
        unsafe { pin(a, b) };
    }

    #[inline(always)]
    fn opaque<T>(self, reference: &T) -> &T {
        let mut pointer: *const T = reference;
        #[expect(clippy::pointers_in_nomem_asm_block, reason = "it is passed through, not read")]
        // SAFETY: no instruction is executed.
        unsafe {
            asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
        }
        // SAFETY: it is the pointer of `reference`.
        unsafe { &*pointer }
    }
}

/// Of each pair of words: the first of a and of b, and the second of a and of b.
#[inline(always)]
fn interleave(a: __m512i, b: __m512i) -> [__m512i; 2] {
    // SAFETY: called by methods of `Ifma` only, so the CPU has the instruction.
    let first = unsafe { _mm512_unpacklo_epi64(a, b) };
    // SAFETY: as above.
    let second = unsafe { _mm512_unpackhi_epi64(a, b) };
    [first, second]
}

/// The 128-bit parts 0 and 2 of a and of b, and the parts 1 and 3.
#[inline(always)]
fn deal(a: __m512i, b: __m512i) -> [__m512i; 2] {
    // SAFETY: called by methods of `Ifma` only, so the CPU has the instruction.
    let even = unsafe { _mm512_shuffle_i64x2::<0x88>(a, b) };
    // SAFETY: as above.
    let odd = unsafe { _mm512_shuffle_i64x2::<0xdd>(a, b) };
    [even, odd]
}

/// Limbs of eight elements as four runs of two elements.
#[inline(always)]
fn rows_of(limbs: [__m512i; 4]) -> [__m512i; 4] {
    // Limbs 0 1 of elements 0 1 4 5, and of 2 3 6 7; then limbs 2 3.
    let [a, b] = interleave(limbs[0], limbs[1]);
    let [c, d] = interleave(limbs[2], limbs[3]);
    let low = register!(_mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0));
    let high = register!(_mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4));
    [
        register!(_mm512_permutex2var_epi64(a, low, c)),
        register!(_mm512_permutex2var_epi64(b, low, d)),
        register!(_mm512_permutex2var_epi64(a, high, c)),
        register!(_mm512_permutex2var_epi64(b, high, d)),
    ]
}
