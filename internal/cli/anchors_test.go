package cli

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"mandate/internal/activity"
)

// A file of heads is for its owner only, whatever lay there, and two that write it
// at once leave one of theirs, whole.
func TestAnchorsAreWrittenWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heads.json")
	for _, old := range []string{path, path + ".unfinished"} {
		if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var writers sync.WaitGroup
	for n := range 2 {
		writers.Go(func() {
			heads := make([]activity.Anchor, 2000)
			for i := range heads {
				heads[i] = activity.Anchor{Institution: "cedar", Sequence: int64(n + 1), Hash: "00"}
			}
			if err := writeAnchors(path, heads); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	heads, err := readAnchors(path)
	if err != nil || len(heads) != 2000 {
		t.Fatalf("%d heads (%v)", len(heads), err)
	}
	for _, h := range heads {
		if h.Sequence != heads[0].Sequence {
			t.Fatal("the heads of two writers are mixed")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v), want mode 0600", info, err)
	}
	if left, _ := filepath.Glob(path + ".*.unfinished"); len(left) > 0 {
		t.Errorf("%v was left behind", left)
	}
}
