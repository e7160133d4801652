package importer

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress shows on a terminal how far a long step is. Elsewhere it is silent.
type progress struct {
	w        io.Writer
	terminal bool

	step, unit  string
	done, total int64
	began, last time.Time
	shown       bool
}

const (
	progressWidth = 30
	progressEvery = 100 * time.Millisecond
)

// begin starts a step of total units; an empty unit shows only the share.
func (p *progress) begin(step, unit string, total int64) {
	p.clear()
	p.step, p.unit, p.done, p.total = step, unit, 0, total
	p.began, p.last = time.Now(), time.Time{}
}

func (p *progress) advance(n int64) {
	p.done += n
	if !p.terminal {
		return
	}
	now := time.Now()
	if now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprint(p.w, "\r\x1b[K"+p.line(now.Sub(p.began)))
}

// line is what the terminal shows after some time.
func (p *progress) line(elapsed time.Duration) string {
	share := 1.0
	if p.total > 0 {
		share = min(1, float64(p.done)/float64(p.total))
	}
	full := int(share * progressWidth)
	line := fmt.Sprintf("%-9s [%s%s] %3d %%", p.step, strings.Repeat("█", full), strings.Repeat("░", progressWidth-full), int(share*100))
	if p.unit != "" {
		line += fmt.Sprintf("  %s of %s", thousands(p.done), count(p.total, p.unit))
	}
	if left := time.Duration(float64(elapsed) * (1 - share) / max(share, 1e-9)); elapsed > 2*time.Second && share > 0.01 {
		line += fmt.Sprintf("  %d:%02d left", int(left.Minutes()), int(left.Seconds())%60)
	}
	return line
}

// clear takes the line away, so that something else can be written there.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
