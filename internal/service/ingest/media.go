package ingest

import (
	"errors"
	"fmt"
	"io"
	"slices"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// sink is where the bytes of a medium go: to a sealed blob, or, when the verification exists already, only through the digest.
type sink interface {
	io.Writer
	Commit(durable bool) (sha string, bytes int64, err error)
	Abort() error
}

// medium is one part that was read and found good. Digest and size are known once it is committed.
type medium struct {
	kind envelopev1.Medium
	info picture.Info
	sink sink
	sha  string
	size int64
}

func (m *medium) commit() (err error) {
	m.sha, m.size, err = m.sink.Commit(true)
	return err
}

func (m *medium) payload() *mediav1.Media {
	return &mediav1.Media{Sha256: m.sha, Bytes: uint64(m.size), MediaType: string(m.info.Kind), Width: uint32(m.info.W), Height: uint32(m.info.H)}
}

// accepted are the formats of each medium.
var accepted = map[envelopev1.Medium][]picture.Kind{
	check.Document: {picture.JPEG, picture.PNG, picture.WebP},
	check.Back:     {picture.JPEG, picture.PNG, picture.WebP},
	check.Selfie:   {picture.JPEG, picture.PNG, picture.WebP, picture.GIF, picture.MP4, picture.WebM},
}

// bodyError is a failure to read what the client sends.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "reading the body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// readMedium streams a part into its sink, and stops at what its header shows to be wrong.
func readMedium(part io.Reader, kind envelopev1.Medium, to *late) (picture.Info, error) {
	head := &copied{from: part, to: to}
	info, err := inspect(head, kind)
	if head.err != nil {
		return info, head.err // what the parser makes of a body that broke off is no verdict
	}
	if err == nil {
		err = to.begin()
	}
	if err == nil {
		err = pass(to, part)
	}
	return info, err
}

// copied is a reader of which everything that is read goes to a writer, too. It keeps apart what the client did wrong and what the disk did.
type copied struct {
	from io.Reader
	to   io.Writer
	err  error
}

func (c *copied) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	if n > 0 {
		_, c.err = c.to.Write(b[:n])
	}
	if c.err == nil && err != nil && err != io.EOF {
		c.err = &bodyError{err}
	}
	if c.err != nil {
		return n, c.err
	}
	return n, err
}

// inspect reads the header. A panic in a parser must not take the process with it.
func inspect(r io.Reader, kind envelopev1.Medium) (info picture.Info, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the header parser panicked: %s", errBug, httpapi.Panic(p))
		}
	}()
	info, err = picture.Header(r, picture.Limits{})
	if (err == nil || picture.CodeOf(err) != "") && info.Kind != "" && !slices.Contains(accepted[kind], info.Kind) {
		return info, &picture.Error{Code: picture.Unsupported, Detail: fmt.Sprintf("%s cannot be %s", check.Name(kind), info.Kind)}
	}
	return info, err
}

var errBug = errors.New("bug")

// pass copies, and tells what the client did wrong from what the disk did.
func pass(to io.Writer, from io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &bodyError{err}
		}
	}
}

// refusal says over HTTP what is wrong with a medium.
func refusal(kind envelopev1.Medium, err *picture.Error) *problem.Problem {
	codes := map[picture.Code]problem.Code{
		picture.Empty: problem.EmptyMedia, picture.Unsupported: problem.UnsupportedMedia, picture.Damaged: problem.DamagedMedia,
		picture.TooManyPixels: problem.TooManyPixels, picture.TooFewPixels: problem.TooFewPixels,
	}
	code, ok := codes[err.Code]
	if !ok {
		code = problem.DamagedMedia
	}
	return problem.New(code, "%s: %s", check.Name(kind), err.Detail)
}
