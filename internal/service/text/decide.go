package text

import (
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// doubtful is the confidence of the least sure character below which a check digit that
// does not hold may be a misreading, and is not held against the document.
const doubtful = 0.6

// zoneAnswers says everything about a machine-readable zone that was read.
func zoneAnswers(z *zone.Zone, now time.Time) []answer {
	var conf []float32
	for i, l := range z.Lines {
		if i > 0 {
			conf = append(conf, 1) // the line feed
		}
		conf = append(conf, l.Conf...)
	}
	all := around(z.Quads)
	out := []answer{
		pass("doc.mrz.detected", textValue(z.Text(), conf)).at(all),
		pass("doc.mrz.format", classValue(string(z.Format))).at(all),
		charset(z).at(all),
	}
	for _, f := range z.Fields {
		out = append(out, zoneField(z, f, now)...)
	}
	for _, c := range z.Checks {
		out = append(out, checkDigit(c).at(z.Quad(c.Spans)).of(c.Name))
	}
	return byDetector(out, "mrz")
}

func byDetector(list []answer, name string) []answer {
	for i := range list {
		list[i].by = name
	}
	return list
}

// around is the box around lines that stand under one another.
func around(quads []pix.Quad) pix.Quad {
	first, last := quads[0], quads[len(quads)-1]
	return pix.Quad{first[0], first[1], last[2], last[3]}
}

// misplaced is how sure a reader must be of a character that does not belong where it stands for it to be held against
// the document.
const misplaced = 0.9

// charset: letters where letters stand and digits where digits do, by Doc 9303, look-alikes aside.
func charset(z *zone.Zone) answer { return charsetOf(z.Misfits(), z.Unseen()) }

func charsetOf(misfits []zone.Misfit, unseen int) answer {
	for _, m := range misfits {
		if m.Conf >= misplaced {
			return fail("doc.mrz.charset", "character_not_allowed")
		}
	}
	if len(misfits) > 0 || unseen > 0 {
		return unsure("doc.mrz.charset", "reading_doubtful")
	}
	return pass("doc.mrz.charset", nil)
}

// zoneField says a field of the zone; fields that the catalogue does not know are left
// out.
func zoneField(z *zone.Zone, f mrz.Field, now time.Time) []answer {
	name := f.Name
	if name == mrz.FieldOptional && personal(z.Format) {
		name = "personal_number"
		f.Value = trimFillers(f.Value)
	}
	id := "doc.mrz.field." + name
	if !inCatalogue(id) {
		return nil
	}
	q := z.Quad(f.Spans)
	if f.Value == "" {
		return []answer{none(id, "empty").at(q).of(name)}
	}
	v := textValue(f.Value, valueConf(z, f))
	switch name {
	case mrz.FieldBirth, mrz.FieldExpiry:
		iso, ok := zoneDate(name, f.Raw, now)
		if !ok {
			return []answer{unsure(id, "no_date").at(q).of(name)}
		}
		v = dateValue(iso, valueConf(z, f))
	}
	return []answer{pass(id, v).at(q).of(name)}
}

func zoneDate(name, raw string, now time.Time) (string, bool) {
	if name == mrz.FieldBirth {
		return mrz.BirthDate(raw, now)
	}
	return mrz.ExpiryDate(raw, now)
}

// personal says in which formats states print a personal number in the optional field.
func personal(f mrz.Format) bool { return f == mrz.TD1 || f == mrz.TD2 || f == mrz.TD3 }

func trimFillers(s string) string {
	for len(s) > 0 && s[0] == '<' {
		s = s[1:]
	}
	return s
}

// valueConf returns the confidence of each character of a value that stands in the
// lines as it is; nil for one that was put together.
func valueConf(z *zone.Zone, f mrz.Field) []float32 {
	s := f.Spans[0]
	if len(f.Spans) != 1 || len(f.Value) > s.To-s.From {
		return nil
	}
	line := z.Lines[s.Row]
	for from := s.From; from+len(f.Value) <= s.To; from++ {
		if sameButFillers(line.Text[from:from+len(f.Value)], f.Value) {
			return line.Conf[from : from+len(f.Value)]
		}
	}
	return nil
}

// sameButFillers compares a value, whose fillers became spaces, with the characters it
// came from.
func sameButFillers(raw, value string) bool {
	for i := range len(raw) {
		if raw[i] != value[i] && !(raw[i] == '<' && value[i] == ' ') {
			return false
		}
	}
	return true
}

// checkDigit: one that does not hold is a finding against the document where it was
// read with confidence, and no finding where it was not.
func checkDigit(c mrz.CheckResult) answer {
	id := "doc.mrz.check." + c.Name
	switch {
	case c.OK:
		return pass(id, nil)
	case c.Conf < doubtful:
		return unsure(id, "reading_doubtful")
	}
	return fail(id, "check_digit_wrong")
}
