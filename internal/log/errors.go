package log

import (
	"errors"
	"fmt"
)

// Errors that callers branch on, with errors.Is.
var (
	ErrFenced   = errors.New("lane has changed hands")                                         // a step of an old generation
	ErrUnknown  = errors.New("outcome unknown")                                                // may or may not have been written
	ErrClosed   = errors.New("log is closed")                                                  // the log or the member
	ErrDamaged  = errors.New("damaged on disk")                                                // always as a *DamagedError
	ErrTrimmed  = errors.New("position is no longer kept")                                     // always as a *TrimmedError
	ErrNoTopic  = errors.New("no such topic or lane")                                          // create it first
	ErrBadName  = errors.New("illegal name")                                                   // see CheckName
	ErrLanes    = errors.New("topic exists with another number of lanes")                      // lanes are fixed for the life of a topic
	ErrEpoch    = errors.New("position is of another epoch")                                   // offsets may have been used again since
	ErrBusy     = errors.New("group has members")                                              // Reset needs the group at rest
	ErrTooLarge = errors.New("record is too large: large things are blobs, records name them") // more than MaxRecord
	ErrFull     = errors.New("disk is full: free some space, then go on")                      // nothing was written; the log goes on when there is space
	ErrInUse    = errors.New("data directory is in use by another process")                    // an embedded log belongs to one process
)

// DamagedError says what was found damaged on disk. Fields that are not known are empty; Lane is -1 where
// the damage is not of one lane.
type DamagedError struct {
	Topic string
	Lane  int32
	File  string
	Err   error
}

func (e *DamagedError) Error() string {
	s := ErrDamaged.Error()
	if e.Topic != "" {
		s += ", topic " + e.Topic
	}
	if e.Topic != "" && e.Lane >= 0 {
		s += fmt.Sprintf(" lane %d", e.Lane)
	}
	if e.File != "" {
		s += ", file " + e.File
	}
	return fmt.Sprintf("%s: %v", s, e.Err)
}

// Is makes a DamagedError an ErrDamaged.
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// Unwrap gives the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// TrimmedError says that a position is no longer kept, and what is the first of the lane that is.
type TrimmedError struct {
	Lane  Lane
	Asked Pos
	First Pos
}

func (e *TrimmedError) Error() string {
	return fmt.Sprintf("%s: %s/%d offset %d, the first kept is %d",
		ErrTrimmed, e.Lane.Topic, e.Lane.N, e.Asked.Off, e.First.Off)
}

// Is makes a TrimmedError an ErrTrimmed.
func (e *TrimmedError) Is(target error) bool { return target == ErrTrimmed }
