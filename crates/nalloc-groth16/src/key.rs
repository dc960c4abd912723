//! `ProvingKey`: a `.zkey` in memory, checked in full, for any number of proofs.

use std::path::Path;
use std::sync::OnceLock;

use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::file::{RegularFile, Slice, Source, index, wide};
use nalloc_bn254::{Fq, Fq2, Fr, G1Affine, Observer, OddPoints, Pool};

use crate::bases::{Bases, Points};
use crate::error::Error;
use crate::load::{Loaded, load};
use crate::matrix::Matrices;
use crate::shape::{KeyShape, ProofShape};
use crate::vkey::VerifyingKey;
use crate::zkey::Zkey;

/// The smallest key whose first proof would notice that its memory is not there yet.
const ROOM_KEY_BYTES_MIN: u64 = 1 << 20;
/// Bytes that one task touches.
const TOUCHED_PER_TASK: usize = 1 << 20;
/// The smallest page.
const PAGE_BYTES: usize = 4096;

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
    /// The most bytes of tables that make sums of its points faster; 0 for none.
    pub table_bytes_max: u64,
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
    /// Whether the key was made for development: everybody can forge proofs for it.
    pub is_unsafe_dev: bool,
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
        let mut left = options.memory_limit_bytes.map_or(u64::MAX, |limit| limit - needed);
        let loaded = load(&zkey, options)?;
        let mut budget =
            Budget { left: options.table_bytes_max.min(left), weight: loaded.weight(), options };
        let Loaded { matrices, header, ic, a, b1, b2, l, h, sha256 } = loaded;
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
        let key = Self {
            name: options.name.to_owned(),
            info: KeyInfo {
                n_public: zkey.sizes.n_public,
                n_vars: zkey.sizes.n_vars,
                n_constraints: matrices.rows.saturating_sub(zkey.sizes.n_public + 1),
                domain_size: zkey.sizes.domain_size,
                sha256,
                bytes: source.len_bytes(),
                is_unsafe_dev: zkey.is_unsafe_dev(),
            },
            verifying_key,
            beta1: header.beta1,
            delta1: header.delta1,
            matrices,
            h: budget.table(h)?,
            l: budget.table(l)?,
            a: budget.table(a)?,
            b1: budget.table(b1)?,
            b2: budget.table(b2)?,
            domain,
        };
        left = left.saturating_sub(key.table_bytes());
        let needed = key.estimate_bytes(options.pool.thread_count());
        if key.bytes() >= ROOM_KEY_BYTES_MIN && needed <= left {
            key.make_room(options.pool);
        }
        Ok(key)
    }

    /// Leaves what the heap keeps as the first proof wants it: none of what opening had, and the
    /// memory of a proof. Where there is none, the proof will say so.
    fn make_room(&self, pool: &Pool) {
        nalloc::release_cache();
        let threads = pool.thread_count();
        let bytes = self.proof_shape(threads).arena_bytes(threads);
        for arena in [bytes.kept, bytes.scratch].map(Arena::with_capacity).iter().flatten() {
            let Ok(room) = arena.try_alloc_array::<u8>(arena.capacity_bytes()) else { continue };
            pool.for_each_chunk_mut(room, TOUCHED_PER_TASK, |_, room| {
                room.iter_mut().step_by(PAGE_BYTES).for_each(|byte| *byte = 1);
            });
        }
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
    pub(crate) fn proof_shape(&self, threads: usize) -> ProofShape {
        let [a, b1, l, h] = [&self.a, &self.b1, &self.l, &self.h].map(|g1| g1.sum_bytes(threads));
        ProofShape {
            n_vars: index(self.info.n_vars),
            domain_size: index(self.info.domain_size),
            sum_bytes: [a, b1, self.b2.sum_bytes(threads), l, h],
        }
    }

    /// Bytes of its tables of points, of those that [`bytes`](Self::bytes) says.
    #[must_use]
    pub fn table_bytes(&self) -> u64 {
        let g1 = [&self.a, &self.b1, &self.l, &self.h].map(Bases::table_bytes);
        g1.iter().sum::<u64>() + self.b2.table_bytes()
    }

    /// The key that verifies this key's proofs.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }
}

/// Bytes for tables, which sections share by what their sums cost.
struct Budget<'a> {
    left: u64,
    /// Of the sections that had no share yet.
    weight: u64,
    options: &'a ReadOptions<'a>,
}

impl Budget<'_> {
    /// The points with a table within their share; what it leaves goes to those that follow.
    fn table<F: CurveField>(&mut self, points: Points<F>) -> Result<Bases<F>, Error> {
        let weight = points.weight();
        let share = u128::from(self.left) * u128::from(weight) / u128::from(self.weight.max(1));
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        let bases = points.with_table(share, self.options.pool, self.options.observer)?;
        self.left -= bases.table_bytes();
        self.weight -= weight;
        Ok(bases)
    }
}
