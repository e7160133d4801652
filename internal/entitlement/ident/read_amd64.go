package ident

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var wide = cpu.X86.HasAVX2

// read reads three texts of Length bytes.
func (n *Names) read(member, account, toAccount *byte) bool {
	if wide {
		return readWide(n, member, account, toAccount)
	}
	return n.one(unsafe.String(member, Length), unsafe.String(account, Length), unsafe.String(toAccount, Length))
}

// readWide is one for processors that have AVX2.
//
//go:noescape
func readWide(n *Names, member, account, toAccount *byte) bool
