//! Paths that are not what they should be, and files that change while they are read.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use nalloc_bn254::Observer;
use nalloc_groth16::{FileError, ProvingKey, ReadOptions, Witness};
use testkit::TempDir;
use testkit::cases::by_name;
use testkit::files::Fixture;

use crate::support::{base, reading};

fn codes(path: &Path) -> [&'static str; 2] {
    let name = path.to_string_lossy();
    let key = ProvingKey::read(path, &reading(&name)).err().expect("an error");
    let witness = Witness::read(path).expect_err("an error");
    for error in [&key, &witness] {
        assert!(error.to_string().starts_with(&*name), "{error}");
    }
    [key.code(), witness.code()]
}

#[test]
fn whatever_is_not_a_regular_file_is_an_error_at_once() {
    let dir = TempDir::new();
    let fifo = dir.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());

    for path in [&dir.path().join("missing"), dir.path(), &fifo] {
        assert_eq!(codes(path), ["ERR_IO"; 2], "{}", path.display());
    }
    for path in ["/dev/null", "/dev/zero", "/dev/tty", "", "/dev/null/x", "a\0b"] {
        assert_eq!(codes(Path::new(path)), ["ERR_IO"; 2], "{path}");
    }
}

#[test]
fn files_are_read_from_paths_that_are_not_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = TempDir::new();
    let odd = |suffix: &str| {
        let name = [b"\xff\xfe key".as_slice(), suffix.as_bytes()].concat();
        dir.path().join(std::ffi::OsStr::from_bytes(&name))
    };
    let (zkey, wtns): (PathBuf, PathBuf) = (odd(".zkey"), odd(".wtns"));
    std::fs::write(&zkey, &base().zkey).expect("a file");
    std::fs::write(&wtns, &base().wtns).expect("a file");

    assert!(ProvingKey::read(&zkey, &reading("x")).is_ok());
    assert!(Witness::read(&wtns).is_ok());
}

/// Changes the length of a file at one of the reports of progress.
struct Resize<'a> {
    path: &'a Path,
    new_len: u64,
    reports_left: AtomicU64,
}

impl Observer for Resize<'_> {
    fn progress(&self, _: &'static str, _: u64, _: u64) {
        if self.reports_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            let file = File::options().write(true).open(self.path).expect("the key");
            file.set_len(self.new_len).expect("another length");
        }
    }
}

#[test]
fn a_key_that_is_cut_off_or_grows_while_it_is_read_is_an_error() {
    let fixture = Fixture::new(&by_name("bits"));
    let len = fixture.zkey.len() as u64;
    let dir = TempDir::new();
    for reports in 0..8 {
        for new_len in [0, len / 2, len - 1, len + 1] {
            let path = dir.write("key.zkey", &fixture.zkey);
            let reports_left = AtomicU64::new(reports);
            let observer = Resize { path: &path, new_len, reports_left };
            let options = ReadOptions { observer: &observer, ..reading("key.zkey") };

            let error = ProvingKey::read(&path, &options).err();

            let expected = Some(FileError::FileChanged { file: "key.zkey".to_owned() }.into());
            assert_eq!(error, expected, "{new_len} bytes after {reports} reports");
        }
    }
}

#[test]
fn a_key_stays_good_when_its_file_is_gone() {
    let dir = TempDir::new();
    let zkey = dir.write("key.zkey", &base().zkey);
    let key = ProvingKey::read(&zkey, &reading("x")).expect("a good key");
    drop(dir);

    let witness = Witness::from_bytes(&base().wtns, "x").expect("a good witness");
    let options = nalloc_groth16::ProveOptions::new(crate::support::pool());
    assert!(key.prove(&witness, &options).is_ok());
}

#[test]
fn a_mapped_key_is_the_key_that_is_read() {
    let dir = TempDir::new();
    let (whole, empty) = (dir.path().join("whole.zkey"), dir.path().join("empty.zkey"));
    std::fs::write(&whole, &base().zkey).expect("a file");
    std::fs::write(&empty, b"").expect("a file");
    let map = |path: &Path| {
        let file = File::open(path).expect("a file");
        // SAFETY: this test made the file in a folder of its own, and nobody else writes to it.
        unsafe { ProvingKey::map(&file, &reading("mapped.zkey")) }
    };

    let mapped = map(&whole).expect("a good key");

    let read = ProvingKey::read(&whole, &reading("read.zkey")).expect("a good key");
    assert_eq!(mapped.info(), read.info());
    assert_eq!(mapped.verifying_key().to_json(), read.verifying_key().to_json());
    assert_eq!(map(&empty).err().map(|error| error.code()), Some("ERR_TRUNCATED"));
}
