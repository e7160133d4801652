package fineract

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"mandate/internal/host"
)

// Under a key that failed, Fineract answers with the status for ever, and in some
// versions without saying why. A refusal that was told must stay one, so it
// stands in a note on the account before it is told: what failed and has no such
// note was told to nobody.

const noteStart = "Refused to Mandate: "

// keep writes the note of a refusal.
func (w *work) keep(ctx context.Context, code host.Code) error {
	var m made
	err := w.call(ctx, w.order.Institution, request{
		method: http.MethodPost, path: w.notes(), key: markStart + w.mark.key + "-R",
		body: map[string]string{"note": noteStart + string(code) + " " + w.mark.String()},
	}, &m)
	if err == nil && m.Resource <= 0 {
		err = fmt.Errorf("fineract: the answer does not name the note that was made")
	}
	if err != nil {
		return fmt.Errorf("keep why %s is refused: %w", w.order.Key(), err)
	}
	return nil
}

func (w *work) notes() string { return fmt.Sprintf("savings/%d/notes", w.from) }

// told finds out whether the order was refused before.
func (w *work) told(ctx context.Context) (host.Code, error) {
	var notes []struct {
		Note string `json:"note"`
	}
	if err := w.get(ctx, w.order.Institution, w.notes(), nil, &notes); err != nil {
		return "", fmt.Errorf("look why %s failed: %w", w.order.Key(), err)
	}
	for _, n := range notes {
		text, ours := strings.CutPrefix(n.Note, noteStart)
		if m, marked := in(text); ours && marked && m.key == w.mark.key {
			code, _, _ := strings.Cut(text, " ")
			return host.Code(code), w.same(m)
		}
	}
	return "", nil
}
