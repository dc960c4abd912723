//! Keys for development: those that a plain setup makes, marked, and circuits that are refused.

use nalloc_bn254::{Field, Fr, HeapBuffer};
use nalloc_groth16::{
    Error, ProveOptions, ProvingKey, SetupOptions, UnsafeDevSetup, VerifyingKey, Witness,
};
use sha2::{Digest, Sha512};
use testkit::cases::{CASES, by_name, power_chain};
use testkit::circuit::Circuit;
use testkit::files::{Fixture, Section, container, zkey_sections};
use testkit::setup::{Setup, Waste};
use testkit::{StopAfter, TempDir};

use crate::support::{allowing, pool, reading};

/// What the section of such keys says.
const MARK: &str = "for development only: made by nalloc setup --unsafe-dev from secrets that \
                    everybody knows, so anybody can forge proofs for this key";

fn options() -> SetupOptions<'static> {
    SetupOptions { pool: pool(), observer: &(), memory_limit_bytes: None, name: "circuit.r1cs" }
}

fn whole(mut setup: UnsafeDevSetup) -> Result<Vec<u8>, Error> {
    let mut zkey = Vec::new();
    while let Some(piece) = setup.next_piece(pool(), &())? {
        zkey.extend_from_slice(&piece);
    }
    assert_eq!(zkey.len(), usize::try_from(setup.bytes()).expect("a small key"));
    Ok(zkey)
}

fn buffer(bytes: &[u8]) -> HeapBuffer<u8> {
    HeapBuffer::from_slice(bytes).expect("memory for a small file")
}

fn make(r1cs: &[u8]) -> Result<Vec<u8>, Error> {
    whole(UnsafeDevSetup::from_bytes(buffer(r1cs), &options())?)
}

/// The secrets, as docs/FORMATS.md says them.
fn waste() -> Waste {
    let secret = |what: &str| {
        let digest = Sha512::digest(format!("nalloc setup --unsafe-dev/{what}").as_bytes());
        let bits = digest.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        bits.fold(Fr::ZERO, |sum, bit| sum.double() + Fr::from_u64(bit.into()))
    };
    let [tau, alpha, beta] = ["tau", "alpha", "beta"].map(secret);
    Waste { tau, alpha, beta, gamma: Fr::ONE, delta: Fr::ONE }
}

/// The key that the plain setup of the testkit makes of these secrets.
fn expected(circuit: &Circuit) -> Vec<u8> {
    let mut sections = zkey_sections(&Setup::of_waste(circuit, waste()));
    sections.pop();
    sections.push((u32::from_le_bytes(*b"unsf"), MARK.as_bytes().to_vec()));
    container(*b"zkey", 1, &sections)
}

#[test]
fn keys_are_those_of_the_plain_setup_byte_for_byte() {
    for (name, circuit) in CASES {
        let circuit = Circuit { layout: testkit::circuit::Layout::default(), ..circuit() };
        let made = make(&Fixture::new(&circuit).r1cs).expect(name);
        assert!(made == expected(&circuit), "{name}");
    }
}

#[test]
fn a_key_of_several_pieces_is_whole() {
    // More than 2^14 points of G1, and of 2^13 of G2, are in a piece.
    let circuit = power_chain("long", 6000);

    let made = make(&Fixture::new(&circuit).r1cs).expect("a key");

    assert!(made == expected(&circuit));
}

#[test]
fn keys_do_not_change_from_one_version_to_the_next() {
    let made = make(&Fixture::new(&by_name("one_constraint")).r1cs).expect("a key");

    let key = ProvingKey::from_bytes(&made, &allowing("key.zkey")).expect("a key");

    assert_eq!(
        key.info().sha256,
        "ec46afd78fb70eb2393281284a3c4b148ce6235abf923b2809b8e604c5e246d0"
    );
}

#[test]
fn keys_prove_and_say_what_they_are() {
    for (name, circuit) in CASES {
        let fixture = Fixture::new(&circuit());
        let setup = UnsafeDevSetup::from_bytes(buffer(&fixture.r1cs), &options()).expect(name);
        let vk = setup.verifying_key().expect(name);
        let zkey = whole(setup).expect(name);

        let key = ProvingKey::from_bytes(&zkey, &allowing("key.zkey")).expect(name);
        let witness = Witness::from_bytes(&fixture.wtns, "witness.wtns").expect(name);
        let (proof, public) = key.prove(&witness, &ProveOptions::new(pool())).expect(name);

        assert_eq!(vk.verify(&proof, &public), Ok(()), "{name}");
        assert_eq!(vk.to_json(), key.verifying_key().to_json(), "{name}");
        assert!(key.info().is_unsafe_dev && vk.is_insecure());
        assert!(!crate::support::Pair::of(&fixture).key.info().is_unsafe_dev);
    }
}

#[test]
fn such_a_key_is_refused_unless_it_is_allowed_whatever_was_done_to_its_delta() {
    let zkey = make(&Fixture::new(&by_name("bits")).r1cs).expect("a key");
    let mut contributed = zkey.clone();
    // 12 bytes of file header, 16 of section 1, 12 of the head of section 2: gamma2 gets the
    // coordinates of beta2.
    let header = 12 + 16 + 12;
    contributed.copy_within(header + 212..header + 340, header + 340);
    for bytes in [&zkey, &contributed] {
        let opened = ProvingKey::from_bytes(bytes, &reading("key.zkey")).err();
        let refused = VerifyingKey::from_zkey(bytes, &reading("key.zkey")).err();
        for error in [opened, refused] {
            let error = error.expect("a refusal");
            assert_eq!(error.code(), "ERR_INSECURE_KEY");
            let message = error.to_string();
            assert!(message.contains("--unsafe-dev") && message.contains("forge"), "{message}");
        }
        let key = ProvingKey::from_bytes(bytes, &allowing("key.zkey")).expect("an allowed key");
        assert!(key.info().is_unsafe_dev);
    }
}

#[test]
fn files_are_read_as_bytes_are() {
    let folder = TempDir::new();
    let fixture = Fixture::new(&by_name("many_public"));
    let path = folder.path().join("circuit.r1cs");
    std::fs::write(&path, &fixture.r1cs).expect("a file");

    let setup = UnsafeDevSetup::read(&path, &options()).expect("a setup");
    assert!(whole(setup) == make(&fixture.r1cs));

    let mut changed = UnsafeDevSetup::read(&path, &options()).expect("a setup");
    std::fs::write(&path, &fixture.r1cs[..fixture.r1cs.len() - 1]).expect("a shorter file");
    let error = loop {
        match changed.next_piece(pool(), &()) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a key of a file that changed"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "ERR_FILE_CHANGED");
    let absent = UnsafeDevSetup::read(&folder.path().join("absent"), &options()).err();
    assert_eq!(absent.map(|error| error.code()), Some("ERR_IO"));
}

#[test]
fn more_memory_than_is_allowed_is_refused() {
    let fixture = Fixture::new(&by_name("one_constraint"));
    let limited = |bytes| SetupOptions { memory_limit_bytes: Some(bytes), ..options() };

    let refused = UnsafeDevSetup::from_bytes(buffer(&fixture.r1cs), &limited(1 << 20)).err();

    assert_eq!(refused.map(|error| error.code()), Some("ERR_LIMIT"));
    assert!(UnsafeDevSetup::from_bytes(buffer(&fixture.r1cs), &limited(16 << 20)).is_ok());
}

#[test]
fn a_setup_stopped_anywhere_is_cancelled() {
    let fixture = Fixture::new(&by_name("bits"));
    for questions in 0.. {
        let observer = StopAfter::new(questions);
        let stopping = SetupOptions { observer: &observer, ..options() };
        let made =
            UnsafeDevSetup::from_bytes(buffer(&fixture.r1cs), &stopping).and_then(|mut setup| {
                while setup.next_piece(pool(), &observer)?.is_some() {}
                Ok(())
            });
        if made.is_ok() {
            assert!(questions > 10, "only {questions} questions were asked");
            break;
        }
        assert_eq!(made, Err(Error::Cancelled), "after {questions} questions");
    }
}

/// The sections of a good circuit: x * x = y, y public, 3 wires.
fn good() -> Vec<Section> {
    let file = Fixture::new(&by_name("one_constraint")).r1cs;
    let mut sections = Vec::new();
    let mut at = 12;
    while at < file.len() {
        let id = u32::from_le_bytes(file[at..at + 4].try_into().expect("4 bytes"));
        let len = u64::from_le_bytes(file[at + 4..at + 12].try_into().expect("8 bytes"));
        let end = at + 12 + usize::try_from(len).expect("a small section");
        sections.push((id, file[at + 12..end].to_vec()));
        at = end;
    }
    sections
}

/// A good circuit with other bytes at a place of a section.
fn put(section: usize, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut sections = good();
    sections[section].1[at..at + bytes.len()].copy_from_slice(bytes);
    container(*b"r1cs", 1, &sections)
}

fn with(edit: impl FnOnce(&mut Vec<Section>)) -> Vec<u8> {
    let mut sections = good();
    edit(&mut sections);
    container(*b"r1cs", 1, &sections)
}

#[test]
fn circuits_that_are_wrong_are_refused_by_code_and_place() {
    let word = |number: u32| number.to_le_bytes();
    let r = Fr::MODULUS.map(u64::to_le_bytes).concat();
    // The first term of A: its wire after a count, then its factor.
    let (wire, factor) = (4, 8);
    let cases: [(&str, Vec<u8>, &str, &str); 24] = [
        ("magic", container(*b"zkey", 1, &good()), "ERR_BAD_MAGIC", "an .r1cs file"),
        ("version", container(*b"r1cs", 2, &good()), "ERR_UNSUPPORTED_VERSION", "version 1"),
        ("no header", with(|all| drop(all.remove(0))), "ERR_SECTION_MISSING", "section 1"),
        ("no constraints", with(|all| drop(all.remove(1))), "ERR_SECTION_MISSING", "section 2"),
        ("no labels", with(|all| drop(all.remove(2))), "ERR_SECTION_MISSING", "section 3"),
        ("two headers", with(|all| all.push(all[0].clone())), "ERR_SECTION_DUPLICATE", "section 1"),
        ("two of 2", with(|all| all.push(all[1].clone())), "ERR_SECTION_DUPLICATE", "section 2"),
        ("long header", with(|all| all[0].1.push(0)), "ERR_SECTION_LENGTH", "section 1"),
        ("64-bit field", put(0, 0, &word(8)), "ERR_UNSUPPORTED_CURVE", "8 bytes"),
        ("prime", put(0, 4, &word(7)), "ERR_UNSUPPORTED_CURVE", "-p bn128"),
        ("too few wires", put(0, 36, &word(1)), "ERR_BAD_HEADER", "section 1, byte"),
        ("more inputs", put(0, 44, &word(u32::MAX)), "ERR_BAD_HEADER", "section 1, byte"),
        ("many wires", put(0, 36, &word(u32::MAX)), "ERR_SECTION_LENGTH", "section 3"),
        ("many rows", put(0, 60, &word(u32::MAX)), "ERR_SECTION_LENGTH", "section 2"),
        ("a row more", put(0, 60, &word(2)), "ERR_SECTION_LENGTH", "section 2"),
        ("no rows", put(0, 60, &word(0)), "ERR_SECTION_LENGTH", "section 2"),
        ("bytes behind", with(|all| all[1].1.push(0)), "ERR_SECTION_LENGTH", "section 2"),
        ("a byte less", with(|all| all[1].1.truncate(100)), "ERR_SECTION_LENGTH", "section 2"),
        ("many terms", put(1, 0, &word(u32::MAX)), "ERR_SECTION_LENGTH", "section 2"),
        ("labels", with(|all| all[2].1.push(0)), "ERR_SECTION_LENGTH", "section 3"),
        ("wire", put(1, wire, &word(3)), "ERR_INDEX_RANGE", "constraint 0, A, its wire"),
        ("factor", put(1, factor, &r), "ERR_NON_CANONICAL", "constraint 0, A, its factor"),
        (
            "gates",
            with(|all| all.push((4, word(1).to_vec()))),
            "ERR_UNSUPPORTED_PROTOCOL",
            "custom gates",
        ),
        (
            "uses of gates",
            with(|all| all.push((5, vec![0; 5]))),
            "ERR_UNSUPPORTED_PROTOCOL",
            "PLONK",
        ),
    ];
    for (name, file, code, part) in cases {
        let error = make(&file).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        let message = error.to_string();
        assert!(message.starts_with("circuit.r1cs") && message.contains(part), "{name}: {message}");
    }
}

#[test]
fn sections_come_in_any_order_beside_unknown_and_empty_ones() {
    let expected = make(&container(*b"r1cs", 1, &good())).expect("a key");
    let files = [
        with(|all| all.reverse()),
        with(|all| all.insert(0, (77, vec![1, 2, 3]))),
        with(|all| all.extend([(77, Vec::new()), (77, vec![9; 5])])),
        with(|all| all.extend([(4, vec![0; 4]), (5, Vec::new())])),
    ];
    for file in files {
        assert!(make(&file) == Ok(expected.clone()));
    }
}

#[test]
fn a_wire_that_a_combination_names_twice_counts_twice() {
    // x * x = y with A as x / 2 + x / 2.
    let half = Fr::from_u64(2).invert().expect("not zero");
    let constraints = |terms: &[(u32, Fr)]| {
        let mut bytes = u32::try_from(terms.len()).expect("few").to_le_bytes().to_vec();
        for (wire, factor) in terms {
            bytes.extend(wire.to_le_bytes());
            bytes.extend(factor.to_le_bytes());
        }
        bytes
    };
    let one = Fr::ONE;
    let twice = with(|all| {
        all[1].1 = [
            constraints(&[(2, half), (2, half)]),
            constraints(&[(2, one)]),
            constraints(&[(1, one)]),
        ]
        .concat();
    });
    let once = make(&container(*b"r1cs", 1, &good())).expect("a key");

    let zkey = make(&twice).expect("a key");

    let vk = |zkey: &[u8]| {
        VerifyingKey::from_zkey(zkey, &allowing("key.zkey")).expect("a key").to_json()
    };
    assert_eq!(vk(&zkey), vk(&once));
    let key = ProvingKey::from_bytes(&zkey, &allowing("key.zkey")).expect("a key");
    let wtns = Fixture::new(&by_name("one_constraint")).wtns;
    let witness = Witness::from_bytes(&wtns, "witness.wtns").expect("a witness");
    assert!(key.prove(&witness, &ProveOptions::new(pool())).is_ok());
}

#[test]
fn a_file_cut_anywhere_or_changed_in_a_byte_is_refused_or_makes_a_key() {
    let file = Fixture::new(&by_name("one_constraint")).r1cs;
    for len in 0..file.len() {
        let error = make(&file[..len]).expect_err("a cut file");
        assert!(["ERR_TRUNCATED", "ERR_BAD_MAGIC"].contains(&error.code()), "{len}: {error}");
    }
    // Tables are made for each circuit that can be read: every byte would take a minute.
    let mut made = 0;
    for at in (0..file.len()).step_by(7) {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        let Ok(zkey) = make(&changed) else { continue };
        assert!(ProvingKey::from_bytes(&zkey, &allowing("key.zkey")).is_ok(), "byte {at}");
        made += 1;
    }
    assert!(made > 5, "{made} files were read");
}
