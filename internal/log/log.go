// Package log is the one thing that services meet in: topics of records, cut into lanes, each lane a
// total order that never changes once it is written.
//
// The words. A topic has a fixed number of lanes; the lane of a record is computed from its key (LaneOf),
// so that everything under one key is in one order. A position names the record that is read next. A
// record is stable when it is durable and can no longer be taken back; nobody is shown anything else. A
// group is a set of members that share the lanes of one input topic; what they have finished is the
// committed position, one a lane. Whenever a lane changes hands its generation rises, and a step of an
// older generation is fenced: it changes nothing.
//
// There are several implementations (embedded, on one machine; split, for tests; later Kafka) and one
// contract suite, logtest, which all of them pass. What the suite does not demand nobody may rely on;
// least of all that an at-least-once step is one atomic batch.
package log

import (
	"context"
	"iter"
	"time"
)

// Topic describes a topic at its creation.
type Topic struct {
	Name      string        // see CheckName
	Lanes     int32         // at least 1; fixed for the life of the topic
	Retention time.Duration // a record may be trimmed when it is older; 0 keeps all
	Compacted bool          // the log may drop a record once a later one has the same key; it need not
}

// Lane names one lane of a topic, 0 ≤ N < Lanes.
type Lane struct {
	Topic string
	N     int32
}

// Pos is the position of the record that is read next. Offsets grow within a lane; they need not be dense.
// The zero Pos is the earliest record there is. Epoch changes whenever offsets could be used again (a log
// restored from a backup); every position that a log hands out carries it and it is never 0. A position
// whose Epoch is 0 is taken as of the present epoch; one of another epoch is answered with ErrEpoch.
type Pos struct {
	Epoch uint64
	Off   int64
}

// IsZero reports whether p is the zero position.
func (p Pos) IsZero() bool { return p == Pos{} }

// Next is the position after p.
func (p Pos) Next() Pos { return Pos{Epoch: p.Epoch, Off: p.Off + 1} }

// Header is one header of a record, in the order it was given.
type Header struct {
	Key string
	Val []byte
}

// Rec is one record. On the way in, Lane.Topic, Key, Val and Head count; the log sets Lane.N, Pos and At
// itself. On the way out the slices belong to the log and are shared between readers: do not write to them.
type Rec struct {
	Key, Val []byte
	Head     []Header
	Lane     Lane
	Pos      Pos
	At       time.Time // append time by the log's clock, UTC; never decreasing within a lane
}

// Bound is the extent of a lane: the first position still there, the stable end (the position of the
// next record to come), and the bytes of keys, headers and values between the two, approximately.
type Bound struct {
	Lane       Lane
	First, End Pos
	Bytes      int64
}

// Log is a durable log. All methods are safe for concurrent use.
type Log interface {
	// Create makes topics. A topic that exists is left as it is, except that Retention and Compacted take
	// the new value; another number of lanes is ErrLanes, an illegal name ErrBadName.
	Create(ctx context.Context, topics ...Topic) error
	// Topics lists all topics by name.
	Topics(ctx context.Context) ([]Topic, error)
	// Lanes is the number of lanes of a topic, or ErrNoTopic.
	Lanes(ctx context.Context, topic string) (int32, error)

	// Publish appends records and returns them with Lane.N, Pos and At set. When it returns nil they are
	// durable and stable, and those of one lane stand in the order given. ErrNoTopic and ErrFull mean that
	// nothing was written; ErrUnknown that some or all may be there or come to be there.
	Publish(ctx context.Context, recs ...Rec) ([]Rec, error)
	// Send appends at most once: it does not wait, does not retry, and drops what it cannot take.
	Send(recs ...Rec)

	// Join makes a new member of a group. Lanes come with the first Poll.
	Join(ctx context.Context, g Group) (Member, error)

	// Read yields the stable records of a lane in order, from `from` up to but not including `to`, without
	// a group. With a zero `to` it follows: at the end it waits for more, until ctx is done. An error is
	// yielded once, last: ctx.Err(), TrimmedError if `from` is no longer there (never for the zero
	// position), ErrEpoch, ErrNoTopic, DamagedError.
	Read(ctx context.Context, l Lane, from, to Pos) iter.Seq2[Rec, error]
	// Bounds gives the extents of lanes, in the order asked for.
	Bounds(ctx context.Context, lanes ...Lane) ([]Bound, error)
	// Find is the position of the first record appended at t or later, or the stable end.
	Find(ctx context.Context, l Lane, t time.Time) (Pos, error)
	// Committed gives the committed positions of a group, in the order asked for; zero where there is none.
	Committed(ctx context.Context, group string, lanes ...Lane) ([]Pos, error)
	// Reset sets committed positions; ErrBusy while the group has members.
	Reset(ctx context.Context, group string, to map[Lane]Pos) error
	// Trim drops the records of a lane before p, for good. Trimming beyond the end is refused.
	Trim(ctx context.Context, l Lane, p Pos) error
	// Close ends everything: members, followers and waiting calls get ErrClosed.
	Close() error
}
