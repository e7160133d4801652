package app

import (
	"context"
	"errors"

	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/mail"
	"mandate/internal/outbox"
)

// openMail builds the way of mail: rooms queue it in their transactions, the
// outbox keeps it, a mail server takes it.
func (a *App) openMail() {
	a.post = &mail.Post{
		Keys: a.keys, Origin: a.Config.PublicOrigin, Staff: a.Config.ConsoleOrigin, From: a.Config.MailFrom, Server: a.Config.SMTP, Secret: a.Config.SMTPPassword,
		Wanted: a.stillWanted,
	}
	a.courier = outbox.NewDispatcher(a.DB, outbox.Mail, a.carry, a.Log)
	a.post.Wake = a.courier.Wake
}

// stillWanted asks whether the link of a mail can still be used.
func (a *App) stillWanted(ctx context.Context, m identity.Mail) (wanted bool, err error) {
	err = a.DB.Read(ctx, func(tx *db.Tx) error {
		wanted, err = identity.StillWanted(tx, m)
		return err
	})
	return wanted, err
}

// carry sends one mail and notes whether the mail server took it.
func (a *App) carry(ctx context.Context, d outbox.Delivery) error {
	err := a.post.Deliver(ctx, d)
	if errors.Is(err, outbox.ErrHopeless) {
		return errors.Join(err, a.DB.Write(ctx, func(tx *db.Tx) error {
			return a.Identity.MailRefused(tx, d.Institution, d.Key, "The mail server does not take mail for this address.")
		}))
	}
	if err != nil {
		return err
	}
	return a.DB.Write(ctx, func(tx *db.Tx) error { return a.Identity.MailAccepted(tx, d.Institution, d.Key) })
}

// DeliverMail sends what waits now, once. It is for the demo's past and for
// tests; a program that serves does it by itself.
func (a *App) DeliverMail(ctx context.Context) error {
	for {
		n, err := a.courier.Deliver(ctx)
		if n == 0 || err != nil {
			return err
		}
	}
}
