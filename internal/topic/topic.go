// Package topic is the one table of topics: name, key, message, producers, guarantee, retention and lanes.
//
// A topic's name carries its major version; an incompatible message makes a new topic beside the old one. The key of every record
// is the verification it is about, so everything about one verification is in one lane and in order.
package topic

import (
	"time"

	"google.golang.org/protobuf/proto"

	deadv1 "github.com/bonafide-id/bonafide/gen/bonafide/dead/v1"
	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	incidentv1 "github.com/bonafide-id/bonafide/gen/bonafide/incident/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	statsv1 "github.com/bonafide-id/bonafide/gen/bonafide/stats/v1"
)

// The topics that every installation has.
const (
	Media    = "media.v1"
	Derived  = "derived.v1"
	Fact     = "fact.v1"
	Stats    = "stats.v1"
	Incident = "incident.v1"
	Dead     = "dead.v1"
)

// FeedPrefix and a client's name make the name of the client's feed.
const FeedPrefix = "feed.v1."

// Feed names the feed of a client.
func Feed(client string) string { return FeedPrefix + client }

// Guarantee of delivery.
type Guarantee string

// The three guarantees.
const (
	AtMostOnce  Guarantee = "at most once"
	AtLeastOnce Guarantee = "at least once, de-duplicated by id"
	ExactlyOnce Guarantee = "exactly once"
)

// Topic is one row of the table.
type Topic struct {
	Name      string // for a feed: FeedPrefix and "<client>"
	Key       string
	Producers []string
	Guarantee Guarantee
	Retention time.Duration // 0: kept
	Lanes     int32
	Sealed    bool // the payload is encrypted under the verification's key
	message   func() proto.Message
}

// Message gives a new, empty message of the type that the topic carries.
func (t Topic) Message() proto.Message { return t.message() }

const day = 24 * time.Hour

// Table lists every topic; the row of the feeds stands for one topic a client.
func Table() []Topic {
	detectors := []string{"document", "video", "text", "tamper", "face", "liveness"}
	return []Topic{
		{Media, "verification", []string{"ingest"}, AtLeastOnce, 400 * day, 64, true, func() proto.Message { return new(mediav1.Media) }},
		{Derived, "verification", []string{"document", "video"}, AtLeastOnce, 400 * day, 64, true, func() proto.Message { return new(derivedv1.Derived) }},
		{Fact, "verification", append([]string{"ingest", "consistency", "summary"}, detectors...), AtLeastOnce, 0, 64, true, func() proto.Message { return new(factv1.Fact) }},
		{FeedPrefix + "<client>", "verification", []string{"ledger"}, ExactlyOnce, 90 * day, 1, true, func() proto.Message { return new(feedv1.Frame) }},
		{Stats, "service", []string{"every service"}, AtMostOnce, 3 * day, 1, false, func() proto.Message { return new(statsv1.Statistic) }},
		{Incident, "service", []string{"every service"}, AtLeastOnce, 90 * day, 1, false, func() proto.Message { return new(incidentv1.Incident) }},
		{Dead, "as the original", []string{"every service"}, AtLeastOnce, 30 * day, 1, false, func() proto.Message { return new(deadv1.DeadLetter) }},
	}
}

// Of finds the row of a topic; every feed finds the row of the feeds.
func Of(name string) (Topic, bool) {
	for _, t := range Table() {
		if t.Name == name {
			return t, true
		}
		if t.Name == FeedPrefix+"<client>" && len(name) > len(FeedPrefix) && name[:len(FeedPrefix)] == FeedPrefix {
			t.Name = name
			return t, true
		}
	}
	return Topic{}, false
}
