package app

import (
	"testing"
	"time"

	"mandate/internal/authorization"
)

// What nobody sets is the documented time: what is never confirmed is void
// after seven days.
func TestReservationsLiveSevenDays(t *testing.T) {
	got := openApp(t).Config.ReservationLimit
	if want := 7 * 24 * time.Hour; got != want || authorization.Lifetime != want {
		t.Errorf("reservations live %s, and the room's own word is %s, want %s", got, authorization.Lifetime, want)
	}
}
