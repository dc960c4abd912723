//! Oracles, fixture makers and runners for the tests of this workspace.
