// gnark-crypto as a contestant: answers the requests of benchkit's worker on its standard input.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils/cpu"
)

const productLen = 1 << 12

func main() {
	threads, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gnark: expected a number of threads, got", os.Args)
		os.Exit(2)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if text, err := answer(strings.Fields(lines.Text()), threads); err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println("ok", text)
		}
	}
}

func answer(request []string, threads int) (string, error) {
	switch {
	case len(request) == 1 && request[0] == "settings":
		return fmt.Sprint("gnark-crypto 0.22, ", runtime.Version(), ", avx512 ", cpu.SupportAVX512), nil
	case len(request) == 3 && request[0] == "check":
		return "", check(request[1], request[2], threads)
	case len(request) == 2 && request[0] == "round":
		return round(request[1], threads)
	}
	return "", fmt.Errorf("unknown request %q", request)
}

// prepare makes what a case works on: the work, what it is done to, how often a round does it, and
// whether its result is in bit-reversed order.
func prepare(name string, threads int) (work func(), values fr.Vector, repetitions int, reversed bool, err error) {
	if name == "product" {
		values = powers(productLen)
		factors := append(fr.Vector(nil), values...)
		return func() { values.Mul(values, factors) }, values, 200, false, nil
	}
	text, isNtt := strings.CutPrefix(name, "ntt-")
	log2, err := strconv.Atoi(text)
	if !isNtt || err != nil || log2 < 0 || log2 > 28 {
		return nil, nil, 0, false, fmt.Errorf("no case %q", name)
	}
	values = powers(1 << log2)
	domain := fft.NewDomain(uint64(len(values)))
	work = func() { domain.FFT(values, fft.DIF, fft.WithNbTasks(threads)) }
	return work, values, 1 << min(max(21-log2, 0), 5), true, nil
}

func powers(count int) fr.Vector {
	values := make(fr.Vector, count)
	power := fr.One()
	var seven fr.Element
	seven.SetUint64(7)
	for i := range values {
		values[i] = power
		power.Mul(&power, &seven)
	}
	return values
}

// prepareSum makes what a multi-scalar multiplication works on; its result is a list of coordinates.
func prepareSum(name string, threads int) (work func() []fp.Element, repetitions int, err error) {
	kind, text, _ := strings.Cut(name, "-")
	log2, err := strconv.Atoi(text)
	if err != nil || log2 < 0 || log2 > 28 {
		return nil, 0, fmt.Errorf("no case %q", name)
	}
	scalars := powers(1 << log2)
	if kind == "g1small" {
		for i := range scalars {
			if i%10 < 9 {
				scalars[i].SetZero()
				if i%3 == 1 {
					scalars[i].SetOne()
				}
			}
		}
	}
	config := ecc.MultiExpConfig{NbTasks: threads}
	repetitions = 1 << min(max(17-log2, 0), 3)
	g1, g2, _, _ := bn254.Generators()
	if kind == "g2" {
		multiples := make([]bn254.G2Affine, len(scalars))
		sum := g2
		for i := range multiples {
			multiples[i].FromJacobian(&sum)
			sum.AddAssign(&g2)
		}
		return func() []fp.Element {
			var result bn254.G2Affine
			if _, err := result.MultiExp(multiples, scalars, config); err != nil {
				panic(err)
			}
			return []fp.Element{result.X.A0, result.X.A1, result.Y.A0, result.Y.A1}
		}, repetitions, nil
	}
	multiples := make([]bn254.G1Jac, len(scalars))
	sum := g1
	for i := range multiples {
		multiples[i] = sum
		sum.AddAssign(&g1)
	}
	bases := bn254.BatchJacobianToAffineG1(multiples)
	return func() []fp.Element {
		var result bn254.G1Affine
		if _, err := result.MultiExp(bases, scalars, config); err != nil {
			panic(err)
		}
		return []fp.Element{result.X, result.Y}
	}, repetitions, nil
}

func isSum(name string) bool {
	return strings.HasPrefix(name, "g1") || strings.HasPrefix(name, "g2")
}

func checkSum(name, expected string, threads int) error {
	work, _, err := prepareSum(name, threads)
	if err != nil {
		return err
	}
	hash := sha256.New()
	for _, coordinate := range work() {
		for _, limb := range coordinate.Bits() {
			hash.Write(binary.LittleEndian.AppendUint64(nil, limb))
		}
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)); got != expected {
		return fmt.Errorf("expected %s, got %s", expected, got)
	}
	return nil
}

func checkKzg(name, expected string, threads int) error {
	work, _, err := prepareKzg(name, threads)
	if err != nil {
		return err
	}
	hash := sha256.New()
	for _, number := range work() {
		for _, limb := range number {
			hash.Write(binary.LittleEndian.AppendUint64(nil, limb))
		}
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)); got != expected {
		return fmt.Errorf("expected %s, got %s", expected, got)
	}
	return nil
}

func check(name, expected string, threads int) error {
	if isKzg(name) {
		return checkKzg(name, expected, threads)
	}
	if isSum(name) {
		return checkSum(name, expected, threads)
	}
	work, values, _, reversed, err := prepare(name, threads)
	if err != nil {
		return err
	}
	work()
	if reversed {
		fft.BitReverse(values)
	}
	hash := sha256.New()
	for i := range values {
		limbs := values[i].Bits()
		for _, limb := range limbs {
			hash.Write(binary.LittleEndian.AppendUint64(nil, limb))
		}
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)); got != expected {
		return fmt.Errorf("expected %s, got %s", expected, got)
	}
	return nil
}

func round(name string, threads int) (string, error) {
	var work func()
	var repetitions int
	var err error
	if isKzg(name) {
		var kzg func() [][4]uint64
		kzg, repetitions, err = prepareKzg(name, threads)
		work = func() { kzg() }
	} else if isSum(name) {
		var sum func() []fp.Element
		sum, repetitions, err = prepareSum(name, threads)
		work = func() { sum() }
	} else {
		work, _, repetitions, _, err = prepare(name, threads)
	}
	if err != nil {
		return "", err
	}
	runtime.GC()
	// Refused in some containers; the peak is then that of the process.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	work()
	faults := pageFaults()
	start := time.Now()
	for range repetitions {
		work()
	}
	ms := time.Since(start).Seconds() * 1e3 / float64(repetitions)
	faults = (pageFaults() - faults) / int64(repetitions)
	resident, err := statusBytes("VmRSS:")
	peak, err2 := statusBytes("VmHWM:")
	return fmt.Sprint(ms, " ", resident, " ", peak, " ", faults), errors.Join(err, err2)
}

func pageFaults() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Minflt + usage.Majflt
}

func statusBytes(name string) (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no line %s", name)
}
