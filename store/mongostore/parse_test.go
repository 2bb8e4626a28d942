package mongostore_test

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

func TestHeadTextSortsByVersion(t *testing.T) {
	last := ""
	for _, v := range []flags.Version{{Epoch: 0, Revision: 1}, {Epoch: 0, Revision: 9}, {Epoch: 0, Revision: 10}, {Epoch: 1, Revision: 1}, {Epoch: 1, Revision: 1<<64 - 1}, {Epoch: 2, Revision: 0}, {Epoch: 10, Revision: 0}} {
		h := flags.Head{Set: set, Lineage: "k7q2m9ab", Version: v}
		text := mongostore.HeadText(h)
		if text <= last {
			t.Errorf("%s does not sort after what was before", v)
		}
		if back, err := mongostore.ParseHead(text); err != nil || back != h {
			t.Errorf("%s came back as %+v, %v", v, back, err)
		}
		last = text
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add(mongostore.HeadText(flags.Head{Set: set, Version: flags.Version{Revision: 3}}))
	f.Add("00000000000000000000/00000000000000000003 AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := mongostore.ParseHead(text)
		if err != nil {
			if !errors.Is(err, flags.ErrFormat) {
				t.Fatalf("error %v does not wrap ErrFormat", err)
			}
			return
		}
		if again, err := mongostore.ParseHead(mongostore.HeadText(h)); err != nil || again != h {
			t.Fatalf("%+v came back as %+v, %v", h, again, err)
		}
	})
}

func FuzzCutCommit(f *testing.F) {
	c := flags.Commit{Set: set, Lineage: "k7q2m9ab", ID: flags.NewCommitID(), Version: flags.Version{Revision: 1}}
	one, err := c.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(mongostore.AppendTo(mongostore.AppendTo(nil, one), one))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		for len(data) > 0 {
			_, n, err := mongostore.CutCommit(data)
			if err != nil {
				if !errors.Is(err, flags.ErrFormat) {
					t.Fatalf("error %v does not wrap ErrFormat", err)
				}
				return
			}
			if n == 0 {
				return // the end is missing
			}
			if n > len(data) {
				t.Fatalf("%d bytes of %d", n, len(data))
			}
			data = data[n:]
		}
	})
}
