package main

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what the shop makes of a frame: nothing yet, let through, or held.
type verdict struct {
	final, through bool
	why            string
}

// bet is one stake that waits for a verification.
type bet struct {
	pounds int
	groups map[string]string // the last summary
	clear  bool              // the last summary says that nothing is open
}

// hear is the shop's whole policy: a pure function of the bet and the next frame about its verification.
func (b *bet) hear(f frame) verdict {
	switch f.Type {
	case "summary":
		b.groups, b.clear = f.Summary.Groups, f.Summary.Complete
	case "finding":
		return b.finding(f)
	case "ended":
		return b.ended(f.Ended.Reason)
	}
	return verdict{}
}

// finding lets a small stake through on the kind of document alone.
func (b *bet) finding(f frame) verdict {
	if b.pounds > 10 || f.Finding.Check != "doc.class.type" {
		return verdict{}
	}
	if f.Finding.Outcome != "pass" || f.Finding.Value.Class == "other" {
		return verdict{final: true, why: "this does not look like an identity document"}
	}
	return verdict{true, true, "looks like a " + strings.ReplaceAll(f.Finding.Value.Class, "_", " ")}
}

// ended lets any stake through when every group is clear, and says which are not.
func (b *bet) ended(reason string) verdict {
	var held []string
	for group, status := range b.groups {
		if status != "clear" {
			held = append(held, group+" "+status)
		}
	}
	slices.Sort(held)
	if len(held) == 0 && b.clear && reason == "complete" {
		return verdict{true, true, "every group is clear"}
	}
	return verdict{final: true, why: fmt.Sprintf("ended (%s) with %s", reason, strings.Join(held, ", "))}
}
