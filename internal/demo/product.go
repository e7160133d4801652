package demo

import (
	"context"
	"fmt"

	"mandate/internal/application"
	"mandate/internal/bank"
)

// A Product is an application that signs staff users in.
type Product struct {
	Institution string `json:"institution"`
	Issuer      string `json:"issuer"`
	ID          string `json:"id"`
	Secret      string `json:"secret"`
	Redirect    string `json:"redirect"`
}

// productRedirect is where the demo's product would be answered: whoever tries
// it starts a product of their own there.
const productRedirect = "http://localhost:8090/callback"

// productOf registers a product at an institution.
func (b *builder) productOf(ctx context.Context, operator bank.Caller) error {
	made, secret, err := b.app.Applications.Create(ctx, operator, application.Draft{
		Name: "Loan desk", Partner: "Loan Works", Method: application.SecretBasic, Enabled: true, Consent: true, Groups: true,
		Grants:    []application.Grant{application.GrantCode, application.GrantRefresh},
		Redirects: []string{productRedirect}, PostLogouts: []string{"http://localhost:8090/"},
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	})
	if err != nil {
		return fmt.Errorf("the product: %w", err)
	}
	b.world.Products = append(b.world.Products, Product{Institution: string(operator.Institution),
		Issuer: b.app.Config.ConsoleOrigin + "/" + string(operator.Institution), ID: string(made.ID), Secret: string(secret), Redirect: productRedirect})
	return nil
}
