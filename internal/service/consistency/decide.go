package consistency

import (
	"strings"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// Reasons.
const (
	notOnDocument = "not_on_document"
	notDeclared   = "not_declared"
	notAsked      = "not_asked"
	noRule        = "no_rule"
	digitsFail    = "mrz_check_failed"
	nearMatch     = "near_match" // differs by no more than a misreading
	mismatch      = "mismatch"
)

// verdict is the answer to a check, or that it is too early.
type verdict struct {
	ready   bool
	outcome envelopev1.Outcome
	reason  string
}

func wait() verdict { return verdict{} }

func answer(o envelopev1.Outcome, reason string) verdict { return verdict{true, o, reason} }

func pass() verdict { return answer(stream.Pass, "") }

func fail(reason string) verdict { return answer(stream.Fail, reason) }

// decide answers one check, or says that it is too early.
func (d document) decide(k check.Key) verdict {
	c, _ := check.ByID(k.Check)
	rule, field, _ := strings.Cut(strings.TrimPrefix(k.Check, c.Group+"."), ".")
	switch rule {
	case "viz_vs_mrz":
		return d.printAgainstZone(field)
	case "viz_vs_barcode":
		return d.against(field, d.on(inPrint, field), d.on(inBarcode, field), alike)
	case "front_vs_back":
		return d.frontAgainstBack(field)
	case "declared_vs_doc":
		return d.declared(field)
	case "expired":
		return d.expired()
	case "issued_before_expiry":
		return d.issuedBeforeExpiry()
	case "birth_plausible":
		return d.birthPlausible()
	case "minimum_age":
		return d.minimumAge()
	case "number_format":
		return d.numberFormat()
	}
	return wait()
}

// missing is the verdict where a rule cannot have what it needs: the worst of the readings that have no value and never will.
func missing(rs ...reading) (v verdict, is bool) {
	worst := reading{status: present}
	for _, r := range rs {
		if r.status > worst.status {
			worst = r
		}
	}
	switch worst.status {
	case absent:
		return answer(stream.NotApplicable, worst.reason), true
	case unperformed:
		return answer(stream.NotPerformed, worst.reason), true
	case unread:
		return answer(stream.Inconclusive, worst.reason), true
	}
	return wait(), false
}

// needs says whether a rule has all it needs. Otherwise v is its verdict: something is missing for good, or it is too early. What is not there at all
// is said without waiting for the readings behind it.
func needs(rs ...reading) (v verdict, ok bool) {
	for _, r := range rs {
		if r.status == open {
			break
		}
		if r.status == absent {
			v, _ := missing(r)
			return v, false
		}
	}
	if anyOpen(rs) {
		return wait(), false
	}
	v, is := missing(rs...)
	return v, !is
}

func anyOpen(rs []reading) bool {
	for _, r := range rs {
		if r.status == open {
			return true
		}
	}
	return false
}

// against compares what two sources have for the same field.
func (d document) against(field string, a, b reading, how func(field, a, b string) likeness) verdict {
	if v, ok := needs(b, a); !ok {
		return v
	}
	return how(field, a.text, b.text).verdict()
}

// printAgainstZone compares print with the zone. Where the zone's own check digit does not hold, a contradiction says nothing about the print.
func (d document) printAgainstZone(field string) verdict {
	print, zone := d.on(inPrint, field), d.on(inZone, field)
	how := alike
	if field == "surname" || field == "given_names" {
		surname, given := d.on(inZone, "surname"), d.on(inZone, "given_names")
		if zone.status == present && (surname.status == open || given.status == open) {
			return wait()
		}
		if len(surname.text)+len(given.text) >= shortestFullZone {
			how = func(_, a, b string) likeness { return cutNames(a, b) }
		}
	}
	v := d.against(field, print, zone, how)
	if v.outcome != stream.Fail || checkOf[field] == "" {
		return v
	}
	switch sure := d.verified(field); sure.status {
	case open:
		return wait()
	case present:
		return v
	}
	return answer(stream.Inconclusive, digitsFail)
}

func (d document) frontAgainstBack(field string) verdict {
	return d.against(field, d.at(inPrint, field, check.Document), d.at(inPrint, field, check.Back), alike)
}

// declared compares what the applicant declared with what the document says. A name may be as any source has it: print has the diacritics, the zone
// the whole of it.
func (d document) declared(field string) verdict {
	said := declaredField(d.request().GetDeclared(), field)
	if said == "" {
		return answer(stream.NotApplicable, notDeclared)
	}
	if field != "surname" && field != "given_names" {
		return d.against(field, reading{status: present, text: said}, d.best(field), alike)
	}
	sources := []reading{d.on(inPrint, field), d.on(inBarcode, field), d.on(inZone, field)}
	nearest := different + 1 // nothing read
	for _, r := range sources {
		if r.status == present {
			nearest = min(nearest, alike(field, said, r.text))
		}
	}
	if nearest == same {
		return pass()
	}
	switch {
	case anyOpen(sources):
		return wait()
	case nearest <= different:
		return nearest.verdict()
	}
	v, _ := missing(d.best(field))
	return v
}

func declaredField(d *factv1.Declared, field string) string {
	switch field {
	case "surname":
		return d.GetSurname()
	case "given_names":
		return d.GetGivenNames()
	case "birth_date":
		return d.GetBirthDate()
	case "document_number":
		return d.GetDocumentNumber()
	}
	return ""
}
