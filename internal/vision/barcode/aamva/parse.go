package aamva

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotAAMVA says that a payload has no AAMVA header.
var ErrNotAAMVA = errors.New("no AAMVA header")

// Element is one code and its value, outer blanks cut off.
type Element struct{ ID, Value string }

// Card is a parsed payload.
type Card struct {
	IIN          string   // six digits that name the issuer
	Version      int      // of the standard: 1 (2000) to 11 (2025)
	Jurisdiction int      // version of the issuer's own elements; 0 in version 1
	Entries      int      // subfiles that the header announces
	Subfiles     []string // types, as the directory lists them and the first one names itself: DL, ID, or an issuer's own
	Elements     []Element
	headerFaults []string
}

// header is the file type, IIN, version, and what follows to the first element:
// jurisdiction version (from version 2 on), number of entries, directory.
var header = regexp.MustCompile(`(?:ANSI|AAMVA) ?(\d{6})(\d{2})`)

// Parse reads a payload. It fails with ErrNotAAMVA only.
func Parse(payload string) (*Card, error) {
	at := header.FindStringSubmatchIndex(payload)
	if at == nil {
		return nil, ErrNotAAMVA
	}
	c := &Card{IIN: payload[at[2]:at[3]]}
	c.Version, _ = strconv.Atoi(payload[at[4]:at[5]])
	rest := c.counts(payload[at[1]:])
	c.headerFaults = prologueFaults(payload[:at[0]])
	body := c.directory(rest)
	if first := strings.TrimLeftFunc(body, separator); isSubfile(first) && !c.Holds(first[:2]) {
		c.Subfiles = append(c.Subfiles, first[:2])
	}
	c.Elements = elements(body)
	return c, nil
}

// counts reads jurisdiction version and number of entries.
func (c *Card) counts(s string) string {
	if c.Version > 1 {
		c.Jurisdiction, s = digits(s, 2)
	}
	c.Entries, s = digits(s, 2)
	return s
}

// digits takes n digits off the front; 0 and s itself where there are none.
func digits(s string, n int) (int, string) {
	if len(s) < n {
		return 0, s
	}
	v, err := strconv.Atoi(s[:n])
	if err != nil {
		return 0, s
	}
	return v, s[n:]
}

// entry is a subfile's type, offset and length in the directory. Some issuers write
// letters where the numbers belong.
var entry = regexp.MustCompile(`^([A-Z]{2})([0-9a-z]{4})([0-9]{4})?`)

// directory skips the entries and the type that starts the first subfile.
func (c *Card) directory(s string) string {
	seen := 0
	for {
		m := entry.FindStringSubmatch(s)
		if m == nil {
			break
		}
		c.Subfiles = append(c.Subfiles, m[1])
		s, seen = s[len(m[0]):], seen+1
	}
	if seen != c.Entries {
		c.headerFaults = append(c.headerFaults, "the directory lists "+strconv.Itoa(seen)+" subfiles, the header "+strconv.Itoa(c.Entries))
	}
	return s
}

// prologueFaults checks the compliance mark @, line feed, record separator, carriage
// return before the file type.
func prologueFaults(s string) []string {
	if !strings.HasPrefix(strings.TrimPrefix(s, "\ufeff"), "@") {
		return []string{"no compliance mark before the file type"}
	}
	return nil
}

// Value returns the value of the first element of that code, "" where there is none.
func (c *Card) Value(id string) string {
	for _, e := range c.Elements {
		if e.ID == id {
			return e.Value
		}
	}
	return ""
}

// Holds says whether the card has a subfile of that type: DL makes it a driving licence, ID an identity card.
func (c *Card) Holds(subfile string) bool { return slices.Contains(c.Subfiles, subfile) }

// has says whether an element is there and not empty.
func (c *Card) has(id string) bool { return c.Value(id) != "" }
