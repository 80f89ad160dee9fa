package blob

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// patient gives a store a disk that is waited for: ten seconds at most, and a second where it is down.
func patient(t *testing.T, s *Store) (incidents *[]resilience.Incident) {
	t.Helper()
	var err error
	incidents = &[]resilience.Incident{}
	s.dep, err = resilience.New(resilience.Config{Name: "blobs", Report: func(i resilience.Incident) { *incidents = append(*incidents, i) },
		Decisions: resilience.Decisions{
			Down:       resilience.Decision{Action: resilience.Wait, For: time.Second},
			Slow:       resilience.Decision{Action: resilience.Wait, After: time.Second, For: 10 * time.Second},
			Unreliable: resilience.Decision{Action: resilience.Refuse, For: time.Minute}}})
	if err != nil {
		t.Fatal(err)
	}
	return incidents
}

type hangs struct{ release chan struct{} }

func (h hangs) Write([]byte) (int, error) { <-h.release; return 0, errors.New("too late") }
func (h hangs) Close() error              { <-h.release; return errors.New("too late") }

// Whichever call to the disk hangs, who writes a blob hears of it in time, and nothing is left when the disk answers again.
func TestHangingDiskIsGivenUp(t *testing.T) {
	s, _ := open(t, nil)
	for _, where := range []string{"write", "close", "flush"} {
		synctest.Test(t, func(t *testing.T) {
			incidents := patient(t, s)
			release := make(chan struct{})
			w, err := s.Writer(t.Context(), "c", "v")
			if err != nil {
				t.Fatal(err)
			}
			s.flush = func(*os.File) error {
				if where == "flush" {
					<-release
				}
				return nil
			}
			if where != "flush" {
				w.sealed = hangs{release}
			}
			began, data := time.Now(), []byte("a picture")
			if where != "close" {
				_, err = w.Write(data)
				clear(data) // the caller's again
			}
			sha, _, ended := w.Commit(true)
			if took := time.Since(began); !errors.Is(ended, resilience.ErrSlow) || sha != "" || took != 10*time.Second || where == "write" && err == nil {
				t.Errorf("%s: %q after %v, %v, %v", where, sha, took, err, ended)
			}
			if len(*incidents) != 1 || (*incidents)[0].Condition != resilience.Slow {
				t.Errorf("%s: incidents %+v", where, *incidents)
			}
			close(release)
			synctest.Wait()
			if left, _ := os.ReadDir(s.temp()); len(left) != 0 {
				t.Errorf("%s: %d temporary files are left", where, len(left))
			}
		})
	}
}

// Reading from a disk that hangs, here a pipe into which nobody writes, ends in time as well.
func TestHangingReadIsGivenUp(t *testing.T) {
	s, _ := open(t, nil)
	sha, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
	if err != nil {
		t.Fatal(err)
	}
	path := fileOf(t, s, "c", "v", sha)
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	d := s.dep.Decisions()
	d.Slow = resilience.Decision{Action: resilience.Refuse, After: 10 * time.Millisecond}
	if s.dep, err = resilience.New(resilience.Config{Name: "blobs", Decisions: d, Report: func(resilience.Incident) {}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "c", "v", sha); !errors.Is(err, resilience.ErrSlow) || errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) // the reader goes on, to its end
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// A full disk is an answer: it is no incident, and what is there is read meanwhile. A flush that fails is one, each time.
func TestFullDiskIsAnAnswer(t *testing.T) {
	for failure, want := range map[error]int{syscall.ENOSPC: 0, syscall.EDQUOT: 0, syscall.EIO: 10} {
		s, _ := open(t, nil)
		there, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
		if err != nil {
			t.Fatal(err)
		}
		incidents := patient(t, s)
		s.flush = func(f *os.File) error { return &os.PathError{Op: "sync", Path: f.Name(), Err: failure} }
		for range 10 {
			if _, err = s.Put(t.Context(), "c", "v", []byte("another"), true); !errors.Is(err, failure) {
				t.Errorf("%v: %v", failure, err)
			}
		}
		if len(*incidents) != want {
			t.Errorf("%v: %d incidents", failure, len(*incidents))
		}
		if _, err := s.Get(t.Context(), "c", "v", there); err != nil {
			t.Errorf("%v: reading: %v", failure, err)
		}
	}
}
