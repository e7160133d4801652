package cli

import "testing"

// What a core answers is shown to operators, and their terminal does not obey it.
func TestForeignTextStaysOnItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"it answers 503":                "it answers 503",
		"":                              "",
		"down\nord_1  waits":            `"down\nord_1  waits"`,
		"\x1b[2Jall is well":            `"\x1b[2Jall is well"`,
		"right to left \u202e override": `"right to left \u202e override"`,
	} {
		if got := onOneLine(text); got != want {
			t.Errorf("onOneLine(%q) = %s, want %s", text, got, want)
		}
	}
}
