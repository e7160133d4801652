package bank

// IsRouting reports whether a text is a routing number: nine digits that,
// weighted by 3, 7 and 1 in turn, add up to a multiple of ten, and not nine
// zeros.
func IsRouting(s string) bool {
	if len(s) != 9 || s == "000000000" {
		return false
	}
	sum := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		sum += int(s[i]-'0') * [3]int{3, 7, 1}[i%3]
	}
	return sum%10 == 0
}
