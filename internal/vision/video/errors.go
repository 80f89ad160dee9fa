package video

import "fmt"

// Code says why a recording cannot be used; the texts are stable and go into findings as reasons.
type Code string

const (
	Empty       Code = "empty_media"       // no bytes
	Unsupported Code = "unsupported_media" // neither a known container nor a known picture, or a foreign codec
	Damaged     Code = "damaged_media"     // a known container that cannot be decoded, such as an MP4 without its index
	NoVideo     Code = "no_video"          // sound or text only
	NoFrames    Code = "no_frames"         // a video stream without a single picture
	TooLong     Code = "too_long"          // longer than MaxDuration
	TooLarge    Code = "too_many_pixels"   // more pixels than MaxPixels in a frame, or in all frames of a GIF
	TooSmall    Code = "too_few_pixels"    // a picture too small to show a face
	TooCostly   Code = "too_costly"        // memory, processor or time limit reached
)

// Error is a recording's own fault; it stays the same however often it is tried.
type Error struct {
	Code   Code
	Detail string // for the operator; never holds anything from the recording
}

func (e *Error) Error() string { return fmt.Sprintf("reading video: %s: %s", e.Code, e.Detail) }
