package web

import (
	"encoding/csv"
	"fmt"
	"iter"
	"mime"
	"net/http"

	"mandate/internal/bank"
)

// WriteCSV streams rows as a file. Where the first row cannot be had, the error
// goes to the error page; after that, a failure breaks the download off, so
// that half a file is not taken for a whole one.
func WriteCSV(w http.ResponseWriter, filename string, header []string, rows iter.Seq2[[]string, error]) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	started := false
	start := func() {
		h := w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filename}))
		out.Write(bank.HarmlessCells(header))
		started = true
	}
	for row, err := range rows {
		if err != nil && !started {
			return fmt.Errorf("write %s: %w", filename, err)
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if !started {
			start()
		}
		out.Write(bank.HarmlessCells(row))
	}
	if !started {
		start()
	}
	out.Flush()
	return nil // a browser that went away is not our failure
}
