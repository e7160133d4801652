package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"filippo.io/age"

	"mandate/internal/fault"
)

// A file is age around gzip around this: a line that names the format, then
// parts. A part is the length of its name in a byte, its name, and pieces, each
// with its length in four bytes; a piece of no length ends it, and the digest of
// all pieces follows. A name of no length ends the file.
const (
	format    = "mandate backup 1\n"
	formatOf  = "mandate backup "
	maxPiece  = 1 << 16
	pieceHead = 4
)

// Bounds of what is kept in memory of a file: whoever knows a public key can
// write one, and say in it what they like.
const (
	maxManifest = 1 << 20
	maxRootKey  = 1 << 16
	maxHead     = 1 << 10 // bytes of the head of one history
	maxHeads    = 256 << 20
)

// The parts, in this order.
const (
	partManifest = "manifest"
	partHeads    = "heads"
	partRootKey  = "root.key"
	partFile     = "sqlite"
	partDump     = "pg_dump"
)

// A writer writes the parts of one file.
type writer struct {
	age  io.WriteCloser
	gzip *gzip.Writer
	out  *bufio.Writer
	last int64 // bytes of the part that was written last
}

func newWriter(to io.Writer, recipients []age.Recipient) (*writer, error) {
	sealed, err := age.Encrypt(to, recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt the backup: %w", err)
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := &writer{age: sealed, gzip: packed, out: bufio.NewWriterSize(packed, maxPiece)}
	_, err = w.out.WriteString(format)
	return w, err
}

// Close ends the file.
func (w *writer) Close() error {
	if err := w.out.WriteByte(0); err != nil {
		return fmt.Errorf("end the backup: %w", err)
	}
	for _, end := range []func() error{w.out.Flush, w.gzip.Close, w.age.Close} {
		if err := end(); err != nil {
			return fmt.Errorf("end the backup: %w", err)
		}
	}
	return nil
}

// Part writes one part.
func (w *writer) Part(name string, fill func(io.Writer) error) error {
	if err := w.out.WriteByte(byte(len(name))); err != nil {
		return err
	}
	if _, err := w.out.WriteString(name); err != nil {
		return err
	}
	p := &pieces{to: w.out, sum: sha256.New()}
	if err := fill(p); err != nil {
		return err
	}
	w.last = p.n
	if _, err := w.out.Write(make([]byte, pieceHead)); err != nil {
		return err
	}
	_, err := w.out.Write(p.sum.Sum(nil))
	return err
}

// JSON writes a part that is read whole.
func (w *writer) JSON(name string, value any) error {
	return w.Part(name, func(to io.Writer) error { return json.NewEncoder(to).Encode(value) })
}

// pieces cuts what it is given.
type pieces struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (p *pieces) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		piece := b[:min(len(b), maxPiece)]
		var head [pieceHead]byte
		binary.BigEndian.PutUint32(head[:], uint32(len(piece)))
		if _, err := p.to.Write(head[:]); err != nil {
			return n, err
		}
		if _, err := p.to.Write(piece); err != nil {
			return n, err
		}
		p.sum.Write(piece)
		p.n += int64(len(piece))
		n, b = n+len(piece), b[len(piece):]
	}
	return n, nil
}

// A reader reads the parts of one file.
type reader struct {
	in *bufio.Reader
}

func newReader(from io.Reader, identities []age.Identity) (*reader, error) {
	opened, err := age.Decrypt(from, identities...)
	if none, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, fault.New(fault.Invalid, "The backup is encrypted for another key than the one given.").Because(none)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The file is not a backup, or its beginning is damaged.").Because(err)
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return nil, damaged(err)
	}
	r := &reader{in: bufio.NewReaderSize(unpacked, maxPiece)}
	line, err := r.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, damaged(err)
	}
	if string(line) == format {
		return r, nil
	}
	if version, ok := bytes.CutPrefix(line, []byte(formatOf)); ok {
		return nil, fault.Newf(fault.Invalid, "The backup is in format %.10q, and this program reads format 1. Restore it with the version that made it.", bytes.TrimSpace(version))
	}
	return nil, fault.New(fault.Invalid, "The file is encrypted for this key, but it is not a backup.")
}

func damaged(err error) error {
	return fault.New(fault.Invalid, "The backup is damaged or not complete: nothing of it is used. Take another one.").Because(err)
}

// Next begins the next part; io.EOF says that the file ended well.
func (r *reader) Next() (name string, content io.Reader, err error) {
	length, err := r.in.ReadByte()
	if err != nil {
		return "", nil, damaged(noEOF(err))
	}
	if length == 0 {
		return "", nil, r.end()
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return "", nil, damaged(noEOF(err))
	}
	return string(text), &part{from: r.in, sum: sha256.New()}, nil
}

// end proves that nothing follows and that nothing is missing.
func (r *reader) end() error {
	_, err := r.in.ReadByte()
	if err == nil {
		err = errors.New("something follows the end")
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return damaged(err)
}

// noEOF is for places where the file must not end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A part reads the pieces of one part and ends only where the digest is right.
type part struct {
	from  *bufio.Reader
	sum   hash.Hash
	left  uint32
	ended bool
}

func (p *part) Read(b []byte) (int, error) {
	if p.ended {
		return 0, io.EOF
	}
	if p.left == 0 {
		if err := p.nextPiece(); err != nil {
			return 0, err
		}
	}
	n, err := p.from.Read(b[:min(uint64(len(b)), uint64(p.left))])
	p.sum.Write(b[:n])
	p.left -= uint32(n)
	if err != nil {
		return n, damaged(noEOF(err))
	}
	return n, nil
}

func (p *part) nextPiece() error {
	var head [pieceHead]byte
	if _, err := io.ReadFull(p.from, head[:]); err != nil {
		return damaged(noEOF(err))
	}
	p.left = binary.BigEndian.Uint32(head[:])
	if p.left > maxPiece {
		return damaged(errors.New("a piece is too long"))
	}
	if p.left > 0 {
		return nil
	}
	var sum [sha256.Size]byte
	if _, err := io.ReadFull(p.from, sum[:]); err != nil {
		return damaged(noEOF(err))
	}
	if subtle.ConstantTimeCompare(sum[:], p.sum.Sum(nil)) != 1 {
		return damaged(errors.New("a part is not what was written"))
	}
	p.ended = true
	return io.EOF
}

// part begins the next part, which must be the one that is wanted.
func (r *reader) part(want string) (io.Reader, error) {
	name, content, err := r.Next()
	if err != nil {
		return nil, damaged(noEOF(err))
	}
	if name != want {
		return nil, damaged(fmt.Errorf("there is %q where %q must be", name, want))
	}
	return content, nil
}

// whole reads all of the next part.
func (r *reader) whole(want string, most int64) ([]byte, error) {
	content, err := r.part(want)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(&bounded{content, most})
}

// bounded reads something that must not be longer than it may be, and gives out
// nothing beyond that.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < math.MaxInt64 {
		p = p[:min(int64(len(p)), b.left+1)]
	}
	n, err := b.from.Read(p)
	if int64(n) > b.left {
		return 0, damaged(errTooLong)
	}
	b.left -= int64(n)
	return n, err
}

var errTooLong = errors.New("a part is longer than it may be")
