package dbtest

import "os"

// Rounds is how often a test repeats what can only be found by repeating: all
// of them where MANDATE_SLOW=1 says so, a few in the gate.
func Rounds(few, all int) int {
	if os.Getenv("MANDATE_SLOW") == "1" {
		return all
	}
	return few
}
