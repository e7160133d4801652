//go:build !amd64

package ident

func read(n *Names, member, account, toAccount *string) bool {
	return readEach(n, member, account, toAccount)
}
