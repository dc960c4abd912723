//! No copy of a witness is left in the memory of a process, whether a proof was made, refused or
//! stopped. Each way ends in a process of its own, which is then searched from end to end.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use nalloc::NAlloc;
use nalloc_bn254::{Field, Fr, HeapBuffer, Observer, Pool};
use nalloc_groth16::{Error, ProveOptions, ProvingKey, ReadOptions, Witness};
use testkit::TempDir;
use testkit::cases::by_name;
use testkit::child;
use testkit::files::Fixture;
use testkit::memory::{Needles, masked};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const TEST: &str = "nothing_of_a_witness_is_left_in_memory";
/// The first wire of 254 bits, and one more than the last: private ones all.
const WIRES: (usize, usize) = (20, 1002);
/// Words of one form of a value.
const LIMBS: usize = 4;
/// Forms of a value: plain, Montgomery, and the opposite's plain form, which is what a sum
/// takes for values above r/2.
const FORMS: usize = 3;

/// How the child ends; the last two show that the search finds what is there.
const WAYS: [&str; 8] = [
    "success",
    "inside-the-pool",
    "cancelled",
    "refused",
    "cut-off",
    "blinding",
    "plain-control",
    "montgomery-control",
];
/// Bytes of stack that the caller of a proof with fixed blinding may have used, many times over.
const STACK_BYTES: usize = 256 << 10;

#[test]
fn nothing_of_a_witness_is_left_in_memory() {
    if let Some(argument) = child::argument(TEST) {
        return in_child(&argument);
    }
    let circuit = by_name("chain1000");
    let fixture = Fixture::new(&circuit);
    let dir = TempDir::new();
    let zkey = dir.write("key.zkey", &fixture.zkey);
    let wtns = dir.write("witness.wtns", &fixture.wtns);
    // With another value for the last wire, one constraint does not hold, and nothing verifies.
    let mut wrong = fixture.wtns.clone();
    let last = wrong.len() - 32;
    wrong[last] ^= 1;
    let wrong = dir.write("wrong.wtns", &wrong);
    let cut_off = dir.write("cut_off.wtns", &fixture.wtns[..last]);
    let words: Vec<u64> = circuit.wires[WIRES.0..WIRES.1].iter().flat_map(words_of).collect();
    let needles = dir.write("needles", &masked(&words));
    let (r, s) = blinding();
    let blinding = dir.write("blinding", &masked(&[words_of(&r), words_of(&s)].concat()));

    for way in WAYS {
        let wtns = match way {
            "refused" => &wrong,
            "cut-off" => &cut_off,
            _ => &wtns,
        };
        let needles = if way == "blinding" { &blinding } else { &needles };
        let [zkey, wtns, needles] =
            [&zkey, wtns, needles].map(|path| path.to_str().expect("a path of text"));
        let output = child::run(TEST, &[way, zkey, wtns, needles].join("\n"));

        let [text, errors] = [output.stdout, output.stderr].map(String::from_utf8);
        assert!(output.status.success(), "{way}: {text:?} {errors:?}");
        assert!(text.is_ok_and(|text| text.contains("searched")), "{way} did not search");
    }
}

fn words_of(value: &Fr) -> Vec<u64> {
    [value.to_plain(), value.to_montgomery(), (-*value).to_plain()].concat()
}

/// Two numbers of 254 bits. Computed where they are used, so that nothing keeps them.
#[inline(never)]
fn blinding() -> (Fr, Fr) {
    (Fr::from_u64(3).pow(&[1001]), Fr::from_u64(5).pow(&[2003]))
}

/// Proves with the fixed blinding, and overwrites what this thread itself had of it.
fn prove_with_blinding(key: &ProvingKey, witness: &Witness, options: &ProveOptions<'_>) {
    #[inline(never)]
    fn prove(key: &ProvingKey, witness: &Witness, options: &ProveOptions<'_>) {
        let options = ProveOptions { blinding: Some(blinding()), ..*options };
        assert!(key.prove(witness, &options).is_ok());
    }
    #[inline(never)]
    #[expect(clippy::large_stack_arrays, reason = "the stack is what shall be overwritten")]
    fn overwrite_stack() {
        let mut below = [0; STACK_BYTES];
        nalloc::wipe(&mut below);
    }
    prove(key, witness, options);
    overwrite_stack();
}

/// Stops a proof in the middle of its sums.
struct StopInSums(AtomicU64);

impl Observer for StopInSums {
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 2
    }

    fn progress(&self, phase: &'static str, _: u64, _: u64) {
        self.0.fetch_add(u64::from(phase == "msm"), Ordering::SeqCst);
    }
}

fn in_child(argument: &str) {
    let parts: Vec<&str> = argument.split('\n').collect();
    let [way, zkey, wtns, needles] = parts[..] else { panic!("four arguments") };
    let needles = Needles::from_masked(&fs::read(needles).expect("the needles"));
    let pool = Pool::new(Some(2)).expect("a pool of two threads");
    let read = ReadOptions {
        pool: &pool,
        observer: &(),
        allow_insecure: false,
        memory_limit_bytes: None,
        table_bytes_max: 1 << 20,
        name: "key.zkey",
    };
    let key = ProvingKey::read(zkey.as_ref(), &read).expect("a good key");
    check(&needles, |_| 0);
    if way == "montgomery-control" {
        return hold_montgomery_forms(wtns, &needles);
    }
    let witness = match Witness::read(wtns.as_ref()) {
        Ok(witness) => witness,
        Err(error) => {
            assert_eq!((way, error.code()), ("cut-off", "ERR_TRUNCATED"));
            return check(&needles, |_| 0);
        }
    };
    let options = ProveOptions::new(&pool);
    match way {
        "success" => assert!(key.prove(&witness, &options).is_ok()),
        "inside-the-pool" => {
            let is_made = pool.install(|| key.prove(&witness, &options).is_ok());
            assert!(is_made);
        }
        "cancelled" => {
            let observer = StopInSums(AtomicU64::new(0));
            let stopped = key.prove(&witness, &ProveOptions { observer: &observer, ..options });
            assert_eq!(stopped, Err(Error::Cancelled));
        }
        "refused" => {
            let refused = key.prove(&witness, &options).map_err(|error| error.code());
            assert_eq!(refused, Err("ERR_SELF_VERIFY"));
        }
        "blinding" => prove_with_blinding(&key, &witness, &options),
        // As long as it lives, the witness is there, once.
        _ => return check(&needles, |form| usize::from(form == 0)),
    }
    drop(witness);
    check(&needles, |_| 0);
    // The key, the pool and its threads are still there.
    assert_eq!((key.info().n_vars, pool.thread_count()), (1002, 2));
}

/// Searches, and compares how often the words of each form were found.
fn check(needles: &Needles, expected: fn(usize) -> usize) {
    for (position, count) in needles.count().into_iter().enumerate() {
        let (wire, form) = (position / (FORMS * LIMBS) + WIRES.0, position / LIMBS % FORMS);
        assert_eq!(count, expected(form), "wire {wire}, form {form}, limb {}", position % LIMBS);
    }
    println!("searched");
}

/// What a prover that wipes nothing would leave.
fn hold_montgomery_forms(wtns: &str, needles: &Needles) {
    let bytes = fs::read(wtns).expect("a witness");
    let values = &bytes[bytes.len() - 1002 * 32..];
    let mut kept = HeapBuffer::<Fr>::zeroed(1002).expect("memory");
    for (kept, value) in kept.iter_mut().zip(values.as_chunks::<32>().0) {
        *kept = Fr::from_le_bytes(value).expect("a number below r");
    }
    let missing = needles.count().into_iter().enumerate().filter(|&(position, count)| {
        let form = position / LIMBS % FORMS;
        form < 2 && count == 0
    });
    assert_eq!(missing.count(), 0, "words that are there were not found");
    assert_eq!(kept.len(), 1002);
    println!("searched");
}
