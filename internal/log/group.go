package log

import (
	"context"
	"iter"
)

// Mode is the delivery guarantee of a group.
type Mode int

// The three guarantees. AtMostOnce commits positions before Poll hands the records out. AtLeastOnce
// writes what a Step holds as outputs, then state, then position; a crash in between repeats work.
// ExactlyOnce writes all of a Step or nothing.
const (
	AtMostOnce Mode = iota + 1
	AtLeastOnce
	ExactlyOnce
)

// Group is what a member joins. All members of a group give the same Input, State and Mode.
type Group struct {
	Name  string // see CheckGroup
	Input string // topic whose lanes are shared
	State string // name under which the group's state is kept, a legal name; empty for none
	Mode  Mode
}

// Member is one member of a group. Poll is called by one goroutine; State and Step may be called by
// others meanwhile.
type Member interface {
	// Poll waits until there is something to tell or ctx ends, and returns at least one event, or an
	// error. Events of one lane are in order. A TrimmedError says, once, that records were trimmed before
	// the group had read them; the next Poll goes on at its First. Without committed position a lane is
	// read from its first record.
	Poll(ctx context.Context) ([]Event, error)
	// Pause makes Poll return no records of these lanes until Resume; lanes that are not held are ignored,
	// and a lane that is gained again is not paused.
	Pause(lanes ...int32)
	// Resume undoes Pause.
	Resume(lanes ...int32)
	// State is the state of a lane that the member holds: what its Steps have put, and those before it.
	// Of a lane that it does not hold it is empty.
	State(lane int32) View
	// Step writes steps, together. Nil means all of it is durable. ErrFenced: a lane has changed hands;
	// state and position are as they were (outputs of an at-least-once step may be there). ErrUnknown: drop what is pending; lanes that are still held come back as
	// Gained, with what was committed. A step may leave out any part of itself.
	Step(ctx context.Context, steps ...Step) error
	// Close leaves the group; its lanes move to the others.
	Close(ctx context.Context) error
}

// View is a reader's view of the state of one lane. Do not write to what it returns.
type View interface {
	Get(key []byte) (val []byte, ok bool)
	// All yields keys and values in the order of the keys, as of the moment it begins.
	All() iter.Seq2[[]byte, []byte]
}

// KV is a change of state; a nil Val deletes the key.
type KV struct{ Key, Val []byte }

// Step is what follows from having read a lane up to a position.
type Step struct {
	Lane int32
	Gen  uint64 // of the lane, from Gained
	Out  []Rec  // records to append, to any topics
	Put  []KV   // changes of the lane's state
	Upto Pos    // the new committed position; zero leaves it; it never goes back
}

// Event is what Poll tells: Gained, Lost or Records.
type Event interface{ event() }

// Gained says that the member holds a lane from now on, with its state restored.
type Gained struct {
	Lane      int32
	Gen       uint64
	Committed Pos // where reading begins; zero: at the first record
	StableEnd Pos // the end of the lane at this moment: a fold says nothing before it has read up to here
}

// Lost says that a lane is no longer held; steps of its generation are fenced.
type Lost struct {
	Lane int32
	Gen  uint64
}

// Records are the next records of a lane that is held, at least one.
type Records struct {
	Lane int32
	Gen  uint64
	Recs []Rec
}

func (Gained) event()  {}
func (Lost) event()    {}
func (Records) event() {}
