package deliver

import (
	"context"
	"errors"
	"iter"

	"github.com/bonafide-id/bonafide/internal/log"
)

// ahead is how many records are read before they are written: enough that reading and writing overlap, and all that a slow client costs.
const ahead = 32

// item is what a pump brings: a record, or news.
type item struct {
	rec      log.Rec
	trimmed  *log.TrimmedError // retention has taken what comes next
	caughtUp bool              // all that was there at the beginning has been brought
	err      error             // the pump has stopped
}

// pump brings items to a session until its context ends.
type pump struct {
	ctx context.Context
	to  chan item
}

func (p pump) send(i item) bool {
	select {
	case p.to <- i:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// lane brings a lane from an offset on, for ever.
func (p pump) lane(l log.Log, at log.Lane, from log.Pos) {
	for {
		err := p.records(l.Read(p.ctx, at, from, log.Pos{}), &from)
		t := (*log.TrimmedError)(nil)
		if !errors.As(err, &t) {
			p.send(item{err: err})
			return
		}
		if from = t.First; !p.send(item{trimmed: t}) {
			return
		}
	}
}

// records brings what an iterator yields, and notes what comes next. Nil: it came to its end, or nobody takes any more.
func (p pump) records(recs iter.Seq2[log.Rec, error], next *log.Pos) error {
	for r, err := range recs {
		if err != nil {
			return err
		}
		if !p.send(item{rec: r}) {
			return p.ctx.Err()
		}
		*next = r.Pos.Next()
	}
	return nil
}

// one brings the records of one verification: those that are there, the news that this is all, and those that come. What was brought may
// come again.
func (p pump) one(now, then iter.Seq2[log.Rec, error]) {
	var next log.Pos
	err := p.records(now, &next)
	if err == nil && p.send(item{caughtUp: true}) {
		err = p.records(then, &next)
	}
	if err != nil {
		p.send(item{err: err})
	}
}
