package calendar

import (
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

func load(tx *db.Tx, institution bank.InstitutionID, place *time.Location) (*Calendar, error) {
	c := &Calendar{Place: place, Changed: map[bank.Day]Holiday{}, Hours: map[Line]Hours{}}
	days, err := db.All(tx, scanHoliday, `select day, name, open from calendar_day where institution_id = $1`, institution)
	if err != nil {
		return nil, fmt.Errorf("read the holidays: %w", err)
	}
	for _, h := range days {
		c.Changed[h.Day] = h
	}
	hours, err := db.All(tx, scanHours, `select line, opens, closes from calendar_hours where institution_id = $1`, institution)
	if err != nil {
		return nil, fmt.Errorf("read the hours: %w", err)
	}
	for _, h := range hours {
		c.Hours[h.line] = h.Hours
	}
	return c, nil
}

func scanHoliday(s db.Scanner) (h Holiday, err error) {
	err = s.Scan(&h.Day, &h.Name, &h.Open)
	return h, err
}

type hoursRow struct {
	line Line
	Hours
}

func scanHours(s db.Scanner) (h hoursRow, err error) {
	err = s.Scan(&h.line, &h.Opens, &h.Closes)
	return h, err
}

// countChanges is how many days of a year are set.
func countChanges(tx *db.Tx, institution bank.InstitutionID, year bank.Day) (int, error) {
	n, err := db.One(tx, db.Value[int], `select count(*) from calendar_day where institution_id = $1 and day >= $2 and day <= $3`,
		institution, year+"-01-01", year+"-12-31")
	if err != nil {
		return 0, fmt.Errorf("count the holidays: %w", err)
	}
	return n, nil
}

func putDay(tx *db.Tx, institution bank.InstitutionID, h Holiday) error {
	_, err := tx.Exec(`
		insert into calendar_day (institution_id, day, name, open) values ($1, $2, $3, $4)
		on conflict (institution_id, day) do update set name = excluded.name, open = excluded.open`, institution, h.Day, h.Name, h.Open)
	if err != nil {
		return fmt.Errorf("store the holiday: %w", err)
	}
	return nil
}

func dropDay(tx *db.Tx, institution bank.InstitutionID, day bank.Day) error {
	if _, err := tx.Exec(`delete from calendar_day where institution_id = $1 and day = $2`, institution, day); err != nil {
		return fmt.Errorf("clear the holiday: %w", err)
	}
	return nil
}

func putHours(tx *db.Tx, institution bank.InstitutionID, line Line, h Hours) error {
	_, err := tx.Exec(`
		insert into calendar_hours (institution_id, line, opens, closes) values ($1, $2, $3, $4)
		on conflict (institution_id, line) do update set opens = excluded.opens, closes = excluded.closes`, institution, line, h.Opens, h.Closes)
	if err != nil {
		return fmt.Errorf("store the hours: %w", err)
	}
	return nil
}
