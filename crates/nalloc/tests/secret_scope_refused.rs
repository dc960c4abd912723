//! Without `NAlloc` as the global allocator a secret scope would promise nothing, so there is none.

use nalloc::{Error, secret_scope};

#[test]
fn without_nalloc_as_the_allocator_a_scope_is_refused() {
    let error = secret_scope().err();

    assert_eq!(error, Some(Error::NotGlobal));
    assert!(error.is_some_and(|error| error.to_string().contains("#[global_allocator]")));
}
