//! No core file holds a secret: of a process that aborts, and of one that a debugger dumps. Each
//! kind of memory has a needle of its own, and one in ordinary memory is the control.

#[path = "support/child.rs"]
mod child;
#[path = "support/needle.rs"]
mod needle;
#[path = "support/skip.rs"]
mod skip;

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{Read as _, Write as _, stdout};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nalloc::{Arena, SealedSecret, SecretBuf};
use skip::skip;

const FOLDER: &str = "NALLOC_TEST_FOLDER";

/// Address space of the process that is dumped.
const ADDRESSES: u64 = 1 << 30;
/// The needle in ordinary memory, and those in memory that is kept out of dumps.
const CONTROL: u64 = 0;
const HIDDEN: [(u64, &str); 6] = [
    (1, "a small secret"),
    (2, "a long secret"),
    (3, "a small sealed secret"),
    (4, "a long sealed secret"),
    (5, "a secret arena"),
    (6, "a scope of a secret arena"),
];

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("nalloc-{name}-{}", std::process::id()));
        fs::create_dir(&path).expect("a temporary folder");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed shows nothing about secrets.
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

fn secret(len: usize, number: u64) -> SecretBuf {
    let mut secret = SecretBuf::new(len).expect("memory");
    needle::write(secret.as_mut_slice(), number);
    assert!(secret.status().is_hidden_from_dumps);
    secret
}

fn sealed(len: usize, number: u64) -> SealedSecret {
    let sealed = secret(len, number).seal();
    assert!(sealed.is_protected());
    sealed
}

/// Runs `body` while every needle lies where it belongs.
fn with_needles(body: impl FnOnce()) {
    // A debugger dumps reserved addresses too, so that there should be few of them.
    let limit = libc::rlimit { rlim_cur: ADDRESSES, rlim_max: ADDRESSES };
    // SAFETY: `limit` is a readable rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    let mut control = vec![0_u8; 4096];
    needle::write(&mut control, CONTROL);
    let kept = (secret(100, 1), secret(100_000, 2), sealed(100, 3), sealed(100_000, 4));
    let mut arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    needle::write(arena.alloc_array::<u8>(1000), 5);
    arena.scope(|scope| {
        let room = scope.alloc_array::<u8>(1000);
        needle::write(room, 6);
        // A body that never comes back would let the compiler leave the writes out.
        black_box((&kept, &mut *room, &mut control));
        body();
        // Every needle is used after the body, so that all of them are there during it.
        assert!(room.iter().chain(&control).any(|&byte| byte != 0));
    });
    drop((kept, control));
}

/// The core file of a test, unless none was written there.
fn core_in(folder: &Path) -> Option<Vec<u8>> {
    let files = fs::read_dir(folder).expect("the folder");
    let file = files.flatten().find(|file| file.file_name().to_string_lossy().contains("core"))?;
    Some(fs::read(file.path()).expect("the core file"))
}

fn assert_holds_the_control_alone(core: &[u8]) {
    assert!(needle::is_in(core, CONTROL), "the control is not in {} bytes", core.len());
    for (number, what) in HIDDEN {
        assert!(!needle::is_in(core, number), "{what} is in the core file");
    }
}

#[test]
fn the_core_file_of_an_abort_holds_no_secret() {
    const NAME: &str = "the_core_file_of_an_abort_holds_no_secret";
    if child::is_child(NAME) {
        env::set_current_dir(env::var(FOLDER).expect("a folder")).expect("the folder");
        let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: `limit` is a readable rlimit. A refusal leaves no core file, which the test says.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
        with_needles(|| std::process::abort());
        unreachable!("the process has aborted");
    }
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("the pattern");
    if pattern.starts_with(['|', '/', '@']) {
        return skip(&format!("core files go elsewhere: core_pattern is {}", pattern.trim()));
    }
    let folder = Folder::new("dump");

    let output = child::run(NAME, &[(FOLDER, folder.path().to_str().expect("a path of text"))]);

    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{said}");
    match core_in(folder.path()) {
        Some(core) => assert_holds_the_control_alone(&core),
        None => skip("the kernel wrote no core file: RLIMIT_CORE cannot be raised"),
    }
}

#[test]
fn the_dump_of_a_debugger_holds_no_secret() {
    const NAME: &str = "the_dump_of_a_debugger_holds_no_secret";
    if child::is_child(NAME) {
        with_needles(|| {
            stdout().write_all(b"\nready\n").expect("standard output");
            // Until the test closes its end.
            let _end = std::io::stdin().read(&mut [0]).expect("standard input");
        });
        return;
    }
    if Command::new("gcore").stderr(Stdio::null()).stdout(Stdio::null()).status().is_err() {
        return skip("there is no gcore(1), which comes with gdb");
    }
    let folder = Folder::new("gcore");
    let program = env::current_exe().expect("the path of this test");
    let mut child = child::command(&program, NAME, &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child process");
    let mut said = String::new();
    let mut output = child.stdout.take().expect("a pipe");
    while !said.contains("ready") {
        let mut part = [0; 100];
        let length = output.read(&mut part).expect("what the child says");
        assert_ne!(length, 0, "{said}");
        said += &String::from_utf8_lossy(&part[..length]);
    }

    let gcore = Command::new("gcore")
        .arg("-o")
        .arg(folder.path().join("core"))
        .arg(child.id().to_string())
        .output()
        .expect("gcore");
    drop(child.stdin.take());
    drop(output);
    child.wait().expect("the child's end");

    match core_in(folder.path()) {
        Some(core) => assert_holds_the_control_alone(&core),
        None => skip(&format!("gcore failed: {}", String::from_utf8_lossy(&gcore.stderr).trim())),
    }
}
