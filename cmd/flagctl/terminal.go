package main

import (
	"io"
	"os"
	"strconv"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// layoutOf is how tables are written to w: as wide as they come, except on a
// terminal. COLUMNS counts more than what the terminal says of itself.
func layoutOf(w io.Writer, getenv func(string) string) layout {
	if !isTerminal(w) {
		return layout{}
	}
	l := layout{colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		l.width = n
	} else if f, ok := w.(*os.File); ok {
		l.width = columns(f)
	}
	return l
}
