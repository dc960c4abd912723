package main

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// last is the value that the chain ends with.
func last() fr.Element {
	var x, square, fourth, seven fr.Element
	x.SetUint64(first)
	seven.SetUint64(added)
	for range steps {
		square.Square(&x)
		fourth.Square(&square)
		x.Mul(&fourth, &x)
		x.Add(&x, &seven)
	}
	return x
}
