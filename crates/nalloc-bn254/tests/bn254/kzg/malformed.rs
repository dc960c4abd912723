//! `.ptau` files that must be refused, and what is said of them.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use nalloc_bn254::file::FileError;
use nalloc_bn254::kzg::{Srs, SrsOptions};
use nalloc_bn254::{Affine, Error, Field, Fq2, Fr, G1Affine, G2Affine, Jacobian, Observer, Pool};
use testkit::TempDir;
use testkit::files::{Section, container, points};
use testkit::ptau::{Ceremony, Prepare};

use super::ptau::{options, tau};

const POWER: u32 = 3;
/// Of the powers that are asked for.
const DEGREE_MAX: usize = 12;

/// A file, its code, and parts of its message.
type Case = (&'static str, Vec<u8>, &'static str, &'static [&'static str]);

/// The good file's sections after `edit`.
fn edited(edit: impl FnOnce(&mut Vec<Section>)) -> Vec<u8> {
    let mut sections = Ceremony { tau: tau(), power: POWER }.sections(Prepare::Phase2);
    edit(&mut sections);
    container(*b"ptau", 1, &sections)
}

fn section(sections: &mut [Section], id: u32) -> &mut Vec<u8> {
    &mut sections.iter_mut().find(|(other, _)| *other == id).expect("the section").1
}

/// Point `index` of 64 bytes of section `id` is `point`.
fn with_point(id: u32, index: usize, point: G1Affine) -> Vec<u8> {
    edited(|sections| section(sections, id)[64 * index..][..64].copy_from_slice(&points(&[point])))
}

fn with_header(at: usize, bytes: &[u8]) -> Vec<u8> {
    edited(|sections| section(sections, 1)[at..at + bytes.len()].copy_from_slice(bytes))
}

/// Byte `at` of section `id` is all ones.
fn with_ones(id: u32, at: usize) -> Vec<u8> {
    edited(|sections| section(sections, id)[at] = 0xff)
}

/// A point of G2's curve outside of G2.
fn outside() -> G2Affine {
    (1..50)
        .map(|small| Fq2::new(Field::from_u64(small), Field::ONE))
        .find_map(|x| {
            let square = x.square() * x + <Fq2 as nalloc_bn254::curve::CurveField>::B;
            Some(Affine { x, y: square.sqrt_vartime()? })
        })
        .expect("half of all x have a point")
}

fn containers() -> Vec<Case> {
    let good = edited(|_| ());
    let mut magic = good.clone();
    magic[..4].copy_from_slice(b"zkey");
    let mut version = good.clone();
    version[4] = 2;
    let mut count = good.clone();
    count[8..12].fill(0xff);
    let mut longer = good.clone();
    longer[16..24].fill(0xff);
    let without = |id: u32| edited(|sections| sections.retain(|(other, _)| *other != id));
    let twice = |id: u32| {
        edited(|sections| {
            let copy = section(sections, id).clone();
            sections.push((id, copy));
        })
    };
    vec![
        ("another kind", magic, "ERR_BAD_MAGIC", &["a .ptau file", "a .zkey file"]),
        ("another version", version, "ERR_UNSUPPORTED_VERSION", &["got 2"]),
        ("2^32 - 1 sections", count, "ERR_TRUNCATED", &["the section table"]),
        ("a section of 2^64 - 1 bytes", longer, "ERR_TRUNCATED", &["section 1"]),
        ("no header", without(1), "ERR_SECTION_MISSING", &["section 1"]),
        ("no powers", without(2), "ERR_SECTION_MISSING", &["section 2"]),
        ("no powers in G2", without(3), "ERR_SECTION_MISSING", &["section 3"]),
        ("two headers", twice(1), "ERR_SECTION_DUPLICATE", &["section 1"]),
        ("powers twice", twice(2), "ERR_SECTION_DUPLICATE", &["section 2"]),
        ("powers in G2 twice", twice(3), "ERR_SECTION_DUPLICATE", &["section 3"]),
        ("Lagrange points twice", twice(12), "ERR_SECTION_DUPLICATE", &["section 12"]),
    ]
}

fn headers() -> Vec<Case> {
    let small = Ceremony { tau: tau(), power: 2 }.file(Prepare::Phase2);
    let short = |id: u32| edited(|sections| section(sections, id).truncate(64));
    let long = |id: u32| edited(|sections| section(sections, id).push(0));
    vec![
        ("BLS12-381", with_header(0, &[48]), "ERR_UNSUPPORTED_CURVE", &["48 bytes", "section 1"]),
        ("another prime", with_header(4, &[0]), "ERR_UNSUPPORTED_CURVE", &["prime q"]),
        ("power 0", with_header(36, &[0]), "ERR_BAD_HEADER", &["1 to 28", "got 0"]),
        ("power 29", with_header(36, &[29]), "ERR_BAD_HEADER", &["1 to 28", "got 29"]),
        ("a huge power", with_header(36, &[0xff; 4]), "ERR_BAD_HEADER", &["got 4294967295"]),
        ("power 28", with_header(36, &[28]), "ERR_SECTION_LENGTH", &["section 2", "34359738304"]),
        ("a longer header", long(1), "ERR_SECTION_LENGTH", &["section 1", "44 bytes", "got 45"]),
        ("fewer powers", short(2), "ERR_SECTION_LENGTH", &["section 2", "960 bytes", "got 64"]),
        ("fewer in G2", short(3), "ERR_SECTION_LENGTH", &["section 3", "1024 bytes"]),
        ("fewer Lagrange points", short(12), "ERR_SECTION_LENGTH", &["section 12", "1984 bytes"]),
        ("a smaller ceremony", small, "ERR_DEGREE", &["section 2", "at least 13", "got 7"]),
    ]
}

fn one_point() -> Vec<Case> {
    let off = Affine { x: G1Affine::GENERATOR.x, y: G1Affine::GENERATOR.x };
    let infinity = G1Affine::INFINITY;
    let g2 = |index: usize, point: G2Affine| {
        edited(|sections| {
            section(sections, 3)[128 * index..][..128].copy_from_slice(&points(&[point]));
        })
    };
    vec![
        ("off the curve", with_point(2, 12, off), "ERR_NOT_ON_CURVE", &["section 2", "power 12:"]),
        ("at infinity", with_point(2, 5, infinity), "ERR_POINT_AT_INFINITY", &["power 5:"]),
        ("too large", with_ones(2, 64 * 7 + 63), "ERR_NON_CANONICAL", &["section 2", "power 7:"]),
        (
            "Lagrange point off the curve",
            with_point(12, 7 + 2, off),
            "ERR_NOT_ON_CURVE",
            &["section 12", "Lagrange point 2:"],
        ),
        (
            "Lagrange point at infinity",
            with_point(12, 7, infinity),
            "ERR_POINT_AT_INFINITY",
            &["section 12", "Lagrange point 0:"],
        ),
        (
            "another generator of G2",
            g2(0, -G2Affine::GENERATOR),
            "ERR_BAD_SRS",
            &["section 3", "power in G2 0:"],
        ),
        (
            "tau G2 too large",
            with_ones(3, 128 + 127),
            "ERR_NON_CANONICAL",
            &["section 3", "power in G2 1:"],
        ),
        (
            "tau G2 off its curve",
            edited(|sections| section(sections, 3)[128] ^= 1),
            "ERR_NOT_ON_CURVE",
            &["section 3", "power in G2 1:"],
        ),
        (
            "tau G2 at infinity",
            g2(1, G2Affine::INFINITY),
            "ERR_POINT_AT_INFINITY",
            &["power in G2 1:"],
        ),
        ("tau G2 outside of G2", g2(1, outside()), "ERR_NOT_IN_SUBGROUP", &["power in G2 1:"]),
    ]
}

fn points_that_do_not_fit() -> Vec<Case> {
    let double = Jacobian::from(G1Affine::GENERATOR).double().to_affine();
    let other = Ceremony { tau: tau() + Fr::ONE, power: POWER }.sections(Prepare::Phase2);
    let from_other = |id: u32| {
        edited(|sections| {
            section(sections, id).clone_from(&other[sections_index(&other, id)].1);
        })
    };
    let one = Ceremony { tau: Fr::ONE, power: POWER }.file(Prepare::Phase2);
    vec![
        ("another generator", with_point(2, 0, double), "ERR_BAD_SRS", &["section 2", "power 0:"]),
        ("a wrong power", with_point(2, 1, double), "ERR_BAD_SRS", &["section 2", "power 1:"]),
        ("a wrong last power", with_point(2, 12, double), "ERR_BAD_SRS", &["power 12:"]),
        ("powers of another tau", from_other(2), "ERR_BAD_SRS", &["section 2", "power 1:"]),
        ("another tau in G2", from_other(3), "ERR_BAD_SRS", &["section 2", "power 1:"]),
        ("Lagrange points of another tau", from_other(12), "ERR_BAD_SRS", &["section 12", "0:"]),
        (
            "a wrong Lagrange point",
            with_point(12, 7 + 6, double),
            "ERR_BAD_SRS",
            &["section 12", "Lagrange point 6:"],
        ),
        ("no contribution", one, "ERR_INSECURE_SRS", &["tau is 1"]),
    ]
}

fn sections_index(sections: &[Section], id: u32) -> usize {
    sections.iter().position(|(other, _)| *other == id).expect("the section")
}

#[test]
fn every_malformed_file_is_refused_with_its_code_section_and_point() {
    let pool = Pool::new(Some(2)).expect("threads");
    let options = SrsOptions { lagrange_log2: Some(3), ..options(&pool, DEGREE_MAX) };
    assert!(Srs::from_ptau(&edited(|_| ()), &options).is_ok(), "the good file");
    let dir = TempDir::new();
    let cases = [containers(), headers(), one_point(), points_that_do_not_fit()].concat();
    for (name, bytes, code, parts) in cases {
        let path = dir.write("x.ptau", &bytes);
        for read in [Srs::from_ptau(&bytes, &options), Srs::read_ptau(&path, &options)] {
            let Err(Error::File(error)) = read else { panic!("{name}: {read:?}") };
            let message = error.to_string();
            assert_eq!(error.code(), code, "{name}: {message}");
            assert!(message.starts_with("x.ptau"), "{name}: {message}");
            for part in parts {
                assert!(message.contains(part), "{name}: {message}");
            }
        }
    }
}

#[test]
fn what_is_not_asked_for_is_not_read() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let bad = edited(|sections| {
        // Powers from 13 on, levels of Lagrange points but the third, and whole sections.
        section(sections, 2)[13 * 64..].fill(0xff);
        section(sections, 12)[..7 * 64].fill(0xff);
        section(sections, 12)[15 * 64..].fill(0xff);
        section(sections, 3)[256..].fill(0xff);
        for id in [4, 5, 6, 7, 13, 14, 15] {
            *section(sections, id) = vec![0xff; 3];
        }
    });
    let options = SrsOptions { lagrange_log2: Some(3), ..options(&pool, DEGREE_MAX) };
    assert!(Srs::from_ptau(&bad, &options).is_ok());
}

#[test]
fn a_file_that_is_cut_off_anywhere_around_a_boundary_is_truncated() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let options = options(&pool, DEGREE_MAX);
    let sections = Ceremony { tau: tau(), power: POWER }.sections(Prepare::Phase2);
    let good = container(*b"ptau", 1, &sections);
    let mut boundaries = vec![0, 4, 12];
    for (_, bytes) in &sections {
        let head = boundaries.last().expect("one") + 12;
        boundaries.extend([head, head + bytes.len()]);
    }
    assert_eq!(boundaries.last(), Some(&good.len()));
    for boundary in boundaries {
        for len in boundary.saturating_sub(1)..=(boundary + 1).min(good.len() - 1) {
            let read = Srs::from_ptau(&good[..len], &options);
            let Err(Error::File(error)) = read else { panic!("{len} bytes: {read:?}") };
            assert_eq!(error.code(), "ERR_TRUNCATED", "{len} bytes: {error}");
        }
    }
}

#[test]
fn degrees_and_domains_that_cannot_be_are_refused() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let file = edited(|_| ());
    let read = |degree_max, lagrange_log2| {
        Srs::from_ptau(&file, &SrsOptions { lagrange_log2, ..options(&pool, degree_max) })
            .map(|srs| srs.degree_max())
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(14, None), Ok(14));
    let said = read(15, None).expect_err("one power too many");
    assert!(said.contains("at least 16 powers of tau, got 15"), "{said}");
    assert!(read(usize::MAX, None).is_err_and(|said| said.contains("got 15")));
    assert!(read(0, None).is_err_and(|said| said.contains("2 powers of tau")));
    assert!(read(14, Some(4)).is_err_and(|said| said.contains("expected 8 elements, got 16")));
    for log2 in [29, 64, u32::MAX] {
        assert!(read(14, Some(log2)).is_err_and(|said| said.contains("at most 2^28")), "{log2}");
    }
}

/// Gives the file another length at one of the reports of progress.
struct Resize<'a> {
    path: &'a Path,
    new_len: u64,
    reports_left: AtomicU64,
}

impl Observer for Resize<'_> {
    fn progress(&self, phase: &'static str, _: u64, _: u64) {
        if phase == "load" && self.reports_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            let file = File::options().write(true).open(self.path).expect("the file");
            file.set_len(self.new_len).expect("another length");
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let good = edited(|_| ());
    let dir = TempDir::new();
    for reports in 0..4 {
        for new_len in [0, 200, good.len() - 1, good.len() + 1] {
            let path = dir.write("x.ptau", &good);
            let (new_len, reports_left) = (new_len as u64, AtomicU64::new(reports));
            let observer = Resize { path: &path, new_len, reports_left };
            let options = options(&pool, DEGREE_MAX);
            let options = SrsOptions { lagrange_log2: Some(3), observer: &observer, ..options };

            let error = Srs::read_ptau(&path, &options).err();

            let expected = FileError::FileChanged { file: "x.ptau".to_owned() };
            assert_eq!(error, Some(expected.into()), "{new_len} bytes after {reports} reports");
        }
    }
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let dir = TempDir::new();
    for path in [dir.path(), Path::new("/dev/zero"), &dir.path().join("none")] {
        let read = Srs::read_ptau(path, &options(&pool, DEGREE_MAX));
        assert!(matches!(&read, Err(Error::File(error)) if error.code() == "ERR_IO"), "{read:?}");
    }
}
