//! The matrices A and B of a circuit, by rows, as section 4 of a `.zkey` lists them.
//!
//! Records come in any order and may repeat a place, whose values then add up. They are sorted by
//! row in two passes: count, then place. Most coefficients of real circuits are 1 or -1: those have
//! rows of their own without values, where a term is an addition. Other values, which the file has
//! as x * 2^512 mod r, are brought to Montgomery form once, when the key is opened.
//!
//! A product needs the witness in Montgomery form, too. Terms with values are multiplied in runs
//! that fit the nearest cache, eight at a time where there are lanes.

use core::ops::Range;

use nalloc_bn254::file::{FileError, Section, Source, index, place, read_limbs, u32_at, wide};
use nalloc_bn254::{Field, Fr, HeapBuffer, Kernels, Observer, Pool};

use crate::error::Error;
use crate::zkey::{COEFFICIENT_BYTES, COUNT_BYTES, Sizes};

/// Rows that one task evaluates.
const ROWS_PER_TASK: usize = 512;
/// Terms that are multiplied at once, in a copy on the stack.
const TERMS_AT_ONCE: usize = 256;
/// Values that one task brings to Montgomery form.
const VALUES_PER_TASK: usize = 4096;
/// Records between two questions to the observer.
const RECORDS_PER_QUESTION: usize = 1 << 16;
/// Byte offsets inside of a record.
const MATRIX: usize = 0;
const ROW: usize = 4;
const SIGNAL: usize = 8;
const VALUE: usize = 12;

/// Where the rows of a sparse matrix begin, and which wires they name.
struct Rows {
    /// Where each row begins in `signals`, and where the last one ends.
    starts: HeapBuffer<u32>,
    signals: HeapBuffer<u32>,
}

/// One sparse matrix with a row for each point of the domain, in three parts that add up.
pub(crate) struct Matrix {
    /// Coefficients 1.
    plus: Rows,
    /// Coefficients -1.
    minus: Rows,
    /// All others.
    others: Rows,
    /// Their values, in the order of their signals.
    values: HeapBuffer<Fr>,
}

/// Both matrices of a circuit.
pub(crate) struct Matrices {
    pub(crate) a: Matrix,
    pub(crate) b: Matrix,
    /// One more than the last row of A that has a record.
    pub(crate) rows: u32,
}

/// One record of section 4.
#[derive(Clone, Copy)]
struct Record<'a>(&'a [u8; COEFFICIENT_BYTES]);

impl Record<'_> {
    fn matrix(self) -> u32 {
        u32_at(self.0, MATRIX)
    }

    fn row(self) -> u32 {
        u32_at(self.0, ROW)
    }

    fn signal(self) -> u32 {
        u32_at(self.0, SIGNAL)
    }

    /// x * 2^512, as an element whose Montgomery form that is.
    fn value(self) -> Option<Fr> {
        Fr::from_montgomery(read_limbs(self.0, VALUE))
    }

    /// Which part of a matrix it belongs to.
    fn part(self, [one, minus_one]: &[Fr; 2]) -> Part {
        match self.value() {
            Some(value) if value == *one => Part::Plus,
            Some(value) if value == *minus_one => Part::Minus,
            _ => Part::Others,
        }
    }
}

/// A part of a matrix; its place in a list of all three.
#[derive(Clone, Copy)]
enum Part {
    Plus,
    Minus,
    Others,
}

/// What stands in section 4, and where, for messages.
pub(crate) struct Records<'a> {
    /// The bytes of the section, as long as the sizes say.
    pub(crate) bytes: &'a [u8],
    pub(crate) sizes: Sizes,
    pub(crate) section: Section,
    pub(crate) source: &'a dyn Source,
}

impl Matrices {
    /// Checks every record and sorts it into its matrix.
    ///
    /// # Errors
    /// [`Error::IndexRange`] and [`FileError::NonCanonical`] for the first record that is wrong,
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub(crate) fn read(
        records: &Records<'_>,
        pool: &Pool,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let (all, _) = records.bytes[COUNT_BYTES..].as_chunks::<COEFFICIENT_BYTES>();
        let mut a = Counts::new(&records.sizes)?;
        let mut b = Counts::new(&records.sizes)?;
        let units = units();
        let mut rows = 0;
        for_each_run(all, observer, |start, run| {
            for (number, record) in (start..).zip(run) {
                let record = Record(record);
                records.check(number, record)?;
                if record.matrix() == 0 {
                    rows = rows.max(record.row() + 1);
                }
                let counts = if record.matrix() == 0 { &mut a } else { &mut b };
                counts.of(record.part(&units))[index(record.row()) + 1] += 1;
            }
            Ok(())
        })?;
        let (mut a, mut b) = (Matrix::of(a)?, Matrix::of(b)?);
        for_each_run(all, observer, |_, run| {
            for record in run.iter().map(Record) {
                let matrix = if record.matrix() == 0 { &mut a } else { &mut b };
                matrix.place(record, record.part(&units));
            }
            Ok(())
        })?;
        a.finish(pool);
        b.finish(pool);
        Ok(Self { a, b, rows })
    }

    /// Bytes of both.
    pub(crate) fn bytes(&self) -> u64 {
        self.a.bytes() + self.b.bytes()
    }
}

/// The most bytes of both matrices with `rows` rows and `count` coefficients.
pub(crate) fn bytes_max(rows: u32, count: u32) -> u64 {
    let (starts, entry) = (6 * size_of::<u32>(), size_of::<u32>() + size_of::<Fr>());
    wide(starts) * (u64::from(rows) + 1) + wide(entry) * u64::from(count)
}

/// 1 and -1 as the file has them: times 2^512, as elements whose Montgomery form that is.
fn units() -> [Fr; 2] {
    let one = Fr::from_u64(2).pow(&[256]);
    [one, -one]
}

/// How many records each row of each part of a matrix has, at the next row's place.
struct Counts([HeapBuffer<u32>; 3]);

impl Counts {
    fn new(sizes: &Sizes) -> Result<Self, Error> {
        let starts = || HeapBuffer::zeroed(index(sizes.domain_size).saturating_add(1));
        Ok(Self([starts()?, starts()?, starts()?]))
    }

    fn of(&mut self, part: Part) -> &mut [u32] {
        &mut self.0[part as usize]
    }
}

/// Calls `work` with runs of records and the number of each run's first one.
fn for_each_run<'r>(
    records: &'r [[u8; COEFFICIENT_BYTES]],
    observer: &dyn Observer,
    mut work: impl FnMut(usize, &'r [[u8; COEFFICIENT_BYTES]]) -> Result<(), Error>,
) -> Result<(), Error> {
    for (k, run) in records.chunks(RECORDS_PER_QUESTION).enumerate() {
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        work(k * RECORDS_PER_QUESTION, run)?;
    }
    Ok(())
}

impl Records<'_> {
    fn check(&self, number: usize, record: Record<'_>) -> Result<(), Error> {
        let place = |part: usize| {
            let at = COUNT_BYTES + number * COEFFICIENT_BYTES + part;
            place(self.source, self.section, wide(at))
        };
        let indices = [
            (MATRIX, "matrix", record.matrix(), 2),
            (ROW, "row", record.row(), self.sizes.domain_size),
            (SIGNAL, "signal", record.signal(), self.sizes.n_vars),
        ];
        for (part, name, got, limit) in indices {
            if got >= limit {
                let what = format!("{name} of coefficient {number}");
                return Err(Error::IndexRange { place: place(part), what, limit, got });
            }
        }
        if record.value().is_none() {
            let what = format!("value of coefficient {number}");
            return Err(FileError::NonCanonical { place: place(VALUE), what }.into());
        }
        Ok(())
    }
}

impl Rows {
    /// Empty rows, from the number of records of row k at k + 1.
    fn of(mut starts: HeapBuffer<u32>) -> Result<Self, Error> {
        let mut sum = 0;
        for start in starts.iter_mut() {
            sum += *start;
            *start = sum;
        }
        Ok(Self { starts, signals: HeapBuffer::zeroed(index(sum))? })
    }

    /// Puts a record at the start of its row, which then moves on, and says where;
    /// [`finish`](Self::finish) moves all starts back.
    fn place(&mut self, record: Record<'_>) -> usize {
        let start = &mut self.starts[index(record.row())];
        let at = index(*start);
        *start += 1;
        self.signals[at] = record.signal();
        at
    }

    /// Each row's start was moved to its end, which is where the next one began.
    fn finish(&mut self) {
        let last = self.starts.len() - 1;
        self.starts.copy_within(0..last, 1);
        self.starts[0] = 0;
    }

    /// Where a row begins and ends.
    fn bounds(&self, row: usize) -> Range<usize> {
        index(self.starts[row])..index(self.starts[row + 1])
    }

    /// The values of the wires that a row names.
    fn terms<'a>(&'a self, row: usize, witness: &'a [Fr]) -> impl Iterator<Item = Fr> {
        self.signals[self.bounds(row)].iter().map(|&signal| witness[index(signal)])
    }

    fn bytes(&self) -> u64 {
        wide(size_of_val(&*self.starts) + size_of_val(&*self.signals))
    }
}

impl Matrix {
    fn of(Counts([plus, minus, others]): Counts) -> Result<Self, Error> {
        let others = Rows::of(others)?;
        let values = HeapBuffer::zeroed(others.signals.len())?;
        Ok(Self { plus: Rows::of(plus)?, minus: Rows::of(minus)?, others, values })
    }

    /// Puts a checked record into its part.
    fn place(&mut self, record: Record<'_>, part: Part) {
        match part {
            Part::Plus => self.plus.place(record),
            Part::Minus => self.minus.place(record),
            Part::Others => {
                let at = self.others.place(record);
                self.values[at] = record.value().unwrap_or(Fr::ZERO);
                at
            }
        };
    }

    fn finish(&mut self, pool: &Pool) {
        for rows in [&mut self.plus, &mut self.minus, &mut self.others] {
            rows.finish();
        }
        // A Montgomery product with 1 takes one factor of 2^256 away.
        let one = Fr::from_montgomery([1, 0, 0, 0]).unwrap_or(Fr::ZERO);
        pool.for_each_chunk_mut(&mut self.values, VALUES_PER_TASK, |_, values| {
            Fr::multiply_all(Kernels::host(), values, one);
        });
    }

    fn bytes(&self) -> u64 {
        let rows = [&self.plus, &self.minus, &self.others].map(Rows::bytes);
        rows.iter().sum::<u64>() + wide(size_of_val(&*self.values))
    }

    /// The product with a witness of as many values as the circuit has wires: one number for each
    /// row.
    pub(crate) fn multiply(&self, witness: &[Fr], out: &mut [Fr], pool: &Pool) {
        pool.for_each_chunk_mut(out, ROWS_PER_TASK, |first, sums| {
            let mut terms = Terms::new(self, witness, self.others.bounds(first).start);
            for (row, sum) in (first..).zip(sums) {
                let plus = self.plus.terms(row, witness).fold(Fr::ZERO, |sum, term| sum + term);
                let units = self.minus.terms(row, witness).fold(plus, |sum, term| sum - term);
                *sum = self.others.bounds(row).fold(units, |sum, at| sum + terms.get(at));
            }
        });
    }
}

/// The terms with values, multiplied in runs.
struct Terms<'a> {
    matrix: &'a Matrix,
    witness: &'a [Fr],
    /// What `run` has.
    range: Range<usize>,
    run: [Fr; TERMS_AT_ONCE],
}

impl<'a> Terms<'a> {
    /// From the term `start` on.
    fn new(matrix: &'a Matrix, witness: &'a [Fr], start: usize) -> Self {
        Self { matrix, witness, range: start..start, run: [Fr::ZERO; TERMS_AT_ONCE] }
    }

    /// The term `at`; they are asked for one after the other.
    fn get(&mut self, at: usize) -> Fr {
        if at == self.range.end {
            self.multiply_run();
        }
        self.run[at - self.range.start]
    }

    fn multiply_run(&mut self) {
        let start = self.range.end;
        let end = (start + TERMS_AT_ONCE).min(self.matrix.values.len());
        self.range = start..end;
        let run = &mut self.run[..end - start];
        for (term, &signal) in run.iter_mut().zip(&self.matrix.others.signals[start..end]) {
            *term = self.witness[index(signal)];
        }
        Fr::multiply_each(Kernels::host(), run, &self.matrix.values[start..end]);
    }
}
