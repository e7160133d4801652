package ident

import "golang.org/x/sys/cpu"

var wide = cpu.X86.HasAVX2

// read reads three names; readEach does where the processor lacks AVX2.
//
//go:noescape
func read(n *Names, member, account, toAccount *string) bool
