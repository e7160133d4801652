package identity_test

import (
	"sync"
	"testing"

	"mandate/internal/db"
	"mandate/internal/identity"
)

// A mailbag keeps what was queued and committed.
type mailbag struct {
	mu   sync.Mutex
	mail []identity.Mail
}

func (b *mailbag) Queue(tx *db.Tx, m identity.Mail) error {
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mail = append(b.mail, m)
	})
	return nil
}

// last is the newest mail of a purpose.
func (b *mailbag) last(t *testing.T, purpose string) identity.Mail {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.mail) - 1; i >= 0; i-- {
		if b.mail[i].Purpose == purpose {
			return b.mail[i]
		}
	}
	t.Fatalf("no mail for %s among %d", purpose, len(b.mail))
	return identity.Mail{}
}
