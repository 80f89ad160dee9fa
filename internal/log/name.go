package log

import (
	"fmt"
	"regexp"
)

// maxName is the longest legal name in bytes; Kafka allows 249 and appends to some of its own.
const maxName = 200

var legalName = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.v[1-9][0-9]*(\.[a-z0-9-]+)*$`)

// CheckName refuses a topic name that is not legal on every implementation, with ErrBadName. Legal is
// <family>.v<major>, or <family>.v<major>.<rest>: lower case letters, digits, dashes and single dots, at
// most 200 bytes.
func CheckName(name string) error {
	if len(name) > maxName || !legalName.MatchString(name) {
		return fmt.Errorf("%w: %.60q is not of the form family.v1 or family.v1.rest "+
			"(lower case letters, digits, dots, dashes, at most %d)", ErrBadName, name, maxName)
	}
	return nil
}
