//! `random.Random(text)` of Python 3: the generator that the fixtures were first made with.
//!
//! MT19937, seeded by version 2 of Python's rule: the text followed by its SHA-512, as one
//! big-endian number, cut into 32-bit words.

use sha2::{Digest, Sha512};

const WORDS: usize = 624;
const MIDDLE: usize = 397;

/// Python's generator of pseudo-random numbers.
pub struct Random {
    state: [u32; WORDS],
    used: usize,
}

impl Random {
    /// `random.Random(seed)` for a text that is not empty.
    #[must_use]
    pub fn new(seed: &str) -> Self {
        let mut number = seed.as_bytes().to_vec();
        number.extend_from_slice(&Sha512::digest(seed.as_bytes()));
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        let key: Vec<u32> = number.rchunks(4).map(word).collect();
        Self { state: seeded(&key), used: WORDS }
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        if self.used == WORDS {
            self.refill();
        }
        let mut word = self.state[self.used];
        self.used += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn refill(&mut self) {
        for k in 0..WORDS {
            let next = self.state[(k + 1) % WORDS];
            let mixed = (self.state[k] & 0x8000_0000) | (next & 0x7fff_ffff);
            let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[k] = self.state[(k + MIDDLE) % WORDS] ^ mixed >> 1 ^ odd;
        }
        self.used = 0;
    }

    /// `getrandbits(bits)`, least significant limb first.
    ///
    /// # Panics
    /// Unless `bits` is from 1 to 256.
    pub fn bits(&mut self, bits: u32) -> [u64; 4] {
        assert!((1..=256).contains(&bits), "{bits} bits");
        let (mut limbs, mut left) = ([0; 4], bits);
        for k in 0.. {
            let word = self.word() >> 32_u32.saturating_sub(left);
            limbs[k / 2] |= u64::from(word) << (32 * (k % 2));
            left = left.saturating_sub(32);
            if left == 0 {
                break;
            }
        }
        limbs
    }

    /// `randrange(bound)`.
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: [u64; 4]) -> [u64; 4] {
        let bits = bit_length(&bound);
        loop {
            let drawn = self.bits(bits);
            if drawn.iter().rev().lt(bound.iter().rev()) {
                return drawn;
            }
        }
    }

    /// `randrange(bound)` for a small bound.
    pub fn below_small(&mut self, bound: usize) -> usize {
        let [drawn, ..] = self.below([bound as u64, 0, 0, 0]);
        usize::try_from(drawn).unwrap_or(usize::MAX)
    }

    /// `choice(elements)`.
    ///
    /// # Panics
    /// When there are none.
    pub fn choice<'e, T>(&mut self, elements: &'e [T]) -> &'e T {
        &elements[self.below_small(elements.len())]
    }

    /// `shuffle(elements)`.
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            let other = self.below_small(last + 1);
            elements.swap(last, other);
        }
    }
}

fn bit_length(number: &[u64; 4]) -> u32 {
    let top = number.iter().rposition(|&limb| limb != 0);
    top.map_or(0, |top| 64 * u32::try_from(top).unwrap_or(0) + number[top].ilog2() + 1)
}

/// `init_by_array` of the reference implementation of MT19937.
fn seeded(key: &[u32]) -> [u32; WORDS] {
    let mut state = [0; WORDS];
    state[0] = 19_650_218;
    for k in 1..WORDS {
        state[k] = next_seed(state[k - 1], 1_812_433_253).wrapping_add(word_of(k));
    }
    let mut at = 1;
    let advance = |state: &mut [u32; WORDS], at: &mut usize| {
        *at += 1;
        if *at == WORDS {
            state[0] = state[WORDS - 1];
            *at = 1;
        }
    };
    for step in 0..WORDS.max(key.len()) {
        let k = step % key.len();
        let mixed = state[at] ^ next_seed(state[at - 1], 1_664_525);
        state[at] = mixed.wrapping_add(key[k]).wrapping_add(word_of(k));
        advance(&mut state, &mut at);
    }
    for _ in 1..WORDS {
        let mixed = state[at] ^ next_seed(state[at - 1], 1_566_083_941);
        state[at] = mixed.wrapping_sub(word_of(at));
        advance(&mut state, &mut at);
    }
    state[0] = 0x8000_0000;
    state
}

fn next_seed(previous: u32, factor: u32) -> u32 {
    (previous ^ previous >> 30).wrapping_mul(factor)
}

/// An index below 2^32 as a word.
fn word_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_python() {
        let mut random = Random::new("dense");
        let words: Vec<u32> = (0..3).map(|_| random.word()).collect();
        assert_eq!(words, WORDS_OF_DENSE);
        let mut random = Random::new("dense");
        assert_eq!(random.bits(70), [BITS_70.0, BITS_70.1, 0, 0]);
        assert_eq!(random.below_small(1000), BELOW_1000);
        let mut deck: Vec<u32> = (0..8).collect();
        random.shuffle(&mut deck);
        assert_eq!(deck, SHUFFLED);
    }

    // Python 3.11: [r.getrandbits(32) for _ in range(3)]; then, from the start, getrandbits(70),
    // randrange(1000) and shuffle(list(range(8))).
    const WORDS_OF_DENSE: [u32; 3] = [1_022_412_529, 2_619_010_226, 1_501_392_027];
    const BITS_70: (u64, u64) = (0x9c1a_ecb2_3cf0_c6f1, 22);
    const BELOW_1000: usize = 266;
    const SHUFFLED: [u32; 8] = [3, 4, 1, 0, 6, 2, 7, 5];
}
