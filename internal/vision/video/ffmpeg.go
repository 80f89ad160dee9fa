package video

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// formats that ffmpeg may open. Without the list, a concat script named .mp4 makes it open another local file.
const formats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"

// arguments of ffmpeg. Nothing in them comes from the applicant: the input is always descriptor 3. Frames are
// chosen by time and never duplicated, so that a repeated frame is the recording's own. Frames that no other one
// refers to are skipped (a third of the time of a 1080p recording); the size is bounded by us. One thread keeps ahead of
// whoever looks at the frames, and leaves the other core to the document.
func arguments(o Options) []string {
	side := strconv.Itoa(o.LongSide)
	choose := fmt.Sprintf("select='isnan(prev_selected_t)+gte(t-prev_selected_t,%.4f)'", 1/o.Rate-0.006)
	scale := "scale=w='min(" + side + ",iw)':h='min(" + side + ",ih)':force_original_aspect_ratio=decrease:flags=bilinear"
	args := []string{
		"-nostdin", "-hide_banner", "-nostats", "-loglevel", "info",
		"-protocol_whitelist", "file",
		"-format_whitelist", formats,
		"-codec_whitelist", "h264,hevc,vp8,vp9,av1,libdav1d",
		"-max_pixels", strconv.Itoa(MaxPixels),
		"-threads", "1", "-skip_frame", "noref", "-an", "-sn", "-dn",
		"-t", strconv.Itoa(int(MaxDecoded.Seconds())),
	}
	if o.From > 0 {
		args = append(args, "-noaccurate_seek", "-ss", fmt.Sprintf("%.3f", o.From.Seconds()))
	}
	return append(args,
		"-i", "/proc/self/fd/3", "-map", "0:v:0",
		"-vf", choose+","+scale+",showinfo=checksum=0", "-fps_mode", "passthrough",
		"-frames:v", strconv.Itoa(o.Frames), "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "pipe:1")
}

// niceness of the child: it gets a third of what another thread gets where both want the same core.
const niceness = 5

// decode runs the child and hands its frames over as they come.
func (d *Decoder) decode(ctx context.Context, file *os.File, o Options, yield func(Frame) error) (Info, error) {
	running, kill := context.WithCancel(ctx)
	defer kill()
	var c child
	err := d.cfg.Dependency.Do(ctx, func(context.Context) (err error) { c, err = d.start(running, file, o); return err })
	if err != nil {
		return Info{}, fmt.Errorf("starting ffmpeg: %w", err)
	}
	// Frames are wanted less urgently than what a document says; where this is not allowed, they come all the same.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, c.pid, niceness)
	rep := follow(c.diag)
	info, err := pump(rep, c.out, o, yield)
	if err != nil {
		kill()
	}
	<-rep.done // Wait closes the pipes, so both must be read first
	exit := c.wait()
	info.Duration, info.W, info.H = rep.duration, rep.w, rep.h
	return info, verdict(ctx, rep, info, exit, err)
}

// child is an ffmpeg at work.
type child struct {
	pid       int
	out, diag io.Reader
	wait      func() error // after both were read to their ends
}

func (d *Decoder) start(ctx context.Context, file *os.File, o Options) (c child, err error) {
	cmd := d.box.command(ctx, d.cfg, arguments(o)...)
	cmd.ExtraFiles = []*os.File{file}
	cmd.WaitDelay = 2 * time.Second
	if c.out, err = cmd.StdoutPipe(); err != nil {
		return c, err
	}
	if c.diag, err = cmd.StderrPipe(); err != nil {
		return c, err
	}
	if c.wait, err = d.box.start(cmd); err != nil {
		return c, err
	}
	c.pid = cmd.Process.Pid
	return c, nil
}

// errYield marks an error of the caller's, which is returned as it is.
type errYield struct{ error }

// pump reads frames until the child closes its output.
func pump(rep *report, out io.Reader, o Options, yield func(Frame) error) (Info, error) {
	var info Info
	select {
	case <-rep.opened:
	case <-rep.done:
	}
	if rep.duration > MaxDuration {
		return info, &Error{Code: TooLong, Detail: rep.duration.String()}
	}
	r := bufio.NewReaderSize(out, 1<<16)
	for info.Frames < o.Frames {
		m, err := readPPM(r, o.LongSide)
		if errors.Is(err, io.EOF) {
			return info, nil
		}
		if err != nil {
			return info, err
		}
		f := Frame{Index: info.Frames, At: rep.next(), Pix: m}
		info.Frames++
		if err := yield(f); err != nil {
			return info, errYield{err}
		}
	}
	_, err := io.Copy(io.Discard, r)
	return info, err
}

// verdict turns what the child said and how it ended into one answer. Frames that did come are kept: a recording
// that is cut off at the end is still a recording.
func verdict(ctx context.Context, rep *report, info Info, exit, err error) error {
	var own errYield
	var bad *Error
	switch {
	case errors.As(err, &own):
		return own.error
	case errors.As(err, &bad):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case info.Frames > 0 && rep.fault != TooCostly && err == nil:
		return nil
	case rep.fault != "":
		return &Error{Code: rep.fault, Detail: "as ffmpeg says"}
	case killed(exit):
		return &Error{Code: TooCostly, Detail: "processor limit"}
	case exit == nil:
		return &Error{Code: NoFrames, Detail: "decoded to nothing"}
	}
	return &Error{Code: Damaged, Detail: exit.Error()}
}

// killed tells whether a limit ended the child.
func killed(exit error) bool {
	var e *exec.ExitError
	if !errors.As(exit, &e) {
		return false
	}
	st, ok := e.Sys().(syscall.WaitStatus)
	return ok && st.Signaled() && (st.Signal() == syscall.SIGKILL || st.Signal() == syscall.SIGXCPU)
}
