//! A recorded trace: which blocks of 64 KiB and more a prover took, on which thread, in order.
//!
//! The format is that of benches/traces/README.md.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// What happened to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was born.
    Alloc,
    /// It was born as zeroes.
    AllocZeroed,
    /// It has another length.
    Resize,
    /// It ended.
    Free,
    /// A proof begins.
    Begin,
    /// A proof ends.
    End,
}

/// A line of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub what: What,
    /// On which thread; 0 is the main one.
    pub thread: u32,
    /// Which block.
    pub block: u32,
    /// How long it is from now on.
    pub bytes: usize,
    /// At a multiple of which power of two it lies.
    pub log2_align: u32,
}

/// A trace, and what it needs at least.
#[derive(Debug)]
pub struct Trace {
    /// In order of time.
    pub events: Vec<Event>,
    /// How many threads take part.
    pub threads: usize,
    /// How many blocks there are.
    pub blocks: usize,
    /// The most bytes that are live at once.
    pub peak_live_bytes: u64,
}

/// The names of the traces in a folder, in order.
///
/// # Errors
/// When there is no folder benches/traces here or above.
pub fn names() -> Result<Vec<String>, String> {
    let folder = folder()?;
    let entries = folder.read_dir().map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            Some(name.to_str()?.strip_suffix(".csv.gz")?.to_owned())
        })
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Reads a trace of benches/traces by its name.
///
/// # Errors
/// The file and what was wrong with it.
pub fn read(name: &str) -> Result<Trace, String> {
    if !names()?.iter().any(|known| known == name) {
        return Err(format!("no trace {name:?}"));
    }
    let path = folder()?.join(format!("{name}.csv.gz"));
    read_file(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn folder() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let mut folders = here.ancestors().map(|folder| folder.join("benches/traces"));
    let missing = || "expected a folder benches/traces here or above".to_owned();
    folders.find(|folder| folder.is_dir()).ok_or_else(missing)
}

fn read_file(path: &Path) -> Result<Trace, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut events = Vec::new();
    for (at, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if line.starts_with('#') {
            continue;
        }
        let event = parse(&line)
            .ok_or_else(|| format!("line {}: expected an event, got {line:?}", at + 1))?;
        events.push(event);
    }
    Trace::of(events)
}

/// A line `t_us,tid,op,id,size,log2align`; a mark may end after its number.
fn parse(line: &str) -> Option<Event> {
    let mut cells = line.split(',').skip(1);
    let thread = cells.next()?.parse().ok()?;
    let operation = cells.next()?;
    let block: u32 = cells.next()?.parse().ok()?;
    let bytes = cells.next().map_or(Some(0), |cell| cell.parse().ok())?;
    let log2_align = cells.next().map_or(Some(0), |cell| cell.parse().ok())?;
    let what = match operation {
        // A block that grew from one that was too small to be traced.
        "a" | "g" => What::Alloc,
        "z" => What::AllocZeroed,
        "r" => What::Resize,
        "f" => What::Free,
        "m" if block.is_multiple_of(2) => What::Begin,
        "m" => What::End,
        _ => return None,
    };
    let is_block = !matches!(what, What::Begin | What::End);
    let block = if is_block { block } else { 0 };
    Some(Event { what, thread, block, bytes, log2_align })
}

impl Trace {
    /// Counts what events need.
    ///
    /// # Errors
    /// About the first event that cannot follow those before it.
    fn of(events: Vec<Event>) -> Result<Self, String> {
        let count = |figure: fn(&Event) -> u32| {
            events.iter().map(figure).max().map_or(0, |most| most as usize + 1)
        };
        let (threads, blocks) = (count(|event| event.thread), count(|event| event.block));
        let mut lengths = vec![0_u64; blocks];
        let (mut live, mut peak_live_bytes) = (0, 0);
        for (at, event) in events.iter().enumerate() {
            let length = &mut lengths[event.block as usize];
            let is_right = match event.what {
                What::Alloc | What::AllocZeroed => *length == 0 && event.bytes > 0,
                What::Resize => *length > 0 && event.bytes > 0,
                What::Free => *length > 0,
                What::Begin | What::End => continue,
            };
            if !is_right {
                return Err(format!("event {}: cannot happen to block {}", at + 1, event.block));
            }
            live -= *length;
            *length = if event.what == What::Free { 0 } else { event.bytes as u64 };
            live += *length;
            peak_live_bytes = peak_live_bytes.max(live);
        }
        Ok(Self { events, threads, blocks, peak_live_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(text: &str) -> Result<Trace, String> {
        Trace::of(text.lines().map(|line| parse(line).expect("an event")).collect())
    }

    #[test]
    fn every_trace_of_the_repository_is_read() {
        for (name, threads, peak_mib) in [
            ("groth16", 23, 66),
            ("halo2", 3, 75),
            ("p3-keccak", 3, 677),
            ("p3-poseidon2", 3, 692),
            ("plonky2", 3, 109),
            ("winter", 3, 586),
        ] {
            let trace = read(name).expect("a trace");
            assert_eq!((trace.threads, trace.peak_live_bytes >> 20), (threads, peak_mib), "{name}");
            let marks = trace.events.iter().filter(|event| event.what == What::Begin).count();
            assert_eq!(marks, 2, "{name}");
        }
    }

    #[test]
    fn what_is_live_at_once_is_counted_over_resizes() {
        let text = "0,0,m,0,0,0\n1,0,a,0,100000,3\n2,1,z,1,70000,3\n3,1,r,1,200000,3\n\
                    4,0,f,0,0,0\n5,0,g,0,80000,3\n6,0,m,1,0,0";
        let trace = trace(text).expect("a trace");

        assert_eq!((trace.threads, trace.blocks, trace.peak_live_bytes), (2, 2, 300_000));
        assert_eq!(trace.events[6].what, What::End);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(parse("0,0,x,0,1,3"), None);
        assert_eq!(parse("0,0,a,zero,1,3"), None);
        for text in ["0,0,f,0,0,0", "0,0,r,0,9,3", "0,0,a,0,9,3\n1,0,a,0,9,3"] {
            let error = trace(text).expect_err(text);
            assert!(error.contains("cannot happen to block 0"), "{error}");
        }
        assert_eq!(read("absent").map(|_| ()), Err("no trace \"absent\"".to_owned()));
    }
}
