//! What all contestants are asked for, and how their results are compared.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Elements of a vector that is multiplied: 128 KiB each, in the second-level cache.
pub const PRODUCT_LEN: usize = 1 << 12;

/// The secret of reference strings, which everybody knows.
pub const TAU: u64 = 0x6e61_6c6c_6f63;
/// Polynomials are opened at minus this.
pub const POINT: u64 = 3;
/// Openings that are checked at once, and coefficients of their polynomials. The polynomial of
/// opening i is that of powers of seven from the i-th on; it is opened at i + 2.
pub const OPENINGS: usize = 64;
pub const OPENED_LEN: usize = 8;

/// What a check comes to that accepts good openings and no spoiled one.
pub const ACCEPTED: [u64; 4] = [1, 0, 0, 0];

/// One thing to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Element by element, the powers of seven times themselves.
    Product,
    /// The transform of 2^n powers of seven.
    Ntt(u32),
    /// The sum of the first 2^n multiples of G1's generator, times powers of seven.
    G1(u32),
    /// As `G1`, with nine of ten scalars 0 or 1.
    G1Small(u32),
    /// As `G1`, in G2.
    G2(u32),
    /// The commitment to the polynomial of 2^n powers of seven, over the powers of [`TAU`].
    Commit(u32),
    /// Its value at [`POINT`], and the proof of it.
    Open(u32),
    /// The check of one opening.
    Verify,
    /// The check of [`OPENINGS`] independent openings.
    VerifyEach,
    /// One butterfly for eight elements, in cycles; ours alone.
    Butterfly,
    /// One Shoup product, in cycles; ours alone.
    Shoup,
}

impl Case {
    /// `product`, `ntt-20`, `g1-16`, `g1small-18`, `g2-16`, `commit-16`, `open-16`, `verify`,
    /// `verify-each`, `butterfly` or `shoup`.
    pub fn name(self) -> String {
        match self {
            Self::Product => "product".to_owned(),
            Self::Ntt(log2) => format!("ntt-{log2}"),
            Self::G1(log2) => format!("g1-{log2}"),
            Self::G1Small(log2) => format!("g1small-{log2}"),
            Self::G2(log2) => format!("g2-{log2}"),
            Self::Commit(log2) => format!("commit-{log2}"),
            Self::Open(log2) => format!("open-{log2}"),
            Self::Verify => "verify".to_owned(),
            Self::VerifyEach => "verify-each".to_owned(),
            Self::Butterfly => "butterfly".to_owned(),
            Self::Shoup => "shoup".to_owned(),
        }
    }

    /// The case of a name.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "product" => Ok(Self::Product),
            "butterfly" => Ok(Self::Butterfly),
            "shoup" => Ok(Self::Shoup),
            "verify" => Ok(Self::Verify),
            "verify-each" => Ok(Self::VerifyEach),
            _ => {
                let unknown = || format!("no case {name:?}");
                let (kind, log2) = name.split_once('-').ok_or_else(unknown)?;
                let log2 = log2.parse().map_err(|_| unknown())?;
                match kind {
                    "ntt" => Ok(Self::Ntt(log2)),
                    "g1" => Ok(Self::G1(log2)),
                    "g1small" => Ok(Self::G1Small(log2)),
                    "g2" => Ok(Self::G2(log2)),
                    "commit" => Ok(Self::Commit(log2)),
                    "open" => Ok(Self::Open(log2)),
                    _ => Err(unknown()),
                }
            }
        }
    }

    /// How often it is done in one round.
    pub fn repetitions(self) -> u32 {
        match self {
            Self::Product => 200,
            Self::Ntt(log2) => 1 << 21_u32.saturating_sub(log2).min(5),
            Self::G1(log2)
            | Self::G1Small(log2)
            | Self::G2(log2)
            | Self::Commit(log2)
            | Self::Open(log2) => 1 << 17_u32.saturating_sub(log2).min(3),
            Self::Verify => 100,
            Self::VerifyEach => 30,
            Self::Butterfly | Self::Shoup => 1,
        }
    }
}

/// Of ten scalars of small cases, this many are 0 or 1.
const SMALL_OF_TEN: usize = 9;

/// What takes the place of scalar `index` of a small case, if anything does.
pub fn small_scalar(index: usize) -> Option<u64> {
    (index % 10 < SMALL_OF_TEN).then_some(u64::from(index % 3 == 1))
}

/// SHA-256 of elements as integers of 32 bytes, least significant first.
pub fn hash(elements: impl Iterator<Item = [u64; 4]>) -> String {
    let mut hash = Sha256::new();
    for limb in elements.flatten() {
        hash.update(limb.to_le_bytes());
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}
