//! The provers with zk-alloc.

#[global_allocator]
static GLOBAL: zk_alloc::ZkAllocator = zk_alloc::ZkAllocator;

fn main() -> std::process::ExitCode {
    provers::serve()
}
