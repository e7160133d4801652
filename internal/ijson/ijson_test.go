package ijson

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var wide = Limits{Depth: 8, Values: 100}

func TestParseReadsWhatTheStandardReads(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, ` { "a" : [ 1 , -2.5e+3 , true , false , null , "b" ] } `, `"é😀\/\"\\\b\f\n\r\t\u0041"`, `0`, `-0`, `1E2`, `"` + "é😀" + `"`,
	} {
		got, err := Parse([]byte(text), wide)
		var want any
		if e := json.Unmarshal([]byte(text), &want); e != nil {
			t.Fatal(e)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%s) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                         "ends too early",
		`{`:                        "name of a member",
		`{"a":1`:                   "comma or a closing",
		`{"a":1,}`:                 "nothing stands after the comma",
		`{"a":1 "b":2}`:            "comma or a closing",
		`{"a" 1}`:                  "colon",
		`{a:1}`:                    "name of a member",
		`[1,]`:                     "nothing stands after the comma",
		`[,1]`:                     "value must stand",
		`{} {}`:                    "after the end",
		`tru`:                      "value must stand",
		`01`:                       "not a JSON number",
		`1.`:                       "not a JSON number",
		`1e`:                       "not a JSON number",
		`-`:                        "not a JSON number",
		`+1`:                       "value must stand",
		`NaN`:                      "value must stand",
		`1e999`:                    "too large",
		`"a`:                       "ends too early",
		`"\`:                       "not a JSON escape",
		`"\x"`:                     "not a JSON escape",
		`"\u12"`:                   "not a JSON escape",
		`"\ud800"`:                 "half a character",
		`"\ud800\u0041"`:           "half a character",
		`"\udc00\ud800"`:           "half a character",
		"\"\x01\"":                 "control character",
		"\"\\n\x01\"":              "control character",
		"\"\xff\"":                 "UTF-8",
		"\"\\n\xff\"":              "UTF-8",
		"\ufeff{}":                 "value must stand",
		`{"a":1,"a":1}`:            "twice",
		`{"a":1,"\u0061":2}`:       "twice",
		`[{"b":{"a":1,"a":null}}]`: "twice",
		strings.Repeat("[", 9) + strings.Repeat("]", 9): "nested too deeply",
		"[" + strings.Repeat("1,", 100) + "1]":          "too many values",
	} {
		got, err := Parse([]byte(text), wide)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestParseHoldsItsBoundsExactly(t *testing.T) {
	deep := strings.Repeat("[", 8) + strings.Repeat("]", 8)
	if _, err := Parse([]byte(deep), wide); err != nil {
		t.Errorf("eight deep: %v", err)
	}
	many := "[" + strings.Repeat("1,", 98) + "1]"
	if _, err := Parse([]byte(many), wide); err != nil {
		t.Errorf("a hundred values: %v", err)
	}
}

// A number that a float64 does not hold as it is written is refused where it
// must be exact, with the way to it; all others are read.
func TestNumbersThatMustBeExact(t *testing.T) {
	strict := wide
	strict.Exact = true
	for _, text := range []string{
		`0`, `-0`, `0.00`, `0e9`, `100000`, `25000.00`, `999999999999.99`, `123456789012345`, `9007199254740991`, `-9007199254740991`, `1e300`, `1.5E+3`, `0.1`,
		`0.30000000000000004`, `52.52000659999999`, `1000000000000000000000`, `0.000000000000000000001`, `5e-324`, `1.000000000000000000000000`,
	} {
		if _, err := Parse([]byte(text), strict); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		`9007199254740993`, `9007199254740992`, `-9007199254740993`, `12345678901234567000`, `100000000000000.01`, `0.1000000000000000055511151231257827`,
		`3.14159265358979323846`, `1e-400`, `1e-99999999999999999999`, `9999999999.9900000001`, `90071992547409930e-1`,
	} {
		if _, err := Parse([]byte(text), wide); err != nil {
			t.Errorf("%s where it need not be exact: %v", text, err)
		}
		_, err := Parse([]byte(`{"a":[{},{"b":`+text+`}]}`), strict)
		if wrong, ok := errors.AsType[*Error](err); !ok || !wrong.Inexact() || !slices.Equal(wrong.Path, []string{"a", "1", "b"}) || wrong.Offset != 14 {
			t.Errorf("%s: %#v", text, err)
		}
	}
}

// FuzzParse checks that what is accepted means the same to the standard
// library, which the rest of the program uses to write.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5,"x\u00e9",{"b":null}],"c":true}`, `{"a":1,"a":2}`, `"\ud83d\ude00"`, `[[[]]]`, ` -0.5e-7 `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Parse(data, Limits{Depth: 16, Values: 1000})
		var want any
		standard := json.Unmarshal(data, &want)
		if err == nil && (standard != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("Parse = %#v; the standard library reads %#v, %v", got, want, standard)
		}
		if err == nil {
			back, e := json.Marshal(got)
			again, e2 := Parse(back, Limits{Depth: 16, Values: 1000})
			if e != nil || e2 != nil || !reflect.DeepEqual(got, again) {
				t.Fatalf("written and read again: %#v, %v, %v; want %#v", again, e, e2, got)
			}
		}
		if err != nil && standard == nil && utf8.Valid(data) && !mayRefuse(err) {
			t.Fatalf("Parse(%q) refuses what is valid: %v", data, err)
		}
	})
}

// mayRefuse are the ways in which this package is stricter than JSON.
func mayRefuse(err error) bool {
	for _, what := range []string{"twice", "deeply", "too many", "half a character", "too large"} {
		if strings.Contains(err.Error(), what) {
			return true
		}
	}
	return false
}
