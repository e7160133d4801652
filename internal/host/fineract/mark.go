package fineract

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"

	"mandate/internal/host"
)

// A mark stands in every transaction that an order of ours made, so that the
// order is found again: by its key, and by what it asked.
type mark struct {
	key     string // of the order
	content string // all of it
}

const (
	markStart   = "MND-"
	keyLetters  = 20 // 100 bits
	bodyLetters = 8  // 40 bits: it only tells two orders under one key apart
	markLetters = len(markStart) + keyLetters + 1 + bodyLetters
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

func short(text []byte, most int) string {
	sum := sha256.Sum256(text)
	return letters.EncodeToString(sum[:])[:most]
}

func markOf(o *host.Order) (mark, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return mark{}, fmt.Errorf("fineract: write the order: %w", err)
	}
	return mark{key: keyOf(o, o.Key()), content: short(text, bodyLetters)}, nil
}

// keyOf is how an order's key stands in a mark: keys may be longer than Fineract
// has room for, and one tenant may serve several institutions.
func keyOf(o *host.Order, key string) string {
	return short([]byte(string(o.Institution)+"\x00"+key), keyLetters)
}

func (m mark) String() string { return markStart + m.key + "-" + m.content }

// in finds a mark in a text that Fineract gave back.
func in(text string) (mark, bool) {
	at := strings.LastIndex(text, markStart)
	if at < 0 || len(text) < at+markLetters {
		return mark{}, false
	}
	key, content, _ := strings.Cut(text[at+len(markStart):at+markLetters], "-")
	return mark{key, content}, len(key) == keyLetters && len(content) == bodyLetters
}

// described puts a mark behind a memo.
func described(memo string, m mark) string {
	memo = strings.Join(strings.Fields(memo), " ")
	if letters := []rune(memo); len(letters) > maxMemo {
		memo = string(letters[:maxMemo])
	}
	return strings.TrimSpace(memo + " " + m.String())
}

// memoOf is what stands before a mark.
func memoOf(text string) string {
	if _, marked := in(text); marked {
		text = text[:strings.LastIndex(text, markStart)]
	}
	return strings.TrimSpace(text)
}
