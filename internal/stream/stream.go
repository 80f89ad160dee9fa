// Package stream runs services on the log: it decodes, unseals, calls, publishes, commits, retries, dead-letters, de-duplicates and keeps timers.
//
// A service is one of three shapes, and knows neither topics' lanes nor positions nor keys.
//
// A Worker looks at one message at a time and says what it learns through an Emit, which returns when the event is durable: a finding leaves the
// moment it is known, not when its handler ends. Messages of one lane are handled concurrently, those of one verification in order; the
// contiguous prefix of what is finished is committed. A worker may run twice on the same message: what it says carries derived ids, and readers
// drop what they have seen.
//
// A Fold reads its lane in order. Its state is all facts so far; what should have been said is a function of the state and the clock; what was said
// is in the lane; the runtime says the difference, and nothing before the lane was read to its end once after it was gained.
//
// A Chain turns every input into outputs with a running state, exactly once: outputs, state and position are one step of the log.
package stream

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
)

// Message is one event as a service sees it. Payload is nil where the verification's key was erased, and for folds, which open it with Open.
type Message struct {
	*envelopev1.Envelope
	Payload proto.Message
	Lane    log.Lane
	Pos     log.Pos
	At      time.Time // append time, the log's clock
	open    func(context.Context) (proto.Message, error)
}

// Open gives the payload, unsealing it now if need be; seal.ErrErased says that it is gone for good: its key was destroyed, or thrown away with
// an upload that was refused.
func (m *Message) Open(ctx context.Context) (proto.Message, error) {
	if m.Payload != nil || m.open == nil {
		return m.Payload, nil
	}
	return m.open(ctx)
}

// Output is something to be said about the verification of the message at hand. The runtime fills in ids, times, ancestry and sealing.
type Output struct {
	ID      string // empty: derived
	Topic   string // empty: fact.v1
	Name    string // names the output within the service, part of its id; empty: the finding's check and medium, or the kind
	Ordinal int    // tells apart outputs of one name
	Kind    envelopev1.Kind

	Check      string
	Outcome    envelopev1.Outcome
	Reason     string
	Medium     envelopev1.Medium
	Supersedes string
	Groups     map[string]string

	Opening *Opening          // of an opened fact
	Chain   *envelopev1.Chain // of a feed frame: its place in the hash chain

	Payload proto.Message // the type that the topic names; nil: nothing is sealed
	Also    []*Message    // what it rests on beside the message at hand
}

// Opening is what the envelope of an opened fact says in clear.
type Opening struct {
	Wants     []envelopev1.Medium // what the client said it would send
	Deadline  time.Duration       // from complete
	ExpiresAt time.Time           // when it expires if it never becomes complete
	Catalogue uint32              // version of the catalogue of checks
}

// Emit publishes an output and returns when it is durable. It may be called from several goroutines of one handler.
type Emit func(ctx context.Context, o Output) error

// Input is what a worker's handler is given: the message, and those kept earlier of the same verification (Worker.Keep).
type Input struct {
	*Message
	Kept []*Message // in the order of the lane, the message at hand left out
}

// Worker is a service that handles messages one by one.
type Worker struct {
	Name    string // the service
	Version int    // major version of what it says, part of every id
	Input   string // topic
	// Accepts says from the envelope whether the service looks at the message at all.
	Accepts func(*envelopev1.Envelope) bool
	// Owes lists the answers that handling this message must have given. What the handler leaves open although it returned nil is a bug:
	// it is published as not_performed(internal), with an incident; after a poisonous message as not_performed(poison).
	Owes func(Input) []check.Key
	// Keep says, once a message is done, what is kept across restarts for the handlers of later messages of the same verification: which of
	// those that were kept, and the message itself or not. It goes keepTime after the deadline in any case. Nil keeps nothing.
	Keep func(Input) []*Message
	// Handle does the work. Its error decides what happens. Poison and panics are dead letters at once. Any other is tried again, with growing
	// pauses, until the verification's deadline; where log or key service are away (resilience.Taken), as long as they are.
	Handle func(context.Context, Input, Emit) error
	// Parallel bounds the messages in hand at once in one process; 0 means the number of cores.
	Parallel int
}

// Fold is a service whose sayings follow from the facts so far. S is its state of one verification and must survive encoding/json; nothing
// personal may stand in it in clear.
type Fold[S any] struct {
	Name    string
	Version int
	Input   string
	// Apply takes one fact into the state. What the fold itself said comes back through here too, possibly twice.
	Apply func(s *S, m *Message)
	// Say lists what should have been said by now, the said included or not (the runtime drops what was said), and when to ask again
	// although nothing new came (zero: not). Now is the log's clock. It decides on the state and nothing else, but may open sealed values.
	Say func(ctx context.Context, s *S, now time.Time) (outs []Output, again time.Time, err error)
	// Leave says when the state of a verification may be forgotten; zero: not yet.
	Leave func(s *S) time.Time
	// Over says that nothing will be said any more, whatever comes: from then on facts are not told apart, and may be applied again. Nil: never.
	Over func(s *S) bool
}

// Chain is a service that turns each input into outputs exactly once.
type Chain[S any] struct {
	Name    string
	Version int
	Input   string
	// Next takes one input that was not seen before into the state and gives the records that follow from it.
	Next func(ctx context.Context, s *S, m *Message) ([]Output, error)
	// Leave says when the state of a verification may be forgotten; zero: not yet.
	Leave func(s *S) time.Time
}
