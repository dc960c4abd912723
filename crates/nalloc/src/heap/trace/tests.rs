//! What a trace promises, over a fake kernel and clock; `heap/model.rs` decodes one more for every
//! sequence of operations.

#[path = "../../../tests/support/trace.rs"]
pub(in crate::heap) mod decoder;

use core::ptr::NonNull;
use std::fmt::Write as _;
use std::num::NonZero;

use super::super::model::IDLE;
use super::encode::{BUFFER_BYTES, HEAD_BYTES};
use super::*;
use crate::config::LARGE;
use crate::heap::Request;
use crate::os::Faults;
use crate::os::fake::{Fake, Fault, Verb};
use crate::units::wide;
use decoder::{Trace as Decoded, decode};

const EXAMPLE: &[u8] = include_bytes!("../../../tests/golden/trace.nltrace");
const EXAMPLE_JSON: &str = include_str!("../../../tests/golden/trace.json");
const MIB: usize = 1 << 20;

fn traced() -> Fake {
    Fake::new(1, 4096).with_variable("NALLOC_TRACE", "/trace")
}

fn read(fake: &Fake) -> Decoded {
    decode(&fake.made(c"/trace.4711").expect("a trace"))
}

fn alloc(heap: &Heap<&Fake>, bytes: usize) -> NonNull<u8> {
    heap.alloc(Request::fixed(bytes, 8)).expect("memory")
}

/// Allocates a block that stays.
fn leave(heap: &Heap<&Fake>) {
    let _block = alloc(heap, MIB);
}

fn free(heap: &Heap<&Fake>, start: NonNull<u8>, bytes: usize) {
    // SAFETY: the tests free what `alloc` gave them, once.
    unsafe { heap.free(start, bytes, bytes) }
}

#[test]
fn the_example_of_the_format_says_what_stands_beside_it() {
    let trace = decode(EXAMPLE);

    let wanted = EXAMPLE_JSON.lines().map(|line| line.trim().trim_end_matches(','));
    let wanted: Vec<&str> = wanted.filter(|line| line.starts_with("{\"kind\"")).collect();
    let found: Vec<String> = trace.records().map(decoder::Record::json).collect();
    assert_eq!(found, wanted);
    assert!(EXAMPLE_JSON.contains(&trace.header.json()), "{}", trace.header.json());
}

#[test]
fn records_become_the_bytes_of_the_example() {
    const BASE: usize = 1 << 40;
    let block =
        |page: usize| NonNull::without_provenance(NonZero::new(BASE + page * 4096).unwrap());
    let born = |page, bytes, align, origin| {
        let start = block(page);
        Record::Born { start, bytes, align, origin, is_zeroed: false }
    };
    let faults = Faults { minor: 1200, major: 3 };
    let sample = Sample { resident_bytes: 900 * 4096, faults, ..Sample::default() };
    let resized = |moved| {
        let bytes = if moved == 331 { 131_072 } else { 8 * MIB };
        let moved = (moved != 331).then_some((block(moved), Origin::Fresh));
        Record::Resized { start: block(331), bytes, align: 1, moved }
    };
    let zeroed = Record::Born {
        start: block(257),
        bytes: 300_000,
        align: 64,
        origin: Origin::Fresh,
        is_zeroed: true,
    };
    let records = [
        (0, 0, Record::Thread { number: 4711, name: b"prover" }),
        (0, 0, Record::Sample(sample)),
        (15, 0, Record::Name { phase: 0, name: "commit" }),
        (15, 0, Record::Begin { phase: 0, name: "commit" }),
        (20, 0, born(0, MIB, 16, Origin::Fresh)),
        (320, 0, zeroed),
        (350, 1, Record::Thread { number: 4712, name: "worker é".as_bytes() }),
        (350, 1, born(331, LARGE, 1, Origin::Fresh)),
        (1000, 0, Record::Free { start: block(0) }),
        (1001, 1, born(0, 1_000_000, 16, Origin::Warm)),
        (1400, 1, resized(331)),
        (2000, 1, resized(400)),
    ];
    let mut buffer = vec![0; BUFFER_BYTES];

    let mut cursor = Cursor::new(Moment::default());
    for (us, thread, record) in &records {
        cursor.put(&mut buffer, Moment { us: *us, thread: *thread }, record, BASE);
    }
    cursor.finish(&mut buffer, 0);

    let wanted = &EXAMPLE[112..112 + HEAD_BYTES + 105];
    assert_eq!(&buffer[..cursor.used], wanted);
}

#[test]
fn a_block_is_in_the_file_from_its_birth_to_its_end() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);

    let one = alloc(&heap, MIB);
    free(&heap, one, MIB);
    let two = alloc(&heap, LARGE);
    let wanted = Request::fixed(LARGE, 8);
    // SAFETY: the block is live, and used by its new address from here on.
    let two = unsafe { heap.resize(two, wanted, 4 * MIB) }.expect("memory");
    let refused = heap.alloc(Request::fixed(1 << 40, 4096));
    heap.end_trace();

    assert!(refused.is_err());
    let trace = read(&fake);
    let kinds: Vec<&str> = trace.records().map(|record| record.kind).collect();
    let wanted =
        ["thread", "sample", "alloc", "free", "alloc", "realloc", "refused", "sample", "exit"];
    assert_eq!(kinds, wanted);
    let records: Vec<_> = trace.records().collect();
    assert!(!records[2].is_warm && records[4].is_warm);
    assert_eq!((records[2].bytes, records[2].align_log2), (wide(MIB), 3));
    assert_eq!((records[6].bytes, records[6].align_log2), (1 << 40, 12));
    assert_eq!(trace.live().into_values().collect::<Vec<_>>(), [wide(4 * MIB)]);
    let stats = heap.stats();
    assert_eq!(records[7].sample[0], stats.live_bytes);
    free(&heap, two, 4 * MIB);
}

#[test]
fn a_sample_has_the_highest_memory_since_the_one_before() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    let kept = alloc(&heap, MIB);
    let high = alloc(&heap, 20 * MIB);
    free(&heap, high, 20 * MIB);

    fake.wait_ms(11);
    free(&heap, kept, MIB);
    heap.end_trace();

    let trace = read(&fake);
    let samples: Vec<_> = trace.records().filter(|record| record.kind == "sample").collect();
    assert_eq!(samples.len(), 3, "at the beginning, after 11 ms, at the end");
    let [live, high, cached, ..] = samples[1].sample;
    assert!(live >= wide(MIB) && live < wide(2 * MIB), "{live}");
    assert!(high >= wide(21 * MIB) && high < wide(22 * MIB), "{high}");
    assert!(cached >= wide(20 * MIB), "{cached}");
}

#[test]
fn phases_are_named_once_and_open_ones_begin_again_in_a_child() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    let outer = heap.begin_phase("commit").expect("room");
    let inner = heap.begin_phase("fold \"1\"").expect("room");
    heap.end_phase(inner);
    leave(&heap);

    heap.before_fork();
    // SAFETY: this thread called `before_fork`.
    unsafe { heap.after_fork() };
    fake.set_process(4712);
    heap.begin_child();
    leave(&heap);
    heap.end_phase(outer);
    heap.end_trace();

    let child = decode(&fake.made(c"/trace.4712").expect("the child's trace"));
    assert_eq!((child.header.process, child.header.forked_from), (4712, 4711));
    let kinds: Vec<&str> = child.records().map(|record| record.kind).collect();
    let wanted = ["thread", "sample", "name", "begin", "alloc", "end", "sample", "exit"];
    assert_eq!(kinds, wanted);
    let parent = read(&fake);
    assert_eq!(parent.chunks.len(), 1, "what was not written when it forked is the parent's");
}

#[test]
fn what_is_a_second_old_is_in_the_file() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    let one = alloc(&heap, MIB);
    free(&heap, one, MIB);
    assert_eq!(read(&fake).count("free"), 0);

    fake.wait_ms(1000);
    leave(&heap);

    assert_eq!((read(&fake).count("free"), read(&fake).count("alloc")), (1, 2));
}

#[test]
fn after_the_end_of_the_process_each_record_is_written_at_once() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    let one = alloc(&heap, MIB);
    heap.end_trace();

    free(&heap, one, MIB);

    assert_eq!(read(&fake).records().last().map(|record| record.kind), Some("free"));
}

#[test]
fn a_process_that_records_nothing_makes_no_file() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);

    heap.stats();
    heap.end_trace();

    assert_eq!(fake.made(c"/trace.4711"), None);
}

#[test]
fn a_full_disk_is_told_once_and_ends_the_trace_alone() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    leave(&heap);
    fake.set_fault(Some(Fault { verb: Verb::ExtendFile, one_in: 1 }));

    for _ in 0..3 {
        fake.wait_ms(1000);
        let block = alloc(&heap, MIB);
        free(&heap, block, MIB);
    }
    heap.end_trace();

    let told = fake.told();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("NALLOC_TRACE: /trace.4711: the disk is full (errno 28); the trace ends")
    );
    let trace = read(&fake);
    assert!(trace.chunks.len() == 1 && trace.cut_bytes > 0, "a half chunk is at the end");
    heap.check();
}

#[test]
fn a_folder_that_does_not_take_a_file_is_told_at_once() {
    let fake = traced();
    fake.set_fault(Some(Fault { verb: Verb::MakeFile, one_in: 1 }));
    let heap = Heap::new(&fake, IDLE);

    leave(&heap);

    let told = fake.told();
    assert!(told.contains("NALLOC_TRACE: /trace.4711: ") && told.contains("(errno"), "{told}");
}

#[test]
fn nothing_that_exists_is_overwritten_and_the_process_stands_in_the_name() {
    let fake = Fake::new(1, 4096).with_variable("NALLOC_TRACE", "%p/in-%p.nltrace");
    let fake = fake.with_files(&[(c"/proc/self/cwd", "/runs")]);
    for _ in 0..2 {
        let heap = Heap::new(&fake, IDLE);
        leave(&heap);
    }

    assert!(fake.made(c"/runs/4711/in-4711.nltrace").is_some());
    assert!(fake.made(c"/runs/4711/in-4711.nltrace.2").is_some());
}

#[test]
fn a_value_that_names_no_file_is_told() {
    let long = "x".repeat(2000);
    for value in ["1", &long] {
        let fake = Fake::new(1, 4096).with_variable("NALLOC_TRACE", value);
        let heap = Heap::new(&fake, IDLE);
        leave(&heap);
        assert!(fake.told().contains("NALLOC_TRACE: expected 0 or the path of a file"));
    }
    for value in ["", "0"] {
        let fake = Fake::new(1, 4096).with_variable("NALLOC_TRACE", value);
        let heap = Heap::new(&fake, IDLE);
        leave(&heap);
        assert_eq!((fake.told(), fake.made(c".4711")), (String::new(), None));
    }
}

#[test]
fn when_all_buffers_wait_records_are_counted() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    leave(&heap);
    // As if a thread were writing.
    heap.trace.recorder.lock(&&fake).is_writing = true;
    let mut records = 0u64;
    while heap.trace.recorder.lock(&&fake).dropped < 100 {
        let block = alloc(&heap, LARGE);
        free(&heap, block, LARGE);
        records += 2;
    }

    heap.trace.recorder.lock(&&fake).is_writing = false;
    heap.end_trace();

    let trace = read(&fake);
    let dropped: u64 =
        trace.records().filter(|record| record.kind == "dropped").map(|record| record.number).sum();
    let kept = wide(trace.count("alloc") + trace.count("free"));
    assert!(dropped >= 100);
    assert_eq!(kept + dropped, records + 1, "each record is there or counted");
}

#[test]
fn a_name_that_is_long_or_cut_inside_a_letter_stays_text() {
    let fake = traced();
    let heap = Heap::new(&fake, IDLE);
    let mut name = String::new();
    write!(name, "x{}", "é".repeat(300)).expect("a string takes everything");

    heap.begin_phase(name.leak()).expect("room");
    heap.end_trace();

    let trace = read(&fake);
    let named = trace.records().find(|record| record.kind == "name").expect("a name");
    assert_eq!(named.name.len(), 199);
}
