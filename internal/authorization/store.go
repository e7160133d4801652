package authorization

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

const columns = `institution_id, client_id, ref, id, organization_id, content, state, approval_required, approved_by, reasons,
	created_micros, waits_from_micros`

// Find reads what is kept under a reference; there may be nothing.
func Find(tx *db.Tx, institution bank.InstitutionID, ref Ref) (Authorization, bool, error) {
	a, err := db.One(tx, scan, `
		select `+columns+` from payment_authorization
		 where institution_id = $1 and client_id = $2 and ref = $3`, institution, ref.Client, ref.Name)
	if errors.Is(err, db.ErrNoRows) {
		return Authorization{}, false, nil
	}
	if err != nil {
		return Authorization{}, false, fmt.Errorf("read the authorization %q: %w", ref.Name, err)
	}
	return a, true, nil
}

func scan(s db.Scanner) (a Authorization, err error) {
	var reasons string
	var created, waits int64
	err = s.Scan(&a.Institution, &a.Ref.Client, &a.Ref.Name, &a.ID, &a.Organization, &a.content, &a.State, &a.ApprovalRequired,
		&a.ApprovedBy, &reasons, &created, &waits)
	if err != nil {
		return a, err
	}
	a.Created, a.WaitsFrom = time.UnixMicro(created).UTC(), time.UnixMicro(waits).UTC()
	if a.Reasons, err = readReasons(reasons); err != nil {
		return a, err
	}
	a.Asked, err = readContent(a.content)
	return a, err
}

// insert keeps a new authorization and reports whether its reference was free.
func insert(tx *db.Tx, a *Authorization) (bool, error) {
	reasons, err := writeReasons(a.Reasons)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(`
		insert into payment_authorization (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (institution_id, client_id, ref) do nothing`,
		a.Institution, a.Ref.Client, a.Ref.Name, a.ID, a.Organization, a.content, a.State, a.ApprovalRequired, a.ApprovedBy, reasons,
		a.Created.UnixMicro(), a.WaitsFrom.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("keep the authorization %q: %w", a.Ref.Name, err)
	}
	return n == 1, nil
}

// update keeps what can change: the state and who approved.
func update(tx *db.Tx, a *Authorization) error {
	_, err := tx.Exec(`update payment_authorization set state = $1, approved_by = $2 where id = $3`, a.State, a.ApprovedBy, a.ID)
	if err != nil {
		return fmt.Errorf("update the authorization %q: %w", a.Ref.Name, err)
	}
	return nil
}

// waitingSince are authorizations that have waited for their confirmation since
// a moment or longer, in the order of their ids.
func waitingSince(tx *db.Tx, since time.Time, afterID string, most int) ([]Authorization, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from payment_authorization
		 where state = 1 and waits_from_micros <= $1 and id > $2
		 order by id limit $3`, since.UnixMicro(), afterID, most)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	return all, nil
}

// reason is a reason as it is stored.
type reason struct {
	Code       entitlement.Code  `json:"code"`
	Level      entitlement.Level `json:"level"`
	Permission string            `json:"permission,omitempty"`
	Account    bank.AccountID    `json:"account,omitempty"`
	Limit      bank.Cents        `json:"limit,omitempty"`
	Used       bank.Cents        `json:"used,omitempty"`
}

func writeReasons(reasons []entitlement.Reason) (string, error) {
	stored := make([]reason, len(reasons))
	for i, r := range reasons {
		stored[i] = reason{r.Code, r.Level, r.Permission.String(), r.Account, r.Limit, r.Used}
	}
	text, err := json.Marshal(stored)
	return string(text), err
}

func readReasons(text string) ([]entitlement.Reason, error) {
	var stored []reason
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("read the reasons: %w", err)
	}
	reasons := make([]entitlement.Reason, len(stored))
	for i, r := range stored {
		permission, known := catalog.ParsePermission(r.Permission)
		if !known {
			permission = entitlement.NoPermission
		}
		reasons[i] = entitlement.Reason{Code: r.Code, Level: r.Level, Permission: permission, Account: r.Account, Limit: r.Limit, Used: r.Used}
	}
	return reasons, nil
}
