package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A place is whose wires are meant.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

// searched is what of an instruction can be searched for.
func (i *Instruction) searched(more string) string {
	return db.Fold(strings.Join([]string{i.Payee.Name, i.Payee.Account, i.Bank.Name, i.Bank.Routing, i.Remarks, more}, " "))
}

const instructionColumns = `account_id, cents, payee_name, payee_account, payee_street, payee_town, payee_state, payee_post,
	bank_routing, bank_name, via_routing, via_name, remarks`

// places are where the columns of an instruction go.
func (i *Instruction) places() []any {
	return []any{
		&i.Account, &i.Cents, &i.Payee.Name, &i.Payee.Account, &i.Payee.Street, &i.Payee.Town, &i.Payee.State, &i.Payee.PostCode,
		&i.Bank.Routing, &i.Bank.Name, &i.Via.Routing, &i.Via.Name, &i.Remarks,
	}
}

// values are the same as they are stored.
func (i *Instruction) values() []any {
	return []any{
		i.Account, i.Cents, i.Payee.Name, i.Payee.Account, i.Payee.Street, i.Payee.Town, i.Payee.State, i.Payee.PostCode,
		i.Bank.Routing, i.Bank.Name, i.Via.Routing, i.Via.Name, i.Remarks,
	}
}

const columns = `institution_id, organization_id, id, series_id, occurrence, template_id, template_name, maker_id, maker_name, content_hash, created_micros,
	state, asked_day, day, because, due_micros, by_id, by_name, initiated_micros, sent_micros, settled_micros, attempt, item_id, approver, originator,
	format, number, reference, code, problem, version, ` + instructionColumns

func scan(s db.Scanner) (w Wire, err error) {
	var due, created, initiated, sent, settled int64
	var originator string
	err = s.Scan(append([]any{
		&w.Institution, &w.Organization, &w.ID, &w.Series, &w.Occurrence, &w.Template, &w.TemplateName, &w.Maker.ID, &w.Maker.Name, &w.hash, &created,
		&w.State, &w.Asked, &w.Day, &w.Because, &due, &w.By.ID, &w.By.Name, &initiated, &sent, &settled, &w.Attempt, &w.Item, &w.Approver, &originator,
		&w.Format, &w.Number, &w.Reference, &w.Code, &w.Problem, &w.Version,
	}, w.places()...)...)
	if err != nil {
		return w, err
	}
	w.Due, w.Created, w.Initiated, w.Sent, w.Settled = moment(due), moment(created), moment(initiated), moment(sent), moment(settled)
	return w, json.Unmarshal([]byte(originator), &w.Originator)
}

// moment reads microseconds; zero is no moment.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// changeable are the values of a wire that can change, in the order of the
// columns from state to version.
func (w *Wire) changeable() ([]any, error) {
	originator, err := json.Marshal(w.Originator)
	if err != nil {
		return nil, fmt.Errorf("write the originator: %w", err)
	}
	return append([]any{
		w.State, w.Asked, w.Day, w.Because, micros(w.Due), w.By.ID, w.By.Name, micros(w.Initiated), micros(w.Sent), micros(w.Settled), w.Attempt, w.Item, w.Approver,
		string(originator), w.Format, w.Number, w.Reference, w.Code, w.Problem, w.Version,
	}, append(w.values(), w.searched(w.TemplateName))...), nil
}

func insert(tx *db.Tx, w *Wire) error {
	values, err := w.changeable()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		insert into wire (`+columns+`, search_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,
		        $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45)`,
		append([]any{w.Institution, w.Organization, w.ID, w.Series, w.Occurrence, w.Template, w.TemplateName, w.Maker.ID, w.Maker.Name, w.hash, micros(w.Created)}, values...)...)
	if err != nil {
		return fmt.Errorf("store the wire: %w", err)
	}
	return nil
}

// update keeps everything that can change.
func update(tx *db.Tx, w *Wire) error {
	values, err := w.changeable()
	if err != nil {
		return err
	}
	n, err := tx.Exec(`
		update wire set state = $1, asked_day = $2, day = $3, because = $4, due_micros = $5, by_id = $6, by_name = $7, initiated_micros = $8, sent_micros = $9,
		       settled_micros = $10, attempt = $11, item_id = $12, approver = $13, originator = $14, format = $15, number = $16, reference = $17, code = $18,
		       problem = $19, version = $20, account_id = $21, cents = $22, payee_name = $23, payee_account = $24, payee_street = $25, payee_town = $26,
		       payee_state = $27, payee_post = $28, bank_routing = $29, bank_name = $30, via_routing = $31, via_name = $32, remarks = $33, search_key = $34
		 where institution_id = $35 and organization_id = $36 and id = $37 and version = $38`,
		append(values, w.Institution, w.Organization, w.ID, w.Version-1)...)
	if err != nil {
		return fmt.Errorf("update the wire: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("wire: %s was changed by somebody else under the lock", w.ID)
	}
	return nil
}

func find(tx *db.Tx, at place, id ID) (Wire, bool, error) {
	return found(db.One(tx, scan, `select `+columns+` from wire where institution_id = $1 and organization_id = $2 and id = $3`, at.institution, at.organization, id))
}

func findOccurrence(tx *db.Tx, at place, series SeriesID, n int) (Wire, bool, error) {
	return found(db.One(tx, scan, `
		select `+columns+` from wire where institution_id = $1 and organization_id = $2 and series_id = $3 and occurrence = $4 and series_id <> ''`,
		at.institution, at.organization, series, n))
}

// findTwin finds another wire that is on its way on the same day, of the same
// amount to the same account.
func findTwin(tx *db.Tx, w *Wire) (Wire, bool, error) {
	return found(db.One(tx, scan, `
		select `+columns+` from wire
		 where institution_id = $1 and organization_id = $2 and payee_account = $3 and day = $4 and bank_routing = $5 and cents = $6 and id <> $7
		   and state in ('pending_approval', 'initiated', 'sent', 'processed')
		 order by id limit 1`, w.Institution, w.Organization, w.Payee.Account, w.Day, w.Bank.Routing, w.Cents, w.ID))
}

func found[T any](one T, err error) (T, bool, error) {
	var none T
	if errors.Is(err, db.ErrNoRows) {
		return none, false, nil
	}
	if err != nil {
		return none, false, fmt.Errorf("read the wire: %w", err)
	}
	return one, true, nil
}

// due is a place in the order in which wires fall due.
type due struct {
	micros int64
	id     ID
}

// dueAfter are the next wires whose moment has come.
func dueAfter(tx *db.Tx, after due, most int) ([]Wire, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from wire
		 where state in ('scheduled', 'initiated') and due_micros <= $1 and (due_micros > $2 or due_micros = $2 and id > $3)
		 order by due_micros, id limit $4`, tx.Now.UnixMicro(), after.micros, after.id, most)
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return all, nil
}
