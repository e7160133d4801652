package authzen

import (
	"encoding/json"
	"reflect"
	"testing"

	"mandate/internal/fault"
)

// FuzzDecode sends a stranger's bytes through everything that reads them. What
// is taken for an evaluation says the same when it is written out and read
// again; what is not is the stranger's fault, never ours.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"1","properties":{"a":[1]}},"context":{}}`,
		`{"subject":{"type":"user","id":"alice"},"evaluations":[{},{"action":{"name":"x"}}],"options":{"evaluations_semantic":"deny_on_first_deny"}}`,
		`{"evaluations":[{"subject":null}],"options":[]}`,
		`{"evaluations":[1]}`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := decode(data)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("decode: %v", err)
			}
			return
		}
		checkEvaluation(t, body)
		items, _ := body["evaluations"].([]any)
		b, err := readBatch(body, items)
		switch {
		case err != nil && fault.KindOf(err) != fault.Invalid:
			t.Fatalf("readBatch: %v", err)
		case err != nil:
			return
		}
		wrong := 0
		for _, failure := range b.failures {
			if failure != nil {
				wrong++
			}
		}
		if len(b.failures) != len(items) || len(b.asked)+wrong != len(items) {
			t.Fatalf("%d items are %d evaluations and %d failures", len(items), len(b.asked), wrong)
		}
	})
}

func checkEvaluation(t *testing.T, body object) {
	e, failure := evaluation(body)
	if failure != nil {
		if failure.Status != 400 || failure.Message == "" {
			t.Fatalf("failure = %+v", failure)
		}
		return
	}
	text, err := json.Marshal(map[string]any{
		"subject": written(e.Subject), "resource": written(e.Resource),
		"action": withProperties(object{"name": e.Action.Name}, e.Action.Properties), "context": e.Context,
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := decode(text)
	if e.Context == nil {
		delete(again, "context")
	}
	back, failure := evaluation(again)
	if err != nil || failure != nil || !reflect.DeepEqual(e, back) {
		t.Fatalf("%+v is read again as %+v, %v, %v", e, back, err, failure)
	}
}

func written(e Entity) object {
	return withProperties(object{"type": e.Type, "id": e.ID}, e.Properties)
}

func withProperties(o object, properties map[string]any) object {
	if properties != nil {
		o["properties"] = properties
	}
	return o
}
