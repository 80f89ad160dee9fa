package consistency

import (
	"strings"
	"time"

	"github.com/bonafide-id/bonafide/internal/stream"
)

// oldest is how many years a holder may be old: the oldest person whose age is documented reached 122.
const oldest = 125

// span is a date of which day or month may not be known: from the first to the last day that it can be. UTC.
type span struct{ first, last time.Time }

// parse reads 1974-08-12, 1974-08 or 1974; a month or day of 00 is one that is not known.
func parse(iso string) (span, bool) {
	iso = known(iso)
	for _, form := range []struct {
		layout string
		years  int
		months int
	}{{"2006-01-02", 0, 0}, {"2006-01", 0, 1}, {"2006", 1, 0}} {
		if t, err := time.Parse(form.layout, iso); err == nil {
			last := t
			if form.years+form.months > 0 {
				last = t.AddDate(form.years, form.months, -1)
			}
			return span{t, last}, true
		}
	}
	return span{}, false
}

// dates compares two dates. A zone has no centuries, so they are not compared; what is not known in one of them may be anything.
func dates(a, b string) likeness {
	_, okX := parse(a)
	_, okY := parse(b)
	if !okX || !okY {
		return near
	}
	a, b = known(a), known(b)
	n := min(len(a), len(b))
	if a[2:n] == b[2:n] {
		return same
	}
	return different
}

// known leaves out a month or day of 00.
func known(iso string) string {
	return strings.TrimSuffix(strings.TrimSuffix(iso, "-00"), "-00")
}

// reaches is when somebody born on a day reaches an age. On 29 February that is 1 March where the year has none, as in English law.
func reaches(born time.Time, age int) time.Time { return born.AddDate(age, 0, 0) }

func (d document) expired() verdict {
	r := d.best("expiry_date")
	if v, ok := needs(r); !ok {
		return v
	}
	expiry, ok := parse(r.text)
	switch {
	case !ok:
		return unreadable()
	case expiry.last.Before(d.today):
		return fail("expired")
	case expiry.first.Before(d.today) && !expiry.first.Equal(expiry.last):
		return partial()
	}
	return pass()
}

func (d document) issuedBeforeExpiry() verdict {
	issue := inAny(func() reading { return d.on(inBarcode, "issue_date") }, func() reading { return d.on(inPrint, "issue_date") })
	expiry := d.best("expiry_date")
	if v, ok := needs(issue, expiry); !ok {
		return v
	}
	from, ok1 := parse(issue.text)
	to, ok2 := parse(expiry.text)
	switch {
	case !ok1 || !ok2:
		return unreadable()
	case from.first.After(to.last):
		return fail("issued_after_expiry")
	case from.last.Before(to.first):
		return pass()
	}
	return answer(stream.Inconclusive, "same_date") // one date taken for both, or not enough of them known
}

func (d document) birthPlausible() verdict {
	r := d.best("birth_date")
	if v, ok := needs(r); !ok {
		return v
	}
	birth, ok := parse(r.text)
	switch {
	case !ok:
		return unreadable()
	case birth.first.After(d.today):
		return fail("in_future")
	case !reaches(birth.last, oldest+1).After(d.today):
		return fail("too_long_ago")
	}
	return pass()
}

func (d document) minimumAge() verdict {
	age := int(d.request().GetMinimumAge())
	if age == 0 {
		return answer(stream.NotApplicable, notAsked)
	}
	r := d.best("birth_date")
	if v, ok := needs(r); !ok {
		return v
	}
	birth, ok := parse(r.text)
	switch {
	case !ok:
		return unreadable()
	case reaches(birth.first, age).After(d.today):
		return d.underAge(r)
	case reaches(birth.last, age).After(d.today):
		return partial()
	}
	return pass()
}

// underAge fails, unless print has the same day in an earlier century: a zone has two digits of the year, and they are read as late as they can be.
// Then neither is believed, for some people are over a hundred and print is easily changed.
func (d document) underAge(born reading) verdict {
	print := d.on(inPrint, "birth_date")
	if print.status == open {
		return wait()
	}
	printed, ok := parse(print.text)
	if ok && dates(born.text, print.text) == same && !reaches(printed.last, 100).After(d.today) {
		return answer(stream.Inconclusive, "century_in_doubt")
	}
	return fail("under_age")
}

func unreadable() verdict { return answer(stream.Inconclusive, "no_date") }

func partial() verdict { return answer(stream.Inconclusive, "partial_date") }
