package video

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Browsers write recordings without a duration. Where such a one fills all that is looked at, its packets are
// counted through, without decoding, to learn whether it is too long.

var timeMark = regexp.MustCompile(`time=(\d+):(\d\d):(\d\d)\.(\d\d)`)

// lengthArguments copy the packets to nowhere and print the time reached.
func lengthArguments() []string {
	return []string{
		"-nostdin", "-hide_banner", "-stats", "-loglevel", "error",
		"-protocol_whitelist", "file", "-format_whitelist", formats,
		"-an", "-sn", "-dn", "-t", strconv.Itoa(int((MaxDuration + 2*time.Second).Seconds())),
		"-i", "/proc/self/fd/3", "-map", "0:v:0", "-c", "copy", "-f", "null", "-",
	}
}

// tooLong counts a recording through; it says no where nothing can be told.
func (d *Decoder) tooLong(ctx context.Context, file *os.File) error {
	cmd := d.box.command(ctx, d.cfg, lengthArguments()...)
	cmd.ExtraFiles = []*os.File{file}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := d.box.run(cmd); err != nil {
		return nil
	}
	marks := timeMark.FindAllSubmatch(out.Bytes(), -1)
	if len(marks) == 0 {
		return nil
	}
	if t := clock(marks[len(marks)-1]); t > MaxDuration {
		return &Error{Code: TooLong, Detail: fmt.Sprintf("%v and more", t)}
	}
	return nil
}

// clock reads hours, minutes, seconds and hundredths from the groups of a match.
func clock(m [][]byte) time.Duration {
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(string(m[i+1])) // digits by the expression
	}
	return time.Duration(n[0]*3600+n[1]*60+n[2])*time.Second + time.Duration(n[3])*10*time.Millisecond
}
