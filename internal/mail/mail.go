// Package mail writes and sends what the rooms queued: it gives a message its
// looks, puts the public origin in front of its link, and hands it to a mail
// server. It decides nothing and keeps nothing; what it cannot send now, the
// outbox tries again.
package mail

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/outbox"
	"mandate/internal/seal"
)

// sendTime is how long one message may take.
const sendTime = 30 * time.Second

// A Post queues mail and sends it. It is a Mailer for rooms and a Courier for
// the outbox.
type Post struct {
	Keys   *seal.Keyring // a link waits sealed: it is a secret until it is sent
	Origin string        // of Online, to which the links of organization users lead
	Staff  string        // origin of the console, to which those of staff users lead
	From   string        // sender
	Server string        // smtp://user@host:587, STARTTLS required except to localhost; smtps://user@host:465
	Secret string        // the password of the user
	Wanted func(ctx context.Context, m identity.Mail) (bool, error)

	Wake func() // tells the dispatcher that something was queued; may be nil
}

var _ identity.Mailer = (*Post)(nil)

// envelope is a Mail as it waits. The link is told to nobody else.
type envelope struct {
	identity.Mail
	Link string
}

// Queue stores the message in the transaction.
func (p *Post) Queue(tx *db.Tx, m identity.Mail) error {
	text, err := json.Marshal(envelope{m, string(m.Link)})
	if err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	_, err = outbox.Queue(tx, outbox.Message{
		Institution: m.Institution, Kind: outbox.Mail, Key: m.Key, Lane: lane(m),
		Payload: p.Keys.Seal(text, outbox.Place(m.Key)...),
	})
	if err == nil && p.Wake != nil {
		tx.AfterCommit(p.Wake)
	}
	return err
}

// lane keeps what one person gets in order, so that an old link never arrives
// after a newer one.
func lane(m identity.Mail) string {
	sum := sha256.Sum256([]byte(string(m.Institution) + "\n" + m.To))
	return "mail " + hex.EncodeToString(sum[:12])
}

// Deliver sends one message. It is sent with the same Message-ID however often
// it is tried, so that mail servers can tell.
func (p *Post) Deliver(ctx context.Context, d outbox.Delivery) error {
	text, err := p.Keys.Open(d.Payload, outbox.Place(d.Key)...)
	if err != nil {
		return errors.Join(err, outbox.ErrHopeless)
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return errors.Join(err, outbox.ErrHopeless)
	}
	e.Mail.Link = identity.Secret(e.Link)
	if p.Wanted != nil {
		wanted, err := p.Wanted(ctx, e.Mail)
		if err != nil {
			return fmt.Errorf("ask whether the mail is still wanted: %w", err)
		}
		if !wanted {
			return outbox.ErrNotWanted
		}
	}
	message, err := p.compose(e.Mail)
	if err != nil {
		return errors.Join(err, outbox.ErrHopeless)
	}
	return p.send(ctx, message)
}

// Send sends one message now, for whoever waits to hear whether it went out.
func (p *Post) Send(ctx context.Context, m identity.Mail) error {
	message, err := p.compose(m)
	if err != nil {
		return err
	}
	return p.send(ctx, message)
}

func (p *Post) compose(m identity.Mail) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(p.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := message.AddToFormat(m.Name, m.To); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	sum := sha256.Sum256([]byte(string(m.Institution) + "\n" + m.Key))
	message.SetMessageIDWithValue(hex.EncodeToString(sum[:16]) + "@" + p.host())
	message.Subject(m.Subject)
	link := ""
	if m.Button != "" {
		link = p.origin(m.Kind) + cmp.Or(string(m.Link), m.Page)
	}
	text, html, err := render(m, link)
	if err != nil {
		return nil, err
	}
	message.SetBodyString(mail.TypeTextPlain, text)
	message.AddAlternativeString(mail.TypeTextHTML, html)
	return message, nil
}

// origin is that of the app in which people of a kind sign in.
func (p *Post) origin(kind identity.Kind) string {
	if kind == identity.KindStaff {
		return p.Staff
	}
	return p.Origin
}

// host is the name in message ids: that of the public origin.
func (p *Post) host() string {
	u, err := url.Parse(p.Origin)
	if err != nil || u.Hostname() == "" {
		return "localhost"
	}
	return u.Hostname()
}

func (p *Post) send(ctx context.Context, message *mail.Msg) error {
	server, err := url.Parse(p.Server)
	if err != nil || server.Hostname() == "" {
		return errors.New("no mail server is configured (smtp)")
	}
	client, err := mail.NewClient(server.Hostname(), p.options(server)...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, message)
	if refused, ok := errors.AsType[*mail.SendError](err); ok && !refused.IsTemp() && refused.ErrorCode() >= 500 {
		return errors.Join(err, outbox.ErrHopeless)
	}
	return err
}

func (p *Post) options(server *url.URL) []mail.Option {
	options := []mail.Option{mail.WithTimeout(sendTime)}
	if port, err := strconv.Atoi(server.Port()); err == nil {
		options = append(options, mail.WithPort(port))
	}
	switch {
	case server.Scheme == "smtps":
		options = append(options, mail.WithSSL())
	case server.Hostname() == "localhost" || server.Hostname() == "127.0.0.1":
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if user := server.User.Username(); user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(user), mail.WithPassword(p.Secret))
	}
	return options
}

// Cancel takes back a message that has not gone out.
func (p *Post) Cancel(tx *db.Tx, institution bank.InstitutionID, key string) error {
	return outbox.Cancel(tx, institution, outbox.Mail, key)
}
