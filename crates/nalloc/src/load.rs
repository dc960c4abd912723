//! What is done when this object is loaded: a child made by fork finds the heap and the list of
//! secrets whole, whatever the other threads of its parent were at, and the object stays loaded as
//! long as a helper thread may run in it.
//!
//! And when the object is unloaded, which is when the process exits, a trace ends: that is behind
//! every exit handler of the program.
//!
//! The handlers are registered when this object is loaded. Registering them at the first
//! allocation races with the first fork: one child in 60 to 800 inherited a lock that nobody held.

use crate::global::{HEAP, shielded};
use crate::os::linux;
use crate::secret::live;

extern "C" fn prepare() {
    live::before_fork();
    HEAP.before_fork();
}

extern "C" fn resume() {
    // SAFETY: `prepare` ran in this thread.
    unsafe { HEAP.after_fork() };
    // SAFETY: as above.
    unsafe { live::after_fork() };
}

extern "C" fn resume_child() {
    // SAFETY: `prepare` ran in the thread that this child was made by.
    unsafe { HEAP.after_fork() };
    // SAFETY: as above.
    unsafe { live::after_fork_in_child() };
    HEAP.begin_child();
}

extern "C" fn end() {
    shielded(|| HEAP.end_trace());
}

extern "C" fn register() {
    linux::stay_loaded();
    // A C library without memory for three pointers at load leaves fork as unsafe as without us.
    let _registered = linux::around_fork(prepare, resume, resume_child);
}

// SAFETY: the section holds pointers to functions that run once, at load, before `main`; this one
// needs nothing that is set up later.
#[used]
#[unsafe(link_section = ".init_array")]
static REGISTER: extern "C" fn() = register;

// SAFETY: the section holds pointers to functions that run once, when the process exits; this one
// needs nothing that is gone by then.
#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;
