package consistency

import (
	"regexp"
	"strings"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
)

// passports are the structures of passport numbers whose issuers print no other: Great Britain nine digits; the United States nine digits or, since
// 2021, a letter and eight digits.
var passports = map[string]*regexp.Regexp{"GBR": regexp.MustCompile(`^\d{9}$`), "USA": regexp.MustCompile(`^[A-Z\d]\d{8}$`)}

// driverNumbers are the states whose driver numbers are made from their holders as Great Britain's are. Utopia is the state of specimens.
var driverNumbers = map[string]bool{"GBR": true, "UTO": true}

// numberFormat asks whether the number has the structure that its issuer gives to numbers, and where the holder is part of it, whether it is this one.
func (d document) numberFormat() verdict {
	class := func(what string) reading {
		return d.look(check.Key{Check: "doc.class." + what, Medium: check.Document})
	}
	kind, country := class("type"), class("country")
	if kind.status == present && kind.text != "passport" && kind.text != "driving_licence" {
		return answer(stream.NotApplicable, noRule)
	}
	if v, ok := needs(kind, country); !ok {
		return v
	}
	driver, structure := kind.text == "driving_licence" && driverNumbers[country.text], passports[country.text]
	if !driver && (kind.text != "passport" || structure == nil) {
		return answer(stream.NotApplicable, noRule)
	}
	number := d.best("document_number")
	if v, ok := needs(number); !ok {
		return v
	}
	text := fields.Tight(number.text)
	if driver {
		return d.driverNumber(text)
	}
	switch {
	case structure.MatchString(text):
		return pass()
	case structure.MatchString(plain.Replace(text)):
		return answer(stream.Inconclusive, nearMatch)
	}
	return fail("wrong_structure")
}

// The parts of a driver number of Great Britain: five places of the surname, six of the birth date, two of initials, three of the agency's own.
// An issue number of two digits may stand behind it.
const (
	driverLength = 16
	driverBirth  = 5
	driverNames  = 11
)

func (d document) driverNumber(number string) verdict {
	if len(number) == driverLength+2 {
		number = number[:driverLength]
	}
	if len(number) != driverLength {
		return answer(stream.Inconclusive, nearMatch) // one that is only too long or too short is one misread
	}
	number = retyped(number)
	if !fields.UKWellFormed(number) {
		return fail("wrong_structure")
	}
	surname, birth := d.on(inPrint, "surname"), d.best("birth_date")
	if anyOpen([]reading{surname, birth}) {
		return wait()
	}
	return ofHolder(number, surname, birth)
}

// ofHolder compares the number with the holder, as far as the holder could be read. A surname may be misread by a letter or two.
func ofHolder(number string, surname, birth reading) verdict {
	sex := "M"
	if number[driverBirth+1] >= '5' {
		sex = "F"
	}
	if birth.status == present && len(birth.text) == len("2006-01-02") {
		want := fields.UKFirst13("X", "", birth.text, sex)
		if want != "" && want[driverBirth:driverNames] != number[driverBirth:driverNames] {
			return fail("not_of_holder")
		}
	}
	if surname.status != present {
		return pass()
	}
	wrong := driverBirth
	for _, way := range fields.Spellings(surname.text) {
		wrong = min(wrong, unlikeSurname(number, way))
	}
	switch {
	case wrong == 0:
		return pass()
	case wrong <= 2:
		return answer(stream.Inconclusive, nearMatch)
	}
	return fail("not_of_holder")
}

// unlikeSurname counts the places of the surname in a number that are not those of this one.
func unlikeSurname(number, surname string) (wrong int) {
	want := fields.UKFirst13(surname, "", "2000-01-01", "M")
	for i := range min(driverBirth, len(want)) {
		if want[i] != number[i] {
			wrong++
		}
	}
	return wrong
}

var (
	digits  = plain
	letters = strings.NewReplacer("0", "O", "1", "I", "2", "Z", "5", "S", "6", "G", "8", "B")
)

// retyped writes letters where a driver number has letters, and digits where it has digits: what was read for the other is a misreading.
func retyped(n string) string {
	return letters.Replace(n[:driverBirth]) + digits.Replace(n[driverBirth:driverNames]) + letters.Replace(n[driverNames:driverNames+2]) +
		n[driverNames+2:driverNames+3] + letters.Replace(n[driverNames+3:])
}
