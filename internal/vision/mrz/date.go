package mrz

import (
	"fmt"
	"strings"
	"time"
)

// expiryAhead is how many years ahead a document may expire before its two-digit year
// is taken for the last century's: the longest validities in use are for life or 30
// years.
const expiryAhead = 50

// BirthDate writes a YYMMDD of a birth as ISO 8601, in the latest century that is not
// after now. Unknown parts printed as fillers are left out (1974, 1974-08); false for
// what is no date.
func BirthDate(yymmdd string, now time.Time) (string, bool) {
	return iso(yymmdd, func(y, m, d int) int {
		full := now.Year()/100*100 + y
		if time.Date(full, time.Month(max(m, 1)), max(d, 1), 0, 0, 0, 0, time.UTC).After(now) {
			full -= 100
		}
		return full
	})
}

// ExpiryDate writes a YYMMDD of an expiry as ISO 8601, in the latest century that is
// at most 50 years ahead of now.
func ExpiryDate(yymmdd string, now time.Time) (string, bool) {
	return iso(yymmdd, func(y, _, _ int) int {
		full := now.Year()/100*100 + y + 100
		for full > now.Year()+expiryAhead {
			full -= 100
		}
		return full
	})
}

func iso(s string, century func(y, m, d int) int) (string, bool) {
	if !Plausible(s) || s[:2] == "<<" {
		return "", false
	}
	y, m, d := two(s[0:2]), two(s[2:4]), two(s[4:6])
	year := century(y, m, d)
	switch {
	case m == 0:
		return fmt.Sprintf("%04d", year), true
	case d == 0:
		return fmt.Sprintf("%04d-%02d", year, m), true
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, m, d), true
}

// Plausible says whether six characters are a date, or a date with unknown parts.
func Plausible(s string) bool {
	if len(s) != 6 || strings.Trim(s, "0123456789<") != "" {
		return false
	}
	known := [3]bool{}
	for i := range known {
		p := s[2*i : 2*i+2]
		known[i] = p != "<<" && p != "00"
		if strings.Contains(p, "<") && p != "<<" {
			return false
		}
	}
	m, d := two(s[2:4]), two(s[4:6])
	return m <= 12 && d <= 31 && !(m > 0 && d > daysIn(m)) && (known[1] || !known[2])
}

// daysIn gives February 29 days: the century decides the leap year, and is not known.
func daysIn(month int) int {
	return [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// two reads two digits; fillers are 0.
func two(s string) int {
	if s == "<<" {
		return 0
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}
