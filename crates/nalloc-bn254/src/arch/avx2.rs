//! The instruction set AVX2: four lanes of 64 bits in one register. Intrinsics, and no algorithm.
//!
//! It multiplies 32 bits by 32 and has no carry, so a field element is nine limbs of 29 bits; what
//! is computed with them is in `limbs29`.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi64, _mm256_and_si256, _mm256_blendv_epi8,
    _mm256_castsi128_si256, _mm256_inserti128_si256, _mm256_mul_epu32, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi64x, _mm256_shuffle_epi32, _mm256_slli_epi64,
    _mm256_srai_epi32, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi64,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
};

use super::narrow::{Four, LANES, NarrowKernel, NarrowLanes};

/// The proof that this CPU has AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// The one function that is compiled for the instruction set.
#[target_feature(enable = "avx2")]
#[inline(never)]
fn enter<K: NarrowKernel>(lanes: Avx2, kernel: K) {
    kernel.run(lanes);
}

/// One intrinsic that touches no memory.
macro_rules! register {
    ($intrinsic:expr) => {
        // SAFETY: an `Avx2` exists, so the CPU has the instruction (see `detect`).
        unsafe { $intrinsic }
    };
}

impl Avx2 {
    /// None where the CPU or the kernel lacks it.
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl NarrowLanes for Avx2 {
    type Word = __m256i;

    #[inline(always)]
    fn call<K: NarrowKernel>(self, kernel: K) {
        // SAFETY: an `Avx2` exists, so the CPU has the feature.
        unsafe { enter(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m256i {
        register!(_mm256_set1_epi64x(word.cast_signed()))
    }

    #[inline(always)]
    fn words(self, a: __m256i) -> [u64; LANES] {
        let mut words = [0; LANES];
        // SAFETY: the array is good for 32 bytes.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), a) };
        words
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        register!(_mm256_add_epi64(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        register!(_mm256_sub_epi64(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256i, b: __m256i) -> __m256i {
        register!(_mm256_mul_epu32(a, b))
    }

    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        register!(_mm256_and_si256(a, b))
    }

    #[inline(always)]
    fn or(self, a: __m256i, b: __m256i) -> __m256i {
        register!(_mm256_or_si256(a, b))
    }

    #[inline(always)]
    fn shl<const N: i32>(self, a: __m256i) -> __m256i {
        register!(_mm256_slli_epi64::<N>(a))
    }

    #[inline(always)]
    fn shr<const N: i32>(self, a: __m256i) -> __m256i {
        register!(_mm256_srli_epi64::<N>(a))
    }

    #[inline(always)]
    fn sar<const N: i32>(self, a: __m256i) -> __m256i {
        register!(_mm256_srai_epi32::<N>(a))
    }

    #[inline(always)]
    fn select_negative(self, sign: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // The upper half of a small number is all signs.
        let signs = register!(_mm256_shuffle_epi32::<0b1111_0101>(sign));
        register!(_mm256_blendv_epi8(b, a, signs))
    }

    #[inline(always)]
    fn load(self, elements: &Four) -> [__m256i; 4] {
        let [low0, high0] = load_halves(&elements[0], &elements[2]);
        let [low1, high1] = load_halves(&elements[1], &elements[3]);
        let [a, b] = interleave(low0, low1);
        let [c, d] = interleave(high0, high1);
        [a, b, c, d]
    }

    #[inline(always)]
    fn load_backwards(self, elements: &Four) -> [__m256i; 4] {
        let [low0, high0] = load_halves(&elements[3], &elements[1]);
        let [low1, high1] = load_halves(&elements[2], &elements[0]);
        let [a, b] = interleave(low0, low1);
        let [c, d] = interleave(high0, high1);
        [a, b, c, d]
    }

    #[inline(always)]
    fn store(self, limbs: [__m256i; 4], to: &mut Four) {
        let [low02, low13] = interleave(limbs[0], limbs[1]);
        let [high02, high13] = interleave(limbs[2], limbs[3]);
        let rows = [
            register!(_mm256_permute2x128_si256::<0x20>(low02, high02)),
            register!(_mm256_permute2x128_si256::<0x20>(low13, high13)),
            register!(_mm256_permute2x128_si256::<0x31>(low02, high02)),
            register!(_mm256_permute2x128_si256::<0x31>(low13, high13)),
        ];
        for (row, to) in rows.into_iter().zip(to) {
            // SAFETY: the reference is good for 32 bytes.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), row) };
        }
    }
}

/// Of each pair of words: the first of a and of b, and the second of a and of b.
#[inline(always)]
fn interleave(a: __m256i, b: __m256i) -> [__m256i; 2] {
    // SAFETY: called by methods of `Avx2` only, so the CPU has the instruction.
    let first = unsafe { _mm256_unpacklo_epi64(a, b) };
    // SAFETY: as above.
    let second = unsafe { _mm256_unpackhi_epi64(a, b) };
    [first, second]
}

/// The first two limbs of a and of b, and the other two.
#[inline(always)]
fn load_halves(a: &[u64; 4], b: &[u64; 4]) -> [__m256i; 2] {
    let (a, b): (*const __m128i, *const __m128i) = (a.as_ptr().cast(), b.as_ptr().cast());
    // SAFETY: each reference is good for two times 16 bytes.
    let [a0, a1, b0, b1] = unsafe {
        [
            _mm_loadu_si128(a),
            _mm_loadu_si128(a.add(1)),
            _mm_loadu_si128(b),
            _mm_loadu_si128(b.add(1)),
        ]
    };
    [
        register!(_mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a0), b0)),
        register!(_mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a1), b1)),
    ]
}
