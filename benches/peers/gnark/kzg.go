// Commitments of gnark-crypto's kzg package.
package main

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
)

const (
	tau       = 0x6e616c6c6f63
	point     = 3
	openings  = 64
	openedLen = 8
)

func isKzg(name string) bool {
	return strings.HasPrefix(name, "commit-") || strings.HasPrefix(name, "open-") || strings.HasPrefix(name, "verify")
}

// prepareKzg makes what a case works on; its result is a list of integers of 32 bytes.
func prepareKzg(name string, threads int) (work func() [][4]uint64, repetitions int, err error) {
	if name == "verify" || name == "verify-each" {
		return prepareVerify(name)
	}
	kind, text, _ := strings.Cut(name, "-")
	log2, err := strconv.Atoi(text)
	if err != nil || log2 < 1 || log2 > 28 {
		return nil, 0, fmt.Errorf("no case %q", name)
	}
	srs, err := kzg.NewSRS(1<<log2, big.NewInt(tau))
	if err != nil {
		return nil, 0, err
	}
	polynomial := powers(1 << log2)
	repetitions = 1 << min(max(17-log2, 0), 3)
	if kind == "commit" {
		return func() [][4]uint64 {
			digest, err := kzg.Commit(polynomial, srs.Pk, threads)
			if err != nil {
				panic(err)
			}
			return [][4]uint64{digest.X.Bits(), digest.Y.Bits()}
		}, repetitions, nil
	}
	var at fr.Element
	at.SetUint64(point)
	at.Neg(&at)
	return func() [][4]uint64 {
		proof, err := kzg.Open(polynomial, at, srs.Pk)
		if err != nil {
			panic(err)
		}
		return [][4]uint64{proof.H.X.Bits(), proof.H.Y.Bits(), proof.ClaimedValue.Bits()}
	}, repetitions, nil
}

// prepareVerify gives a check whose result is one, if good openings are accepted and, the first
// time, a spoiled one is not.
func prepareVerify(name string) (work func() [][4]uint64, repetitions int, err error) {
	srs, err := kzg.NewSRS(openedLen, big.NewInt(tau))
	if err != nil {
		return nil, 0, err
	}
	all := powers(openings + openedLen)
	digests := make([]kzg.Digest, openings)
	proofs := make([]kzg.OpeningProof, openings)
	points := make([]fr.Element, openings)
	for i := range points {
		points[i].SetUint64(uint64(i) + 2)
		if digests[i], err = kzg.Commit(all[i:i+openedLen], srs.Pk); err != nil {
			return nil, 0, err
		}
		if proofs[i], err = kzg.Open(all[i:i+openedLen], points[i], srs.Pk); err != nil {
			return nil, 0, err
		}
	}
	last := openings - 1
	repetitions = 30
	accepts := func() bool { return kzg.BatchVerifyMultiPoints(digests, proofs, points, srs.Vk) == nil }
	if name == "verify" {
		repetitions = 100
		accepts = func() bool { return kzg.Verify(&digests[last], &proofs[last], points[last], srs.Vk) == nil }
	}
	value := proofs[last].ClaimedValue
	proofs[last].ClaimedValue.SetUint64(1)
	if accepts() {
		return nil, 0, fmt.Errorf("%s: a spoiled opening is accepted", name)
	}
	proofs[last].ClaimedValue = value
	return func() [][4]uint64 {
		if accepts() {
			return [][4]uint64{{1}}
		}
		return [][4]uint64{{}}
	}, repetitions, nil
}
