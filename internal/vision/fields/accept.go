package fields

import (
	"strings"
	"unicode"
)

// accept makes a field of a text that stands where the field's value should stand;
// false where it cannot be one.
func (p *page) accept(name string, f Field) (Field, bool) {
	switch name {
	case Birth, Expiry, Issue:
		dates := p.calendar.Dates(f.Text)
		if len(dates) == 0 {
			return f, false
		}
		f.Date = dates[0]
	case Sex:
		return sexOf(f)
	case Number, Personal:
		return f, isNumber(f.Text)
	case Surname, Given, Nationality, BirthPlace, Issuer:
		return f, isName(f.Text)
	case Address:
		return f, len(Tight(f.Text)) >= 4
	}
	return f, true
}

// sexOf takes the letter of the sex: documents print it alone or twice, in two
// languages, such as K/F or F/F. The last is the international one.
func sexOf(f Field) (Field, bool) {
	words := strings.Fields(Fold(f.Text))
	if len(words) == 0 || len(words) > 2 {
		return f, false
	}
	switch last := words[len(words)-1]; last {
	case "M", "F", "X":
		f.Text = last
		f.Conf = f.Conf[max(0, len(f.Conf)-1):]
		return f, true
	case "MALE", "FEMALE":
		f.Text, f.Conf = last[:1], nil
		return f, true
	}
	return f, false
}

// isNumber: at least four letters and digits, two of them digits, little else.
func isNumber(s string) bool {
	n, digits := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			n, digits = n+1, digits+1
		case unicode.IsUpper(r):
			n++
		case r == ' ' || r == '-' || r == '/' || r == '.':
		default:
			return false
		}
	}
	return n >= 4 && n <= 20 && digits >= 2
}

// isName: letters, hardly anything else, no digit.
func isName(s string) bool {
	letters, other := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			return false
		case unicode.IsLetter(r):
			letters++
		case !strings.ContainsRune(" -'’./,()", r):
			other++
		}
	}
	return letters >= 2 && other == 0
}
