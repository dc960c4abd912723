//! A circuit from its files: what circom and a witness calculator wrote, or [`files`](crate::files)
//! did.
//!
//! For files that a test or a benchmark made itself: whatever is wrong with them is a panic.

use nalloc_bn254::Fr;

use crate::circuit::{Circuit, Combination, Constraint, count};

/// Bytes of a field element.
const VALUE_BYTES: usize = 32;
/// Bytes before the first section, and before the bytes of each.
const HEAD_BYTES: usize = 12;

/// The circuit of a `.r1cs` file, with the values of a `.wtns` file; `name` is what its toxic waste
/// will be made of.
///
/// # Panics
/// When one of them is not what it should be.
#[must_use]
pub fn circuit(name: &'static str, r1cs: &[u8], wtns: &[u8]) -> Circuit {
    let mut head = Reader(section(r1cs, *b"r1cs", 1));
    assert_eq!(head.word(), 32, "bytes of a field element");
    let _prime = head.take(VALUE_BYTES);
    let [n_wires, n_outputs, n_inputs] = [head.word(), head.word(), head.word()];
    let (_n_private, _n_labels) = (head.word(), head.take(8));
    let n_constraints = head.word();

    let mut constraints = Reader(section(r1cs, *b"r1cs", 2));
    let constraints = (0..n_constraints).map(|_| constraints.constraint()).collect();
    let wires: Vec<Fr> = section(wtns, *b"wtns", 2).chunks(VALUE_BYTES).map(value).collect();
    assert_eq!(wires.len(), count(n_wires), "values of the wires");
    let circuit = Circuit::new(name, n_outputs + n_inputs);
    Circuit { wires, constraints, ..circuit }
}

/// The bytes of the section `id`.
fn section(file: &[u8], magic: [u8; 4], id: u32) -> &[u8] {
    let mut reader = Reader(file);
    assert_eq!(reader.take(4), magic, "magic");
    let (_version, sections) = (reader.word(), reader.word());
    for _ in 0..sections {
        let mut head = Reader(reader.take(HEAD_BYTES));
        let (found, len) = (head.word(), count(head.word()));
        assert_eq!(head.word(), 0, "a section of less than 4 GiB");
        let bytes = reader.take(len);
        if found == id {
            return bytes;
        }
    }
    panic!("no section {id}")
}

fn value(bytes: &[u8]) -> Fr {
    let bytes = bytes.try_into().expect("32 bytes");
    Fr::from_le_bytes(bytes).expect("a number below r")
}

/// What is left of some bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(len).expect("more bytes");
        self.0 = rest;
        taken
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("4 bytes"))
    }

    fn constraint(&mut self) -> Constraint {
        [self.combination(), self.combination(), self.combination()]
    }

    fn combination(&mut self) -> Combination {
        let terms = self.word();
        (0..terms).map(|_| (self.word(), value(self.take(VALUE_BYTES)))).collect()
    }
}
