package wire

import (
	"fmt"

	"mandate/internal/db"
)

const seriesColumns = `institution_id, organization_id, id, template_id, template_name, frequency, first_day, maker_id, maker_name, content_hash, created_micros,
	until_day, times, made, state, by_id, by_name, version, ` + instructionColumns

func scanSeries(s db.Scanner) (r Series, err error) {
	var created int64
	err = s.Scan(append([]any{
		&r.Institution, &r.Organization, &r.ID, &r.Template, &r.TemplateName, &r.Frequency, &r.First, &r.Maker.ID, &r.Maker.Name, &r.hash, &created,
		&r.Until, &r.Times, &r.Made, &r.State, &r.By.ID, &r.By.Name, &r.Version,
	}, r.places()...)...)
	r.Created = moment(created)
	return r, err
}

func insertSeries(tx *db.Tx, s *Series) error {
	_, err := tx.Exec(`
		insert into wire_series (`+seriesColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)`,
		append([]any{
			s.Institution, s.Organization, s.ID, s.Template, s.TemplateName, s.Frequency, s.First, s.Maker.ID, s.Maker.Name, s.hash, micros(s.Created),
			s.Until, s.Times, s.Made, s.State, s.By.ID, s.By.Name, s.Version,
		}, s.values()...)...)
	if err != nil {
		return fmt.Errorf("store the series: %w", err)
	}
	return nil
}

// updateSeries keeps what can change.
func updateSeries(tx *db.Tx, s *Series) error {
	_, err := tx.Exec(`
		update wire_series set made = $1, state = $2, version = $3, cents = $4, remarks = $5, until_day = $6, times = $7, by_id = $8, by_name = $9
		 where institution_id = $10 and organization_id = $11 and id = $12`,
		s.Made, s.State, s.Version, s.Cents, s.Remarks, s.Until, s.Times, s.By.ID, s.By.Name, s.Institution, s.Organization, s.ID)
	if err != nil {
		return fmt.Errorf("update the series: %w", err)
	}
	return nil
}

func findSeries(tx *db.Tx, at place, id SeriesID) (Series, bool, error) {
	return found(db.One(tx, scanSeries, `select `+seriesColumns+` from wire_series where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id))
}

// listSeries are the series of some accounts, those that go on first.
func listSeries(tx *db.Tx, at place, visible string) ([]Series, error) {
	all, err := db.All(tx, scanSeries, `
		select `+seriesColumns+` from wire_series
		 where institution_id = $1 and organization_id = $2 and (cast($3 as text) = '' or replace($3, ',' || account_id || ',', '') <> $3)
		 order by state, id desc limit $4`, at.institution, at.organization, visible, MaxPage)
	if err != nil {
		return nil, fmt.Errorf("list the series: %w", err)
	}
	return all, nil
}

const templateColumns = `institution_id, organization_id, id, maker_id, maker_name, content_hash, created_micros, name, editor_name, edited_micros, deleted, version, ` +
	instructionColumns

func scanTemplate(s db.Scanner) (t Template, err error) {
	var created, edited int64
	err = s.Scan(append([]any{
		&t.Institution, &t.Organization, &t.ID, &t.Maker.ID, &t.Maker.Name, &t.hash, &created, &t.Name, &t.Editor, &edited, &t.Deleted, &t.Version,
	}, t.places()...)...)
	t.Created, t.Edited = moment(created), moment(edited)
	return t, err
}

func insertTemplate(tx *db.Tx, t *Template) error {
	_, err := tx.Exec(`
		insert into wire_template (`+templateColumns+`, name_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
		append(append([]any{
			t.Institution, t.Organization, t.ID, t.Maker.ID, t.Maker.Name, t.hash, micros(t.Created), t.Name, t.Editor, micros(t.Edited), t.Deleted, t.Version,
		}, t.values()...), db.Fold(t.Name))...)
	if err != nil {
		return fmt.Errorf("store the template: %w", err)
	}
	return nil
}

func updateTemplate(tx *db.Tx, t *Template) error {
	_, err := tx.Exec(`
		update wire_template set name = $1, editor_name = $2, edited_micros = $3, deleted = $4, version = $5, account_id = $6, cents = $7, payee_name = $8,
		       payee_account = $9, payee_street = $10, payee_town = $11, payee_state = $12, payee_post = $13, bank_routing = $14, bank_name = $15,
		       via_routing = $16, via_name = $17, remarks = $18, name_key = $19
		 where institution_id = $20 and organization_id = $21 and id = $22`,
		append(append([]any{t.Name, t.Editor, micros(t.Edited), t.Deleted, t.Version}, t.values()...), db.Fold(t.Name), t.Institution, t.Organization, t.ID)...)
	if err != nil {
		return fmt.Errorf("update the template: %w", err)
	}
	return nil
}

func findTemplate(tx *db.Tx, at place, id TemplateID) (Template, bool, error) {
	return found(db.One(tx, scanTemplate, `select `+templateColumns+` from wire_template where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id))
}

// templateNamed reports whether another template has a name.
func templateNamed(tx *db.Tx, at place, name string, besides TemplateID) (bool, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from wire_template where institution_id = $1 and organization_id = $2 and name_key = $3 and id <> $4 and not deleted`,
		at.institution, at.organization, db.Fold(name), besides)
	if err != nil {
		return false, fmt.Errorf("look for a template's name: %w", err)
	}
	return n > 0, nil
}

// listTemplates are the templates of some accounts by name.
func listTemplates(tx *db.Tx, at place, visible, search string) ([]Template, error) {
	all, err := db.All(tx, scanTemplate, `
		select `+templateColumns+` from wire_template
		 where institution_id = $1 and organization_id = $2 and not deleted and (cast($3 as text) = '' or replace($3, ',' || account_id || ',', '') <> $3)
		   and (cast($4 as text) = '' or name_key like $4 escape '\' or lower(payee_name) like $4 escape '\' or lower(bank_name) like $4 escape '\')
		 order by name_key, id limit $5`, at.institution, at.organization, visible, db.Containing(search), MaxPage)
	if err != nil {
		return nil, fmt.Errorf("list the templates: %w", err)
	}
	return all, nil
}
