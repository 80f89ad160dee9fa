package main

import "testing"

func msg(kind string) frame { return frame{T: "msg", Type: kind} }

func classed(outcome, class string) frame {
	f := msg("finding")
	f.Finding.Check, f.Finding.Outcome, f.Finding.Value.Class = "doc.class.type", outcome, class
	return f
}

func summed(complete bool, groups map[string]string) frame {
	f := msg("summary")
	f.Summary.Groups, f.Summary.Complete = groups, complete
	return f
}

func over(reason string) frame {
	f := msg("ended")
	f.Ended.Reason = reason
	return f
}

func TestPolicy(t *testing.T) {
	clear, doubt := map[string]string{"doc.mrz": "clear"}, map[string]string{"doc.mrz": "clear", "face.pad": "suspected"}
	for _, c := range []struct {
		name          string
		pounds        int
		frames        []frame
		final, passed bool
	}{
		{"small stake on the kind alone", 2, []frame{classed("pass", "passport")}, true, true},
		{"small stake on no document", 2, []frame{classed("pass", "other")}, true, false},
		{"small stake on a kind nobody could tell", 2, []frame{classed("inconclusive", "")}, true, false},
		{"large stake waits", 3000, []frame{classed("pass", "passport"), summed(true, clear)}, false, false},
		{"large stake, all clear", 3000, []frame{summed(true, clear), over("complete")}, true, true},
		{"large stake, one group suspected", 3000, []frame{summed(true, doubt), over("complete")}, true, false},
		{"large stake at the deadline", 3000, []frame{summed(true, clear), over("deadline")}, true, false},
		{"large stake without a summary", 3000, []frame{over("complete")}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, last := bet{pounds: c.pounds}, verdict{}
			for _, f := range c.frames {
				last = b.hear(f)
			}
			if last.final != c.final || last.through != c.passed {
				t.Errorf("got %+v, want final %v, through %v", last, c.final, c.passed)
			}
		})
	}
}
