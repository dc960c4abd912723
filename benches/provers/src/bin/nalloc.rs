//! The provers with nalloc.

#[global_allocator]
static GLOBAL: nalloc::NAlloc = nalloc::NAlloc::new();

fn main() -> std::process::ExitCode {
    provers::serve()
}
