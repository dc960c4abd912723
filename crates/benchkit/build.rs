//! Keeps the compiler's version, which records name.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output().expect("the compiler runs");
    let text = String::from_utf8(output.stdout).expect("a version is text");
    let version = text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    println!("cargo::rustc-env=BENCHKIT_TOOLCHAIN={version}");
}
