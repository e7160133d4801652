package usermgmt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"mandate/internal/bank"
)

// What is kept is sealed: a sum of it, and of where it stands, is kept with it. So
// a state that is not what was written, or does not stand where it was written, is
// never taken for what was. The sum has no key: whoever may write the tables and
// knows this program could make another.
const (
	sealedVersion = 2 // in the place of stateVersion
	sealBytes     = 8
)

// A pastKind says what a state is of.
type pastKind byte

const (
	ofInstitution pastKind = iota
	ofOrganization
	ofAccount
	ofMember
)

// A pastPlace is where a state stands.
type pastPlace struct {
	kind        pastKind
	institution bank.InstitutionID // of an institution's
	num         int64              // of the organization, and the number within it
	ordinal     int64
	sequence    int64
}

// gone is the state of who is not there any more.
var gone = []byte{stateVersion}

// seal is a packed state as it is kept at a place.
func (p pastPlace) seal(state []byte) []byte {
	sealed := make([]byte, 0, len(state)+sealBytes)
	sealed = append(append(sealed, sealedVersion), state[1:]...)
	return append(sealed, p.sum(sealed)...)
}

// open is the packed state of what is kept at a place; empty for who is gone. What
// was kept before there were seals is taken as it is.
func (p pastPlace) open(kept []byte) ([]byte, error) {
	if len(kept) == 0 || kept[0] == stateVersion {
		return kept, nil
	}
	end := len(kept) - sealBytes
	if kept[0] != sealedVersion || end < 1 || !bytes.Equal(p.sum(kept[:end]), kept[end:]) {
		return nil, errState
	}
	if end == len(gone) {
		return nil, nil
	}
	return append([]byte{stateVersion}, kept[1:end]...), nil
}

func (p pastPlace) sum(sealed []byte) []byte {
	h := sha256.New()
	for _, n := range []int64{int64(p.kind), int64(len(p.institution)), p.num, p.ordinal, p.sequence} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	h.Write([]byte(p.institution))
	h.Write(sealed)
	return h.Sum(nil)[:sealBytes]
}
