package guard

import (
	"context"

	"mandate/internal/db"
	"mandate/internal/idempotency"
)

// A Once makes a request repeatable: whoever asks again under the same key, with
// the same content, changes nothing a second time. Key and change commit
// together, or not at all; so a request that was refused is judged anew.
type Once struct {
	Key     idempotency.Key
	Content []byte // all that the request asks
}

type onceKey struct{}

// Repeatable returns a context in which every change that the key's client asks
// for is done once. A request of several changes that was interrupted goes on where it was.
func Repeatable(ctx context.Context, once Once) context.Context {
	return context.WithValue(ctx, onceKey{}, once)
}

// Asking returns a context for a look before a change: what it asks is asked
// every time, and is not the change that is done once.
func Asking(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, nil) }

// once does something unless it was done under the key of ctx, if it has one.
// The key with other content is idempotency.ErrReused.
func (c *Change) once(ctx context.Context, do func() error) error {
	once, repeatable := ctx.Value(onceKey{}).(Once)
	if !repeatable || c.Caller.Through != once.Key.Client { // what the host answers meanwhile is nobody's request
		return do()
	}
	part := once.Key
	part.Text += " " + c.action.Event + " " + c.action.Target.ID // no key has blanks, so no client's key is mistaken for it
	if _, known, err := idempotency.Recall(c.Tx, once.Key, once.Content); err != nil {
		return err
	} else if !known {
		if err := idempotency.Keep(c.Tx, once.Key, once.Content, ""); err != nil {
			return err
		}
	} else if done, err := recalled(c.Tx, part, once.Content); done || err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return idempotency.Keep(c.Tx, part, once.Content, "")
}

func recalled(tx *db.Tx, key idempotency.Key, content []byte) (bool, error) {
	_, known, err := idempotency.Recall(tx, key, content)
	return known, err
}
