package identity

import (
	"mandate/internal/bank"
	"mandate/internal/db"
)

// CancelLinks is the Service's CancelLinks for a program that changes people and
// has no Service, such as an import. takeBack is told which mail must not go out
// any more.
func CancelLinks(tx *db.Tx, who Subject, takeBack func(*db.Tx, bank.InstitutionID, string) error) (bool, error) {
	s := Service{mailer: takingBack{takeBack: takeBack}}
	return s.CancelLinks(tx, who)
}

// takingBack sends nothing and takes mail back.
type takingBack struct {
	noMailer
	takeBack func(*db.Tx, bank.InstitutionID, string) error
}

func (m takingBack) Cancel(tx *db.Tx, institution bank.InstitutionID, key string) error {
	return m.takeBack(tx, institution, key)
}
