// Package check is the catalogue of everything that can be checked about a verification, as data.
//
// Each check names the one service that answers it, the media it needs, and what a failure means. From the media that
// a client announced, Expected lists every answer that must come before the verification can end as complete. A check that is not
// built yet is in the catalogue too: its service answers not_performed(not_built), so nobody takes silence for a pass.
package check

import (
	"slices"
	"strings"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
)

// Version of the catalogue; `opened` pins it.
const Version = 1

// Medium is what an applicant sends.
type Medium = envelopev1.Medium

// The media, under short names.
const (
	Document = envelopev1.Medium_MEDIUM_DOCUMENT
	Back     = envelopev1.Medium_MEDIUM_DOCUMENT_BACK
	Selfie   = envelopev1.Medium_MEDIUM_SELFIE
)

// Scope says how often a check is answered and what it needs.
type Scope int

// The scopes.
const (
	PerSide   Scope = iota // once for each side of the document that was sent
	PerFront               // once, on the front of the document
	PerSelfie              // once, on the selfie
	Sides                  // once, when front and back were sent; answered for the back
	Faces                  // once, when document and selfie were sent; answered for the selfie
	Elsewhere              // needs what cannot be sent yet (a chip, a register): never expected
)

// Kind says what a failure of the check means for its group.
type Kind int

// The kinds.
const (
	Quality  Kind = iota // a failure asks for a better picture: unprocessable
	Mismatch             // a failure is a contradiction that honest people have too: caution
	Fraud                // a failure is a sign of forgery: suspected
)

// Check is one entry of the catalogue.
type Check struct {
	ID      string
	Group   string
	Service string
	Scope   Scope
	Kind    Kind
	Built   bool // false: its service answers not_performed(not_built)
}

// Key names one answer: a check about a medium.
type Key struct {
	Check  string
	Medium Medium
}

// String gives the check and, behind an @, the medium.
func (k Key) String() string { return k.Check + "@" + Name(k.Medium) }

// Name is the medium as the HTTP interface spells it: document, document_back or selfie.
func Name(m Medium) string {
	return strings.ToLower(strings.TrimPrefix(m.String(), "MEDIUM_"))
}

// Parse is the inverse of Name; unknown names give MEDIUM_UNSPECIFIED.
func Parse(name string) Medium {
	return Medium(envelopev1.Medium_value["MEDIUM_"+strings.ToUpper(name)])
}

// OutcomeName is the outcome as JSON spells it, such as "not_performed".
func OutcomeName(o envelopev1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "OUTCOME_"))
}

// All returns the catalogue in its order. The slice is the caller's.
func All() []Check { return slices.Clone(catalogue) }

// ByID finds a check.
func ByID(id string) (Check, bool) {
	i, ok := byID[id]
	if !ok {
		return Check{}, false
	}
	return catalogue[i], true
}

// Expected lists, in the order of the catalogue, every answer that a verification with these media waits for.
func Expected(wants []Medium) []Key {
	return expected(wants, func(Check) bool { return true })
}

// Owed lists the answers that a service owes for a verification once it has the given media.
func Owed(service string, wants []Medium) []Key {
	return expected(wants, func(c Check) bool { return c.Service == service })
}

// OwedFor lists what a service owes for one medium by itself, leaving out what needs two media.
func OwedFor(service string, m Medium) []Key {
	return expected([]Medium{m}, func(c Check) bool { return c.Service == service })
}

func expected(wants []Medium, want func(Check) bool) []Key {
	var out []Key
	for _, c := range catalogue {
		if !want(c) {
			continue
		}
		for _, m := range c.Scope.answers(wants) {
			out = append(out, Key{c.ID, m})
		}
	}
	return out
}

// answers lists the media that a scope is answered for.
func (s Scope) answers(wants []Medium) []Medium {
	has := func(m Medium) bool { return slices.Contains(wants, m) }
	var out []Medium
	add := func(ok bool, m Medium) {
		if ok {
			out = append(out, m)
		}
	}
	switch s {
	case PerSide:
		add(has(Document), Document)
		add(has(Back), Back)
	case PerFront:
		add(has(Document), Document)
	case PerSelfie:
		add(has(Selfie), Selfie)
	case Sides:
		add(has(Document) && has(Back), Back)
	case Faces:
		add(has(Document) && has(Selfie), Selfie)
	}
	return out
}

// Groups lists the groups that a verification with these media has, in the order of the catalogue.
func Groups(wants []Medium) []string {
	var out []string
	for _, k := range Expected(wants) {
		c, _ := ByID(k.Check)
		if !slices.Contains(out, c.Group) {
			out = append(out, c.Group)
		}
	}
	return out
}

// String says in words how often a check is answered.
func (s Scope) String() string {
	return [...]string{"for each side of the document", "for the document", "for the selfie", "for front and back together",
		"for document and selfie together", "not yet: its medium cannot be sent"}[s]
}

// Status is what a group becomes when a check of this kind fails.
func (k Kind) Status() string { return [...]string{"unprocessable", "caution", "suspected"}[k] }
