//! Good `.ptau` files, of snarkjs and of our own writer.

use nalloc_bn254::file::FileError;
use nalloc_bn254::kzg::{Srs, SrsOptions};
use nalloc_bn254::{Error, Field, Fr, Pool};
use testkit::StopAfter;
use testkit::ptau::{Ceremony, Prepare};

/// What snarkjs made; tests/golden/README.md says how.
pub const OF_SNARKJS: &[u8] = include_bytes!("../../golden/prepared.ptau");

pub fn tau() -> Fr {
    Fr::from_u64(7).pow(&[1000])
}

pub fn options(pool: &Pool, degree_max: usize) -> SrsOptions<'_> {
    let (observer, lagrange_log2, memory_limit_bytes, name) = (&(), None, None, "x.ptau");
    SrsOptions { pool, observer, degree_max, lagrange_log2, memory_limit_bytes, name }
}

#[test]
fn a_file_of_snarkjs_has_the_sections_of_our_writer_and_is_an_srs() {
    let pool = Pool::new(Some(2)).expect("threads");
    let ours = Ceremony { tau: tau(), power: 2 }.sections(Prepare::Phase2);
    // Number and length of each section, but for section 7, which tells of contributions.
    let mut rest = &OF_SNARKJS[12..];
    for (id, bytes) in &ours {
        let (head, tail) = rest.split_at(12);
        let len = u64::from_le_bytes(head[4..].try_into().unwrap());
        assert_eq!(head[..4], id.to_le_bytes());
        assert!(*id == 7 || len == bytes.len() as u64, "section {id} has {len} bytes");
        assert!(*id != 1 || tail.starts_with(bytes), "another header");
        rest = &tail[usize::try_from(len).unwrap()..];
    }
    assert!(rest.is_empty());

    for lagrange_log2 in [None, Some(0), Some(1), Some(2)] {
        let options = SrsOptions { lagrange_log2, ..options(&pool, 6) };
        let srs = Srs::from_ptau(OF_SNARKJS, &options).expect("a good file");
        assert_eq!(srs.degree_max(), 6);
        assert_eq!(srs.lagrange().map(<[_]>::len), lagrange_log2.map(|log2| 1 << log2));
    }
}

#[test]
fn what_is_read_is_the_srs_of_the_known_tau_prepared_or_not() {
    for threads in [1, 3] {
        let pool = Pool::new(Some(threads)).expect("threads");
        let known = Srs::unsafe_for_tests(tau(), 31, &pool).expect("a good tau");
        for prepare in [Prepare::Phase2, Prepare::No] {
            let file = Ceremony { tau: tau(), power: 4 }.file(prepare);
            for degree_max in [1, 2, 15, 16, 30] {
                for lagrange_log2 in [None, Some(0), Some(1), Some(4)] {
                    let len = lagrange_log2.map_or(0, |log2| 1 << log2);
                    let options = SrsOptions { lagrange_log2, ..options(&pool, degree_max) };

                    let read = Srs::from_ptau(&file, &options);

                    if len > degree_max + 1 {
                        assert!(matches!(read, Err(Error::LengthMismatch { .. })));
                        continue;
                    }
                    let srs = read.expect("a good file");
                    assert_eq!(srs.powers(), &known.powers()[..=degree_max]);
                    assert_eq!(srs.verifier().tau_g2(), known.verifier().tau_g2());
                    let lagrange = lagrange_log2.filter(|&log2| log2 > 0).map(|log2| {
                        Srs::unsafe_for_tests_with_lagrange(tau(), log2, &pool).expect("points")
                    });
                    if let Some(lagrange) = lagrange {
                        assert_eq!(srs.lagrange(), lagrange.lagrange());
                    }
                }
            }
        }
    }
}

#[test]
fn reading_can_be_cancelled_at_every_question() {
    let pool = Pool::new(Some(1)).expect("a thread");
    for prepare in [Prepare::Phase2, Prepare::No] {
        let file = Ceremony { tau: tau(), power: 4 }.file(prepare);
        let read = |questions: u64| {
            let observer = StopAfter::new(questions);
            let options =
                SrsOptions { observer: &observer, lagrange_log2: Some(4), ..options(&pool, 20) };
            Srs::from_ptau(&file, &options)
        };
        let first_good = (0..100).find(|&questions| match read(questions) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, Error::Cancelled, "after {questions} questions");
                false
            }
        });
        assert!(first_good.is_some_and(|questions| questions > 3), "{first_good:?}");
    }
}

#[test]
fn a_limit_is_refused_before_points_are_read_and_is_enough_when_it_is_kept() {
    let pool = Pool::new(Some(2)).expect("threads");
    let mut file = Ceremony { tau: tau(), power: 4 }.file(Prepare::No);
    let limited = |limit| SrsOptions { memory_limit_bytes: Some(limit), ..options(&pool, 16) };
    let Err(Error::MemoryLimit { needed, limit: 1 }) = Srs::from_ptau(&file, &limited(1)) else {
        panic!("a byte is not enough");
    };
    assert!(Srs::from_ptau(&file, &limited(needed - 1)).is_err());
    assert!(Srs::from_ptau(&file, &limited(needed)).is_ok());

    // A wrong point is not seen before the limit is.
    let at = file.len() - 1;
    file[12 + 12 + 44 + 12..at].fill(0xff);
    assert!(matches!(Srs::from_ptau(&file, &limited(1)), Err(Error::File(_))), "no more sections");
    let mut sections = Ceremony { tau: tau(), power: 4 }.sections(Prepare::No);
    sections[1].1.fill(0xff);
    let file = testkit::files::container(*b"ptau", 1, &sections);
    assert!(matches!(Srs::from_ptau(&file, &limited(1)), Err(Error::MemoryLimit { .. })));
    let wrong = Srs::from_ptau(&file, &limited(needed));
    assert!(matches!(wrong, Err(Error::File(FileError::NonCanonical { .. }))));
}

#[test]
fn what_the_fuzzer_found_is_read_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/regressions/ptau");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of regressions") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        super::ptau_fuzz::read_ptau(&bytes, |_, work| work());
        count += 1;
    }
    assert!(count > 0, "the seeds at least");
}

/// One byte changed, or the end cut off, in every file of 2000.
#[test]
fn damaged_files_are_refused_or_read_right() {
    let mut random = testkit::python::Random::new("ptau");
    let good = Ceremony { tau: tau(), power: 2 }.file(Prepare::Phase2);
    for _ in 0..2000 {
        // What is asked for stands at the end.
        let mut bytes = [&good[..], &[3, 3]].concat();
        let at = random.below_small(bytes.len());
        bytes[at] ^= u8::try_from(1 + random.below_small(255)).unwrap();
        if random.below_small(8) == 0 {
            bytes.truncate(random.below_small(bytes.len()));
        }
        super::ptau_fuzz::read_ptau(&bytes, |_, work| work());
    }
}
