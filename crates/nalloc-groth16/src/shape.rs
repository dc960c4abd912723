//! How much memory an open key and its proofs take: a matter of a few counts. Those of a header,
//! before anything else is read, give upper bounds; an open key knows which points are infinity and
//! which coefficients are 1 or -1, and is exact.

use nalloc_bn254::file::{index, wide};
use nalloc_bn254::{Fq, Fq2, Fr, OddPoints, ntt_scratch_bytes};

use crate::bases::sum_bytes;
use crate::matrix;
use crate::quotient;
use crate::zkey::{self, Sizes};

/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;
/// An arena has up to a thirty-second more than it was asked for, and whole pages of up to 64 KiB.
const ARENA_SLACK_DIVISOR: u64 = 32;
const ARENA_SLACK_BYTES: u64 = 64 << 10;
/// Bytes of its stack that a thread of the pool touches: what is overwritten after a proof, and the
/// frames above it.
const STACK_BYTES: u64 = 640 << 10;
/// Code and bookkeeping that the first key and proof of a process bring into memory, and what pages
/// of 2 MiB round up: 4.9 to 7.0 MiB of six circuits in fresh processes of Node 20, 2 threads, and
/// 2.4 more in three of 30 processes (`npm run bench`, 2026-11-22).
const PROCESS_BYTES: u64 = 17 << 19;
/// Sums whose scratch together is at most this are made at once, beside the quotient, so that none
/// waits for the end of another; larger ones follow each other, where waiting is a small part and
/// memory is not: 16,384 points took 32.5 instead of 34.0 ms at once, 65,536 took 90.6 instead of
/// 92.7 and 40 MiB more (2-core Zen 5, 2026-11-21).
const AT_ONCE_BYTES_MAX: usize = 32 << 20;

/// The counts of a circuit that say how much memory its key and its proofs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShape {
    /// Wires, the constant one included.
    pub n_vars: u32,
    /// Outputs and public inputs.
    pub n_public: u32,
    /// Points of the evaluation domain.
    pub domain_size: u32,
    /// Entries of the matrices A and B that are not zero.
    pub n_coefficients: u32,
}

/// The counts of an open key that say how much memory its proofs take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofShape {
    pub(crate) n_vars: usize,
    pub(crate) domain_size: usize,
    /// Bytes of scratch that each sum needs.
    pub(crate) sum_bytes: [usize; 5],
}

/// What a proof takes from its two arenas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArenaBytes {
    /// The values of wires and of the quotient, to the end.
    pub(crate) kept: usize,
    /// What the quotient and the sums need: together, or the largest of them.
    pub(crate) scratch: usize,
    /// Whether they are made at once.
    pub(crate) is_at_once: bool,
}

/// Bytes that a process takes once, beside keys and proofs, on a pool of `threads` threads.
#[must_use]
pub fn process_bytes(threads: usize) -> u64 {
    STACK_BYTES.saturating_mul(wide(threads)).saturating_add(PROCESS_BYTES)
}

impl KeyShape {
    /// The most bytes that an open key without tables of points takes, but for what rounding its
    /// arrays to pages adds.
    #[must_use]
    pub fn key_bytes(&self) -> u64 {
        let sizes = Sizes::from(*self);
        let points = [zkey::IC, zkey::A, zkey::B1, zkey::B2, zkey::L, zkey::H];
        let points: u64 = points.into_iter().map(|id| sizes.expected_bytes(id)).sum();
        let tables = OddPoints::<Fr>::table_bytes(self.domain_size.max(1).ilog2());
        let matrices = matrix::bytes_max(self.domain_size, self.n_coefficients);
        points + matrices + wide(tables)
    }

    /// The most bytes that opening takes: section 4 is there twice while it is sorted, and a
    /// section of points while infinity is dropped.
    pub(crate) fn opening_bytes(&self) -> u64 {
        let sizes = Sizes::from(*self);
        let copied = [zkey::COEFFICIENTS, zkey::B2].map(|id| sizes.expected_bytes(id));
        self.key_bytes() + copied[0].max(copied[1])
    }

    /// The most bytes that one proof on a pool of `threads` threads takes, beside the key, where
    /// the key has no tables.
    #[must_use]
    pub fn proof_bytes(&self, threads: usize) -> u64 {
        let (n_vars, domain_size) = (index(self.n_vars), index(self.domain_size));
        let private = n_vars.saturating_sub(index(self.n_public).saturating_add(1));
        let of_g1 = |points| sum_bytes::<Fq>(points, threads);
        let [a, b1, l, h] = [n_vars, n_vars, private, domain_size].map(of_g1);
        let sum_bytes = [a, b1, sum_bytes::<Fq2>(n_vars, threads), l, h];
        let shape = ProofShape { n_vars, domain_size, sum_bytes };
        let arenas = shape.arena_bytes(threads);
        // Fewer points may be few enough to be summed at once.
        let at_once = shape.quotient_bytes(threads).saturating_add(AT_ONCE_BYTES_MAX);
        let scratch = if arenas.is_at_once { 0 } else { at_once };
        let arenas = ArenaBytes { scratch: arenas.scratch.max(scratch), ..arenas };
        shape.proof_bytes_of(arenas)
    }
}

impl ProofShape {
    /// Bytes that one proof takes, beside the key.
    pub(crate) fn proof_bytes(&self, threads: usize) -> u64 {
        self.proof_bytes_of(self.arena_bytes(threads))
    }

    fn proof_bytes_of(&self, arenas: ArenaBytes) -> u64 {
        let witness = wide(size_of::<[u64; 4]>().saturating_mul(self.n_vars));
        let arenas = [arenas.kept, arenas.scratch].map(wide).map(|bytes| {
            bytes.saturating_add(bytes / ARENA_SLACK_DIVISOR).saturating_add(ARENA_SLACK_BYTES)
        });
        arenas.into_iter().fold(witness, u64::saturating_add)
    }

    /// Bytes that the arenas of one proof hand out at most.
    pub(crate) fn arena_bytes(&self, threads: usize) -> ArenaBytes {
        let quotient = self.quotient_bytes(threads);
        let all = self.sum_bytes.into_iter().fold(0, usize::saturating_add);
        let largest = self.sum_bytes.into_iter().max().unwrap_or(0);
        let is_at_once = all <= AT_ONCE_BYTES_MAX;
        let scratch = if is_at_once { quotient.saturating_add(all) } else { quotient.max(largest) };
        let kept = array_bytes(self.n_vars).saturating_add(array_bytes(self.domain_size));
        ArenaBytes { kept, scratch, is_at_once }
    }

    /// Bytes of scratch that the quotient needs.
    fn quotient_bytes(&self, threads: usize) -> usize {
        let transforms = ntt_scratch_bytes(self.domain_size.max(1).ilog2(), threads);
        let arrays = array_bytes(self.domain_size).saturating_mul(quotient::ARRAYS);
        arrays.saturating_add(array_bytes(self.n_vars)).saturating_add(transforms)
    }
}

/// Bytes that an array of `len` elements takes from an arena at most.
fn array_bytes(len: usize) -> usize {
    size_of::<Fr>().saturating_mul(len).saturating_add(ARRAY_SLACK_BYTES)
}

impl From<KeyShape> for Sizes {
    fn from(shape: KeyShape) -> Self {
        let KeyShape { n_vars, n_public, domain_size, n_coefficients: coefficients } = shape;
        Self { n_vars, n_public, domain_size, coefficients }
    }
}

impl From<Sizes> for KeyShape {
    fn from(sizes: Sizes) -> Self {
        let Sizes { n_vars, n_public, domain_size, coefficients: n_coefficients } = sizes;
        Self { n_vars, n_public, domain_size, n_coefficients }
    }
}
