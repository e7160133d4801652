package nacha

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func readers(text string, in io.Reader) io.Reader { return io.MultiReader(strings.NewReader(text), in) }

// FuzzRead: whatever comes in, it is a file or a refusal, and a file can be
// read a second time with the same result.
func FuzzRead(f *testing.F) {
	for _, folder := range []string{"valid", "invalid", "other"} {
		for _, content := range samples(f, folder) {
			f.Add(content, true)
		}
	}
	f.Add(large(2), false)
	f.Fuzz(func(t *testing.T, content []byte, lenient bool) {
		rules := Rules{Relaxed: lenient, Companies: []Company{{ID: "1234567890", Name: "Acme Tools"}}}
		file, err := Read(bytes.NewReader(content), rules, nil)
		if err != nil {
			if refusal, ok := errors.AsType[*Refusal](err); !ok || len(refusal.Problems) == 0 || refusal.Code == "" {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		if again, err := Read(bytes.NewReader(content), rules, nil); err != nil || again.SHA256 != file.SHA256 || again.Credits != file.Credits {
			t.Fatalf("read again: %v", err)
		}
		for _, b := range file.Batches {
			for _, e := range b.Entries {
				if e.Amount < 0 || len(e.Record) != 94 {
					t.Fatalf("entry %+v", e)
				}
			}
		}
	})
}
