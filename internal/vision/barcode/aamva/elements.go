package aamva

import "strings"

// known holds the codes of the standard's elements, all versions.
const known = "DAA DAB DAC DAD DAE DAF DAG DAH DAI DAJ DAK DAL DAM DAN DAO DAP DAQ DAR DAS DAT DAU DAV DAW DAX DAY DAZ " +
	"DBA DBB DBC DBD DBE DBF DBG DBH DBI DBJ DBK DBL DBM DBN DBO DBP DBQ DBR DBS " +
	"DCA DCB DCD DCE DCF DCG DCH DCI DCJ DCK DCL DCM DCN DCO DCP DCQ DCR DCS DCT DCU " +
	"DDA DDB DDC DDD DDE DDF DDG DDH DDI DDJ DDK DDL PAA PAB PAC PAD PAE PAF"

// elements splits the subfiles. Lines are what separators of any kind divide; where
// there are none, the codes themselves divide.
func elements(body string) []Element {
	lines := strings.FieldsFunc(body, separator)
	if len(lines) <= 1 {
		return run(body)
	}
	var out []Element
	for i, l := range lines {
		if i == 0 || isSubfile(l) {
			l = withoutType(l)
		}
		if len(l) >= 3 && isCode(l[:3]) {
			out = append(out, Element{l[:3], strings.TrimSpace(l[3:])})
		}
	}
	return out
}

// separator says whether a rune divides elements: line ends, the separators of the
// standard, and what scanners make of them.
func separator(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffd || r == 0xfeff }

// isCode says whether three characters are a code of the standard or of an issuer (Z…).
func isCode(s string) bool {
	return strings.Contains(known, s) && s[0] != ' ' && !strings.Contains(s, " ") || s[0] == 'Z' && upper(s)
}

func upper(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

// isSubfile says whether a line starts a subfile: its type stands before its first
// element, such as DLDAQ or ZVZVA.
func isSubfile(l string) bool {
	return len(l) >= 5 && upper(l[:5]) && (l[:2] == "DL" || l[:2] == "ID" || l[0] == 'Z' && l[2] == 'Z') && isCode(l[2:5])
}

func withoutType(l string) string {
	if isSubfile(l) {
		return l[2:]
	}
	return l
}

// run splits a payload that lost its separators at each code that has not come yet.
func run(s string) []Element {
	s = withoutType(s)
	var out []Element
	seen := map[string]bool{}
	from := -1
	for i := 0; i+3 <= len(s); i++ {
		id := s[i : i+3]
		if !strings.Contains(known, id) || strings.Contains(id, " ") || seen[id] {
			continue
		}
		if from >= 0 {
			out = append(out, Element{s[from : from+3], strings.TrimSpace(s[from+3 : i])})
		}
		seen[id] = true
		from, i = i, i+2
	}
	if from >= 0 {
		out = append(out, Element{s[from : from+3], strings.TrimSpace(s[from+3:])})
	}
	return out
}
