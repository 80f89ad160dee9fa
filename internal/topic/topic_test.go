package topic

import (
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
)

func TestTable(t *testing.T) {
	for _, row := range Table() {
		if row.Name == Feed("<client>") {
			row.Name = Feed("demo")
		}
		if err := log.CheckName(row.Name); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
		if row.Lanes < 1 || row.Message() == nil || len(row.Producers) == 0 {
			t.Errorf("%s: the row is not complete: %+v", row.Name, row)
		}
	}
}

func TestOf(t *testing.T) {
	if got, ok := Of("feed.v1.music-shop"); !ok || got.Name != "feed.v1.music-shop" || got.Guarantee != ExactlyOnce {
		t.Errorf("a client's feed: %+v, %v", got, ok)
	}
	for _, name := range []string{"fact.v2", "feed.v1.", "feed.v1", ""} {
		if got, ok := Of(name); ok {
			t.Errorf("%q finds the row of %s", name, got.Name)
		}
	}
}
