//! Emits what the linker needs for a Node addon, and that the addon stays once it is loaded, so that
//! a worker that ends cannot unload it: napi says so for glibc alone.

fn main() {
    napi_build::setup();
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
