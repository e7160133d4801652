package backup

import (
	"bufio"
	"bytes"
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

// ReadPlain reads a backup through that has neither encryption nor packing.
func ReadPlain(from io.Reader) error {
	in := &incoming{reader: &reader{in: bufio.NewReaderSize(from, maxPiece)}}
	if err := in.head(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in.data); err != nil {
		return err
	}
	return in.ended()
}

// PlainParts are the parts of a small backup as ReadPlain reads them.
func PlainParts(parts ...string) []byte {
	var text bytes.Buffer
	out := &writer{out: bufio.NewWriter(&text)}
	for i := 0; i < len(parts); i += 2 {
		_ = out.Part(parts[i], func(w io.Writer) error { _, err := io.WriteString(w, parts[i+1]); return err }) // into memory
	}
	_ = out.out.WriteByte(0)
	_ = out.out.Flush()
	return text.Bytes()
}

// MoveFile is how a file gets its name where it cannot have two.
func MoveFile(path, name string) error { return moveFile(path, name) }
