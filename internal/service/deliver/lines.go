package deliver

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// The frames beside msg, as delivery.md spells them.
type (
	hello struct {
		T       string      `json:"t"`
		Session string      `json:"session"`
		Epoch   uint64      `json:"epoch"`
		Lanes   []helloLane `json:"lanes"`
		Resume  resume      `json:"resume"`
		Granted granted     `json:"granted"`
	}
	helloLane struct {
		Lane int32  `json:"l"`
		Gen  uint64 `json:"gen"`
		Next int64  `json:"next"`
	}
	resume struct {
		Asked string `json:"asked"`
		Given string `json:"given"`
		Exact bool   `json:"exact"`
	}
	granted struct {
		HeartbeatS int `json:"heartbeat_s"`
		MaxAgeS    int `json:"max_age_s"`
	}
	heartbeat struct {
		T      string `json:"t"`
		Cursor string `json:"c"`
		Now    string `json:"now"`
		Lag    *lag   `json:"lag,omitempty"` // of a feed
	}
	lag struct {
		Msgs  int64 `json:"msgs"`
		AgeMS int64 `json:"age_ms"`
	}
	gap struct {
		T     string `json:"t"`
		Lane  int32  `json:"l"`
		From  int64  `json:"from"`
		To    int64  `json:"to"` // inclusive
		Why   string `json:"why"`
		Count int64  `json:"count"`
	}
	end struct {
		T         string `json:"t"`
		Code      string `json:"code"`
		Reconnect bool   `json:"reconnect"`
		AfterMS   int64  `json:"after_ms"`
		Cursor    string `json:"c"`
	}
)

const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// entry is one record of a feed, decoded: the parts of a frame, or why there is none.
type entry struct {
	at   log.Rec
	seq  uint64
	over string // of the frame that ends its verification: why it ended
	head frame.Head
	body []byte // nil: missing says why
	why  string // erased or quarantined
}

// entry decodes and opens a record. An error is worth another try.
func (s *Service) entry(ctx context.Context, r log.Rec) (entry, error) {
	e := entry{at: r}
	m, err := s.Decoder.Decode(r)
	if err == nil {
		e.seq, e.over = m.GetChain().GetSeq(), m.GetReason()
		err = e.open(ctx, m)
	}
	poison := (*stream.PoisonError)(nil)
	switch {
	case errors.Is(err, seal.ErrErased):
		e.why = "erased"
	case errors.As(err, &poison):
		s.Logger.Error("a frame cannot be read", "topic", r.Lane.Topic, "lane", r.Lane.N, "offset", r.Pos.Off, "err", err)
		e.why = "quarantined"
	case err != nil:
		return e, fmt.Errorf("opening frame %d of %s: %w", r.Pos.Off, r.Lane.Topic, err)
	}
	return e, nil
}

func (e *entry) open(ctx context.Context, m *stream.Message) error {
	p, err := m.Open(ctx)
	if err != nil {
		return err
	}
	f, ok := p.(*feedv1.Frame)
	if !ok || len(f.GetBody()) == 0 {
		return seal.ErrErased // the ledger met the fact when its key was gone
	}
	c := m.GetChain()
	e.head = frame.Head{T: "msg", Lane: int(e.at.Lane.N), Offset: e.at.Pos.Off, Attempt: 1, PrevHash: c.GetPrevHash(), Hash: c.GetHash(), Salt: hex.EncodeToString(f.GetSalt())}
	e.body = f.GetBody()
	return nil
}

// line is the frame with its cursor.
func (e *entry) line(cursor string) ([]byte, error) {
	e.head.Cursor = cursor
	return frame.Splice(e.head, e.body)
}
