package video

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// report is what ffmpeg writes for people, read for the few facts that are in it. It is never logged: container
// metadata may hold a place or a name.
type report struct {
	opened   chan struct{} // closed when the input is described: duration and size are known
	done     chan struct{} // closed when ffmpeg closed its diagnostics
	times    chan time.Duration
	duration time.Duration
	w, h     int
	fault    Code
	rank     int // of fault in faults
}

var (
	durationLine = regexp.MustCompile(`^\s*Duration: (\d+):(\d\d):(\d\d)\.(\d\d)`)
	streamLine   = regexp.MustCompile(`^\s*Stream #0:\d+.*: Video: .*?, (\d{1,5})x(\d{1,5})`)
	frameLine    = regexp.MustCompile(`pts_time:\s*([0-9.]+)`)
)

// faults are the sentences that tell why ffmpeg gave up, the more telling first.
var faults = []struct {
	text string
	code Code
}{
	{"moov atom not found", Damaged},
	{"Format not on whitelist", Unsupported},
	{"matches no streams", NoVideo},
	{"does not contain any stream", NoVideo},
	{"Codec (", Unsupported},
	{"Cannot allocate memory", TooCostly},
	{"Picture size", TooLarge},
	{"Invalid data found when processing input", Damaged},
}

// follow reads diagnostics until they end.
func follow(r io.Reader) *report {
	rep := &report{opened: make(chan struct{}), done: make(chan struct{}), times: make(chan time.Duration, 2*MaxFrames)}
	go rep.read(r)
	return rep
}

func (rep *report) read(r io.Reader) {
	defer close(rep.done)
	defer close(rep.times)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	open := true
	for s.Scan() {
		line := s.Text()
		if open && strings.HasPrefix(line, "Output #0") {
			open = false
			close(rep.opened)
		}
		if open {
			rep.header(line)
		}
		rep.line(line)
	}
	io.Copy(io.Discard, r) // a line past the buffer: the child must not block
}

// header takes the description of the input, which ends before the first frame.
func (rep *report) header(line string) {
	if m := durationLine.FindSubmatch([]byte(line)); m != nil && rep.duration == 0 {
		rep.duration = clock(m)
	}
	if m := streamLine.FindStringSubmatch(line); m != nil && rep.w == 0 {
		rep.w, _ = strconv.Atoi(m[1])
		rep.h, _ = strconv.Atoi(m[2])
	}
}

// line takes frame times and the first fault in order of faults.
func (rep *report) line(line string) {
	if strings.Contains(line, "Parsed_showinfo") {
		if m := frameLine.FindStringSubmatch(line); m != nil {
			rep.time(m[1])
		}
		return
	}
	for i, f := range faults {
		if strings.Contains(line, f.text) && (rep.fault == "" || i < rep.rank) {
			rep.fault, rep.rank = f.code, i
		}
	}
}

func (rep *report) time(text string) {
	sec, err := strconv.ParseFloat(text, 64)
	if err != nil || sec > 1e6 {
		return
	}
	select {
	case rep.times <- time.Duration(sec * float64(time.Second)):
	default: // more frames than were asked for
	}
}

// next is the time of the next frame; its line is written before the frame is.
func (rep *report) next() time.Duration { return <-rep.times }
