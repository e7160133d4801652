package reference

import (
	"os"
	"path/filepath"
	"testing"

	_ "time/tzdata"
)

// vectorFiles reads every vector file of the project.
func vectorFiles(t *testing.T) map[string]File {
	t.Helper()
	paths, err := filepath.Glob("../../../testdata/vectors/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vector files: %v", err)
	}
	files := map[string]File{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[filepath.Base(path)] = f
	}
	return files
}

func TestVectors(t *testing.T) {
	for name, f := range vectorFiles(t) {
		for _, v := range f.Vectors {
			for _, m := range Check(v) {
				t.Errorf("%s, %q, step %d:\n got %v\nwant %v\n err %v", name, m.Vector, m.Step, m.Got, m.Want, m.Err)
			}
		}
	}
}
