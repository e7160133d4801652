package history

import "maps"

// Told are the names of all events that have a sentence.
func Told() (names []string) {
	for _, told := range []map[string]deed{deeds, moneyDeeds, achDeeds, staffDeeds} {
		for name := range maps.Keys(told) {
			names = append(names, name)
		}
	}
	return names
}
