//! Emits what the linker needs for a Node addon (among it `-z nodelete`, so that a worker that ends
//! cannot unload it).

fn main() {
    napi_build::setup();
}
