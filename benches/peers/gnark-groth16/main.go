// gnark as a contestant of benches/node/groth16.ts: proves the chain of powers of scripts/circuits.mjs.
// Answers each line of its standard input, "prepare" or "round", with one line.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
)

const (
	steps = 21_840
	added = 7
	first = 5
)

// chain says that Y comes out of X after so many steps x^5 + 7.
type chain struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *chain) Define(api frontend.API) error {
	x := c.X
	for range steps {
		square := api.Mul(x, x)
		fourth := api.Mul(square, square)
		x = api.Add(api.Mul(fourth, x), added)
	}
	api.AssertIsEqual(x, c.Y)
	return nil
}

// prover is what is made once, as the others open their keys once.
type prover struct {
	system  constraint.ConstraintSystem
	key     groth16.ProvingKey
	witness witness.Witness
}

func main() {
	logger.Disable()
	prover, err := prepare()
	if err != nil {
		fmt.Println("error", err)
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "prepare":
			fmt.Println("ok", "gnark 0.15,", runtime.Version()+",", runtime.GOMAXPROCS(0), "threads,",
				prover.system.GetNbConstraints(), "constraints")
		case "round":
			text, err := prover.round()
			if err != nil {
				fmt.Println("error", err)
			} else {
				fmt.Println("ok", text)
			}
		}
	}
}

// prepare makes a key, and a proof that is verified.
func prepare() (*prover, error) {
	field := ecc.BN254.ScalarField()
	system, err := frontend.Compile(field, r1cs.NewBuilder, &chain{})
	if err != nil {
		return nil, err
	}
	key, verifyingKey, err := groth16.Setup(system)
	if err != nil {
		return nil, err
	}
	full, err := frontend.NewWitness(&chain{X: first, Y: last()}, field)
	if err != nil {
		return nil, err
	}
	proof, err := groth16.Prove(system, key, full)
	if err != nil {
		return nil, err
	}
	public, err := full.Public()
	if err != nil {
		return nil, err
	}
	return &prover{system, key, full}, groth16.Verify(proof, verifyingKey, public)
}

// round proves once: milliseconds, resident bytes, their peak, and page faults.
func (p *prover) round() (string, error) {
	runtime.GC()
	// Refused in some containers; the peak is then that of the process.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	faults := pageFaults()
	start := time.Now()
	if _, err := groth16.Prove(p.system, p.key, p.witness); err != nil {
		return "", err
	}
	ms := time.Since(start).Seconds() * 1e3
	faults = pageFaults() - faults
	resident, err := statusBytes("VmRSS:")
	if err != nil {
		return "", err
	}
	peak, err := statusBytes("VmHWM:")
	return fmt.Sprint(ms, " ", resident, " ", peak, " ", faults), err
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
