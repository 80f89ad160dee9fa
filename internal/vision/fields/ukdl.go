package fields

import (
	"fmt"
	"regexp"
	"strings"
)

// ukNumber is the driver number of Great Britain: five characters of the surname, the
// decade of birth, month (plus 50 for women), day, the year's last digit, two initials,
// and three characters of the agency's own.
var ukNumber = regexp.MustCompile(`^([A-Z]{5}|[A-Z]{4}9|[A-Z]{3}99|[A-Z]{2}999|[A-Z]9999)(\d)(\d\d)(\d\d)(\d)([A-Z9]{2})([0-9A-Z])([A-Z]{2})$`)

// UKWellFormed says whether a text is a driver number of Great Britain by its form:
// 16 characters with a month and a day that exist.
func UKWellFormed(number string) bool {
	m := ukNumber.FindStringSubmatch(number)
	if m == nil {
		return false
	}
	month, day := twoDigits(m[3]), twoDigits(m[4])
	month -= 50 * (month / 50)
	return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

func twoDigits(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// UKFirst13 returns the part of a driver number that follows from its holder: surname,
// given names, birth date (ISO 8601) and sex (M or F); "" where one of them is missing.
func UKFirst13(surname, given, birth, sex string) string {
	if len(birth) != 10 || Tight(surname) == "" {
		return ""
	}
	name := Tight(surname)
	if rest, ok := strings.CutPrefix(name, "MAC"); ok {
		name = "MC" + rest
	}
	month := twoDigits(birth[5:7])
	if sex == "F" {
		month += 50
	}
	return fmt.Sprintf("%.5s%c%02d%s%c%s", name+"99999", birth[2], month, birth[8:10], birth[3], initials(given))
}

func initials(given string) string {
	out := ""
	for _, n := range strings.Fields(Fold(given)) {
		if len(out) < 2 {
			out += n[:1]
		}
	}
	return (out + "99")[:2]
}
