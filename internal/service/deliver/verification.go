package deliver

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// status is what GET /v1/verifications/{id} answers.
type status struct {
	Verification string        `json:"verification"`
	State        string        `json:"state"`
	Seq          uint64        `json:"seq"`
	Summary      frame.Summary `json:"summary"`
	Media        []media       `json:"media"`
}

type media struct {
	Kind   string `json:"kind"`
	SHA256 string `json:"sha256"`
	Bytes  uint64 `json:"bytes"`
}

// serveVerification answers GET /v1/verifications/{id}. It sees everything that was durable when it was asked, so a verification that was just
// accepted is never unknown.
func (s *Service) serveVerification(w http.ResponseWriter, r *http.Request) {
	o, err := s.Opened.Find(r.Context(), access.Of(r.Context()).Client, r.PathValue("id"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	st, err := s.status(r.Context(), o)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	httpapi.JSON(w, http.StatusOK, st)
}

func (s *Service) status(ctx context.Context, o opened.Opened) (status, error) {
	st := status{Verification: o.GetVerificationId(), State: "processing", Summary: pending(o.GetWants()), Media: []media{}}
	all, err := s.entries(ctx, o.GetClientId(), o.GetVerificationId(), 0)
	if err != nil {
		return st, err
	}
	for _, e := range all {
		st.Seq = max(st.Seq, e.seq)
		st.State = next(st.State, e.over)
		if sum := summaryOf(e.body); sum != nil {
			st.Summary = *sum
		}
	}
	if o.Fact == nil {
		st.State = "erased"
	}
	for _, m := range o.Fact.GetMedia() {
		st.Media = append(st.Media, media{check.Name(m.GetMedium()), m.GetSha256(), m.GetBytes()})
	}
	return st, nil
}

// next is the state behind a frame, of which over says why it ends the verification.
func next(state, over string) string {
	switch {
	case over == "":
		return state
	case over == "expired" || over == "erased":
		return over
	case state == "erased":
		return state
	}
	return "ended"
}

// pending is the summary before the first summary: everything that was asked for is open.
func pending(wants []check.Medium) frame.Summary {
	s := frame.Summary{Groups: map[string]string{}, Open: uint32(len(check.Expected(wants)))}
	for _, g := range check.Groups(wants) {
		s.Groups[g] = "pending"
	}
	return s
}

func summaryOf(body []byte) *frame.Summary {
	var f struct {
		Type    string         `json:"type"`
		Summary *frame.Summary `json:"summary"`
	}
	if json.Unmarshal(body, &f) != nil || f.Type != "summary" {
		return nil
	}
	return f.Summary
}

// entries are the frames of a verification behind a seq.
func (s *Service) entries(ctx context.Context, client, id string, behind uint64) ([]entry, error) {
	idx, err := s.feeds.get(ctx, client)
	if err != nil {
		return nil, err
	}
	var out []entry
	last := uint64(0)
	for r, err := range idx.Records(ctx, id, false) {
		if err != nil {
			return nil, err
		}
		e, err := s.entry(ctx, r)
		if err != nil {
			return nil, err
		}
		if e.seq == 0 { // it cannot be read; what can be says that it is the next one
			e.seq = last + 1
		}
		if last = e.seq; e.seq > behind {
			out = append(out, e)
		}
		if len(out) == pageSize {
			break
		}
	}
	return out, nil
}

// pageSize is how many frames a page has at most; whoever gets so many asks again behind the last one. A verification has some 150.
const pageSize = 1000

// page answers with the frames of a verification that are there.
func (s *Service) page(w http.ResponseWriter, r *http.Request, p params) error {
	client := access.Of(r.Context()).Client
	all, err := s.entries(r.Context(), client, r.PathValue("id"), p.seq)
	if err != nil {
		return err
	}
	frames := []json.RawMessage{}
	for _, e := range all {
		line, err := s.pageLine(client, e)
		if err != nil {
			return err
		}
		frames = append(frames, line)
	}
	httpapi.JSON(w, http.StatusOK, map[string]any{"frames": frames})
	return nil
}

func (s *Service) pageLine(client string, e entry) ([]byte, error) {
	off := e.at.Pos.Off
	if e.body == nil {
		return json.Marshal(gap{"gap", e.at.Lane.N, off, off, e.why, 1})
	}
	at := cursor.Position{Epoch: e.at.Pos.Epoch, Lanes: []cursor.At{{Lane: e.at.Lane.N, Next: off + 1}}}
	return e.line(s.Cursors.Format(topic.Feed(client), at))
}
