//! `ProvingKey`: a `.zkey` in memory, checked in full, for any number of proofs.

use std::path::Path;
use std::sync::OnceLock;

use nalloc_bn254::{Fq, Fq2, Fr, G1Affine, Observer, OddPoints, Pool};

use crate::bases::Bases;
use crate::error::Error;
use crate::load::{Loaded, load};
use crate::matrix::Matrices;
use crate::shape::{KeyShape, ProofShape};
use crate::source::{RegularFile, Slice, Source};
use crate::units::{index, wide};
use crate::vkey::VerifyingKey;
use crate::zkey::Zkey;

/// How a key is opened.
#[derive(Clone, Copy)]
pub struct ReadOptions<'a> {
    /// Threads that check the points.
    pub pool: &'a Pool,
    /// Sees the phase "load" and may stop it.
    pub observer: &'a dyn Observer,
    /// Accept a key whose gamma equals its delta, for which everybody can forge proofs.
    pub allow_insecure: bool,
    /// Refuse with [`Error::Limit`] when opening needs more bytes.
    pub memory_limit_bytes: Option<u64>,
    /// What messages call the file.
    pub name: &'a str,
}

/// What a key says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Outputs and public inputs.
    pub n_public: u32,
    /// Wires, the constant one included.
    pub n_vars: u32,
    /// Constraints of the circuit: rows of the matrices less the input-consistency rows.
    pub n_constraints: u32,
    /// Points of the evaluation domain, a power of two.
    pub domain_size: u32,
    /// SHA-256 of the whole file, 64 hexadecimal digits.
    pub sha256: String,
    /// Length of the file.
    pub bytes: u64,
}

/// A proving key whose every length, index, number and point was checked.
///
/// Points of section 7 are on their curve; that they are in G2 is known only of proofs that were
/// verified, which is what [`ProveOptions::self_verify`](crate::ProveOptions) is for.
pub struct ProvingKey {
    pub(crate) name: String,
    pub(crate) info: KeyInfo,
    pub(crate) verifying_key: VerifyingKey,
    pub(crate) beta1: G1Affine,
    pub(crate) delta1: G1Affine,
    /// The matrices A and B.
    pub(crate) matrices: Matrices,
    /// `u_j(tau) * G1` for each wire j.
    pub(crate) a: Bases<Fq>,
    /// `v_j(tau) * G1`.
    pub(crate) b1: Bases<Fq>,
    /// `v_j(tau) * G2`.
    pub(crate) b2: Bases<Fq2>,
    /// For each wire that is not public.
    pub(crate) l: Bases<Fq>,
    /// For each odd point of the domain.
    pub(crate) h: Bases<Fq>,
    /// The domain and its odd points.
    pub(crate) domain: OddPoints<Fr>,
}

impl ProvingKey {
    /// Reads the `.zkey` file at `path`.
    ///
    /// # Errors
    /// Those of docs/errors.md that are about keys; the earliest check wins.
    pub fn read(path: &Path, options: &ReadOptions<'_>) -> Result<Self, Error> {
        Self::from_source(&RegularFile::open(path, options.name)?, options)
    }

    /// Reads the bytes of a `.zkey` file, which are copied.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Self, Error> {
        Self::from_source(&Slice { name: options.name, bytes }, options)
    }

    fn from_source(source: &dyn Source, options: &ReadOptions<'_>) -> Result<Self, Error> {
        let zkey = Zkey::open(source, options.observer)?;
        let shape = KeyShape::from(zkey.sizes);
        let needed = shape.opening_bytes();
        if let Some(limit) = options.memory_limit_bytes.filter(|&limit| needed > limit) {
            return Err(Error::Limit { what: "opening the key", needed, limit });
        }
        let Loaded { matrices, header, ic, a, b1, b2, l, h, sha256 } = load(&zkey, options)?;
        let verifying_key = VerifyingKey {
            alpha1: header.alpha1,
            beta2: header.beta2,
            gamma2: header.gamma2,
            delta2: header.delta2,
            ic,
            fixed: OnceLock::new(),
        };
        let log2 = zkey.sizes.domain_size.ilog2();
        let (domain, _) = options.pool.join(|| OddPoints::new(log2), || verifying_key.fixed());
        let domain = domain?;
        Ok(Self {
            name: options.name.to_owned(),
            info: KeyInfo {
                n_public: zkey.sizes.n_public,
                n_vars: zkey.sizes.n_vars,
                n_constraints: matrices.rows.saturating_sub(zkey.sizes.n_public + 1),
                domain_size: zkey.sizes.domain_size,
                sha256,
                bytes: source.len(),
            },
            verifying_key,
            beta1: header.beta1,
            delta1: header.delta1,
            matrices,
            a,
            b1,
            b2,
            l,
            h,
            domain,
        })
    }

    /// Sizes and identity.
    #[must_use]
    pub fn info(&self) -> &KeyInfo {
        &self.info
    }

    /// Bytes that the open key takes, but for what rounding its arrays to pages adds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let points = [&self.a, &self.b1, &self.l, &self.h].map(Bases::bytes);
        let points = points.iter().sum::<u64>() + self.b2.bytes();
        let tables = OddPoints::<Fr>::table_bytes(self.domain.ntt().log2());
        let ic = size_of_val(&*self.verifying_key.ic);
        points + self.matrices.bytes() + wide(ic + tables)
    }

    /// What decides how much memory a proof takes.
    pub(crate) fn proof_shape(&self) -> ProofShape {
        ProofShape {
            n_vars: index(self.info.n_vars),
            domain_size: index(self.info.domain_size),
            g1: [self.a.len(), self.b1.len(), self.l.len(), self.h.len()],
            g2: self.b2.len(),
        }
    }

    /// The key that verifies this key's proofs.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }
}
