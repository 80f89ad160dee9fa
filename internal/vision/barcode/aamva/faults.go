package aamva

import (
	"fmt"
	"strings"
	"time"
)

// Header lists what is wrong with the header: nil for one that keeps to the standard.
func (c *Card) Header() []string {
	out := append([]string(nil), c.headerFaults...)
	if c.Version < 1 || c.Version > 11 {
		out = append(out, fmt.Sprintf("version %d is not one of 1 to 11", c.Version))
	}
	if lookUp(c.IIN) == "" {
		out = append(out, "issuer "+c.IIN+" is not one that AAMVA lists")
	}
	return out
}

// Missing lists the mandatory elements that the card's version demands and that are
// absent. An element that is there and empty is not missing.
func (c *Card) Missing() []string {
	var out []string
	for _, want := range mandatory(c.Version) {
		found := false
		for _, id := range strings.Split(want, "|") {
			for _, e := range c.Elements {
				found = found || e.ID == id
			}
		}
		if !found {
			out = append(out, want)
		}
	}
	return out
}

// mandatory lists the elements that every version since demands; a bar divides
// alternatives.
func mandatory(version int) []string {
	switch {
	case version <= 1:
		return strings.Fields("DAA|DAB|DCS DAG DAI DAJ DAK DAQ DAR DAS DAT DBA DBB DBC DBD")
	case version <= 3:
		return strings.Fields("DCA DCB DCD DBA DCS DCT DBD DBB DBC DAY DAU DAG DAI DAJ DAK DAQ DCF DCG")
	}
	return strings.Fields("DCA DCB DCD DBA DCS DAC DAD DBD DBB DBC DAY DAU DAG DAI DAJ DAK DAQ DCF DCG DDE DDF DDG")
}

// date returns an element's date as ISO 8601; "" for none. American dates are
// MMDDCCYY, Canadian ones and those of version 1 are CCYYMMDD; no date can be both,
// because no month is 19 or 20.
func (c *Card) date(id string) string {
	v := c.Value(id)
	if len(v) < 8 {
		return ""
	}
	for _, layout := range []string{"20060102", "01022006"} {
		if t, err := time.Parse(layout, v[:8]); err == nil && t.Year() >= 1850 && t.Year() < 2200 {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

// DateFaults lists dates that do not exist or contradict one another.
func (c *Card) DateFaults() []string {
	var out []string
	for _, id := range []string{"DBB", "DBD", "DBA"} {
		if c.has(id) && c.date(id) == "" {
			out = append(out, id+" "+c.Value(id)+" is no date")
		}
	}
	birth, issue, expiry := c.date("DBB"), c.date("DBD"), c.date("DBA")
	if birth != "" && issue != "" && issue <= birth {
		out = append(out, "issued before the birth")
	}
	if issue != "" && expiry != "" && expiry <= issue {
		out = append(out, "expires before the issue")
	}
	return out
}
