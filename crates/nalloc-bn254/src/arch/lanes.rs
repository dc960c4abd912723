//! What a kernel asks of an instruction set: eight 64-bit words at once, and 52-bit products.
//!
//! A value of a type that implements [`Lanes`] is the proof that its instructions exist on this
//! CPU, which is why everything here is safe: only the detection in [`arch`](super) makes one.
//! Two types implement it: `Ifma` holds the intrinsics, and `Model` says in plain Rust what each of
//! them does, so that the kernels run, and their bounds are checked, on every CPU.
//!
//! Methods are `#[inline(always)]` without `#[target_feature]`: a safe trait method cannot carry
//! it, and `#[inline]` beside it silently stops inlining in large bodies (a pass fell from 44 to
//! 70 cycles). [`Lanes::call`] is the one entry that has the feature, and every kernel's body
//! becomes part of it.

/// Words that one vector holds, and elements that a kernel handles at once.
pub(crate) const LANES: usize = 8;

/// Where element i of eight in memory lies in a vector. This order saves shuffles; loads, stores
/// and tables share it.
pub(crate) const ELEMENT_OF_LANE: [usize; LANES] = [0, 2, 1, 3, 4, 6, 5, 7];

/// Eight elements in memory, four 64-bit limbs each.
pub(crate) type Elements = [[u64; 4]; LANES];

/// An algorithm over vectors, run by [`Lanes::call`].
pub(crate) trait Kernel {
    /// What it computes.
    type Output;

    /// The algorithm. Implementations are `#[inline(always)]`.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// An instruction set with eight lanes of 64 bits and 52-bit multiply-add.
pub(crate) trait Lanes: Copy + Send + Sync + 'static {
    /// Eight words.
    type Word: Copy;

    /// Runs `kernel` compiled for this instruction set.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;

    /// `word` in every lane.
    fn splat(self, word: u64) -> Self::Word;
    /// Eight words from memory.
    fn load(self, words: &[u64; LANES]) -> Self::Word;
    /// Eight words to memory.
    fn store(self, word: Self::Word, to: &mut [u64; LANES]);

    /// a + b modulo 2^64.
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// a - b modulo 2^64.
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bitwise and.
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// (a and mask) or b.
    fn masked_or(self, a: Self::Word, mask: Self::Word, b: Self::Word) -> Self::Word;
    /// a * 2^N modulo 2^64.
    fn shl<const N: u32>(self, a: Self::Word) -> Self::Word;
    /// a / 2^N, rounded down, a unsigned.
    fn shr<const N: u32>(self, a: Self::Word) -> Self::Word;
    /// a / 2^N, rounded down, a signed.
    fn sar<const N: u32>(self, a: Self::Word) -> Self::Word;
    /// a * 2^`bits` modulo 2^64, for fewer than 64 bits.
    fn shl_by(self, a: Self::Word, bits: u32) -> Self::Word;
    /// a / 2^`bits`, rounded down, a unsigned, for fewer than 64 bits.
    fn shr_by(self, a: Self::Word, bits: u32) -> Self::Word;
    /// a / 2^`bits`, rounded down, a signed, for fewer than 64 bits.
    fn sar_by(self, a: Self::Word, bits: u32) -> Self::Word;
    /// Bits N .. N + 63 of high * 2^64 + low.
    fn funnel<const N: i32>(self, low: Self::Word, high: Self::Word) -> Self::Word;
    /// Where `sign` is negative `a`, else `b`.
    fn select_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// a + b where `sign` is negative, else a.
    fn add_where_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// -a where `sign` is negative, else a.
    fn negate_where_negative(self, sign: Self::Word, a: Self::Word) -> Self::Word;
    /// The smaller one, both unsigned.
    fn min(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Entry `index` of a table, for indices below 8.
    fn look_up_8(self, table: &[u64; 16], index: Self::Word) -> Self::Word;
    /// Entry `index` of a table, for indices below 16.
    fn look_up_16(self, table: &[u64; 16], index: Self::Word) -> Self::Word;

    /// sum + bits 0 .. 51 of a * b, of whose factors only bits 0 .. 51 count.
    fn madd_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// sum + bits 52 .. 103 of a * b, of whose factors only bits 0 .. 51 count.
    fn madd_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;

    /// Eight elements from memory, limb by limb, in the order of [`ELEMENT_OF_LANE`].
    fn load_elements(self, elements: &Elements) -> [Self::Word; 4];
    /// Undoes [`load_elements`](Self::load_elements).
    fn store_elements(self, limbs: [Self::Word; 4], to: &mut Elements);
    /// As [`store_elements`](Self::store_elements), past the caches. `to` is aligned to 64 bytes.
    fn stream_elements(self, limbs: [Self::Word; 4], to: &mut Elements);
    /// Elements 2 * `pair` and 2 * `pair` + 1 of each of eight rows: lane l has row
    /// `ELEMENT_OF_LANE[l]`.
    fn load_transposed(self, rows: &[Elements; LANES], pair: usize) -> [[Self::Word; 4]; 2];

    /// Limb by limb, the elements at eight addresses, lane l from `base` + `offsets[l]` modulo
    /// 2^64.
    ///
    /// # Safety
    /// Each address is that of 32 bytes that may be read, of memory whose provenance is exposed.
    unsafe fn gather(self, base: u64, offsets: &[u64; LANES]) -> [Self::Word; 4];
    /// Writes what [`gather`](Self::gather) reads, lane 0 first.
    ///
    /// # Safety
    /// Each address is that of 32 bytes that may be written, of memory whose provenance is exposed.
    unsafe fn scatter(self, limbs: [Self::Word; 4], base: u64, offsets: &[u64; LANES]);

    /// Asks for the cache line of `address`, which may be anything, in the nearest cache.
    fn prefetch_near(self, address: *const u8);
    /// As [`prefetch_near`](Self::prefetch_near), in the second-level cache.
    fn prefetch_far(self, address: *const u8);
    /// The same two words, both of which are computed before anything that uses one of them.
    ///
    /// A compiler does not know what a processor waits for: it moves instructions that lie side by
    /// side in the source apart, and writes long chains one after the other to save registers.
    fn pin(self, a: &mut Self::Word, b: &mut Self::Word);
    /// The first half of a row of two Montgomery products: adds low halves of x y to five of six
    /// columns each, and finds the multiples m that clear their first. In this order.
    #[inline(always)]
    fn row_low(
        self,
        t: &mut [[Self::Word; 6]; 2],
        x: [Self::Word; 2],
        y: [&[Self::Word; 5]; 2],
        minus_inverse: Self::Word,
    ) -> [Self::Word; 2] {
        let mut m = [minus_inverse; 2];
        for k in 0..2 {
            for j in 0..5 {
                t[k][j] = self.madd_low(t[k][j], x[k], y[k][j]);
            }
            m[k] = self.madd_low(minus_inverse, t[k][0], minus_inverse);
        }
        m
    }
    /// The second half: adds the high halves and m p. The first of the columns is cleared, its
    /// carry added to the second, and they move up by one; the sixth holds nothing.
    #[inline(always)]
    fn row_high(
        self,
        t: &mut [[Self::Word; 6]; 2],
        x: [Self::Word; 2],
        y: [&[Self::Word; 5]; 2],
        m: [Self::Word; 2],
        p: &[Self::Word; 5],
    ) {
        for k in 0..2 {
            let c = &mut t[k];
            let mut carry = self.shr::<52>(c[0]);
            carry = self.madd_high(carry, m[k], p[0]);
            for j in 1..5 {
                c[j] = self.madd_high(c[j], x[k], y[k][j - 1]);
                c[j] = self.madd_low(c[j], m[k], p[j]);
            }
            c[5] = self.madd_high(c[5], x[k], y[k][4]);
            let first = self.add(c[1], carry);
            for j in 1..5 {
                c[j] = self.madd_high(c[j + 1], m[k], p[j]);
            }
            c[0] = first;
        }
    }
    /// The same reference, of which the compiler knows nothing: it would else hoist 30 broadcasts
    /// out of a loop and spill them (48 instead of 45 cycles per butterfly).
    fn opaque<T>(self, reference: &T) -> &T;
}
