#!/bin/sh
# From a circuit's inputs to what a contract takes, without a line of JavaScript:
#   sh pipeline.sh input.json out
# beside circuit.wasm, circuit.zkey and verification_key.json. Stops at the first command that says
# no: the exit status is that command's (1 not valid, 3 a bad file or value, 4 memory). The witness is
# never a file.
set -eu

input=$1
out=$2
mkdir -p "$out"

npx nalloc fullprove "$input" circuit.wasm circuit.zkey \
  -o "$out/proof.json" --public "$out/public.json" --timeout 60s
npx nalloc verify verification_key.json "$out/public.json" "$out/proof.json"
npx nalloc export verifier-calldata "$out/proof.json" "$out/public.json" -o "$out/calldata.txt"
