//! How much memory is taken: never more than predicted, and little for a file that lies about its
//! size. One test at a time, as the counters are those of the process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nalloc_bn254::{Field, Fr, HeapBuffer, Pool};
use nalloc_groth16::{
    ProveOptions, ProvingKey, ReadOptions, SetupOptions, UnsafeDevSetup, Witness,
};
use testkit::cases::{by_name, power_chain};
use testkit::files::Fixture;
use testkit::malformed::{Base, cases};

/// Remembers the largest request.
struct Largest;

static LARGEST_BYTES: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static GLOBAL: Largest = Largest;

// SAFETY: every call goes to `System` as it came.
unsafe impl GlobalAlloc for Largest {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST_BYTES.fetch_max(layout.size(), Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reading(pool: &Pool) -> ReadOptions<'_> {
    let memory_limit_bytes = None;
    let (observer, allow_insecure, table_bytes_max) = (&(), false, 0);
    ReadOptions { pool, observer, allow_insecure, memory_limit_bytes, table_bytes_max, name: "x" }
}

#[test]
fn a_file_that_lies_about_its_size_costs_no_more_than_its_bytes() {
    /// More than all that a tiny key needs, and far less than what the lies are about.
    const LIMIT_BYTES: usize = 256 << 10;
    let _alone = alone();
    let base = Base::new();
    let pool = Pool::new(Some(1)).expect("a pool of one thread");
    for case in cases(&base).iter().filter(|case| !case.codes.is_empty()) {
        let live_bytes = nalloc::stats().live_bytes;
        nalloc::reset_peak();
        LARGEST_BYTES.store(0, Ordering::SeqCst);

        let key = case.zkey.as_ref().map(|bytes| ProvingKey::from_bytes(bytes, &reading(&pool)));
        let witness = case.wtns.as_ref().map(|bytes| Witness::from_bytes(bytes, "x"));

        let peak_bytes = nalloc::stats().peak_live_bytes - live_bytes;
        let largest_bytes = LARGEST_BYTES.load(Ordering::SeqCst);
        drop((key, witness));
        assert!(peak_bytes < LIMIT_BYTES as u64, "{}: {peak_bytes} bytes", case.name);
        assert!(largest_bytes < LIMIT_BYTES, "{}: {largest_bytes} bytes", case.name);
    }
}

#[test]
fn a_proof_stays_within_the_predicted_bytes_and_gives_all_of_them_back() {
    let _alone = alone();
    for threads in [1, 2, 5] {
        let pool = Pool::new(Some(threads)).expect("a pool");
        for name in ["no_public", "dense", "bits", "chain2000"] {
            let fixture = Fixture::new(&by_name(name));
            let key = ProvingKey::from_bytes(&fixture.zkey, &reading(&pool)).expect("a good key");
            let witness = Witness::from_bytes(&fixture.wtns, "x").expect("a good witness");
            let live_bytes = nalloc::stats().live_bytes;
            nalloc::reset_peak();

            let made = key.prove(&witness, &ProveOptions::new(&pool));

            assert!(made.is_ok(), "{name}");
            let stats = nalloc::stats();
            let predicted_bytes = key.estimate_bytes(threads);
            let peak_bytes = stats.peak_live_bytes - live_bytes;
            assert!(peak_bytes <= predicted_bytes, "{name}: {peak_bytes} of {predicted_bytes}");
            assert_eq!(stats.live_bytes, live_bytes, "{name}");
        }
    }
}

#[test]
fn tables_stay_within_their_limit_and_change_no_proof() {
    let _alone = alone();
    let pool = Pool::new(Some(2)).expect("a pool");
    for name in ["infinities", "bits", "chain2000"] {
        let fixture = Fixture::new(&by_name(name));
        let witness = Witness::from_bytes(&fixture.wtns, "x").expect("a good witness");
        let blinding = Some((Fr::from_u64(3), Fr::from_u64(4)));
        let options = ProveOptions { blinding, ..ProveOptions::new(&pool) };
        let prove = |table_bytes_max| {
            let reading = ReadOptions { table_bytes_max, ..reading(&pool) };
            let live_bytes = nalloc::stats().live_bytes;
            let key = ProvingKey::from_bytes(&fixture.zkey, &reading).expect("a good key");
            let key_bytes = nalloc::stats().live_bytes - live_bytes;
            nalloc::reset_peak();
            let proved = key.prove(&witness, &options).expect("a proof");
            let peak_bytes = nalloc::stats().peak_live_bytes - live_bytes - key_bytes;
            assert!(peak_bytes <= key.estimate_bytes(2), "{name}: {peak_bytes} bytes");
            assert!(key.table_bytes() <= table_bytes_max, "{name}: {} bytes", key.table_bytes());
            (proved, key.table_bytes(), key_bytes)
        };

        let (plain, none, least_bytes) = prove(0);
        for limit in [1 << 16, 1 << 18, 1 << 20, 1 << 30] {
            let (proved, table_bytes, key_bytes) = prove(limit);

            assert_eq!(proved, plain, "{name}");
            // Small arrays do not come from this heap.
            assert!(key_bytes <= least_bytes + table_bytes + (1 << 18), "{name}: {key_bytes}");
            let is_large = name == "chain2000" && limit > 1 << 18;
            assert_eq!((none, table_bytes > 0), (0, is_large || table_bytes > 0), "{name}");
        }
    }
}

#[test]
fn opening_a_key_stays_within_the_bytes_for_which_it_would_be_refused() {
    let _alone = alone();
    let pool = Pool::new(Some(1)).expect("a pool of one thread");
    let fixture = Fixture::new(&by_name("chain2000"));
    let opens = |limit: u64| {
        let options = ReadOptions { memory_limit_bytes: Some(limit), ..reading(&pool) };
        ProvingKey::from_bytes(&fixture.zkey, &options).map(|key| key.info().bytes)
    };
    let (mut refused, mut accepted) = (0, 1 << 30);
    while accepted - refused > 1 {
        let limit = u64::midpoint(refused, accepted);
        if opens(limit).is_ok() { accepted = limit } else { refused = limit }
    }
    assert_eq!(opens(refused).map_err(|error| error.code()), Err("ERR_LIMIT"));
    let live_bytes = nalloc::stats().live_bytes;
    nalloc::reset_peak();

    assert!(opens(accepted).is_ok());

    let peak_bytes = nalloc::stats().peak_live_bytes - live_bytes;
    assert!(peak_bytes <= accepted, "{peak_bytes} of {accepted} bytes");
    assert!(accepted < 2 * fixture.zkey.len() as u64, "{accepted} bytes");
}

#[test]
fn a_setup_stays_within_the_bytes_for_which_it_would_be_refused() {
    let _alone = alone();
    let pool = Pool::new(Some(2)).expect("a pool");
    for steps in [10, 20_000] {
        let r1cs = Fixture::new(&power_chain("memory", steps)).r1cs;
        let begin = |limit: u64| {
            let memory_limit_bytes = Some(limit);
            let options =
                SetupOptions { pool: &pool, observer: &(), memory_limit_bytes, name: "x" };
            let bytes = HeapBuffer::from_slice(&r1cs).expect("memory for a circuit");
            UnsafeDevSetup::from_bytes(bytes, &options)
        };
        let needed = match begin(0).err() {
            Some(nalloc_groth16::Error::Limit { needed, .. }) => needed,
            other => panic!("expected a limit, got {other:?}"),
        };
        let live_bytes = nalloc::stats().live_bytes;
        nalloc::reset_peak();
        LARGEST_BYTES.store(0, Ordering::SeqCst);

        let mut setup = begin(needed).expect("a setup");
        let mut bytes = 0;
        while let Some(piece) = setup.next_piece(&pool, &()).expect("a piece") {
            bytes += piece.len();
        }

        // The circuit's bytes are the caller's.
        let peak_bytes = nalloc::stats().peak_live_bytes - live_bytes - r1cs.len() as u64;
        assert!(peak_bytes <= needed, "{steps}: {peak_bytes} of {needed}");
        assert!(LARGEST_BYTES.load(Ordering::SeqCst) < 1 << 20);
        // A fixed sum and three scalars for each wire, however long the key is.
        assert!(needed <= (8 << 20) + 96 * (steps as u64 * 4), "{needed}");
        assert!(bytes as u64 == setup.bytes());
    }
}
