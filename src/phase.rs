//! Named spans of time of JavaScript, in the account of every heap of this process.
//!
//! A span may last over many turns of the event loop, with others begun and ended in between: so
//! each is an object that ends itself and no other. The heaps keep names for ever; those of
//! JavaScript are kept here once each, and no more of them than the heaps tell apart.

use std::sync::{Mutex, PoisonError};

use napi_derive::napi;

use crate::preloaded;

/// Names of JavaScript that are kept; as many as a heap tells apart.
const NAMES_MAX: usize = 32;
/// What spans under further names are called, as `nalloc report` calls them.
const FURTHER: &str = "further phases";

static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

fn kept(name: String) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.iter().find(|known| **known == name) {
        return known;
    }
    if names.len() == NAMES_MAX {
        return FURTHER;
    }
    let name = Box::leak(name.into_boxed_str());
    names.push(name);
    name
}

/// A span of time that has a name.
#[napi]
pub struct PhaseHandle {
    /// Both, until the end.
    open: Option<(nalloc::Phase, Option<preloaded::Phase>)>,
}

#[napi]
impl PhaseHandle {
    /// Begins it.
    #[napi(constructor, catch_unwind)]
    #[must_use]
    pub fn new(name: String) -> Self {
        let name = kept(name);
        Self { open: Some((nalloc::phase(name), preloaded::phase(name))) }
    }

    /// Ends it. May be called again.
    #[napi(catch_unwind)]
    pub fn end(&mut self) {
        self.open = None;
    }
}
