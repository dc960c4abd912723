pragma circom 2.0.0;

include "circomlib/circuits/eddsaposeidon.circom";

// 4,217 constraints with --O2: one signature.
component main {public [M]} = EdDSAPoseidonVerifier();
