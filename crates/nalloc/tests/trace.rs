//! What a process leaves in the file that `NALLOC_TRACE` names, in real processes.

#[path = "support/child.rs"]
mod child;
#[path = "support/trace.rs"]
#[expect(dead_code, reason = "the tests of the recorder ask for more")]
mod decoder;
#[path = "support/skip.rs"]
mod skip;

use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, process, thread};

use decoder::{Trace, decode};
use nalloc::NAlloc;
use skip::skip;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const MIB: usize = 1 << 20;

/// A folder that ends with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("nalloc-trace-{test}-{}", process::id()));
        fs::create_dir(&path).expect("a folder that was not there");
        Self(path)
    }

    fn variable(&self) -> String {
        self.0.join("t").to_str().expect("a path in UTF-8").to_owned()
    }

    /// Every trace in it, by its file's name.
    fn traces(&self) -> Vec<(String, Trace)> {
        let entries = fs::read_dir(&self.0).expect("the folder");
        let mut files: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        files.iter().map(|file| (name(file), decode(&fs::read(file).expect("a trace")))).collect()
    }

    /// The only trace in it.
    fn trace(&self) -> Trace {
        let mut traces = self.traces();
        let names: Vec<_> = traces.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        traces.remove(0).1
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the folder is ours");
    }
}

fn work() {
    let mut block = black_box(vec![1u8; MIB]);
    block.reserve(4 * MIB);
    drop(black_box(block));
    drop(black_box(vec![0u8; 3 * MIB]));
}

/// Runs `test` again as a child that records; what it says on standard error of the allocator.
fn record(test: &str, folder: &Folder) -> String {
    let output = child::run(test, &[("NALLOC_TRACE", &folder.variable())]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    text.lines().filter(|line| line.starts_with("nalloc")).collect()
}

#[test]
fn a_process_leaves_every_block_and_its_end() {
    const NAME: &str = "a_process_leaves_every_block_and_its_end";
    if child::is_child(NAME) {
        let _phase = nalloc::phase("work");
        return work();
    }
    let folder = Folder::new("whole");

    assert_eq!(record(NAME, &folder), "");

    let trace = folder.trace();
    assert!(trace.has_end() && trace.cut_bytes == 0);
    assert_eq!((trace.header.page_bytes >= 4096, trace.header.forked_from), (true, 0));
    assert!(trace.header.program.starts_with("trace-"), "{:?}", trace.header);
    assert_eq!(trace.header.recorder, trace.header.program);
    assert_eq!(trace.header.version, env!("CARGO_PKG_VERSION"));
    let of = |kind: &str, bytes: usize| {
        let bytes = u64::try_from(bytes).expect("64 bits");
        trace.records().filter(|record| record.kind == kind && record.bytes == bytes).count()
    };
    assert_eq!((of("alloc", MIB), of("zeroed", 3 * MIB)), (1, 1));
    assert_eq!(of("realloc", 5 * MIB), 1);
    let main = u64::from(trace.header.process);
    assert!(trace.records().any(|record| record.kind == "thread" && record.number == main));
    let phase = trace.records().find(|record| record.kind == "name").expect("a phase");
    assert_eq!((phase.name.as_str(), trace.count("begin"), trace.count("end")), ("work", 1, 1));
    let last = trace.records().filter(|record| record.kind == "sample").last().expect("a sample");
    let [_, high, _, resident, minor, _] = last.sample;
    assert!(resident > 0 && minor > 0 && high > 0, "{last:?}");
}

#[test]
fn threads_are_told_apart_by_number_and_name() {
    const NAME: &str = "threads_are_told_apart_by_number_and_name";
    const THREADS: usize = 8;
    const ROUNDS: usize = 500;
    if child::is_child(NAME) {
        return thread::scope(|scope| {
            for k in 0..THREADS {
                let named = thread::Builder::new().name(format!("worker {k}"));
                let body = || (0..ROUNDS).for_each(|_| drop(black_box(vec![1u8; 100_000])));
                named.spawn_scoped(scope, body).expect("a thread");
            }
        });
    }
    let folder = Folder::new("threads");

    assert_eq!(record(NAME, &folder), "");

    let trace = folder.trace();
    let dropped: u64 =
        trace.records().filter(|record| record.kind == "dropped").map(|record| record.number).sum();
    for k in 0..THREADS {
        let is_it = |record: &&decoder::Record| {
            record.kind == "thread" && record.name == format!("worker {k}")
        };
        let thread = trace.records().find(is_it).expect("the thread").thread;
        let own = trace.records().filter(|record| record.thread == thread);
        let births = own.filter(|record| record.kind == "alloc").count();
        assert!(births <= ROUNDS && births + usize::try_from(dropped).expect("64 bits") >= ROUNDS);
    }
    if dropped == 0 {
        assert!(trace.live().is_empty(), "every block ended");
    }
}

#[test]
fn a_child_made_by_fork_has_a_file_of_its_own() {
    const NAME: &str = "a_child_made_by_fork_has_a_file_of_its_own";
    if child::is_child(NAME) {
        work();
        // SAFETY: the child allocates, which is what is tested, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            work();
            // SAFETY: exit handlers of the child are the parent's, which the C library has.
            unsafe { libc::exit(0) };
        }
        let mut status = 0;
        // SAFETY: `status` is writable, and the child was not waited for.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
        assert_eq!(status, 0);
        return work();
    }
    let folder = Folder::new("fork");

    assert_eq!(record(NAME, &folder), "");

    let traces = folder.traces();
    assert_eq!(traces.len(), 2);
    let forked: Vec<&Trace> = traces
        .iter()
        .map(|(_, trace)| trace)
        .filter(|trace| trace.header.forked_from > 0)
        .collect();
    let mut parents = traces.iter().map(|(_, trace)| trace).filter(|it| it.header.forked_from == 0);
    let parent = parents.next().expect("the parent's");
    assert_eq!(forked.len(), 1);
    assert_eq!(forked[0].header.forked_from, parent.header.process);
    assert_eq!((forked[0].count("zeroed"), parent.count("zeroed")), (1, 2));
    assert!(forked[0].has_end() && parent.has_end());
    for (name, trace) in &traces {
        assert_eq!(*name, format!("t.{}", trace.header.process));
    }
}

#[test]
fn a_program_that_takes_the_place_of_another_has_a_file_of_its_own() {
    const NAME: &str = "a_program_that_takes_the_place_of_another_has_a_file_of_its_own";
    const SECOND: &str = "NALLOC_TEST_SECOND";
    if child::is_child(NAME) {
        work();
        if env::var(SECOND).is_err() {
            let program = env::current_exe().expect("this test");
            let error = child::command(&program, NAME, &[(SECOND, "1")]).exec();
            panic!("{error}");
        }
        return;
    }
    let folder = Folder::new("exec");

    assert_eq!(record(NAME, &folder), "");

    let traces = folder.traces();
    let names: Vec<&str> = traces.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(traces.len(), 2, "{names:?}");
    let (first, second) = (&traces[0].1, &traces[1].1);
    assert_eq!(first.header.process, second.header.process);
    assert_eq!(format!("{}.2", names[0]), names[1]);
    assert!(!first.has_end() && second.has_end());
    assert!(first.count("alloc") > 0, "what was written before");
}

#[test]
fn a_process_that_is_killed_leaves_what_is_a_second_old() {
    const NAME: &str = "a_process_that_is_killed_leaves_what_is_a_second_old";
    if child::is_child(NAME) {
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 1200 {
            work();
        }
        // SAFETY: a signal to this process.
        unsafe { libc::raise(libc::SIGKILL) };
    }
    let folder = Folder::new("killed");

    let output = child::run(NAME, &[("NALLOC_TRACE", &folder.variable())]);

    assert!(!output.status.success());
    let trace = folder.trace();
    assert!(trace.count("alloc") > 1 && !trace.has_end());
}

#[test]
fn a_trace_that_is_cut_off_anywhere_keeps_the_chunks_before() {
    const NAME: &str = "a_trace_that_is_cut_off_anywhere_keeps_the_chunks_before";
    if child::is_child(NAME) {
        return (0..20_000).for_each(|_| drop(black_box(vec![1u8; 65_536])));
    }
    let folder = Folder::new("cut");
    assert_eq!(record(NAME, &folder), "");
    let (name, whole) = folder.traces().remove(0);
    let bytes = fs::read(folder.0.join(name)).expect("the trace");
    assert!(whole.chunks.len() >= 3, "{} chunks", whole.chunks.len());

    let (mut before, mut seen) = (0, 0);
    for end in (200..bytes.len()).step_by(997) {
        let cut = decode(&bytes[..end]);
        assert!(cut.chunks.len() >= before && cut.chunks.len() < whole.chunks.len());
        (before, seen) = (cut.chunks.len(), seen + 1);
    }
    assert!(seen > 10 && before + 1 == whole.chunks.len());
}

/// Limits the files that this process writes.
fn limit_files(bytes: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` is readable.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[test]
fn a_file_that_may_not_grow_ends_the_trace_and_not_the_program() {
    const NAME: &str = "a_file_that_may_not_grow_ends_the_trace_and_not_the_program";
    if child::is_child(NAME) {
        // The signal for a file that is too long ends a process that does nothing about it.
        limit_files(100_000).expect("the limit");
        (0..50_000).for_each(|_| drop(black_box(vec![1u8; 65_536])));
        return println!("it went on");
    }
    let folder = Folder::new("full");

    let output = child::run(NAME, &[("NALLOC_TRACE", &folder.variable())]);

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("it went on"));
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("nalloc")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("files may not become longer (errno 27); the trace ends here"));
    let trace = folder.trace();
    assert!(!trace.has_end() && trace.count("alloc") > 0);
}

#[test]
fn a_folder_that_is_not_there_is_told_and_the_program_goes_on() {
    const NAME: &str = "a_folder_that_is_not_there_is_told_and_the_program_goes_on";
    if child::is_child(NAME) {
        return work();
    }

    let output = child::run(NAME, &[("NALLOC_TRACE", "/nowhere/t")]);

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("NALLOC_TRACE: /nowhere/t.").count(), 1, "{said}");
    assert!(said.contains("there is no such folder"), "{said}");
}

#[test]
fn a_relative_path_is_that_of_the_folder_at_the_start() {
    const NAME: &str = "a_relative_path_is_that_of_the_folder_at_the_start";
    if child::is_child(NAME) {
        work();
        env::set_current_dir("/").expect("the root");
        return work();
    }
    let folder = Folder::new("relative");
    let program = env::current_exe().expect("this test");

    let mut command = child::command(&program, NAME, &[("NALLOC_TRACE", "of %p")]);
    let output = command.current_dir(&folder.0).output().expect("a child process");

    assert!(output.status.success());
    assert_eq!(folder.trace().count("zeroed"), 2);
}

/// Runs a program that was just written: a child of another test that has not begun yet may still
/// hold it open.
fn status(command: &mut Command) -> io::Result<bool> {
    loop {
        match command.status() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => thread::yield_now(),
            result => return result.map(|status| status.success()),
        }
    }
}

#[test]
fn a_process_with_more_rights_than_its_user_leaves_no_trace() {
    const NAME: &str = "a_process_with_more_rights_than_its_user_leaves_no_trace";
    const NOBODY: u32 = 65_534;
    if child::is_child(NAME) {
        // SAFETY: getauxval has no preconditions.
        let is_secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
        work();
        // SAFETY: exit has no preconditions.
        unsafe { libc::exit(if is_secure { 0 } else { 3 }) };
    }
    let folder = Folder::new("setuid");
    let everybody = fs::Permissions::from_mode(0o777);
    fs::set_permissions(&folder.0, everybody).expect("the folder is ours");
    let program = env::temp_dir().join(format!("nalloc-traced-{}", process::id()));
    fs::copy(env::current_exe().expect("this test"), &program).expect("a copy");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).expect("the file is ours");

    let mut command = child::command(&program, NAME, &[("NALLOC_TRACE", &folder.variable())]);
    let plain = status(&mut command);
    let before = folder.traces().len();
    let raised = status(command.uid(NOBODY));

    fs::remove_file(&program).expect("the file is ours");
    assert_eq!((plain.expect("it runs"), before), (false, 1));
    match raised {
        Ok(true) => assert_eq!(folder.traces().len(), 1),
        _ => skip("no program can be run with more rights than its user's here"),
    }
}
