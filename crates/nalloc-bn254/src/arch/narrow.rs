//! What a kernel asks of an instruction set without 52-bit products: four 64-bit words at once, and
//! products of 32 bits by 32.
//!
//! As in [`lanes`](super::lanes), a value of a type that implements [`NarrowLanes`] is the proof
//! that its instructions exist, and two types implement it: `Avx2`, and `NarrowModel` in plain
//! Rust.

/// Words that one vector holds, and elements that a kernel handles at once.
pub(crate) const LANES: usize = 4;

/// Four elements in memory, four 64-bit limbs each.
pub(crate) type Four = [[u64; 4]; LANES];

/// An algorithm over vectors, run by [`NarrowLanes::call`].
pub(crate) trait NarrowKernel {
    /// The algorithm. Implementations are `#[inline(always)]`.
    fn run<L: NarrowLanes>(self, lanes: L);
}

/// An instruction set with four lanes of 64 bits and products of 32 bits.
pub(crate) trait NarrowLanes: Copy + Send + Sync + 'static {
    /// Four words.
    type Word: Copy;

    /// Runs `kernel` compiled for this instruction set.
    fn call<K: NarrowKernel>(self, kernel: K);

    /// `word` in every lane.
    fn splat(self, word: u64) -> Self::Word;
    /// The word of each lane.
    fn words(self, a: Self::Word) -> [u64; LANES];

    /// a + b modulo 2^64.
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// a - b modulo 2^64.
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bits 0 .. 31 of a times those of b.
    fn mul(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bitwise and.
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Bitwise or.
    fn or(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// a * 2^N modulo 2^64.
    fn shl<const N: i32>(self, a: Self::Word) -> Self::Word;
    /// a / 2^N, rounded down, a unsigned.
    fn shr<const N: i32>(self, a: Self::Word) -> Self::Word;
    /// a / 2^N, rounded down, for a in [-2^31, 2^31).
    fn sar<const N: i32>(self, a: Self::Word) -> Self::Word;
    /// Where `sign`, in [-2^31, 2^31), is negative `a`, else `b`.
    fn select_negative(self, sign: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;

    /// Four elements from memory, limb by limb, the first one in lane 0.
    fn load(self, elements: &Four) -> [Self::Word; 4];
    /// Four elements from memory, limb by limb, the last one in lane 0.
    fn load_backwards(self, elements: &Four) -> [Self::Word; 4];
    /// Undoes [`load`](Self::load).
    fn store(self, limbs: [Self::Word; 4], to: &mut Four);
}
