//! A circuit's constraints, as circom wrote them to an `.r1cs` file.
//!
//! What is kept is where they are: a file of any size is read through a window. Checks are made as
//! in `zkey`, in the same order. There must be a label for each wire, so that what a setup keeps of
//! each wire is never out of proportion to the file.

use nalloc_bn254::file::{
    Container, FileError, Kind, Place, Section, Source, index, place, read_limbs, u32_at, wide,
};
use nalloc_bn254::{Fr, HeapBuffer, Observer};

use crate::error::Error;
use crate::zkey::DOMAIN_SIZE_MAX;

const R1CS: Kind =
    Kind { magic: *b"r1cs", name: "an .r1cs file", version_max: 1, versions: "1", mark: None };

const HEADER_BYTES: usize = 64;
/// Byte offsets inside of the header section.
const FIELD_BYTES: usize = 0;
const PRIME: usize = 4;
const N_WIRES: usize = 36;
const N_OUTPUTS: usize = 40;
const N_INPUTS: usize = 44;
const N_PRIVATE: usize = 48;
const N_CONSTRAINTS: usize = 60;

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;
/// Gates that only PLONK has: which there are, and where they are used.
const CUSTOM_GATES: [u32; 2] = [4, 5];
/// Bytes of a term: a wire and its factor.
const TERM_BYTES: usize = 36;
/// Bytes of a label.
const LABEL_BYTES: u64 = 8;
/// The fewest bytes of a constraint: three combinations without terms.
const CONSTRAINT_BYTES_MIN: u64 = 12;
/// Bytes that are read at a time.
const WINDOW_BYTES: usize = 1 << 16;
/// Constraints between two questions to the observer.
const CONSTRAINTS_PER_QUESTION: u32 = 4096;

/// A circuit's counts, and where its constraints are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct R1cs {
    /// Wires, the constant one included.
    pub(crate) n_wires: u32,
    /// Outputs and public inputs; less than `n_wires`.
    pub(crate) n_public: u32,
    pub(crate) n_constraints: u32,
    /// Points of the domain of a key: a power of two, 2 to 2^27.
    pub(crate) domain_size: u32,
    constraints: Section,
}

impl R1cs {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// Those of the container; [`Error::CustomGates`], [`FileError::UnsupportedCurve`],
    /// [`FileError::BadHeader`], [`FileError::SectionLength`]; what reading can give.
    pub(crate) fn open(source: &dyn Source, observer: &dyn Observer) -> Result<Self, Error> {
        let container = Container::open(source, &R1CS, observer)?;
        container.check_unique(&[HEADER, CONSTRAINTS, LABELS, CUSTOM_GATES[0], CUSTOM_GATES[1]])?;
        let head = container.section(HEADER)?;
        let [constraints, labels] = [CONSTRAINTS, LABELS].map(|id| container.section(id));
        let (constraints, labels) = (constraints?, labels?);
        check_custom_gates(&container)?;
        let header = read_header(&container, head)?;
        let refuse = |at: usize, expected: String, got| {
            Err(FileError::BadHeader { place: container.place(head, wide(at)), expected, got }
                .into())
        };
        let n_wires = u32_at(&header, N_WIRES);
        let kinds = [N_OUTPUTS, N_INPUTS, N_PRIVATE].map(|at| u64::from(u32_at(&header, at)));
        let [outputs, inputs, private] = kinds;
        let declared = outputs + inputs + private + 1;
        if u64::from(n_wires) < declared {
            let expected = format!("at least the {declared} wires that the header names");
            return refuse(N_WIRES, expected, n_wires);
        }
        container.check_len(labels, LABEL_BYTES * u64::from(n_wires))?;
        // Below a number of 32 bits, as was seen.
        let n_public = u32::try_from(outputs + inputs).unwrap_or(u32::MAX);
        let n_constraints = u32_at(&header, N_CONSTRAINTS);
        let needed = CONSTRAINT_BYTES_MIN * u64::from(n_constraints);
        if constraints.len < needed {
            let (place, got) = (container.place(constraints, 0), constraints.len);
            return Err(FileError::SectionLength { place, expected: needed, got }.into());
        }
        let rows = u64::from(n_constraints) + u64::from(n_public);
        let domain_size = (rows + 1).next_power_of_two().max(2);
        let Some(domain_size) = u32::try_from(domain_size).ok().filter(|&n| n <= DOMAIN_SIZE_MAX)
        else {
            let expected = format!("with {n_public} public wires less than 2^27 rows");
            return refuse(N_CONSTRAINTS, expected, n_constraints);
        };
        Ok(Self { n_wires, n_public, n_constraints, domain_size, constraints })
    }

    /// The terms of all constraints, from the first one on.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn terms(&self) -> Result<Terms, Error> {
        Ok(Terms {
            circuit: *self,
            window: HeapBuffer::zeroed(WINDOW_BYTES)?,
            window_len: 0,
            window_at: 0,
            read: 0,
            row: 0,
            matrix: 0,
            left: None,
        })
    }
}

/// A factor of a wire in a constraint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// The constraint.
    pub(crate) row: u32,
    /// 0 for A, 1 for B, 2 for C.
    pub(crate) matrix: u32,
    pub(crate) wire: u32,
    pub(crate) factor: Fr,
}

/// A place among the terms of the constraints.
pub(crate) struct Terms {
    circuit: R1cs,
    window: HeapBuffer<u8>,
    /// Bytes in the window.
    window_len: usize,
    /// The next byte of the window.
    window_at: usize,
    /// Bytes of the section that are in the window or were.
    read: u64,
    row: u32,
    matrix: u32,
    /// Terms of the combination that are left; none before its number was read.
    left: Option<u32>,
}

impl Terms {
    /// The next term; none after the last one.
    ///
    /// # Errors
    /// [`FileError::SectionLength`] where the section ends before its constraints do, or after them;
    /// [`Error::IndexRange`], [`FileError::NonCanonical`], [`Error::Cancelled`], what reading can give.
    pub(crate) fn next(
        &mut self,
        source: &dyn Source,
        observer: &dyn Observer,
    ) -> Result<Option<Term>, Error> {
        while self.row < self.circuit.n_constraints {
            let left = match self.left {
                Some(left) => left,
                None => self.combination(source, observer)?,
            };
            if left > 0 {
                self.left = Some(left - 1);
                return self.term(source).map(Some);
            }
            self.left = None;
            self.matrix = (self.matrix + 1) % 3;
            self.row += u32::from(self.matrix == 0);
        }
        let (expected, got) = (self.position(), self.circuit.constraints.len);
        if expected == got {
            return Ok(None);
        }
        Err(FileError::SectionLength { place: self.place(source, 0), expected, got }.into())
    }

    /// Reads how many terms a combination has.
    fn combination(&mut self, source: &dyn Source, observer: &dyn Observer) -> Result<u32, Error> {
        if self.row.is_multiple_of(CONSTRAINTS_PER_QUESTION) && observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let count = u32::from_le_bytes(self.take(source)?);
        let needed = self.position() + wide(TERM_BYTES) * u64::from(count);
        if needed > self.circuit.constraints.len {
            return Err(self.too_short(source, needed));
        }
        Ok(count)
    }

    fn term(&mut self, source: &dyn Source) -> Result<Term, Error> {
        let start = self.position();
        let bytes: [u8; TERM_BYTES] = self.take(source)?;
        let (row, matrix, wire) = (self.row, self.matrix, u32_at(&bytes, 0));
        let name = || format!("constraint {row}, {}", ['A', 'B', 'C'][index(matrix)]);
        let limit = self.circuit.n_wires;
        if wire >= limit {
            let (place, what) = (self.place(source, start), format!("{}, its wire", name()));
            return Err(Error::IndexRange { place, what, limit, got: wire });
        }
        let factor = Fr::from_plain(read_limbs(&bytes, 4)).ok_or_else(|| {
            let (place, what) = (self.place(source, start + 4), format!("{}, its factor", name()));
            FileError::NonCanonical { place, what }
        })?;
        Ok(Term { row, matrix, wire, factor })
    }

    /// The next bytes of the section.
    fn take<const N: usize>(&mut self, source: &dyn Source) -> Result<[u8; N], Error> {
        let left = self.window_len - self.window_at;
        if left < N {
            let section = self.circuit.constraints;
            self.window.copy_within(self.window_at..self.window_len, 0);
            let room = wide(self.window.len() - left).min(section.len - self.read);
            let more = usize::try_from(room).unwrap_or(0);
            if left + more < N {
                return Err(self.too_short(source, self.position() + wide(N)));
            }
            source.read_at(section.offset + self.read, &mut self.window[left..left + more])?;
            self.read += room;
            (self.window_at, self.window_len) = (0, left + more);
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.window[self.window_at..self.window_at + N]);
        self.window_at += N;
        Ok(bytes)
    }

    /// Bytes of the section before the next one.
    fn position(&self) -> u64 {
        self.read - wide(self.window_len - self.window_at)
    }

    fn place(&self, source: &dyn Source, at: u64) -> Place {
        place(source, self.circuit.constraints, at)
    }

    fn too_short(&self, source: &dyn Source, expected: u64) -> Error {
        let got = self.circuit.constraints.len;
        FileError::SectionLength { place: self.place(source, 0), expected, got }.into()
    }
}

fn check_custom_gates(container: &Container<'_>) -> Result<(), Error> {
    for id in CUSTOM_GATES {
        // Without gates the section is absent, empty, or says that there are none.
        let Ok(section) = container.section(id) else { continue };
        let is_empty = section.len == 0
            || section.len == 4 && u32::from_le_bytes(container.read_first(section)?) == 0;
        if !is_empty {
            return Err(Error::CustomGates { place: container.place(section, 0) });
        }
    }
    Ok(())
}

fn read_header(container: &Container<'_>, head: Section) -> Result<[u8; HEADER_BYTES], Error> {
    let refuse = |at: usize, got: String| {
        Err(FileError::UnsupportedCurve { place: container.place(head, wide(at)), got }.into())
    };
    let field_bytes = u32::from_le_bytes(container.read_first(head)?);
    if field_bytes != 32 {
        // Such a header has another length, which says nothing.
        return refuse(FIELD_BYTES, format!("numbers of {field_bytes} bytes"));
    }
    container.check_len(head, wide(HEADER_BYTES))?;
    let header: [u8; HEADER_BYTES] = container.read_first(head)?;
    if read_limbs(&header, PRIME) != Fr::MODULUS {
        return refuse(PRIME, "another prime: compile with circom -p bn128".to_owned());
    }
    Ok(header)
}
