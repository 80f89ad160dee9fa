package embedded

import (
	"path/filepath"
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/logtest"
	"github.com/bonafide-id/bonafide/internal/log/split"
)

// small are options that make much happen with little data.
func small(dir string) Options {
	return Options{Dir: dir, Reserve: 1 << 16, segment: 8 << 10, ring: 4 << 10}
}

func contractEnv(t *testing.T, o Options, wrap func(log.Log) log.Log) logtest.Env {
	c := logtest.NewClock()
	o.Now = c.Now
	l := open(t, o)
	e := logtest.Env{Log: wrap(l), Clock: c}
	e.Reopen = func(t *testing.T) log.Log {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open(t, o)
		return wrap(l)
	}
	return e
}

func open(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestContract(t *testing.T) {
	plain := func(l log.Log) log.Log { return l }
	splits := func(l log.Log) log.Log { return split.Wrap(split.Options{Log: l}) }
	dir := func(t *testing.T) string { return filepath.Join(t.TempDir(), "log") }
	t.Run("embedded", func(t *testing.T) {
		logtest.Run(t, func(t *testing.T) logtest.Env { return contractEnv(t, Options{Dir: dir(t), Reserve: 1 << 16}, plain) })
	})
	t.Run("tiny segments and ring", func(t *testing.T) {
		logtest.Run(t, func(t *testing.T) logtest.Env { return contractEnv(t, small(dir(t)), plain) })
	})
	t.Run("split", func(t *testing.T) {
		logtest.Run(t, func(t *testing.T) logtest.Env { return contractEnv(t, small(dir(t)), splits) })
	})
}
