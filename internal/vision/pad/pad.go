// Package pad looks for signs that a face video shows a picture and not a person: presentation attack detection, in
// the words of ISO/IEC 30107.
//
// It knows one kind of attack: something flat that does not change — a print, or a still on a screen, however it is
// moved — and that only from geometry. Whatever is flat moves by one homography from frame to frame; a head that
// turns does not, because its nose is nearer than its ears. Three things are measured:
//
//	Repeats   frames that are the same to the last bit
//	Bend      how far landmarks and followed corners of the face depart from one homography (planar.go)
//	Together  whether face and surroundings move as one plane, as when a camera pans over a picture
//
// A screen that plays a recorded person, and a mask, turn as a head turns: they pass unseen here. Nothing in this
// package was measured on real attacks, so it never says that a face is alive.
package pad

import (
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Frame is what is kept of one frame of a video.
type Frame struct {
	At     time.Duration
	Digest uint64     // equal for frames of equal pixels
	Mesh   *face.Mesh // of the largest face, nil where there is none
	Flow   []Step     // corners followed from the frame before
}

// Step is one corner in the frame before and in this one, in pixels. A corner that is followed on begins where it
// ended, to the bit.
type Step struct{ From, To pix.Pt }
