package authzen

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mandate/internal/authzen/scan"
)

// usual is what a payment system asks.
const usual = `{"subject":{"type":"user","id":"usr_01890000-0000-7000-8000-000000000001"},"action":{"name":"wires.transmit","properties":{"amount":"1000.00"}},"resource":{"type":"account","id":"acc_01890000-0000-7000-8000-000000000001"}}`

// nasty are bodies on which two readers could differ.
var nasty = []string{
	usual, `{"evaluations":[` + usual + `,` + usual + `]}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"},"context":{}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"},"context":null}`,
	`{"subject":{"type":"user","id":"a"},"subject":{"type":"user","id":"z"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a","id":"z"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"x":1,"x":2}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"x":1,"\u0078":2}},"resource":{"type":"account","id":"c"}}`,
	`{"\u0073ubject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"Subject":{"type":"user","id":"a"},"subject":{"type":"user","id":"b"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	"{\"subject\":{\"type\":\"user\",\"id\":\"\xff\"},\"action\":{\"name\":\"b\"},\"resource\":{\"type\":\"account\",\"id\":\"c\"}}",
	"{\"subject\":{\"type\":\"user\",\"id\":\"\xc0\x80\"},\"action\":{\"name\":\"b\"},\"resource\":{\"type\":\"account\",\"id\":\"c\"}}",
	"{\"subject\":{\"type\":\"user\",\"id\":\"\xed\xa0\x80\"},\"action\":{\"name\":\"b\"},\"resource\":{\"type\":\"account\",\"id\":\"c\"}}",
	"{\"subject\":{\"type\":\"user\",\"id\":\"a\x00\"},\"action\":{\"name\":\"b\"},\"resource\":{\"type\":\"account\",\"id\":\"c\"}}",
	"{\"subject\":{\"type\":\"user\",\"id\":\"a\x7fé𝄞\"},\"action\":{\"name\":\"b\"},\"resource\":{\"type\":\"account\",\"id\":\"c\"}}",
	"\ufeff" + usual, usual + "x", usual + "\x00", usual + usual, " \t\r\n" + usual + " \t\r\n", "\v" + usual, usual + "\u00a0",
	`{"subject":{"type":"user","id":""},"action":{"name":""},"resource":{"type":"","id":""}}`,
	`{"subject":{"type":"user"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":1},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"},}`,
	`{"subject":{"type":"user","id":"a",},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{,"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"} "action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":-0,"b":0.5,"c":-1.25,"d":true,"e":false,"f":null,"g":"x"}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":01}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":1.}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":-}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":1e9999}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":1e2}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":123456789012345678901234567890}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":tru}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":truex}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":[]}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b","properties":{"a":{}}},"resource":{"type":"account","id":"c"}}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c","more":1},"more":2}`,
	`{"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"},"evaluations":[{},{"action":{"name":"x"}}]}`,
	`{"evaluations":[{},{"action":{"name":"x"},"context":{"at_least_revision":"x"}}],"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"},"context":{"k":true}}`,
	`{"evaluations":[{}],"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{}}`,
	`{"evaluations":[{"resource":{"type":"account","id":"c"}}],"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{}}`,
	`{"evaluations":[{"subject":{"type":"user","id":"a"}}],"subject":null,"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"evaluations":[],"subject":{"type":"user","id":"a"},"action":{"name":"b"},"resource":{"type":"account","id":"c"}}`,
	`{"evaluations":[` + usual + `,]}`, `{"evaluations":[,` + usual + `]}`, `{"evaluations":[` + usual + ` ` + usual + `]}`, `{"evaluations":[` + usual,
	`{"evaluations":[` + usual + `],"options":{}}`, `{"evaluations":[` + usual + `],"options":null}`, `{"options":{"evaluations_semantic":""},"evaluations":[` + usual + `]}`,
	`{"evaluations":[` + usual + `],"options":{"evaluations_semantic":"deny_on_first_deny"}}`,
	`{"evaluations":[` + usual + `],"options":{"evaluations_semantic":"permit_on_first_permit","evaluations_semantic":"execute_all"}}`,
	`{"evaluations":[` + usual + `],"options":{"evaluations_semantic":"other"}}`, `{"evaluations":[` + usual + `],"options":{"other":1}}`,
	`{"evaluations":[` + usual + `],"evaluations":[` + usual + `]}`, `{"options":{},"options":{},"evaluations":[` + usual + `]}`,
	`{}`, `[]`, `{"evaluations":{}}`, `null`, `""`, ``, ` `, `{"evaluations":[1]}`,
}

// interopBodies are the requests of the public scenarios.
func interopBodies(t testing.TB) (bodies []string) {
	files, err := filepath.Glob(filepath.Join("testdata", "interop", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var scenario map[string]json.RawMessage
		if json.Unmarshal(text, &scenario) != nil {
			continue // data of a scenario, not requests
		}
		for _, kind := range []string{"evaluation", "evaluations"} {
			var cases []struct {
				Request json.RawMessage `json:"request"`
			}
			if json.Unmarshal(scenario[kind], &cases) != nil {
				continue
			}
			for _, c := range cases {
				bodies = append(bodies, string(c.Request))
			}
		}
	}
	if len(bodies) == 0 {
		t.Fatal("the scenarios hold no requests")
	}
	return bodies
}

// FuzzPlain holds the two readers against each other: what the quick one takes
// for plain the other one accepts, and understands in the same way.
func FuzzPlain(f *testing.F) {
	for _, body := range append(interopBodies(f), nasty...) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		checkSingle(t, body)
		checkBatch(t, body)
	})
}

func checkSingle(t *testing.T, body string) {
	var r scan.Request
	if !r.Evaluation(body) {
		return
	}
	members, err := decode([]byte(body))
	if err != nil {
		t.Fatalf("%q is plain, and not: %v", body, err)
	}
	e, failure := evaluation(members)
	if failure != nil {
		t.Fatalf("%q is plain, and not: %v", body, failure)
	}
	if got := unpacked(&r, &r.Evaluations[0]); !reflect.DeepEqual(got, e) {
		t.Fatalf("%q is read as %+v, and as %+v", body, got, e)
	}
}

func checkBatch(t *testing.T, body string) {
	h := new(hot)
	if !h.asked.Batch(body, MaxEvaluations) || !h.ends() {
		return
	}
	members, err := decode([]byte(body))
	if err != nil {
		t.Fatalf("%q is plain, and not: %v", body, err)
	}
	items, _ := members["evaluations"].([]any)
	b, err := readBatch(members, items)
	if err != nil || len(items) == 0 || len(b.asked) != len(items) || len(h.asked.Evaluations) != len(items) || b.semantic != h.semantic {
		t.Fatalf("%q is plain, and not: %v, %d of %d, %d, %q", body, err, len(b.asked), len(items), len(h.asked.Evaluations), b.semantic)
	}
	for i := range items {
		if got := unpacked(&h.asked, &h.asked.Evaluations[i]); !reflect.DeepEqual(got, b.asked[i]) {
			t.Fatalf("%q is read as %+v, and as %+v", body, got, b.asked[i])
		}
	}
}

// unpacked is a plain evaluation as the other reader would say it.
func unpacked(r *scan.Request, e *scan.Evaluation) Evaluation {
	entity := func(e scan.Entity) Entity {
		return Entity{strings.Clone(e.Type), strings.Clone(e.ID), unpackedMembers(r, e.Properties)}
	}
	return Evaluation{
		entity(e.Subject), Action{e.Action.Name, unpackedMembers(r, e.Action.Properties)},
		entity(e.Resource), unpackedMembers(r, e.Context),
	}
}

func unpackedMembers(r *scan.Request, m scan.Members) map[string]any {
	if !m.Given() {
		return nil
	}
	out := map[string]any{}
	for _, member := range r.Of(m) {
		out[member.Name] = member.Value()
	}
	return out
}

// The two readers agree on bodies that are nearly plain, of which random bytes
// hardly ever make one.
func TestReadersAgreeOnWhatIsNearlyPlain(t *testing.T) {
	rounds := 30_000
	if os.Getenv("MANDATE_SLOW") != "" {
		rounds = 5_000_000
	}
	r := rand.New(rand.NewPCG(uint64(rounds), 3))
	bodies := append(interopBodies(t), nasty...)
	plain := 0
	for range rounds {
		body := []byte(bodies[r.IntN(len(bodies))])
		for range r.IntN(3) {
			body = bent(r, body)
		}
		if s := string(body); new(scan.Request).Evaluation(s) || new(scan.Request).Batch(s, MaxEvaluations) {
			plain++
			checkSingle(t, s)
			checkBatch(t, s)
		}
	}
	if plain < rounds/10 {
		t.Errorf("only %d of %d bodies were plain: too few to compare", plain, rounds)
	}
}

// bits are what bodies are made of, and what looks like it.
var bits = []string{
	`"`, `:`, `,`, `{`, `}`, `[`, `]`, ` `, "\n", "\t", `\`, `\u0061`, `\"`, "\x00", "\x1f", "\x7f", "\xff", "\xc3\xa9", "\xed\xa0\x80", "\xf0\x9d\x84\x9e", "\u2028",
	`null`, `true`, `false`, `0`, `-0`, `1.5`, `01`, `1.`, `.5`, `-`, `1e2`, `9007199254740993`, `123456789012345`, `1234567890123456`, `""`, `{}`, `[]`, `[{}]`,
	`"subject":`, `"action":`, `"resource":`, `"context":`, `"evaluations":`, `"options":`, `"type":`, `"id":`, `"name":`, `"properties":`, `"evaluations_semantic":`,
	`"subject":{"type":"user","id":"x"}`, `"properties":{"amount":"1.00"}`, `"properties":{"a":1,"a":2}`, `"options":{"evaluations_semantic":"execute_all"}`, `"Type":"x"`, `"more":1`,
}

var aWord = regexp.MustCompile(`"[a-z_]*"`)

// bent is a body with something put in, taken out, doubled or exchanged.
func bent(r *rand.Rand, body []byte) []byte {
	if len(body) == 0 {
		return []byte(bits[r.IntN(len(bits))])
	}
	from := r.IntN(len(body))
	to := min(len(body), from+1+r.IntN(1+r.IntN(40)))
	switch r.IntN(6) {
	case 0:
		return slices.Insert(body, from, []byte(bits[r.IntN(len(bits))])...)
	case 1:
		return slices.Delete(body, from, to)
	case 2:
		return slices.Insert(body, to, slices.Clone(body[from:to])...)
	case 3:
		return slices.Replace(body, from, to, []byte(bits[r.IntN(len(bits))])...)
	case 4: // a name or a text for another
		words := aWord.FindAllIndex(body, -1)
		if len(words) < 2 {
			return body
		}
		a, b := words[r.IntN(len(words))], words[r.IntN(len(words))]
		return slices.Replace(body, a[0], a[1], bytes.Clone(body[b[0]:b[1]])...)
	}
	body[from] ^= 1 << r.IntN(8)
	return body
}
