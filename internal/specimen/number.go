package specimen

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Letters that ICAO Doc 9303 part 3, section 6, writes with other letters; the rest lose their marks.
var transliterations = strings.NewReplacer(
	"Ä", "AE", "Å", "AA", "Æ", "AE", "Ð", "D", "Đ", "D", "Ł", "L", "Ö", "OE", "Ø", "OE", "Œ", "OE", "Þ", "TH", "Ü", "UE",
	"ẞ", "SS", "'", "", "-", " ",
)

// latin writes a printed name with A to Z and spaces.
func latin(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(transliterations.Replace(name)) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mrz returns the two lines of 44 characters of the passport (Doc 9303 part 4).
func (p person) mrz() []string {
	filler := func(s string, n int) string {
		s = strings.ReplaceAll(s, " ", "<")
		return (s + strings.Repeat("<", n))[:n]
	}
	checked := func(s string) string { return s + string(checkDigit(s)) }
	number, birth := checked(filler(p.number, 9)), checked(p.birth.Format("060102"))
	expiry, personal := checked(p.expires.Format("060102")), checked(filler(p.personal, 14))
	second := number + stateCode + birth + p.sex + expiry + personal
	return []string{
		"P<" + stateCode + filler(latin(p.surname)+"  "+latin(p.given), 39),
		second + string(checkDigit(number+birth+expiry+personal)),
	}
}

// checkDigit is Doc 9303's: values weighted 7, 3, 1, modulo 10.
func checkDigit(s string) byte {
	sum := 0
	for k, c := range []byte(s) {
		v := 0
		switch {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [...]int{7, 3, 1}[k%3]
	}
	return byte('0' + sum%10)
}

// driverNumber has the structure of British driver numbers: five letters of the surname, the decade of
// birth, month (plus 50 for a woman), day and year of birth, two initials, and three characters that only
// the issuer knows the rule of.
func (p person) driverNumber() string {
	surname := (strings.ReplaceAll(latin(p.surname), " ", "") + "99999")[:5]
	born := p.birth.Format("060102")
	month := born[2:4]
	if p.sex == "F" {
		month = string(month[0]+5) + month[1:]
	}
	initials := ""
	for _, name := range strings.Fields(latin(p.given)) {
		initials += name[:1]
	}
	return surname + born[:1] + month + born[4:6] + born[1:2] + (initials + "99")[:2] + "9" + p.driverSuffix
}
