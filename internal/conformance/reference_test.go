package conformance

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"mandate/internal/db"
	"mandate/internal/entitlement/reference"
)

// randomWorlds is how many worlds each database is asked about; MANDATE_SLOW=1
// asks ten times as many.
func randomWorlds() int {
	if os.Getenv("MANDATE_SLOW") == "1" {
		return 3000
	}
	return 150
}

// random makes a vector whose expectations are the reference's answers.
func random(t *testing.T, seed uint64) Vector {
	t.Helper()
	v := reference.RandomVector(rand.New(rand.NewPCG(seed, 77)), "seed "+strconv.FormatUint(seed, 10))
	data, err := json.Marshal(reference.File{Format: reference.Format, Vectors: []reference.Vector{v}})
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return vectors[0]
}

// TestAgainstReference asks the product on its databases what the slow reading
// of the specification was asked: deciding, authorizing, approving, confirming,
// voiding and editing, over time.
func TestAgainstReference(t *testing.T) {
	var vectors []Vector
	for seed := range uint64(randomWorlds()) {
		vectors = append(vectors, random(t, seed))
	}
	each(t, func(t *testing.T, d *db.DB, c *Clock) {
		report := Run(t.Context(), d, c, []File{{Name: "reference", Vectors: vectors}})
		for _, f := range report.Failures {
			t.Error(f)
		}
		if report.Passed+report.Failed != len(vectors) {
			t.Errorf("%d of %d vectors were asked", report.Passed+report.Failed, len(vectors))
		}
	})
}
