package backup

import (
	"errors"
	"io"
	"os"

	"filippo.io/age"
)

// RoomFor tells a restore how much room its disk has.
func (r *Restoration) RoomFor(bytes int64) {
	r.room = func(string) (int64, error) { return bytes, nil }
}

// RoomFor tells a backup how much room the disk has that it works on.
func (o *Order) RoomFor(bytes int64) {
	o.room = func(string) (int64, error) { return bytes, nil }
}

// Rewrite writes a backup anew as a forger would who knows the public key: each
// part as change wants it, with digests that are right.
func Rewrite(from, to string, identities []age.Identity, public string, change func(part string, content []byte) []byte) (err error) {
	recipient, err := age.ParseX25519Recipient(public)
	if err != nil {
		return err
	}
	old, err := os.Open(from)
	if err != nil {
		return err
	}
	defer old.Close()
	in, err := newReader(old, identities)
	if err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out, err := newWriter(file, []age.Recipient{recipient})
	if err != nil {
		return err
	}
	for {
		name, content, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out.Close()
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		if err := out.Part(name, func(w io.Writer) error { _, err := w.Write(change(name, text)); return err }); err != nil {
			return err
		}
	}
}

// MoveFile is how a file gets its name where it cannot have two.
func MoveFile(path, name string) error { return moveFile(path, name) }
