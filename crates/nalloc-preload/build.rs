//! Tells the linker that the library stays once it is loaded: whoever opens it by `dlopen` and
//! closes it again would take the code of the heap's helper thread, and of blocks that are still
//! in use, away.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
