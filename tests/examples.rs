//! The Rust examples run and print what they promise. `cargo test` builds them before this.

use std::path::PathBuf;
use std::process::Command;

/// What an example prints on stdout; it must end well.
fn output_of(name: &str) -> String {
    let tests = std::env::current_exe().expect("the path of this test");
    let profile = tests.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program: PathBuf = profile.join("examples").join(name);
    let output = Command::new(&program).output().unwrap_or_else(|error| {
        panic!("{}: {error}; run cargo build --examples", program.display())
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {said}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn after_two_rounds_the_global_allocator_takes_no_memory_from_the_system() {
    let output = output_of("global_allocator");

    let misses: Vec<&str> = output
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(3).expect("a column of misses"))
        .collect();
    assert_eq!(misses.len(), 4, "{output}");
    assert!(misses[1..].windows(2).all(|pair| pair[0] == pair[1]), "{output}");
}

#[test]
fn the_arena_is_clean_for_the_second_proof_and_the_secret_is_sealed() {
    let output = output_of("arena_and_secret");

    let proofs: Vec<&str> =
        output.lines().filter_map(|line| line.split("digest ").nth(1)).collect();
    assert_eq!(proofs.len(), 2, "{output}");
    assert_eq!(proofs[0], proofs[1], "{output}");
    assert!(output.contains("SecretBuf(32)"), "{output}");
    assert!(output.contains("protected true"), "{output}");
    assert!(!output.contains("90, 90"), "the secret is printed: {output}");
}

#[test]
fn commitments_are_opened_in_every_way_and_a_forged_value_is_refused() {
    let output = output_of("kzg_commit_open_verify");

    for step in ["commit ", "open ", "verify ", "at once ", "one point ", "points "] {
        assert!(
            output.lines().any(|line| line.starts_with(step) && line.ends_with(" ms")),
            "{output}"
        );
    }
    assert!(output.contains("forged      opening: expected a proof"), "{output}");
}
