package ingest

// heldMost is how many bytes a late sink holds back: headers are shorter, but for JPEGs with a large EXIF part and animated GIFs, which are walked to
// their end.
const heldMost = 64 << 10

// late is a sink that is opened when the header was found good, or grows too long to be held: what the first bytes show to be wrong costs neither
// a data key nor a file.
type late struct {
	open opener
	held []byte
	sink sink // nil: not opened yet
}

// begin opens the sink, if nothing did.
func (l *late) begin() (err error) {
	if l.sink != nil {
		return nil
	}
	if l.sink, err = l.open(); err != nil {
		l.sink = nil
		return err
	}
	_, err = l.sink.Write(l.held)
	l.held = nil
	return err
}

// Write holds bytes back, or passes them on.
func (l *late) Write(b []byte) (int, error) {
	if l.sink == nil && len(l.held)+len(b) <= heldMost {
		l.held = append(l.held, b...)
		return len(b), nil
	}
	if err := l.begin(); err != nil {
		return 0, err
	}
	return l.sink.Write(b)
}

// Commit ends a sink that was opened.
func (l *late) Commit(durable bool) (sha string, bytes int64, err error) {
	return l.sink.Commit(durable)
}

// Abort throws away what was written.
func (l *late) Abort() error {
	if l.sink == nil {
		return nil
	}
	return l.sink.Abort()
}
