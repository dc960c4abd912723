//! The matrices A and B of a circuit, by rows, as section 4 of a `.zkey` lists them.
//!
//! Records come in any order and may repeat a place, whose values then add up. They are sorted by
//! row in two passes: count, then place. Values stay as they are in the file, x * 2^512 mod r: one
//! Montgomery multiplication by a plain witness word gives the product in Montgomery form.

use nalloc_bn254::{Field, Fr, HeapBuffer, Observer, Pool};

use crate::error::Error;
use crate::section::{Section, place, u32_at};
use crate::source::Source;
use crate::units::{index, wide};
use crate::zkey::{COEFFICIENT_BYTES, COUNT_BYTES, Sizes, read_limbs};

/// Rows that one task evaluates.
const ROWS_PER_TASK: usize = 512;
/// Records between two questions to the observer.
const RECORDS_PER_QUESTION: usize = 1 << 16;
/// Byte offsets inside of a record.
const MATRIX: usize = 0;
const ROW: usize = 4;
const SIGNAL: usize = 8;
const VALUE: usize = 12;

/// One sparse matrix with a row for each point of the domain.
pub(crate) struct Matrix {
    /// Where each row begins in the other two, and where the last one ends.
    row_starts: HeapBuffer<u32>,
    signals: HeapBuffer<u32>,
    /// The stored word is x * 2^512 mod r.
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

    fn value(self) -> Option<Fr> {
        Fr::from_montgomery(read_limbs(self.0, VALUE))
    }
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
    /// [`Error::IndexRange`] and [`Error::NonCanonical`] for the first record that is wrong,
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub(crate) fn read(records: &Records<'_>, observer: &dyn Observer) -> Result<Self, Error> {
        let (all, _) = records.bytes[COUNT_BYTES..].as_chunks::<COEFFICIENT_BYTES>();
        let row_starts = index(records.sizes.domain_size).saturating_add(1);
        let [mut a_starts, mut b_starts] =
            [HeapBuffer::<u32>::zeroed(row_starts)?, HeapBuffer::<u32>::zeroed(row_starts)?];
        let mut rows = 0;
        for_each_run(all, observer, |start, run| {
            for (number, record) in (start..).zip(run) {
                let record = Record(record);
                records.check(number, record)?;
                if record.matrix() == 0 {
                    rows = rows.max(record.row() + 1);
                }
                let starts = if record.matrix() == 0 { &mut a_starts } else { &mut b_starts };
                starts[index(record.row()) + 1] += 1;
            }
            Ok(())
        })?;
        let (mut a, mut b) = (Matrix::with_rows(a_starts)?, Matrix::with_rows(b_starts)?);
        for_each_run(all, observer, |_, run| {
            for record in run.iter().map(Record) {
                if record.matrix() == 0 { a.place(record) } else { b.place(record) }
            }
            Ok(())
        })?;
        a.finish();
        b.finish();
        Ok(Self { a, b, rows })
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
            return Err(Error::NonCanonical { place: place(VALUE), what });
        }
        Ok(())
    }
}

impl Matrix {
    /// An empty matrix, from the number of records of row k at k + 1.
    fn with_rows(mut row_starts: HeapBuffer<u32>) -> Result<Self, Error> {
        let mut sum = 0;
        for start in row_starts.iter_mut() {
            sum += *start;
            *start = sum;
        }
        let count = index(sum);
        let (signals, values) = (HeapBuffer::zeroed(count)?, HeapBuffer::zeroed(count)?);
        Ok(Self { row_starts, signals, values })
    }

    /// Puts a checked record at the start of its row, which then moves on; [`finish`](Self::finish)
    /// moves all starts back.
    fn place(&mut self, record: Record<'_>) {
        let start = &mut self.row_starts[index(record.row())];
        let at = index(*start);
        *start += 1;
        self.signals[at] = record.signal();
        self.values[at] = record.value().unwrap_or(Fr::ZERO);
    }

    /// Each row's start was moved to its end, which is where the next one began.
    fn finish(&mut self) {
        let last = self.row_starts.len() - 1;
        self.row_starts.copy_within(0..last, 1);
        self.row_starts[0] = 0;
    }

    /// The product with a witness of as many values as the circuit has wires: one number for each
    /// row.
    pub(crate) fn multiply(&self, witness: &[[u64; 4]], out: &mut [Fr], pool: &Pool) {
        pool.for_each_chunk_mut(out, ROWS_PER_TASK, |first, rows| {
            for (value, bounds) in rows.iter_mut().zip(self.row_starts[first..].windows(2)) {
                let row = index(bounds[0])..index(bounds[1]);
                let terms = self.values[row.clone()].iter().zip(&self.signals[row]);
                *value = terms.fold(Fr::ZERO, |sum, (coefficient, &signal)| {
                    sum + coefficient.mul_by_plain(witness[index(signal)])
                });
            }
        });
    }
}
