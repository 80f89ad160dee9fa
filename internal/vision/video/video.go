// Package video turns what an applicant's camera recorded into a few small frames.
//
// A recording is the most dangerous thing a stranger can hand us: demuxers and decoders are large C programs with
// a long history of faults. So they run outside this process, in an ffmpeg child that holds nothing but one open
// file and two pipes (sandbox.go), that can open no other file but programs and libraries (fence.go) and no socket
// (calls.go), and what comes back is only a stream of uncompressed pictures (ppm.go).
// Animated GIFs and single pictures never reach ffmpeg: they are decoded in Go under the same limits (gif.go).
//
// Frames are handed over one at a time, so that memory does not grow with the recording.
package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Limits on every recording, whatever its container (the design's "Hostile input").
const (
	MaxDuration = 30 * time.Second // longer ones are refused as TooLong
	MaxDecoded  = 15 * time.Second // only the beginning is looked at
	MaxFrames   = 90               // frames handed over at most
	MaxPixels   = 3840 * 2160      // of one coded frame
	MaxLongSide = 4096             // of one frame handed over
)

// Frame is one picture of a recording, upright as its metadata say, at the time it is shown.
type Frame struct {
	Index int           // 0, 1, 2 … as handed over
	At    time.Duration // since the start of the recording
	Pix   *pix.RGB
}

// Options choose how much of a recording is wanted; the zero value is 6 frames a second, long side 640.
type Options struct {
	Rate     float64       // frames a second at most; 0 means 6
	LongSide int           // pixels of the longer side at most, never enlarged; 0 means 640
	Frames   int           // at most this many; 0 means MaxFrames
	From     time.Duration // skip to the key frame at or before this time
}

func (o Options) withDefaults() Options {
	if o.Rate <= 0 {
		o.Rate = 6
	}
	if o.LongSide <= 0 || o.LongSide > MaxLongSide {
		o.LongSide = 640
	}
	if o.Frames <= 0 || o.Frames > MaxFrames {
		o.Frames = MaxFrames
	}
	return o
}

// Info describes a recording that was read; Duration is 0 where the container does not say.
type Info struct {
	Kind     picture.Kind
	Duration time.Duration
	W, H     int // of the coded frame, before scaling and turning; 0 if unknown
	Frames   int // handed over
}

// Config is what a Decoder needs; empty paths are looked up on the search path.
type Config struct {
	Dependency *resilience.Dependency // what is done when a child cannot be started
	FFmpeg     string
	Prlimit    string
	Memory     uint64        // address space of the child in bytes; 0 means 2 GiB
	Timeout    time.Duration // wall time of one recording; 0 means 20 s
	Log        *slog.Logger  // nil discards
}

func (c Config) withDefaults() Config {
	if c.Memory == 0 {
		c.Memory = 2 << 30
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Decoder reads recordings; it is safe for concurrent use.
type Decoder struct {
	cfg  Config
	box  sandbox
	gate *picture.Gate // of what is decoded in this process
}

// New finds the programs, tries once how a child can be isolated here, and logs what is in force. It refuses a machine
// on which the child would have a network, or would be our own user with all our files.
func New(ctx context.Context, cfg Config) (*Decoder, error) {
	if cfg.Dependency == nil {
		return nil, errors.New("video decoder: a dependency is needed")
	}
	cfg = cfg.withDefaults()
	var err error
	if cfg.FFmpeg, err = program(cfg.FFmpeg, "ffmpeg"); err != nil {
		return nil, err
	}
	if cfg.Prlimit, err = program(cfg.Prlimit, "prlimit"); err != nil {
		return nil, err
	}
	box, err := probe(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("isolating the video decoder: %w", err)
	}
	cfg.Log.Info("video sandbox", "isolation", box.String())
	return &Decoder{cfg: cfg, box: box, gate: picture.NewGate()}, nil
}

// Isolation says what keeps the child apart here, for example "user, net, pid, ipc, landlock, seccomp".
func (d *Decoder) Isolation() string { return d.box.String() }

// Frames reads a recording, an animated GIF or a still from src and hands each frame to yield, in order.
// An error of yield stops the work and is returned as it is; a recording that cannot be used gives an *Error, which
// may also come after the last frame: what was handed over is then worth nothing.
func (d *Decoder) Frames(ctx context.Context, src io.Reader, o Options, yield func(Frame) error) (Info, error) {
	kind, src, err := sniff(src)
	if err != nil {
		return Info{}, err
	}
	o = o.withDefaults()
	switch kind {
	case picture.MP4, picture.WebM:
		return d.recording(ctx, kind, src, o, yield)
	case picture.GIF:
		return d.animation(ctx, src, o, yield)
	}
	return d.still(ctx, src, o, yield)
}

// recording decodes a container file in the sandbox.
func (d *Decoder) recording(ctx context.Context, k picture.Kind, src io.Reader, o Options, yield func(Frame) error) (Info, error) {
	file, err := unlinked(src)
	if err != nil {
		return Info{}, fmt.Errorf("holding recording: %w", err)
	}
	defer file.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, d.cfg.Timeout, &Error{Code: TooCostly, Detail: "time limit"})
	defer cancel()
	var last time.Duration
	info, err := d.decode(ctx, file, o, func(f Frame) error {
		last = f.At
		return yield(f)
	})
	info.Kind = k
	if err == nil && info.Duration == 0 && last > MaxDecoded-time.Second {
		err = d.tooLong(ctx, file)
	}
	return info, err
}
