//! `ProvingKey`: a `.zkey` in memory, checked in full, for any number of proofs.

use std::path::Path;

use nalloc_bn254::curve::{CurveField, validate_points};
use nalloc_bn254::{Affine, Fr, G1Affine, G2Affine, HeapBuffer, Observer, OddPoints, Pool};

use crate::error::Error;
use crate::load::{Loaded, load};
use crate::matrix::{Matrices, Records};
use crate::shape::KeyShape;
use crate::source::{RegularFile, Slice, Source};
use crate::vkey::VerifyingKey;
use crate::zkey::{self, Zkey, section_point_error};

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
    pub(crate) shape: KeyShape,
    pub(crate) verifying_key: VerifyingKey,
    pub(crate) beta1: G1Affine,
    pub(crate) delta1: G1Affine,
    /// The matrices A and B.
    pub(crate) matrices: Matrices,
    /// `u_j(tau) * G1` for each wire j.
    pub(crate) a: HeapBuffer<G1Affine>,
    /// `v_j(tau) * G1`.
    pub(crate) b1: HeapBuffer<G1Affine>,
    /// `v_j(tau) * G2`.
    pub(crate) b2: HeapBuffer<G2Affine>,
    /// For each wire that is not public.
    pub(crate) l: HeapBuffer<G1Affine>,
    /// For each odd point of the domain.
    pub(crate) h: HeapBuffer<G1Affine>,
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
        // The coefficients are there twice: as the file has them, and sorted.
        let needed = shape.key_bytes() + zkey.sizes.expected_bytes(zkey::COEFFICIENTS);
        if let Some(limit) = options.memory_limit_bytes.filter(|&limit| needed > limit) {
            return Err(Error::Limit { what: "opening the key", needed, limit });
        }
        let loaded = load(&zkey, options.observer)?;
        let records = Records {
            bytes: &loaded.coefficients,
            sizes: zkey.sizes,
            section: zkey.section(zkey::COEFFICIENTS),
            source,
        };
        let matrices = Matrices::read(&records, options.observer)?;
        let header = zkey.header_points(options.allow_insecure)?;
        check_points(&zkey, &loaded, options)?;
        let Loaded { ic, a, b1, b2, l, h, sha256, coefficients: _ } = loaded;
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
            shape,
            verifying_key: VerifyingKey {
                alpha1: header.alpha1,
                beta2: header.beta2,
                gamma2: header.gamma2,
                delta2: header.delta2,
                ic,
            },
            beta1: header.beta1,
            delta1: header.delta1,
            matrices,
            a,
            b1,
            b2,
            l,
            h,
            domain: OddPoints::new(zkey.sizes.domain_size.ilog2())?,
        })
    }

    /// Sizes and identity.
    #[must_use]
    pub fn info(&self) -> &KeyInfo {
        &self.info
    }

    /// The counts that say how much memory it takes.
    #[must_use]
    pub fn shape(&self) -> KeyShape {
        self.shape
    }

    /// The key that verifies this key's proofs.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }
}

fn check_points(zkey: &Zkey<'_>, loaded: &Loaded, options: &ReadOptions<'_>) -> Result<(), Error> {
    check_section(zkey, zkey::IC, &loaded.ic, options)?;
    check_section(zkey, zkey::A, &loaded.a, options)?;
    check_section(zkey, zkey::B1, &loaded.b1, options)?;
    check_section(zkey, zkey::B2, &loaded.b2, options)?;
    check_section(zkey, zkey::L, &loaded.l, options)?;
    check_section(zkey, zkey::H, &loaded.h, options)
}

fn check_section<F: CurveField>(
    zkey: &Zkey<'_>,
    id: u32,
    points: &[Affine<F>],
    options: &ReadOptions<'_>,
) -> Result<(), Error> {
    if options.observer.is_cancelled() {
        return Err(Error::Cancelled);
    }
    validate_points(points, options.pool).map_err(|(index, error)| {
        let which = (index, Affine::<F>::BYTES);
        section_point_error(zkey.source(), zkey.section(id), which, error)
    })
}
