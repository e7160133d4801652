package authorization

import (
	"context"
	"encoding/json"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/idempotency"
)

// Once returns the service for one call of an outside payment system that may
// be repeated under a key: the repetition is told what the first call was told,
// whatever happened since, and changes nothing. The same key with another call
// is idempotency.ErrReused.
func (s *Service) Once(key string) (*Service, error) {
	if err := idempotency.CheckText(key); err != nil {
		return nil, err
	}
	once := *s
	once.once = key
	return &once, nil
}

// ForgetKeys forgets the keys whose time is over.
func (s *Service) ForgetKeys(ctx context.Context) error { return s.db.Write(ctx, idempotency.Purge) }

// told is an answer as it is kept under a key.
type told struct {
	Allowed          bool            `json:"allowed,omitempty"`
	ApprovalRequired bool            `json:"approval_required,omitempty"`
	Reasons          json.RawMessage `json:"reasons"`
	State            State           `json:"state"`
	ApprovedBy       bank.UserID     `json:"approved_by,omitempty"`
}

func (s *Service) key(c *guard.Change) idempotency.Key {
	return idempotency.Key{Institution: c.Caller.Institution, Client: bank.ClientID(c.Caller.ID), Text: s.once}
}

// wholeContent is all that a call asks, so that two calls are the same only
// where everything about them is.
func (c call) wholeContent(change *guard.Change) []byte {
	text, err := json.Marshal([]string{c.event, string(change.Policy.Organization.ID), c.ref, c.content})
	if err != nil {
		panic(err) // a list of texts
	}
	return text
}

// recall is what was answered under the key of this call.
func (s *Service) recall(c *guard.Change, do call) (answer Answer, known bool, err error) {
	if s.once == "" {
		return Answer{}, false, nil
	}
	text, known, err := idempotency.Recall(c.Tx, s.key(c), do.wholeContent(c))
	if err != nil || !known {
		return Answer{}, false, err
	}
	answer, err = readTold(c.Tx, c.Caller.Institution, refOf(c.Caller, do.ref), text)
	return answer, true, err
}

func readTold(tx *db.Tx, institution bank.InstitutionID, ref Ref, text string) (Answer, error) {
	var t told
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return Answer{}, fmt.Errorf("read what was answered: %w", err)
	}
	reasons, err := readReasons(string(t.Reasons))
	if err != nil {
		return Answer{}, err
	}
	a, _, err := Find(tx, institution, ref)
	if err != nil {
		return Answer{}, err
	}
	a.State, a.ApprovedBy = t.State, t.ApprovedBy
	decision := entitlement.Decision{Allowed: t.Allowed, ApprovalRequired: t.ApprovalRequired, Reasons: reasons}
	return Answer{Decision: decision, Repeated: true, Authorization: a}, nil
}

// keep remembers an answer under the key of this call.
func (s *Service) keep(c *guard.Change, do call, answer *Answer) error {
	if s.once == "" {
		return nil
	}
	reasons, err := writeReasons(answer.Reasons)
	if err != nil {
		return err
	}
	a := &answer.Authorization
	text, err := json.Marshal(told{answer.Allowed, answer.ApprovalRequired, json.RawMessage(reasons), a.State, a.ApprovedBy})
	if err != nil {
		return fmt.Errorf("write what is answered: %w", err)
	}
	return idempotency.Keep(c.Tx, s.key(c), do.wholeContent(c), string(text))
}
