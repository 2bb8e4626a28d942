package webhook

import "net/http"

// Delivery is what this router knows of its deliveries of one set.
type Delivery struct {
	Status int    // of the last answer, of HTTP; 0: none came, or nothing was posted yet
	Gaps   uint64 // times that commits were missing from the journal and only that could be delivered
}

// Last returns what is known of the deliveries of a set.
func (h *Hook) Last(set string) Delivery {
	h.lastMu.Lock()
	defer h.lastMu.Unlock()
	return h.last[set]
}

func (h *Hook) note(set string, change func(*Delivery)) {
	h.lastMu.Lock()
	defer h.lastMu.Unlock()
	d := h.last[set]
	change(&d)
	h.last[set] = d
}

func (h *Hook) noteAnswer(set string, answer *http.Response) {
	h.note(set, func(d *Delivery) {
		d.Status = 0
		if answer != nil {
			d.Status = answer.StatusCode
		}
	})
}
