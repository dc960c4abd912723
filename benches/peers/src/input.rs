//! What all contestants are asked for, and how their results are compared.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Elements of a vector that is multiplied: 128 KiB each, in the second-level cache.
pub const PRODUCT_LEN: usize = 1 << 12;

/// One thing to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Element by element, the powers of seven times themselves.
    Product,
    /// The transform of 2^n powers of seven.
    Ntt(u32),
    /// One butterfly for eight elements, in cycles; ours alone.
    Butterfly,
    /// One Shoup product, in cycles; ours alone.
    Shoup,
}

impl Case {
    /// `product`, `ntt-20`, `butterfly` or `shoup`.
    pub fn name(self) -> String {
        match self {
            Self::Product => "product".to_owned(),
            Self::Ntt(log2) => format!("ntt-{log2}"),
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
            _ => {
                let log2 = name.strip_prefix("ntt-").and_then(|log2| log2.parse().ok());
                log2.map(Self::Ntt).ok_or_else(|| format!("no case {name:?}"))
            }
        }
    }

    /// How often it is done in one round.
    pub fn repetitions(self) -> u32 {
        match self {
            Self::Product => 200,
            Self::Ntt(log2) => 1 << 21_u32.saturating_sub(log2).min(5),
            Self::Butterfly | Self::Shoup => 1,
        }
    }
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
