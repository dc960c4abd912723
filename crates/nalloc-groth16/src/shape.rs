//! How much memory an open key and its proofs take: a matter of a few counts, known before
//! anything is read but a header.

use nalloc_bn254::{Fq, Fq2, Fr, OddPoints, msm_scratch_bytes, ntt_scratch_bytes};

use crate::quotient;
use crate::units::{index, wide};
use crate::zkey::{self, Sizes};

/// What an arena may lose to the placement of one array.
const ARRAY_SLACK_BYTES: usize = 3 * 4096;
/// An arena has up to a thirty-second more than it was asked for, and whole pages of up to 64 KiB.
const ARENA_SLACK_DIVISOR: u64 = 32;
const ARENA_SLACK_BYTES: u64 = 64 << 10;

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

impl KeyShape {
    /// Bytes that an open key takes, but for what rounding its arrays to pages adds.
    #[must_use]
    pub fn key_bytes(&self) -> u64 {
        let sizes = Sizes::from(*self);
        let points = [zkey::IC, zkey::A, zkey::B1, zkey::B2, zkey::L, zkey::H];
        let points: u64 = points.into_iter().map(|id| sizes.expected_bytes(id)).sum();
        // A signal and a value for each entry, and where a row begins in each matrix.
        let entry_bytes = size_of::<u32>() + size_of::<Fr>();
        let entries = u64::from(self.n_coefficients) * wide(entry_bytes);
        let rows = (u64::from(self.domain_size) + 1) * wide(2 * size_of::<u32>());
        let tables = OddPoints::<Fr>::table_bytes(self.domain_size.max(1).ilog2());
        points + entries + rows + wide(tables)
    }

    /// Bytes that one proof on a pool of `threads` threads takes at most, beside the key.
    #[must_use]
    pub fn proof_bytes(&self, threads: usize) -> u64 {
        let witness = wide(size_of::<[u64; 4]>().saturating_mul(index(self.n_vars)));
        let arena = wide(self.arena_bytes(threads));
        let slack = arena / ARENA_SLACK_DIVISOR + ARENA_SLACK_BYTES;
        witness.saturating_add(arena).saturating_add(slack)
    }

    /// Bytes that the arena of one proof hands out at most.
    pub(crate) fn arena_bytes(&self, threads: usize) -> usize {
        let (n_vars, domain_size) = (index(self.n_vars), index(self.domain_size));
        let private = n_vars.saturating_sub(index(self.n_public).saturating_add(1));
        let wires = size_of::<[u64; 4]>().saturating_mul(n_vars);
        let domain = size_of::<Fr>().saturating_mul(domain_size);
        let arrays = [wires, domain].into_iter().chain([domain; quotient::ARRAYS]);
        let sums = [n_vars, n_vars, private, domain_size];
        let sums = sums.map(|points| msm_scratch_bytes::<Fq>(points, threads));
        let sum_of_b2 = msm_scratch_bytes::<Fq2>(n_vars, threads);
        arrays
            .map(|bytes| bytes.saturating_add(ARRAY_SLACK_BYTES))
            .chain(sums)
            .chain([sum_of_b2])
            .chain([ntt_scratch_bytes(self.domain_size.ilog2(), threads)])
            .fold(0, usize::saturating_add)
    }
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
