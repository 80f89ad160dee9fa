package fields

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// special are letters that decompose into no base letter and mark.
var special = strings.NewReplacer("ß", "SS", "ẞ", "SS", "Æ", "AE", "æ", "AE", "Œ", "OE", "œ", "OE", "Ø", "O", "ø", "O",
	"Ł", "L", "ł", "L", "Đ", "D", "đ", "D", "Ð", "D", "ð", "D", "Þ", "TH", "þ", "TH", "ı", "I", "Ə", "A", "ə", "A", "ĸ", "K")

// Fold writes a text in capitals without diacritics; what is neither letter nor digit
// becomes a single space.
func Fold(s string) string {
	var b strings.Builder
	space := true
	for _, r := range norm.NFD.String(special.Replace(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToUpper(r))
			space = false
		case !space:
			b.WriteByte(' ')
			space = true
		}
	}
	return strings.TrimSuffix(b.String(), " ")
}

// Tight is Fold without spaces.
func Tight(s string) string { return strings.ReplaceAll(Fold(s), " ", "") }

// umlauts are the letters that Doc 9303 lets a state write in two ways.
var umlauts = strings.NewReplacer("Ä", "AE", "ä", "AE", "Ö", "OE", "ö", "OE", "Ü", "UE", "ü", "UE", "Å", "AA", "å", "AA",
	"Ø", "OE", "ø", "OE", "Ñ", "NXX", "ñ", "NXX")

// Spellings are the ways in which issuers write a printed name with A to Z: without its marks, and as Doc 9303 writes its letters out.
func Spellings(printed string) [2]string {
	return [2]string{Tight(printed), Tight(umlauts.Replace(printed))}
}

// Same says how unlike a printed text and a text of a machine-readable zone are: edits
// over length, 0 for the same, the better of both ways to write umlauts.
func Same(printed, zone string) float64 {
	z, ways := Tight(zone), Spellings(printed)
	return min(unlike(ways[0], z), unlike(ways[1], z))
}

func unlike(a, b string) float64 {
	n := max(len(a), len(b))
	if n == 0 {
		return 0
	}
	return float64(distance(a, b)) / float64(n)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
		}
		prev = row
	}
	return prev[len(b)]
}
