package protocol

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
)

// A RawRequest is one that is written by hand, to see what a host refuses.
type RawRequest struct {
	Institution    bank.InstitutionID
	Key            string
	Method, Name   string // such as POST and "orders"
	IdempotencyKey string // empty: none is sent
	Body           string
}

// Raw sends a request by hand and tells the status and the answer as they are.
func (c *Client) Raw(ctx context.Context, q RawRequest) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	at, known := c.at(q.Institution)
	if !known {
		return 0, nil, errors.New("no host is set for the institution")
	}
	address := strings.TrimSuffix(at.URL, "/") + prefix + url.PathEscape(string(q.Institution)) + "/" + q.Name
	r, err := http.NewRequestWithContext(ctx, q.Method, address, strings.NewReader(q.Body))
	if err != nil {
		return 0, nil, errors.New("the host's address is not one")
	}
	r.Header.Set("Authorization", "Bearer "+q.Key)
	r.Header.Set("Content-Type", "application/json")
	if q.IdempotencyKey != "" {
		r.Header.Set(keyHeader, q.IdempotencyKey)
	}
	got, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer got.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(got.Body, maxAsk))
	return got.StatusCode, answer, err
}
