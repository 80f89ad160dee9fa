package log

import (
	"fmt"
	"regexp"
)

// maxName is the longest legal name in bytes; Kafka allows 249 and appends to some of its own.
const maxName = 200

// MaxRecord is the most bytes of key, headers and value that a record may have.
const MaxRecord = 1 << 20

// MaxLanes is the most lanes a topic may have.
const MaxLanes = 1024

var legalGroup = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

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

// CheckTopic refuses a topic with an illegal name (ErrBadName), number of lanes or retention.
func CheckTopic(t Topic) error {
	if err := CheckName(t.Name); err != nil {
		return err
	}
	if t.Lanes < 1 || t.Lanes > MaxLanes || t.Retention < 0 {
		return fmt.Errorf("topic %s: %d lanes, retention %v: lanes are 1 to %d, retention is not negative",
			t.Name, t.Lanes, t.Retention, MaxLanes)
	}
	return nil
}

// CheckGroup refuses a group with an illegal name, input or state, or without a mode. A group's name has
// lower case letters, digits, dots and dashes, at most 200; its state is named like a topic.
func CheckGroup(g Group) error {
	if len(g.Name) > maxName || !legalGroup.MatchString(g.Name) {
		return fmt.Errorf("%w: group %.60q", ErrBadName, g.Name)
	}
	if g.Mode < AtMostOnce || g.Mode > ExactlyOnce {
		return fmt.Errorf("group %s: mode %d is none", g.Name, g.Mode)
	}
	if g.State != "" {
		return CheckName(g.State)
	}
	return nil
}
