//! What a fuzzer does with the bytes of a file: reads them as each format, proves with what was
//! read, and checks what came out. `fuzz/` runs these for as long as it is let; what it found is
//! run again here for ever.

use std::sync::OnceLock;

use nalloc_bn254::{HeapBuffer, Pool};
use nalloc_groth16::{Error, ProveOptions, ProvingKey, ReadOptions, VerifyingKey, Witness};
use nalloc_groth16::{SetupOptions, UnsafeDevSetup};
use serde_json::Value;
use testkit::cases::chain;
use testkit::circuit::Circuit;
use testkit::files::{Section, container, wtns_sections, zkey_sections};
use testkit::setup::Setup;

/// Runs work and panics when that takes more memory than so many bytes at one time.
pub type Bounded = fn(u64, &mut dyn FnMut());

/// What a reader may take for each byte of a file.
const BYTES_PER_BYTE: u64 = 2;
/// What it may take for any file: its arrays have whole pages, and a witness guard pages too.
const ANY_FILE_BYTES: u64 = 256 << 10;
/// What a setup may take for each byte: three scalars for each wire, whose label has eight.
const SETUP_BYTES_PER_BYTE: u64 = 1 + 12;
/// What it may take for any file: two tables.
const ANY_SETUP_BYTES: u64 = 8 << 20;
/// Bytes that say what one edit is.
const EDIT_BYTES: usize = 16;
/// Edits of one pair of files.
const EDITS_MAX: usize = 8;
/// The longest section that an edit can make.
const SECTION_BYTES_MAX: usize = 1 << 16;

/// The good files, and all that they are made of.
struct Good {
    zkey_sections: Vec<Section>,
    wtns_sections: Vec<Section>,
    key: ProvingKey,
    witness: Witness,
    vk: String,
    proof: String,
    public: String,
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let circuit: Circuit = chain("malformed_base", 5);
        let zkey_sections = zkey_sections(&Setup::new(&circuit));
        let wtns_sections = wtns_sections(&circuit.wires);
        let zkey = container(*b"zkey", 1, &zkey_sections);
        let wtns = container(*b"wtns", 2, &wtns_sections);
        let key = ProvingKey::from_bytes(&zkey, &reading()).expect("a good key");
        let witness = Witness::from_bytes(&wtns, "x").expect("a good witness");
        let (proof, public) = key.prove(&witness, &ProveOptions::new(pool())).expect("a proof");
        let (vk, proof) = (key.verifying_key().to_json(), proof.to_json());
        let public = nalloc_groth16::public_to_json(&public);
        Good { zkey_sections, wtns_sections, key, witness, vk, proof, public }
    })
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(Some(1)).expect("a thread"))
}

fn reading() -> ReadOptions<'static> {
    let (name, memory_limit_bytes) = ("x", None);
    let table_bytes_max = 0;
    let (observer, allow_insecure) = (&(), true);
    ReadOptions {
        pool: pool(),
        observer,
        allow_insecure,
        memory_limit_bytes,
        table_bytes_max,
        name,
    }
}

/// How much a reader may take for a file.
fn bound(bytes: &[u8]) -> u64 {
    BYTES_PER_BYTE * bytes.len() as u64 + ANY_FILE_BYTES
}

/// A `.zkey`; one that can be read proves the good witness, or says why not.
///
/// # Panics
/// When it takes too much memory, or when a proof does not verify.
pub fn read_zkey(bytes: &[u8], bounded: Bounded) {
    let good = good();
    let mut read = Err(Error::Cancelled);
    bounded(bound(bytes), &mut || read = ProvingKey::from_bytes(bytes, &reading()));
    if let Ok(key) = read {
        check_proof(&key, &good.witness);
    }
}

/// A `.wtns`; one that can be read is proved with the good key, or refused.
///
/// # Panics
/// As [`read_zkey`].
pub fn read_wtns(bytes: &[u8], bounded: Bounded) {
    let good = good();
    let mut read = Err(Error::Cancelled);
    bounded(bound(bytes), &mut || read = Witness::from_bytes(bytes, "x"));
    if let Ok(witness) = read {
        check_proof(&good.key, &witness);
    }
}

/// An `.r1cs`; one that can be read makes a key that can be opened.
///
/// # Panics
/// When it takes too much memory, or when the key cannot be opened.
pub fn read_r1cs(bytes: &[u8], bounded: Bounded) {
    let options = SetupOptions { pool: pool(), observer: &(), memory_limit_bytes: None, name: "x" };
    let copy = || HeapBuffer::from_slice(bytes).expect("memory for a small file");
    let mut read = Err(Error::Cancelled);
    let bound = SETUP_BYTES_PER_BYTE * bytes.len() as u64 + ANY_SETUP_BYTES;
    bounded(bound, &mut || read = UnsafeDevSetup::from_bytes(copy(), &options));
    let Ok(mut setup) = read else { return };
    let mut zkey = Vec::new();
    while let Some(piece) = setup.next_piece(pool(), &()).expect("a piece of the key") {
        zkey.extend_from_slice(&piece);
    }
    assert_eq!(zkey.len() as u64, setup.bytes());
    let key = ProvingKey::from_bytes(&zkey, &reading()).expect("a key that can be opened");
    let vk = setup.verifying_key().expect("a verifying key");
    assert_eq!(vk.to_json(), key.verifying_key().to_json());
}

/// A verification key, public signals or a proof, by the first byte; the other two are good ones.
///
/// # Panics
/// When it takes too much memory, or when something else than the good proof is accepted.
pub fn read_json(bytes: &[u8], bounded: Bounded) {
    let Some((&which, text)) = bytes.split_first() else { return };
    let Good { key, vk, proof, public, .. } = good();
    let key = key.verifying_key();
    let mut is_valid = false;
    match which % 3 {
        0 => {
            let mut read = Err(Error::Cancelled);
            bounded(bound(text), &mut || read = VerifyingKey::from_json(text, "x"));
            let Ok(other) = read else { return };
            is_valid = other.verify_json(public.as_bytes(), proof.as_bytes());
            assert!(!is_valid || other.to_json() == *vk, "another key accepts the proof");
        }
        1 => {
            bounded(bound(text), &mut || is_valid = key.verify_json(text, proof.as_bytes()));
            assert!(!is_valid || same(text, public, &[]), "other signals are accepted");
        }
        _ => {
            bounded(bound(text), &mut || is_valid = key.verify_json(public.as_bytes(), text));
            let fields = ["pi_a", "pi_b", "pi_c"];
            assert!(!is_valid || same(text, proof, &fields), "another proof is accepted");
        }
    }
}

/// Whether two texts have the same value, or the same values in these fields.
fn same(text: &[u8], good: &str, fields: &[&str]) -> bool {
    let parse = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let (Some(one), Some(other)) = (parse(text), parse(good.as_bytes())) else { return false };
    if fields.is_empty() {
        return one == other;
    }
    fields.iter().all(|field| one.get(field) == other.get(field))
}

/// The good key and witness after some edits: an error, or a proof that verifies.
///
/// # Panics
/// As [`read_zkey`].
pub fn prove_edited(bytes: &[u8], bounded: Bounded) {
    let good = good();
    let (edits, _) = bytes.as_chunks::<EDIT_BYTES>();
    let mut zkey = good.zkey_sections.clone();
    let mut wtns = good.wtns_sections.clone();
    for edit in edits.iter().take(EDITS_MAX) {
        // A witness is edited less often, for a wrong one only fails its proof.
        let sections = if edit[0].is_multiple_of(8) { &mut wtns } else { &mut zkey };
        apply(edit, sections);
    }
    let zkey = container(*b"zkey", 1, &zkey);
    let wtns = container(*b"wtns", 2, &wtns);
    let mut key = Err(Error::Cancelled);
    bounded(bound(&zkey), &mut || key = ProvingKey::from_bytes(&zkey, &reading()));
    let mut witness = Err(Error::Cancelled);
    bounded(bound(&wtns), &mut || witness = Witness::from_bytes(&wtns, "x"));
    let (Ok(key), Ok(witness)) = (key, witness) else { return };
    check_proof(&key, &witness);
}

/// One edit: which section, where in it, what to do there, and with what.
fn apply(edit: &[u8; EDIT_BYTES], sections: &mut Vec<Section>) {
    let [_, verb, which, at_low, at_high, by, ..] = *edit;
    if sections.is_empty() {
        return;
    }
    let index = usize::from(which) % sections.len();
    let at = usize::from(u16::from_le_bytes([at_low, at_high]));
    let (_, section) = &mut sections[index];
    let at = if section.is_empty() { 0 } else { at % section.len() };
    let end = section.len().min(at + 1 + usize::from(by) % 10);
    match verb % 10 {
        0 => section[at..end].fill(by),
        1 => section[at..end].copy_from_slice(&edit[6..6 + end - at]),
        2 => section[at..end].iter_mut().for_each(|byte| *byte ^= by),
        3 => section.truncate(at),
        4 => section.extend_from_slice(&edit[6..]),
        // Elements of 32 bytes change places, and so do points.
        5 => swap_elements(section, at, usize::from(by)),
        6 => _ = sections.remove(index),
        7 => {
            let copy = sections[index].clone();
            sections.insert(usize::from(by) % sections.len(), copy);
        }
        8 => {
            let other = usize::from(by) % sections.len();
            sections.swap(index, other);
        }
        _ => {
            let (id, bytes) = &mut sections[index];
            *id = u32::from(by) % 12;
            bytes.truncate(SECTION_BYTES_MAX);
        }
    }
}

fn swap_elements(section: &mut [u8], at: usize, by: usize) {
    const ELEMENT_BYTES: usize = 32;
    let count = section.len() / ELEMENT_BYTES;
    if count == 0 {
        return;
    }
    let (one, other) = (at / ELEMENT_BYTES % count, by % count);
    for byte in 0..ELEMENT_BYTES {
        section.swap(one * ELEMENT_BYTES + byte, other * ELEMENT_BYTES + byte);
    }
}

fn check_proof(key: &ProvingKey, witness: &Witness) {
    let Ok((proof, public)) = key.prove(witness, &ProveOptions::new(pool())) else { return };
    assert_eq!(key.verifying_key().verify(&proof, &public), Ok(()));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Bounded, prove_edited, read_json, read_r1cs, read_wtns, read_zkey};

    /// Other tests of this process allocate too: the fuzzer alone can measure.
    fn unmeasured(_: u64, work: &mut dyn FnMut()) {
        work();
    }

    fn replay(target: &str, run: fn(&[u8], Bounded)) {
        let folder = format!("{}/../../fuzz/regressions/{target}", env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("the folder of regressions") {
            run(&fs::read(entry.expect("a file").path()).expect("its bytes"), unmeasured);
            count += 1;
        }
        assert!(count > 0, "{folder} is empty");
    }

    #[test]
    fn keys_that_were_found_are_refused_or_prove() {
        replay("zkey", read_zkey);
    }

    #[test]
    fn witnesses_that_were_found_are_refused_or_proved() {
        replay("wtns", read_wtns);
    }

    #[test]
    fn circuits_that_were_found_are_refused_or_make_keys() {
        replay("r1cs", read_r1cs);
    }

    #[test]
    fn texts_that_were_found_are_refused_or_say_the_same() {
        replay("json", read_json);
    }

    #[test]
    fn edits_that_were_found_are_refused_or_prove() {
        replay("edits", prove_edited);
    }
}
