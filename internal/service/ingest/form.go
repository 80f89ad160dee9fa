package ingest

import (
	"errors"
	"io"
	"mime/multipart"
	"slices"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// form is a body that was read to its end and found good.
type form struct {
	media     []*medium // sorted by kind
	request   request
	canonical []byte // of the request
}

// abort throws away what was read.
func (f *form) abort() error {
	var errs []error
	for _, m := range f.media {
		errs = append(errs, m.sink.Abort())
	}
	return errors.Join(errs...)
}

func (f *form) kinds() []envelopev1.Medium {
	var out []envelopev1.Medium
	for _, m := range f.media {
		out = append(out, m.kind)
	}
	return out
}

// body is what a client sends: its parts, and the whole they are cut from.
type body struct {
	parts *multipart.Reader
	whole io.Reader
}

func newBody(whole io.Reader, boundary string) body {
	return body{multipart.NewReader(whole, boundary), whole}
}

// opener makes the sink of the next medium.
type opener func() (sink, error)

// readForm reads all parts, in whatever order they come. After an error nothing is left of them.
func readForm(b body, open opener) (*form, error) {
	f := &form{}
	err := f.read(b, open)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, errors.Join(err, f.abort())
	}
	slices.SortFunc(f.media, func(a, b *medium) int { return int(a.kind) - int(b.kind) })
	return f, nil
}

func (f *form) read(b body, open opener) error {
	for {
		part, err := b.parts.NextPart()
		if err == io.EOF {
			return pass(io.Discard, b.whole) // behind the last boundary the body must go on to the length it promised
		}
		if err != nil {
			return &bodyError{err}
		}
		name := part.FormName()
		kind := check.Parse(name)
		switch {
		case name == "request":
			err = f.readRequest(part)
		case kind == envelopev1.Medium_MEDIUM_UNSPECIFIED || name != check.Name(kind):
			err = bad("a part has a name that is not known; known are document, document_back, selfie and request")
		case slices.Contains(f.kinds(), kind):
			err = bad("the part %s was sent twice", name)
		default:
			err = f.readMedium(part, kind, open)
		}
		if err != nil {
			return err
		}
	}
}

func (f *form) readMedium(part io.Reader, kind envelopev1.Medium, open opener) (err error) {
	to := &late{open: open}
	m := &medium{kind: kind, sink: to}
	f.media = append(f.media, m)
	m.info, err = readMedium(part, kind, to)
	var p *picture.Error
	if errors.As(err, &p) {
		return refusal(kind, p)
	}
	return err
}

func (f *form) readRequest(part io.Reader) error {
	if f.canonical != nil {
		return bad("the part request was sent twice")
	}
	raw, err := io.ReadAll(io.LimitReader(part, maxRequest+1))
	if err != nil {
		return &bodyError{err}
	}
	if len(raw) > maxRequest {
		return problem.New(problem.TooLarge, "the part request is larger than %d bytes", maxRequest)
	}
	f.request, f.canonical, err = parseRequest(raw)
	return err
}

// check holds the parts against one another.
func (f *form) check() error {
	if len(f.media) == 0 {
		return bad("no medium was sent; send a part document, document_back or selfie")
	}
	if f.canonical == nil {
		f.canonical = []byte("{}")
	}
	return f.request.checkWants(f.kinds())
}
