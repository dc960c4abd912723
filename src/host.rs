//! What TypeScript cannot find out about where it runs.

use nalloc_bn254::Kernels;
use napi_derive::napi;

use crate::number;

/// What this process runs on and under, as the addon sees it.
#[napi(object)]
pub struct HostFacts {
    /// Which arithmetic kernels run.
    pub cpu: String,
    /// Bytes of an OS page.
    pub page_bytes: f64,
    /// The memory limit of the control group; absent when there is none.
    pub cgroup_limit_bytes: Option<f64>,
    /// Address of the heap's first byte; absent when the heap has no range.
    pub heap_start: Option<f64>,
    /// Address of the byte behind the heap's last one.
    pub heap_end: Option<f64>,
}

/// What this process runs on and under.
#[napi(catch_unwind)]
#[must_use]
pub fn host() -> HostFacts {
    let host = nalloc::host();
    let addresses = host.heap_addresses.as_ref();
    HostFacts {
        cpu: Kernels::host().name().to_owned(),
        page_bytes: number::from_usize(host.page_bytes),
        cgroup_limit_bytes: host.cgroup_limit_bytes.map(number::from_u64),
        heap_start: addresses.map(|addresses| number::from_usize(addresses.start)),
        heap_end: addresses.map(|addresses| number::from_usize(addresses.end)),
    }
}
