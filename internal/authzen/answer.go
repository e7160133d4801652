package authzen

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"mandate/internal/fault"
)

// refuse writes an error: the status, and a message as plain text.
func refuse(w http.ResponseWriter, _ *http.Request, status int, err *fault.Error) {
	writeFailure(w, &Failure{status, err.Sentence})
}

func writeFailure(w http.ResponseWriter, f *Failure) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Message+"\n") // the caller is gone; nothing is left to tell it
}

func writeJSON(w http.ResponseWriter, value any) error { return writeJSONAs(w, http.StatusOK, value) }

func writeJSONAs(w http.ResponseWriter, status int, value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	sendJSON(w, status, b.Bytes())
	return nil
}

type decisionBody struct {
	Decision bool           `json:"decision"`
	Context  map[string]any `json:"context,omitempty"`
}

// bodyOf is the decision as an item of a batch shows it.
func bodyOf(d Decision) decisionBody {
	if d.Failure != nil {
		return decisionBody{Context: map[string]any{"error": map[string]any{"status": d.Failure.Status, "message": d.Failure.Message}}}
	}
	return decisionBody{d.Allowed, d.Context}
}

func (d Decision) allows() bool { return d.Allowed && d.Failure == nil }
