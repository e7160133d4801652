package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOutOfDate(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "ui")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := func(write bool, files ...string) {
		t.Helper()
		got, err := outOfDate(root, write)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, files) {
			t.Errorf("outOfDate(write %v) = %q, want %q", write, got, files)
		}
	}

	source := file("hello.templ", "package ui\n\ntempl Hello(name string) {\n\t<p>{ name }</p>\n}\n")
	code := strings.TrimSuffix(source, ".templ") + "_templ.go"
	want(false, code)
	want(true, code)
	want(false)
	text, err := os.ReadFile(code)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "`ui/hello.templ`") {
		t.Error("the code does not name its source within the repository")
	}

	file("hello.templ", "package ui\n\ntempl Hello(name string) {\n\t<b>{ name }</b>\n}\n")
	want(false, code)
	want(true, code)

	orphan := file("gone_templ.go", "package ui\n")
	want(false, orphan)
	want(true, orphan)
	want(false)

	file("bad.templ", "package ui\n\ntempl Bad( {\n")
	if _, err := outOfDate(root, false); err == nil || !strings.Contains(err.Error(), "bad.templ") {
		t.Errorf("outOfDate = %v, want an error that names the bad file", err)
	}
}
