package ident

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
)

var readable = regexp.MustCompile(`^(usr|acc)_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-e][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// A name is read by every way alike, exactly when it is what the product makes,
// and what was read is the name again.
func checkName(t *testing.T, k Kind, name string) {
	t.Helper()
	v, ok := Of(k, name)
	prefix := map[Kind]string{Member: "usr_", Account: "acc_"}[k]
	if want := readable.MatchString(name) && len(name) == Length && strings.HasPrefix(name, prefix); ok != want {
		t.Fatalf("Of(%q): %v, want %v", name, ok, want)
	}
	if ok && v.Text(k) != name {
		t.Fatalf("%q was read as %q", name, v.Text(k))
	}
	const other = "_0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"
	member, account, toAccount := "usr"+other, "acc"+other, ""
	known, _ := Of(Member, member)
	if k == Member {
		member = name
		checkNames(t, member, account, toAccount, ok, Names{v, known, ID{}})
		return
	}
	empty := name == ""
	checkNames(t, member, name, account, ok || empty, Names{known, v, known})
	checkNames(t, member, account, name, ok || empty, Names{known, known, v})
}

func checkNames(t *testing.T, member, account, toAccount string, ok bool, want Names) {
	t.Helper()
	var n Names
	if got := n.Read(&member, &account, &toAccount); got != ok || ok && n != want {
		t.Fatalf("Read(%q, %q, %q): %x, %v, want %x, %v", member, account, toAccount, n, got, want, ok)
	}
	var slow Names
	if got := readEach(&slow, &member, &account, &toAccount); got != ok || ok && slow != want {
		t.Fatalf("readEach(%q, %q, %q): %x, %v, want %x, %v", member, account, toAccount, slow, got, want, ok)
	}
}

// Every byte at every place, and every pair of them at neighbouring places with
// the ones that are nearly digits or dashes.
func TestEveryByte(t *testing.T) {
	for k, prefix := range map[Kind]string{Member: "usr", Account: "acc"} {
		for _, letter := range []string{"0", "9", "a", "e", "f", "7"} {
			name := fmt.Sprintf("%s_%s-%s-%s-%s-%s", prefix, strings.Repeat(letter, 8), strings.Repeat(letter, 4), "7"+strings.Repeat(letter, 3), strings.Repeat(letter, 4), strings.Repeat(letter, 12))
			checkName(t, k, name)
			for at := range name {
				for c := range 256 {
					checkName(t, k, name[:at]+string([]byte{byte(c)})+name[at+1:])
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[ID]string{}
	nearly := []byte("0123456789abcdef-ABCDEFGg/:`_@\x00\x1f\x80\xb0\xe1\xff")
	for range 20_000 {
		name := []byte(bank.NewID("acc", time.UnixMilli(rng.Int64N(1<<47))))
		for range rng.IntN(4) {
			name[rng.IntN(len(name))] = nearly[rng.IntN(len(nearly))]
		}
		if rng.IntN(20) == 0 {
			name = name[:rng.IntN(len(name)+1)]
		}
		if rng.IntN(20) == 0 {
			name = append(name, '0')
		}
		checkName(t, Account, string(name))
		v, ok := Of(Account, string(name))
		if was, known := seen[v]; ok && known && was != string(name) {
			t.Fatalf("%q and %q are one", was, name)
		}
		if ok {
			seen[v] = string(name)
		}
	}
}

// The version that is reserved is nobody's, and can be set.
func TestReserved(t *testing.T) {
	v, ok := Of(Member, "usr_0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
	if !ok || v.Version() != 7 {
		t.Fatalf("version %d, %v", v.Version(), ok)
	}
	w := v.WithVersion(Reserved)
	if w.Version() != Reserved || w.Text(Member) != "usr_0192a3b4-c5d6-fe8f-9a0b-1c2d3e4f5a6b" {
		t.Errorf("%s has version %d", w.Text(Member), w.Version())
	}
	if _, ok := Of(Member, w.Text(Member)); ok {
		t.Error("a name of the reserved version was read")
	}
}

func FuzzNames(f *testing.F) {
	f.Add("usr_0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b", "acc_0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
	f.Add("", "acc_0192a3b4-c5d6-fe8f-9a0b-1c2d3e4f5A6b")
	f.Fuzz(func(t *testing.T, member, account string) {
		checkName(t, Member, member)
		checkName(t, Account, account)
	})
}

func BenchmarkRead(b *testing.B) {
	member, account := bank.NewID("usr", time.Now()), bank.NewID("acc", time.Now())
	for name, read := range map[string]func(n *Names) bool{
		"at once": func(n *Names) bool { return n.Read(&member, &account, &account) },
		"each":    func(n *Names) bool { return readEach(n, &member, &account, &account) },
	} {
		b.Run(name, func(b *testing.B) {
			var n Names
			for b.Loop() {
				if !read(&n) {
					b.Fatal("not read")
				}
			}
		})
	}
}
