//! Keys for development: a setup whose secrets everybody knows, in seconds.
//!
//! A key from here proves and verifies like any other, and anybody can forge proofs for it. So it
//! is marked three times: gamma equals delta, as in a key before its phase 2, which readers that
//! care refuse; a section of its own says it in words; and there is no section 10, so that nobody
//! can add a contribution to it and take it for the result of a ceremony.
//!
//! ```text
//! r1cs -> u(tau), v(tau), k(tau) of each wire -> scalars -> multiples of G1 and G2 -> zkey
//! ```
//!
//! The first pass over the constraints adds each factor, times its row's Lagrange polynomial at
//! tau, to its wire's sums: one multiplication for each. Then every point of the key is a multiple
//! of a generator (`setup/multiples.rs`): 26 additions for each of 3 m + 2 n points of G1 and m of
//! G2, for m wires and a domain of n. The key is made piece by piece, in the order of the file; in
//! memory are three scalars for each wire, two tables and one piece.

mod multiples;
mod waste;

use std::path::Path;
use std::sync::OnceLock;

use nalloc_bn254::curve::CurveField;
use nalloc_bn254::file::{FileError, OwnedBytes, RegularFile, Source, index, wide};
use nalloc_bn254::{Affine, Field, Fq, Fq2, Fr, G1Affine, G2Affine, HeapBuffer, Observer, Pool};

use crate::error::Error;
use crate::r1cs::{R1cs, Term, Terms};
use crate::vkey::VerifyingKey;
use crate::zkey::{
    A, B1, B2, COEFFICIENT_BYTES, COEFFICIENTS, COUNT_BYTES, H, HEADER_BYTES, IC, L, Sizes,
    UNSAFE_DEV,
};
use multiples::Multiples;
use waste::{Lagrange, Run, Waste};

/// What the section that marks such a key says.
const MARK: &str = "for development only: made by nalloc setup --unsafe-dev from secrets that \
                    everybody knows, so anybody can forge proofs for this key";
/// Bytes of a file before its first section, and of a section before its own.
const HEAD_BYTES: usize = 12;
/// Sections of a key: 1 to 9, and the mark.
const SECTIONS: u32 = 10;
/// Bytes of a piece, without a few more: some tens of milliseconds of one thread.
const PIECE_BYTES: usize = 1 << 20;
/// What the observer sees while constraints are read.
const PHASE: &str = "setup";

/// How a key for development is made.
#[derive(Clone, Copy)]
pub struct SetupOptions<'a> {
    /// Threads that make the points.
    pub pool: &'a Pool,
    /// Sees the phase "setup" and may stop it.
    pub observer: &'a dyn Observer,
    /// Refuse with [`Error::Limit`] when more bytes are needed.
    pub memory_limit_bytes: Option<u64>,
    /// What messages call the file.
    pub name: &'a str,
}

/// A key for development that is being made; see the head of this file.
///
/// ```
/// # use nalloc_groth16::{SetupOptions, UnsafeDevSetup, VerifyingKey};
/// # fn make(r1cs: nalloc_bn254::HeapBuffer<u8>) -> Result<Vec<u8>, nalloc_groth16::Error> {
/// let pool = nalloc_bn254::Pool::new(None)?;
/// let options = SetupOptions {
///     pool: &pool,
///     observer: &(),
///     memory_limit_bytes: None,
///     name: "circuit.r1cs",
/// };
/// let mut setup = UnsafeDevSetup::from_bytes(r1cs, &options)?;
/// let mut zkey = Vec::new();
/// while let Some(piece) = setup.next_piece(&pool, &())? {
///     zkey.extend_from_slice(&piece);
/// }
/// # Ok(zkey)
/// # }
/// ```
pub struct UnsafeDevSetup {
    source: Box<dyn Source + Send>,
    circuit: R1cs,
    sizes: Sizes,
    columns: Columns,
    waste: Waste,
    g1: Multiples<Fq>,
    g2: Multiples<Fq2>,
    /// The section that comes next, or of which a part has come.
    section: u32,
    /// Elements of it that have come.
    done: u32,
    /// Where the records of the matrices are.
    terms: Option<Terms>,
}

/// A circuit's polynomials at tau, for each wire.
struct Columns {
    u: HeapBuffer<Fr>,
    v: HeapBuffer<Fr>,
    k: HeapBuffer<Fr>,
}

impl UnsafeDevSetup {
    /// Begins the key of the circuit in the `.r1cs` file at `path`, which stays open.
    ///
    /// # Errors
    /// Those of docs/errors.md that are about circuits; the earliest check wins.
    pub fn read(path: &Path, options: &SetupOptions<'_>) -> Result<Self, Error> {
        Self::new(Box::new(RegularFile::open(path, options.name)?), options)
    }

    /// Begins the key of the circuit in the bytes of an `.r1cs` file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: HeapBuffer<u8>, options: &SetupOptions<'_>) -> Result<Self, Error> {
        let name = options.name.to_owned();
        Self::new(Box::new(OwnedBytes { name, bytes }), options)
    }

    fn new(source: Box<dyn Source + Send>, options: &SetupOptions<'_>) -> Result<Self, Error> {
        let circuit = R1cs::open(&*source, options.observer)?;
        let columns_bytes = 3 * wide(size_of::<Fr>()) * u64::from(circuit.n_wires);
        let tables_bytes = Multiples::<Fq>::table_bytes() + Multiples::<Fq2>::table_bytes();
        let needed = columns_bytes + tables_bytes + 2 * wide(PIECE_BYTES);
        if let Some(limit) = options.memory_limit_bytes.filter(|&limit| needed > limit) {
            return Err(Error::Limit { what: "the setup", needed, limit });
        }
        let waste = Waste::known();
        let (columns, coefficients) = columns(&*source, &circuit, &waste, options.observer)?;
        let sizes = Sizes {
            n_vars: circuit.n_wires,
            n_public: circuit.n_public,
            domain_size: circuit.domain_size,
            coefficients,
        };
        let (g1, g2) = (Multiples::new(options.pool)?, Multiples::new(options.pool)?);
        let (section, done, terms) = (0, 0, None);
        Ok(Self { source, circuit, sizes, columns, waste, g1, g2, section, done, terms })
    }

    /// Length of the finished key.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let sections: u64 = (1..=SECTIONS).map(|number| self.section_bytes(number)).sum();
        wide(HEAD_BYTES) * u64::from(1 + SECTIONS) + sections
    }

    /// Constraints of the circuit.
    #[must_use]
    pub fn n_constraints(&self) -> u32 {
        self.circuit.n_constraints
    }

    /// The next bytes of the key, which are the same for the same circuit; none after the last
    /// ones.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`FileError::FileChanged`], [`FileError::Io`], [`Error::Memory`]; what comes
    /// next is not defined then.
    pub fn next_piece(
        &mut self,
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<Option<HeapBuffer<u8>>, Error> {
        if self.section > SECTIONS {
            return Ok(None);
        }
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let (count, element_bytes) = self.elements(self.section);
        let head_bytes = if self.done == 0 { head_bytes(self.section) } else { 0 };
        let room = u32::try_from(PIECE_BYTES / element_bytes).unwrap_or(u32::MAX);
        let len = room.min(count - self.done);
        let mut piece = HeapBuffer::zeroed(head_bytes + index(len) * element_bytes)?;
        let (head, elements) = piece.split_at_mut(head_bytes);
        if head_bytes > 0 {
            self.write_head(head);
        }
        self.write_elements(elements, pool, observer)?;
        self.done += len;
        if self.done == count {
            (self.section, self.done) = (self.section + 1, 0);
        }
        if self.section > SECTIONS {
            self.source.check_unchanged()?;
        }
        Ok(Some(piece))
    }

    /// The verifying key of the key.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        let mut ic = HeapBuffer::zeroed(index(self.sizes.n_public) + 1)?;
        for (wire, point) in ic.iter_mut().enumerate() {
            *point = self.g1.of(self.combined(wire));
        }
        Ok(VerifyingKey {
            alpha1: self.g1.of(self.waste.alpha),
            beta2: self.g2.of(self.waste.beta),
            gamma2: G2Affine::GENERATOR,
            delta2: G2Affine::GENERATOR,
            ic,
            fixed: OnceLock::new(),
        })
    }

    /// beta u + alpha v + k of a wire.
    fn combined(&self, wire: usize) -> Fr {
        let Columns { u, v, k } = &self.columns;
        self.waste.beta * u[wire] + self.waste.alpha * v[wire] + k[wire]
    }

    /// How many elements a section has, and of how many bytes each. Section 0 is the file's head.
    fn elements(&self, number: u32) -> (u32, usize) {
        let Sizes { n_vars, n_public, domain_size, coefficients } = self.sizes;
        let [g1, g2] = [G1Affine::BYTES, G2Affine::BYTES];
        match number {
            IC => (n_public + 1, g1),
            COEFFICIENTS => (coefficients, COEFFICIENT_BYTES),
            A | B1 => (n_vars, g1),
            B2 => (n_vars, g2),
            L => (n_vars - n_public - 1, g1),
            H => (domain_size, g1),
            _ => (0, 1),
        }
    }

    /// Bytes of a section, without its head.
    fn section_bytes(&self, number: u32) -> u64 {
        let (count, element_bytes) = self.elements(number);
        wide(head_bytes(number) - HEAD_BYTES) + u64::from(count) * wide(element_bytes)
    }

    /// Writes what comes before the elements of the section.
    fn write_head(&self, out: &mut [u8]) {
        if self.section == 0 {
            put(out, [b"zkey".as_slice(), &1_u32.to_le_bytes(), &SECTIONS.to_le_bytes()]);
            return;
        }
        let id = if self.section == SECTIONS { UNSAFE_DEV } else { self.section };
        let (head, content) = out.split_at_mut(HEAD_BYTES);
        let len = self.section_bytes(self.section);
        put(head, [id.to_le_bytes().as_slice(), &len.to_le_bytes()]);
        match self.section {
            1 => content.copy_from_slice(&1_u32.to_le_bytes()),
            2 => self.write_header(content),
            COEFFICIENTS => content.copy_from_slice(&self.sizes.coefficients.to_le_bytes()),
            SECTIONS => content.copy_from_slice(MARK.as_bytes()),
            _ => {}
        }
    }

    fn write_header(&self, out: &mut [u8]) {
        let bytes = |limbs: &[u64; 4]| limbs.map(u64::to_le_bytes).concat();
        let Sizes { n_vars, n_public, domain_size, .. } = self.sizes;
        let Waste { alpha, beta, .. } = self.waste;
        let (one1, one2) = (G1Affine::GENERATOR, G2Affine::GENERATOR);
        put(
            out,
            [
                32_u32.to_le_bytes().to_vec(),
                bytes(&Fq::MODULUS),
                32_u32.to_le_bytes().to_vec(),
                bytes(&Fr::MODULUS),
                [n_vars, n_public, domain_size].map(u32::to_le_bytes).concat(),
                point(&self.g1.of(alpha)),
                point(&self.g1.of(beta)),
                point(&self.g2.of(beta)),
                point(&one2),
                point(&one1),
                point(&one2),
            ],
        );
    }

    /// Writes the next elements of the section, as many as there is room for.
    fn write_elements(
        &mut self,
        out: &mut [u8],
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let done = index(self.done);
        let Columns { u, v, .. } = &self.columns;
        match self.section {
            COEFFICIENTS => return self.write_coefficients(out, observer),
            IC => self.g1.write(out, pool, |wire| self.combined(done + wire)),
            A => self.g1.write(out, pool, |wire| u[done + wire]),
            B1 => self.g1.write(out, pool, |wire| v[done + wire]),
            B2 => self.g2.write(out, pool, |wire| v[done + wire]),
            L => {
                let first = index(self.sizes.n_public) + 1 + done;
                self.g1.write(out, pool, |wire| self.combined(first + wire));
            }
            H => {
                let log2 = self.sizes.domain_size.ilog2() + 1;
                let mut values = HeapBuffer::zeroed(out.len() / G1Affine::BYTES)?;
                Lagrange::odd(self.waste.tau, log2).write(self.done, &mut values);
                self.g1.write(out, pool, |row| values[row]);
            }
            _ => {}
        }
        Ok(())
    }

    fn write_coefficients(&mut self, out: &mut [u8], observer: &dyn Observer) -> Result<(), Error> {
        let mut terms = match self.terms.take() {
            Some(terms) => terms,
            None => self.circuit.terms()?,
        };
        // The factor that a file holds is that of 2^512.
        let two_to_256 = Fr::from_u64(2).pow(&[256]);
        let n_consistency = self.sizes.n_public + 1;
        let first_consistency = self.sizes.coefficients - n_consistency;
        for (number, out) in (self.done..).zip(out.chunks_exact_mut(COEFFICIENT_BYTES)) {
            let term = match number.checked_sub(first_consistency) {
                Some(wire) => consistency(&self.circuit, wire),
                None => self.next_of_key(&mut terms, observer)?,
            };
            let words = [term.matrix, term.row, term.wire].map(u32::to_le_bytes);
            let factor = (term.factor * two_to_256).to_montgomery().map(u64::to_le_bytes);
            put(out, [words.as_flattened(), factor.as_flattened()]);
        }
        self.terms = Some(terms);
        Ok(())
    }

    /// The next term of A or B, of which there is one more, unless the file has changed.
    fn next_of_key(&self, terms: &mut Terms, observer: &dyn Observer) -> Result<Term, Error> {
        while let Some(term) = terms.next(&*self.source, observer)? {
            if term.matrix < 2 {
                return Ok(term);
            }
        }
        Err(FileError::FileChanged { file: self.source.name().to_owned() }.into())
    }
}

/// Bytes before a section's elements, its head among them.
fn head_bytes(number: u32) -> usize {
    HEAD_BYTES
        + match number {
            1 => 4,
            2 => HEADER_BYTES,
            COEFFICIENTS => COUNT_BYTES,
            SECTIONS => MARK.len(),
            _ => 0,
        }
}

/// The row of A that a public wire has to itself: input consistency.
fn consistency(circuit: &R1cs, wire: u32) -> Term {
    Term { row: circuit.n_constraints + wire, matrix: 0, wire, factor: Fr::ONE }
}

/// The columns of a circuit, and how many records its key will have.
fn columns(
    source: &dyn Source,
    circuit: &R1cs,
    waste: &Waste,
    observer: &dyn Observer,
) -> Result<(Columns, u32), Error> {
    let zeros = || HeapBuffer::<Fr>::zeroed(index(circuit.n_wires));
    let mut columns = Columns { u: zeros()?, v: zeros()?, k: zeros()? };
    let mut rows = Run::new(Lagrange::all(waste.tau, circuit.domain_size.ilog2()));
    let mut records = u64::from(circuit.n_public) + 1;
    let mut terms = circuit.terms()?;
    while let Some(Term { row, matrix, wire, factor }) = terms.next(source, observer)? {
        let column = match matrix {
            0 => &mut columns.u,
            1 => &mut columns.v,
            _ => &mut columns.k,
        };
        column[index(wire)] += factor * rows.at(row);
        records += u64::from(matrix < 2);
        if row.is_multiple_of(1 << 12) {
            observer.progress(PHASE, row.into(), circuit.n_constraints.into());
        }
    }
    for wire in 0..=circuit.n_public {
        let Term { row, .. } = consistency(circuit, wire);
        columns.u[index(wire)] += rows.at(row);
    }
    let limit = u64::from(u32::MAX);
    let too_many = Error::Limit { what: "the number of coefficients", needed: records, limit };
    Ok((columns, u32::try_from(records).map_err(|_| too_many)?))
}

/// Writes parts one after the other; they fill `out`.
fn put<const N: usize>(mut out: &mut [u8], parts: [impl AsRef<[u8]>; N]) {
    for part in parts {
        let (head, rest) = out.split_at_mut(part.as_ref().len());
        head.copy_from_slice(part.as_ref());
        out = rest;
    }
    debug_assert!(out.is_empty(), "{} bytes were left", out.len());
}

fn point<F: CurveField>(point: &Affine<F>) -> Vec<u8> {
    let mut bytes = vec![0; Affine::<F>::BYTES];
    // There is room for it.
    let _ = point.write_montgomery(&mut bytes);
    bytes
}
