package backup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"

	"mandate/internal/fault"
)

// Keys say who can open a backup: those who hold the other half of one of the
// public keys, or who know a passphrase.
type Keys struct {
	Recipients []string // public keys, age1…
	Passphrase string
}

// A witness reads back what was just written. Public keys can only close a file;
// so one more key is among them whose other half lives as long as this process
// needs for the proof, and is kept nowhere.
type witness struct {
	recipients []age.Recipient
	identities []age.Identity
}

func (k Keys) witness() (w witness, err error) {
	switch {
	case k.Passphrase != "" && len(k.Recipients) > 0:
		return w, fault.New(fault.Invalid, "Encrypt for public keys or with a passphrase, not both.")
	case k.Passphrase != "":
		return passphraseWitness(k.Passphrase)
	case len(k.Recipients) == 0:
		return w, fault.New(fault.Invalid, "Say for whom the backup is encrypted: backup_recipient is a public key, age1…, as age-keygen or mandate keys backup prints it.")
	}
	if w.recipients, err = age.ParseRecipients(strings.NewReader(strings.Join(k.Recipients, "\n"))); err != nil {
		return w, fault.New(fault.Invalid, "backup_recipient must be a public key of age, age1….").Because(err)
	}
	// Keys that hold against quantum computers are mixed with none that do not.
	if _, hybrid := w.recipients[0].(*age.HybridRecipient); hybrid {
		own, err := age.GenerateHybridIdentity()
		if err != nil {
			return w, fmt.Errorf("make a key for the proof: %w", err)
		}
		w.recipients, w.identities = append(w.recipients, own.Recipient()), []age.Identity{own}
		return w, nil
	}
	own, err := age.GenerateX25519Identity()
	if err != nil {
		return w, fmt.Errorf("make a key for the proof: %w", err)
	}
	w.recipients, w.identities = append(w.recipients, own.Recipient()), []age.Identity{own}
	return w, nil
}

// workFactor is what a passphrase costs: 2^18 rounds, 256 MiB, about a second.
const workFactor = 18

func passphraseWitness(passphrase string) (w witness, err error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return w, fmt.Errorf("use the passphrase: %w", err)
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return w, fmt.Errorf("use the passphrase: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	identity.SetMaxWorkFactor(workFactor)
	return witness{[]age.Recipient{recipient}, []age.Identity{identity}}, nil
}

// Identities are what a file of secret keys opens, or a passphrase.
func Identities(file, passphrase string) ([]age.Identity, error) {
	if (file == "") == (passphrase == "") {
		return nil, fault.New(fault.Invalid, "Give the file with the secret key, or the file with the passphrase.")
	}
	if passphrase != "" {
		w, err := passphraseWitness(passphrase)
		return w.identities, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	if err == nil && len(identities) == 0 {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%s must hold a secret key of age, a line AGE-SECRET-KEY-….", file).Because(err)
	}
	return identities, nil
}

// NewKey makes a pair of keys: the text of a file to keep apart from the server,
// and the public half for its settings.
func NewKey() (file, public string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	public = identity.Recipient().String()
	return "# public key: " + public + "\n" + identity.String() + "\n", public, nil
}
