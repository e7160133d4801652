package identity_test

import (
	"strings"
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// A mailbag keeps what was queued and committed.
type mailbag struct {
	mu        sync.Mutex
	mail      []identity.Mail
	cancelled []string
}

func (b *mailbag) Queue(tx *db.Tx, m identity.Mail) error {
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mail = append(b.mail, m)
	})
	return nil
}

func (b *mailbag) Cancel(tx *db.Tx, _ bank.InstitutionID, key string) error {
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.cancelled = append(b.cancelled, key)
	})
	return nil
}

// token is what the newest mail of a purpose leads to.
func (b *mailbag) token(t *testing.T, purpose string) identity.Secret {
	t.Helper()
	link := string(b.last(t, purpose).Link)
	return identity.Secret(link[strings.LastIndex(link, "/")+1:])
}

// count is how many mails of a purpose there are.
func (b *mailbag) count(purpose string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mail {
		if m.Purpose == purpose {
			n++
		}
	}
	return n
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
