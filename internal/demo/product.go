package demo

import (
	"context"
	"fmt"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/staff"
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

// loanDesk is what the product declares.
var loanDesk = catalog.Declaration{Version: 1, Permissions: []catalog.ProductPermission{
	{ID: "loandesk.loans.view", Label: "View loans", Area: "Loans"},
	{ID: "loandesk.loans.approve", Label: "Approve loans", Area: "Loans", Views: []string{"loandesk.loans.view"}},
	{ID: "loandesk.reports.view", Label: "View reports", Area: "Reports"},
}}

// productGroup is a group of that product.
const productGroup = "Loan desk: approve"

// productOf registers a product at an institution, has it declare its
// permissions and makes a group of it.
func (b *builder) productOf(ctx context.Context, operator bank.Caller) (bank.GroupID, error) {
	made, secret, err := b.app.Applications.Create(ctx, operator, application.Draft{
		Name: "Loan desk", Partner: "Loan Works", Method: application.SecretBasic, Enabled: true, Consent: true, Groups: true, Permissions: true,
		Grants:    []application.Grant{application.GrantCode, application.GrantRefresh},
		Redirects: []string{productRedirect}, PostLogouts: []string{"http://localhost:8090/"},
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	})
	if err != nil {
		return "", fmt.Errorf("the product: %w", err)
	}
	b.world.Products = append(b.world.Products, Product{Institution: string(operator.Institution),
		Issuer: b.app.Config.ConsoleOrigin + "/" + string(operator.Institution), ID: string(made.ID), Secret: string(secret), Redirect: productRedirect})
	if err := b.app.Applications.Declare(ctx, operator, made.ID, loanDesk); err != nil {
		return "", fmt.Errorf("what the product declares: %w", err)
	}
	return b.app.Staff.CreateGroup(ctx, operator, staff.Draft{Name: productGroup, Description: "Approves loans in the Loan desk.",
		Product: made.ID, Held: "loandesk.loans.approve"})
}
