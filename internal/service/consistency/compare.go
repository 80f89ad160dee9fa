package consistency

import (
	"math"
	"slices"
	"strings"

	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
)

// likeness says how two readings of the same thing compare.
type likeness int

const (
	same likeness = iota
	near          // a misreading or a way of writing explains the difference
	different
)

func (l likeness) verdict() verdict {
	switch l {
	case same:
		return pass()
	case near:
		return answer(stream.Inconclusive, nearMatch)
	}
	return fail(mismatch)
}

// alike compares two values of a field.
func alike(field, a, b string) likeness {
	switch field {
	case "surname", "given_names":
		return names(a, b)
	case "birth_date", "expiry_date", "issue_date":
		return dates(a, b)
	case "document_number":
		return numbers(a, b)
	case "sex":
		return sexes(a, b)
	}
	return different
}

// shortestFullZone is how many letters of surname and given names fill the shortest name field of a zone: TD1 has 30 places, two of which part the
// names (Doc 9303 part 5). A field that is full may have been cut.
const shortestFullZone = 27

// variants are letters that Doc 9303 part 3 lets a state write in two ways; comparing, the shorter way stands for both.
var variants = strings.NewReplacer("AE", "A", "OE", "O", "UE", "U", "AA", "A", "NXX", "N", "UXX", "U")

// tight is a name as one word, and words are its words, each in the shorter way of writing.
func tight(name string) string   { return variants.Replace(fields.Tight(name)) }
func words(name string) []string { return strings.Fields(variants.Replace(fields.Fold(name))) }

// names compares names in any spelling: capitals, diacritics, transliterated or not, with or without spaces, hyphens and middle names.
func names(a, b string) likeness {
	one, other := tight(a), tight(b)
	if one == "" || other == "" {
		return different
	}
	x, y := words(a), words(b)
	switch {
	case one == other || within(x, y) || within(y, x):
		return same
	case nearly(one, other):
		return near
	}
	return different
}

// within says whether all of some words stand among others, in their order. Initials alone do not count.
func within(some, all []string) bool {
	if !slices.ContainsFunc(some, func(w string) bool { return len(w) > 1 }) {
		return false
	}
	for _, w := range some {
		i := slices.Index(all, w)
		if i < 0 {
			return false
		}
		all = all[i+1:]
	}
	return true
}

// cutNames compares a name with one of a zone that has no room for all of it: the end may be missing, or letters of the last word.
func cutNames(whole, cut string) likeness {
	if part := tight(cut); part != "" && strings.HasPrefix(tight(whole), part) {
		return same
	}
	return names(whole, cut)
}

// nearly: one letter of a short text, one in four of a longer one.
func nearly(a, b string) bool {
	unlike, n := fields.Same(a, b), max(len(a), len(b))
	return unlike <= 0.25 || math.Round(unlike*float64(n)) <= 1
}

// numbers compares document numbers without spaces, hyphens and dots.
func numbers(a, b string) likeness {
	x, y := fields.Tight(a), fields.Tight(b)
	switch {
	case x == "" || y == "":
		return different
	case x == y:
		return same
	case plain.Replace(x) == plain.Replace(y), partOf(x, y):
		return near
	}
	return different
}

// plain writes one character for all that look like it.
var plain = strings.NewReplacer("O", "0", "Q", "0", "D", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "G", "6", "B", "8")

// partOf says whether one number is part of the other: a prefix or a suffix was read with it, or not.
func partOf(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 6 && (strings.HasPrefix(b, a) || strings.HasSuffix(b, a))
}

// sexes compares M, F and X; a filler or anything else says nothing.
func sexes(a, b string) likeness {
	x, y := fields.Tight(a), fields.Tight(b)
	switch known := []string{"M", "F", "X"}; {
	case !slices.Contains(known, x) || !slices.Contains(known, y):
		return near
	case x == y:
		return same
	}
	return different
}
