//go:build !amd64

package ident

import "unsafe"

// read reads three texts of Length bytes.
func (n *Names) read(member, account, toAccount *byte) bool {
	return n.one(unsafe.String(member, Length), unsafe.String(account, Length), unsafe.String(toAccount, Length))
}
