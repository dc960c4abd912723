//! Records of a trace as bytes. docs/FORMATS.md, section 13, says what each byte means.
//!
//! A chunk is decoded from its own start, so a cursor begins anew with each. The caller sees to it
//! that there is room for one more record.

use core::ptr::NonNull;

use crate::os::Faults;
use crate::units::{page_number, wide, zigzag};

/// Bytes of a buffer: a chunk with its head.
pub(super) const BUFFER_BYTES: usize = 64 << 10;
/// The head of a chunk.
pub(super) const HEAD_BYTES: usize = 32;
/// Longest name of a phase that is written; what is beyond it is left out.
const NAME_BYTES_MAX: usize = 200;
/// No record is longer: a name, with tag, numbers and length.
pub(super) const RECORD_BYTES_MAX: usize = 256;
/// Quantities of memory in samples are counted in this unit.
const SAMPLE_UNIT_BYTES: u64 = 4096;
/// The alignment that a chunk begins with: 16.
const ALIGN_LOG2: u32 = 4;

const WITH_THREAD: u8 = 0x10;
const WARM: u8 = 0x20;
const WITH_ALIGN: u8 = 0x40;
const MOVED: u8 = 0x80;

/// Where the pages of a block came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::heap) enum Origin {
    /// All of them from the cache.
    Warm,
    /// At least one from the kernel.
    Fresh,
    /// From a mapping of its own.
    Mapped,
}

/// What a sample says of the heap and the process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::heap) struct Sample {
    pub(in crate::heap) live_bytes: u64,
    /// The most that was live since the sample before.
    pub(in crate::heap) high_bytes: u64,
    pub(in crate::heap) cached_bytes: u64,
    pub(in crate::heap) resident_bytes: u64,
    pub(in crate::heap) faults: Faults,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(in crate::heap) enum Record<'r> {
    /// A block was handed out.
    Born { start: NonNull<u8>, bytes: usize, align: usize, origin: Origin, is_zeroed: bool },
    /// A block is about to be taken back.
    Free { start: NonNull<u8> },
    /// A block has another length, and is perhaps elsewhere.
    Resized { start: NonNull<u8>, bytes: usize, align: usize, moved: Option<(NonNull<u8>, Origin)> },
    /// A block could not be had.
    Refused { bytes: usize, align: usize },
    /// A phase began.
    Begin { phase: usize, name: &'static str },
    /// A phase ended.
    End { phase: usize },
    /// How things are.
    Sample(Sample),
    /// The name of a phase.
    Name { phase: usize, name: &'r str },
    /// The number and the name that the kernel has for a thread.
    Thread { number: u32, name: &'r [u8] },
    /// So many records are missing.
    Dropped { records: u64 },
    /// The process ends.
    Exit,
}

impl Record<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::Born { is_zeroed: false, .. } => 1,
            Self::Born { is_zeroed: true, .. } => 2,
            Self::Free { .. } => 3,
            Self::Resized { .. } => 4,
            Self::Refused { .. } => 6,
            Self::Begin { .. } => 7,
            Self::End { .. } => 8,
            Self::Sample(_) => 9,
            Self::Name { .. } => 10,
            Self::Thread { .. } => 11,
            Self::Dropped { .. } => 12,
            Self::Exit => 13,
        }
    }

    fn align_log2(&self) -> Option<u32> {
        match self {
            Self::Born { align, .. }
            | Self::Resized { align, .. }
            | Self::Refused { align, .. } => Some(align.trailing_zeros()),
            _ => None,
        }
    }

    fn flags(&self) -> u8 {
        match self {
            Self::Born { origin: Origin::Warm, .. } => WARM,
            Self::Resized { moved: Some((_, Origin::Warm)), .. } => MOVED | WARM,
            Self::Born { origin: Origin::Mapped, .. } | Self::Resized { moved: Some(_), .. } => {
                MOVED
            }
            _ => 0,
        }
    }
}

/// When and by whom a record is made: microseconds since the trace began, and a thread's number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    pub(super) us: u64,
    pub(super) thread: u32,
}

/// Bytes that are filled from the front.
pub(super) struct Out<'b> {
    bytes: &'b mut [u8],
    pub(super) used: usize,
}

impl<'b> Out<'b> {
    pub(super) fn new(bytes: &'b mut [u8], used: usize) -> Self {
        Self { bytes, used }
    }

    /// Puts bytes behind the others; those that do not fit are left out.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.used..self.used + bytes.len()) {
            room.copy_from_slice(bytes);
            self.used += bytes.len();
        }
    }

    fn varint(&mut self, mut value: u64) {
        let mut digits = [0; 10];
        let mut count = 0;
        for digit in &mut digits {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            count += 1;
            *digit = if value == 0 { low & 0x7f } else { low | 0x80 };
            if value == 0 {
                break;
            }
        }
        self.put(&digits[..count]);
    }

    fn text(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(NAME_BYTES_MAX)];
        // A letter that is cut or was never one is left out with what follows.
        let valid = match str::from_utf8(text) {
            Ok(_) => text,
            Err(error) => &text[..error.valid_up_to()],
        };
        self.varint(wide(valid.len()));
        self.put(valid);
    }
}

/// How far a chunk is filled, and what its next record is told relative to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    pub(super) used: usize,
    begin: Moment,
    at: Moment,
    records: u32,
    page: i64,
    align_log2: u32,
}

impl Cursor {
    /// An empty chunk that begins at that moment.
    pub(super) const fn new(begin: Moment) -> Self {
        let (used, records, page, align_log2) = (HEAD_BYTES, 0, 0, ALIGN_LOG2);
        Self { used, begin, at: begin, records, page, align_log2 }
    }

    /// Whether any record fits.
    pub(super) fn has_room(&self) -> bool {
        self.used + RECORD_BYTES_MAX <= BUFFER_BYTES
    }

    /// Puts a record behind the others. Blocks are told by their pages, counted from `base`.
    pub(super) fn put(&mut self, buffer: &mut [u8], at: Moment, record: &Record<'_>, base: usize) {
        let align = record.align_log2().filter(|&log2| log2 != self.align_log2);
        let mut tag = record.kind() | record.flags();
        if at.thread != self.at.thread {
            tag |= WITH_THREAD;
        }
        if align.is_some() {
            tag |= WITH_ALIGN;
        }
        let mut out = Out::new(buffer, self.used);
        out.put(&[tag]);
        out.varint(at.us - self.at.us);
        if at.thread != self.at.thread {
            out.varint(u64::from(at.thread));
        }
        if let Some(log2) = align {
            out.varint(u64::from(log2));
            self.align_log2 = log2;
        }
        self.at = at;
        self.put_fields(&mut out, record, base);
        self.used = out.used;
        self.records += 1;
    }

    fn put_fields(&mut self, out: &mut Out<'_>, record: &Record<'_>, base: usize) {
        let mut page = |out: &mut Out<'_>, start: NonNull<u8>| {
            let page = page_number(start.addr().get(), base);
            out.varint(zigzag(page - self.page));
            self.page = page;
        };
        match *record {
            Record::Born { start, bytes, .. } => {
                page(out, start);
                out.varint(wide(bytes));
            }
            Record::Free { start } => page(out, start),
            Record::Resized { start, bytes, moved, .. } => {
                page(out, start);
                out.varint(wide(bytes));
                if let Some((start, _)) = moved {
                    page(out, start);
                }
            }
            Record::Refused { bytes, .. } => out.varint(wide(bytes)),
            Record::Begin { phase, .. } | Record::End { phase } => out.varint(wide(phase)),
            Record::Sample(sample) => {
                let Sample { live_bytes, high_bytes, cached_bytes, resident_bytes, faults } =
                    sample;
                for bytes in [live_bytes, high_bytes, cached_bytes, resident_bytes] {
                    out.varint(bytes / SAMPLE_UNIT_BYTES);
                }
                out.varint(faults.minor);
                out.varint(faults.major);
            }
            Record::Name { phase, name } => {
                out.varint(wide(phase));
                out.text(name.as_bytes());
            }
            Record::Thread { number, name } => {
                out.varint(u64::from(number));
                out.text(name);
            }
            Record::Dropped { records } => out.varint(records),
            Record::Exit => {}
        }
    }

    /// Writes the head of the chunk.
    pub(super) fn finish(&self, buffer: &mut [u8], sequence: u32) {
        let payload = u32::try_from(self.used - HEAD_BYTES).unwrap_or(0);
        let mut out = Out::new(buffer, 0);
        out.put(b"chnk");
        out.put(&payload.to_le_bytes());
        out.put(&sequence.to_le_bytes());
        out.put(&self.begin.thread.to_le_bytes());
        out.put(&self.begin.us.to_le_bytes());
        out.put(&self.records.to_le_bytes());
        out.put(&[0; 4]);
    }
}
