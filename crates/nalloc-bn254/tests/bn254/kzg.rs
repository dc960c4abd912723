//! KZG against a naive oracle with a known tau, against arkworks, and against forgers.

mod srs;
