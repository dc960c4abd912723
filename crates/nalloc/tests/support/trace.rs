//! Reads a trace as docs/FORMATS.md, section 13, says what it looks like: what the recorder's tests
//! believe. It is strict, and knows nothing of the code that writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const MAGIC: &[u8] = b"nltrace\n";
const KINDS: [&str; 14] = [
    "", "alloc", "zeroed", "free", "realloc", "grown", "refused", "begin", "end", "sample", "name",
    "thread", "dropped", "exit",
];
const PAGE_BYTES: u64 = 4096;

/// What a trace says of its process.
#[derive(Clone, Debug, Default)]
pub struct Header {
    pub unix_ns: u64,
    pub start_ns: u64,
    pub process: u32,
    pub forked_from: u32,
    pub page_bytes: u32,
    pub sample_us: u32,
    pub cache_limit_bytes: u64,
    pub memory_limit_bytes: u64,
    pub program: String,
    pub recorder: String,
    pub version: String,
}

impl Header {
    /// The header as the JSON beside the example of the format has it.
    pub fn json(&self) -> String {
        let Self { unix_ns, start_ns, process, forked_from, page_bytes, sample_us, .. } = self;
        let Self { cache_limit_bytes, memory_limit_bytes, program, recorder, version, .. } = self;
        format!(
            "\"startUnixNs\": \"{unix_ns}\", \"startMonotonicNs\": \"{start_ns}\", \
             \"pid\": {process}, \"forkedFromPid\": {forked_from}, \"pageBytes\": {page_bytes}, \
             \"sampleUs\": {sample_us}, \"cacheLimitBytes\": {cache_limit_bytes}, \
             \"memoryLimitBytes\": {memory_limit_bytes}, \"program\": \"{program}\", \
             \"recorder\": \"{recorder}\", \"recorderVersion\": \"{version}\""
        )
    }
}

/// One record. What its kind does not have is 0, empty or false.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub kind: &'static str,
    pub us: u64,
    pub thread: u64,
    pub page: i64,
    pub to_page: i64,
    pub bytes: u64,
    pub align_log2: u64,
    pub is_warm: bool,
    pub is_moved: bool,
    /// Of a phase, or a thread's in the kernel, or of records that are missing.
    pub number: u64,
    pub name: String,
    /// Live, high, cached, resident in bytes; minor and major faults.
    pub sample: [u64; 6],
}

/// A whole trace, or what there is of it.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub header: Header,
    /// The chunks, each with its sequence number, base time and thread.
    pub chunks: Vec<(u32, u64, u32, Vec<Record>)>,
    /// Bytes at the end that are no whole chunk.
    pub cut_bytes: usize,
}

impl Trace {
    /// All records, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.chunks.iter().flat_map(|(.., records)| records)
    }

    /// How many records there are of a kind.
    pub fn count(&self, kind: &str) -> usize {
        self.records().filter(|record| record.kind == kind).count()
    }

    /// Whether the process ended by itself.
    pub fn has_end(&self) -> bool {
        self.count("exit") > 0
    }

    /// The bytes of every block that is live at the end, by its page. Nothing may be missing.
    pub fn live(&self) -> BTreeMap<i64, u64> {
        let mut live = BTreeMap::new();
        for record in self.records() {
            let Record { kind, page, to_page, bytes, .. } = *record;
            match kind {
                "alloc" | "zeroed" | "grown" => {
                    assert_eq!(live.insert(page, bytes), None, "a page that is free: {record:?}");
                }
                "free" => assert!(live.remove(&page).is_some(), "a live block: {record:?}"),
                "realloc" => {
                    assert!(live.remove(&page).is_some(), "a live block: {record:?}");
                    assert_eq!(live.insert(to_page, bytes), None, "a free page: {record:?}");
                }
                _ => {}
            }
        }
        live
    }
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(count).expect("as many bytes as were promised");
        self.0 = rest;
        taken
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take(2).try_into().expect("two bytes"))
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for place in 0..8 {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                assert!(value < 1 << 53, "a number that JavaScript has: {value}");
                return value;
            }
        }
        panic!("expected a number of at most 8 bytes")
    }

    fn zigzag(&mut self) -> i64 {
        let value = i64::try_from(self.varint()).expect("a page");
        if value % 2 == 0 { value / 2 } else { -(value / 2) - 1 }
    }

    fn text(&mut self, length: usize) -> String {
        String::from_utf8(self.take(length).to_vec()).expect("text in UTF-8")
    }
}

/// Reads a trace. Panics where it is not what the format says; what is cut off at the end is no
/// fault.
pub fn decode(file: &[u8]) -> Trace {
    let mut bytes = Bytes(file);
    assert_eq!(bytes.take(8), MAGIC);
    assert_eq!(bytes.u32(), 1, "version");
    let header_bytes = usize::try_from(bytes.u32()).expect("a length");
    assert_eq!(header_bytes % 8, 0);
    let mut header = Header {
        unix_ns: bytes.u64(),
        start_ns: bytes.u64(),
        process: bytes.u32(),
        forked_from: bytes.u32(),
        page_bytes: bytes.u32(),
        sample_us: bytes.u32(),
        cache_limit_bytes: bytes.u64(),
        memory_limit_bytes: bytes.u64(),
        ..Header::default()
    };
    let lengths = [bytes.u16(), bytes.u16(), bytes.u16()].map(usize::from);
    assert_eq!(bytes.u16(), 0);
    header.program = bytes.text(lengths[0]);
    header.recorder = bytes.text(lengths[1]);
    header.version = bytes.text(lengths[2]);
    let read = file.len() - bytes.0.len();
    assert!(bytes.take(header_bytes - read).iter().all(|&byte| byte == 0));

    let mut trace = Trace { header, ..Trace::default() };
    let (mut now, mut threads, mut phases) = (0, BTreeSet::new(), BTreeSet::new());
    while let Some(chunk) = chunk(&mut bytes) {
        assert_eq!(usize::try_from(chunk.0), Ok(trace.chunks.len()), "sequence");
        for record in &chunk.3 {
            assert!(record.us >= now, "time goes back at {record:?}");
            now = record.us;
            match record.kind {
                "thread" => assert!(threads.insert(record.thread), "introduced twice: {record:?}"),
                "name" => assert!(phases.insert(record.number), "named twice: {record:?}"),
                "begin" | "end" => assert!(phases.contains(&record.number), "{record:?}"),
                _ => {}
            }
            assert!(threads.contains(&record.thread), "not introduced: {record:?}");
        }
        trace.chunks.push(chunk);
    }
    trace.cut_bytes = bytes.0.len();
    trace
}

/// The next chunk; None when there is no whole one.
fn chunk(bytes: &mut Bytes<'_>) -> Option<(u32, u64, u32, Vec<Record>)> {
    let mut head = Bytes(bytes.0.get(..32)?);
    assert_eq!(head.take(4), b"chnk");
    let payload = usize::try_from(head.u32()).expect("a length");
    assert!(payload <= 65_536);
    let (sequence, thread, base, count, zero) =
        (head.u32(), head.u32(), head.u64(), head.u32(), head.u32());
    assert_eq!(zero, 0);
    let mut payload = Bytes(bytes.0.get(32..32 + payload)?);
    let used = 32 + payload.0.len();
    let (mut page, mut align) = (0, 4);
    let mut last = Record { us: base, thread: u64::from(thread), ..Record::default() };
    let mut records = Vec::new();
    while !payload.0.is_empty() {
        last = record(&mut payload, &last, &mut page, &mut align);
        records.push(last.clone());
    }
    assert_eq!(records.len(), usize::try_from(count).expect("a count"));
    bytes.take(used);
    Some((sequence, base, thread, records))
}

fn record(bytes: &mut Bytes<'_>, last: &Record, page: &mut i64, align: &mut u64) -> Record {
    let tag = bytes.take(1)[0];
    let kind = *KINDS.get(usize::from(tag & 15)).expect("a known kind");
    assert_ne!(kind, "", "a known kind");
    let (is_warm, is_moved) = (tag & 0x20 != 0, tag & 0x80 != 0);
    let is_block = matches!(kind, "alloc" | "zeroed" | "grown" | "realloc");
    assert!(is_block || !is_warm && !is_moved, "flags of {kind}");
    assert!(is_block || kind == "refused" || tag & 0x40 == 0, "alignment of {kind}");
    let us = last.us + bytes.varint();
    let thread = if tag & 0x10 == 0 { last.thread } else { bytes.varint() };
    if tag & 0x40 != 0 {
        *align = bytes.varint();
    }
    let mut read = Record { kind, us, thread, is_warm, is_moved, ..Record::default() };
    let mut next_page = |bytes: &mut Bytes<'_>| {
        *page += bytes.zigzag();
        *page
    };
    match kind {
        "alloc" | "zeroed" | "grown" | "realloc" => {
            read.page = next_page(bytes);
            read.bytes = bytes.varint();
            read.align_log2 = *align;
            let is_elsewhere = kind == "realloc" && is_moved;
            read.to_page = if is_elsewhere { next_page(bytes) } else { read.page };
        }
        "free" => read.page = next_page(bytes),
        "refused" => (read.bytes, read.align_log2) = (bytes.varint(), *align),
        "begin" | "end" | "dropped" => read.number = bytes.varint(),
        "sample" => {
            for (place, value) in read.sample.iter_mut().enumerate() {
                *value = bytes.varint() * if place < 4 { PAGE_BYTES } else { 1 };
            }
        }
        "name" | "thread" => {
            read.number = bytes.varint();
            let length = usize::try_from(bytes.varint()).expect("a length");
            read.name = bytes.text(length);
        }
        _ => {}
    }
    read
}

impl Record {
    /// The record as the JSON beside the example of the format has it.
    pub fn json(&self) -> String {
        let Self { kind, us, thread, page, bytes, align_log2, is_warm, number, .. } = self;
        let mut text = format!("{{\"kind\": \"{kind}\", \"timeUs\": {us}, \"thread\": {thread}");
        let shape = format!("\"bytes\": {bytes}, \"alignLog2\": {align_log2}");
        let written = match *kind {
            "alloc" | "zeroed" | "grown" => write!(
                text,
                ", \"block\": {page}, {shape}, \"warm\": {is_warm}, \"ownMapping\": {}",
                self.is_moved
            ),
            "realloc" => write!(
                text,
                ", \"block\": {page}, {shape}, \"newBlock\": {}, \"warm\": {is_warm}",
                self.to_page
            ),
            "free" => write!(text, ", \"block\": {page}"),
            "refused" => write!(text, ", {shape}"),
            "begin" | "end" => write!(text, ", \"phase\": {number}"),
            "sample" => {
                let [live, high, cached, resident, minor, major] = self.sample;
                write!(
                    text,
                    ", \"liveBytes\": {live}, \"highBytes\": {high}, \"cachedBytes\": {cached}, \
                     \"residentBytes\": {resident}, \"minorFaults\": {minor}, \
                     \"majorFaults\": {major}"
                )
            }
            "name" => write!(text, ", \"phase\": {number}, \"name\": \"{}\"", self.name),
            "thread" => write!(text, ", \"tid\": {number}, \"name\": \"{}\"", self.name),
            "dropped" => write!(text, ", \"events\": {number}"),
            _ => Ok(()),
        };
        written.expect("a string takes everything");
        text + "}"
    }
}
