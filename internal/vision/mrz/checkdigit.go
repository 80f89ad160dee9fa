package mrz

// weights are those of ICAO Doc 9303 part 3, section 4.9.
var weights = [3]int{7, 3, 1}

// Value returns what a character counts in a check sum: digits 0–9, letters 10–35,
// the filler 0; -1 for a character that no MRZ holds.
func Value(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c == '<':
		return 0
	}
	return -1
}

// CheckDigit returns the check digit of data as '0' to '9' (weights 7, 3, 1, modulo
// 10); characters outside the MRZ alphabet count nothing.
func CheckDigit(data string) byte {
	sum := 0
	for i := range len(data) {
		sum += max(0, Value(data[i])) * weights[i%3]
	}
	return byte('0' + sum%10)
}
