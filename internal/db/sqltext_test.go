package db_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const dbPackage = "mandate/internal/db"

// A sqlText is one statement of the program and where it is written.
type sqlText struct {
	text string
	pos  token.Position
}

// dialects says which databases the text is for: a file named after one of
// them is for that one alone.
func (s sqlText) dialects() (sqlite, postgreSQL bool) {
	base := filepath.Base(s.pos.Filename)
	return !strings.HasSuffix(base, "_postgres.go"), !strings.HasSuffix(base, "_sqlite.go")
}

// A sqlCall is one place where statements are run.
type sqlCall struct {
	texts     []sqlText
	arguments int // how many values are passed, or -1 where they are spread
	pos       token.Position
}

// A program is the module's own packages that use the database, with types.
type program struct {
	fset        *token.FileSet
	calls       []sqlCall
	constraints []sqlText // names given to IsUnique
	builders    []string  // functions of builtAtRunTime that were met
	problems    []string
}

// loadProgram reads every package of the module that uses this one. Types make
// it exact: a method called Exec of something else is not taken for ours.
func loadProgram(t *testing.T) *program {
	t.Helper()
	p, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var loadOnce = sync.OnceValues(load)

func load() (*program, error) {
	users, exports, err := listPackages()
	if err != nil {
		return nil, err
	}
	p := newProgram()
	imports := p.importer(exports)
	for _, one := range users {
		if err := p.readPackage(one, imports); err != nil {
			p.problems = append(p.problems, err.Error())
		}
	}
	return p, nil
}

func newProgram() *program { return &program{fset: token.NewFileSet()} }

func (p *program) importer(exports map[string]string) types.Importer {
	return importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
}

type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
	Module                  *struct{ Main bool }
}

// listPackages asks the go command for the packages that use this one, and for
// the compiled types of everything they import. A package that does not
// compile stops only those that need it; the compiler tells about the others.
func listPackages() (users []listedPackage, exports map[string]string, err error) {
	root := filepath.Join("..", "..")
	// Looking at the folders here makes "go test" forget its cached answer
	// when a file comes or goes; it does not see what the go command reads.
	for _, dir := range []string{"cmd", "internal"} {
		_ = filepath.WalkDir(filepath.Join(root, dir), func(string, fs.DirEntry, error) error { return nil })
	}
	list := exec.Command("go", "list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Imports,Module", "./...")
	list.Dir = root
	var complaints bytes.Buffer
	list.Stderr = &complaints
	output, err := list.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w\n%s", err, &complaints)
	}
	exports = map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var one listedPackage
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return users, exports, nil
		} else if err != nil {
			return nil, nil, fmt.Errorf("go list: %w", err)
		}
		exports[one.ImportPath] = one.Export
		if one.Module != nil && one.Module.Main && slices.Contains(one.Imports, dbPackage) {
			users = append(users, one)
		}
	}
}

func (p *program) readPackage(one listedPackage, imports types.Importer) error {
	pkg := &sqlPackage{program: p, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}}
	for _, name := range one.GoFiles {
		file, err := parser.ParseFile(p.fset, filepath.Join(one.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg.files = append(pkg.files, file)
	}
	config := types.Config{Importer: imports}
	if _, err := config.Check(one.ImportPath, p.fset, pkg.files, pkg.info); err != nil {
		return err
	}
	pkg.inspect(func(n ast.Node) {
		if call, ok := n.(*ast.CallExpr); ok {
			pkg.readCall(call)
		}
	})
	return nil
}

// A sqlPackage follows a statement's text through one package.
type sqlPackage struct {
	*program
	info  *types.Info
	files []*ast.File
}

// takesSQL tells which argument of these functions is the statement.
var takesSQL = map[string]int{
	"(*" + dbPackage + ".Tx).Exec":     0,
	"(*" + dbPackage + ".Tx).Query":    0,
	"(*" + dbPackage + ".Tx).QueryRow": 0,
	dbPackage + ".All":                 2,
	dbPackage + ".One":                 2,
}

func (p *sqlPackage) readCall(call *ast.CallExpr) {
	name := p.calledName(call)
	if name == dbPackage+".IsUnique" && len(call.Args) == 2 {
		texts, err := p.texts(call.Args[1], 0)
		if err != nil {
			p.complain(call, "the constraint's name %v", err)
		}
		p.constraints = append(p.constraints, texts...)
		return
	}
	index, ok := takesSQL[name]
	if !ok || len(call.Args) <= index {
		return
	}
	texts, err := p.texts(call.Args[index], 0)
	if err != nil {
		if where := p.enclosing(call); builtAtRunTime[where] != "" {
			p.builders = append(p.builders, where)
			return
		}
		p.complain(call, "the statement %v: compose it from constants, or list the function", err)
		return
	}
	arguments := len(call.Args) - index - 1
	if call.Ellipsis.IsValid() {
		arguments = -1
	}
	p.calls = append(p.calls, sqlCall{texts: texts, arguments: arguments, pos: p.fset.Position(call.Pos())})
}

func (p *sqlPackage) complain(at ast.Node, format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf("%s: %s", p.fset.Position(at.Pos()), fmt.Sprintf(format, args...)))
}

// enclosing is the full name of the function in which a call stands.
func (p *sqlPackage) enclosing(call *ast.CallExpr) (name string) {
	p.inspect(func(n ast.Node) {
		if decl, ok := n.(*ast.FuncDecl); ok && decl.Pos() <= call.Pos() && call.End() <= decl.End() {
			if f, ok := p.info.Defs[decl.Name].(*types.Func); ok {
				name = f.FullName()
			}
		}
	})
	return name
}

// calledName is the full name of the function or method that is called.
func (p *sqlPackage) calledName(call *ast.CallExpr) string {
	if f, ok := p.object(call.Fun).(*types.Func); ok {
		return f.Origin().FullName()
	}
	return ""
}

// object is what a name in the source stands for.
func (p *sqlPackage) object(e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.Ident:
		if o := p.info.Uses[e]; o != nil {
			return o
		}
		return p.info.Defs[e]
	case *ast.SelectorExpr:
		return p.info.Uses[e.Sel]
	case *ast.IndexExpr: // a type argument
		return p.object(e.X)
	case *ast.IndexListExpr:
		return p.object(e.X)
	case *ast.ParenExpr:
		return p.object(e.X)
	}
	return nil
}

const (
	deepest = 24  // steps from the call to the text
	most    = 256 // texts of one call
)

// texts finds every text an expression can be. Constants are easy; besides, it
// follows variables to their assignments, parameters to the calls, lists to
// their elements and "+" to both sides.
func (p *sqlPackage) texts(e ast.Expr, depth int) ([]sqlText, error) {
	if depth > deepest {
		return nil, errors.New("is built in too many steps")
	}
	if v := p.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		pos := e.Pos()
		if c, ok := p.object(e).(*types.Const); ok {
			pos = c.Pos()
		}
		return []sqlText{{constant.StringVal(v), p.fset.Position(pos)}}, nil
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.texts(e.X, depth+1)
	case *ast.BinaryExpr:
		return p.sums(e, depth)
	case *ast.CompositeLit:
		return p.union(e.Elts, depth)
	case *ast.KeyValueExpr:
		return p.texts(e.Value, depth+1)
	case *ast.IndexExpr:
		return p.texts(e.X, depth+1)
	case *ast.CallExpr:
		if f, ok := p.object(e.Fun).(*types.Func); ok {
			return p.union(p.results(f), depth)
		}
	case *ast.Ident:
		if v, ok := p.object(e).(*types.Var); ok {
			values, err := p.values(v)
			if err != nil {
				return nil, err
			}
			return p.union(values, depth)
		}
	}
	return nil, errors.New("is built at run time")
}

// union is the texts of all of the expressions.
func (p *sqlPackage) union(all []ast.Expr, depth int) ([]sqlText, error) {
	if len(all) == 0 {
		return nil, errors.New("is built at run time or given from outside")
	}
	var texts []sqlText
	for _, e := range all {
		more, err := p.texts(e, depth+1)
		if err != nil {
			return nil, err
		}
		texts = append(texts, more...)
	}
	return few(texts)
}

// few drops what is there twice, and refuses what nobody could read.
func few(texts []sqlText) ([]sqlText, error) {
	var once []sqlText
	for _, s := range texts {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	if len(once) > most {
		return nil, fmt.Errorf("can be more than %d texts", most)
	}
	return once, nil
}

// sums is every left text with every right one.
func (p *sqlPackage) sums(e *ast.BinaryExpr, depth int) ([]sqlText, error) {
	left, err := p.texts(e.X, depth+1)
	if err != nil {
		return nil, err
	}
	right, err := p.texts(e.Y, depth+1)
	if err != nil {
		return nil, err
	}
	var texts []sqlText
	for _, l := range left {
		for _, r := range right {
			texts = append(texts, sqlText{l.text + r.text, l.pos})
		}
	}
	return few(texts)
}

// results are the first results of a function of this package.
func (p *sqlPackage) results(f *types.Func) (results []ast.Expr) {
	p.inspect(func(n ast.Node) {
		decl, ok := n.(*ast.FuncDecl)
		if !ok || p.info.Defs[decl.Name] != f.Origin() {
			return
		}
		ast.Inspect(decl.Body, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
				results = append(results, r.Results[0])
			}
			_, inner := n.(*ast.FuncLit)
			return !inner
		})
	})
	return results
}

// values are the expressions whose value a variable can have.
func (p *sqlPackage) values(v *types.Var) (values []ast.Expr, err error) {
	p.inspect(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if p.object(left) != v {
					continue
				}
				_, lookup := n.Rhs[0].(*ast.IndexExpr) // value, ok := table[key]
				switch {
				case n.Tok == token.ADD_ASSIGN:
					err = errors.New("is put together in steps")
				case len(n.Lhs) == len(n.Rhs):
					values = append(values, n.Rhs[i])
				case i == 0 && lookup:
					values = append(values, n.Rhs[0])
				default:
					err = errors.New("is one of several results")
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if p.info.Defs[name] == v && i < len(n.Values) {
					values = append(values, n.Values[i])
				}
			}
		case *ast.RangeStmt:
			if n.Value != nil && p.object(n.Value) == v {
				values = append(values, n.X)
			}
		case *ast.FuncDecl:
			if index := p.parameter(n, v); index >= 0 {
				values = append(values, p.passed(n, index)...)
			}
		}
	})
	return values, err
}

// parameter is the place of v among the function's parameters, or -1.
func (p *sqlPackage) parameter(decl *ast.FuncDecl, v *types.Var) int {
	f, ok := p.info.Defs[decl.Name].(*types.Func)
	if !ok || f.Exported() { // others may call it with anything
		return -1
	}
	parameters := f.Signature().Params()
	for i := range parameters.Len() {
		if parameters.At(i) == v {
			return i
		}
	}
	return -1
}

// passed are the values given to one parameter of a function.
func (p *sqlPackage) passed(decl *ast.FuncDecl, index int) (values []ast.Expr) {
	p.inspect(func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) <= index {
			return
		}
		if f, ok := p.object(call.Fun).(*types.Func); ok && f.Origin() == p.info.Defs[decl.Name] {
			values = append(values, call.Args[index])
		}
	})
	return values
}

func (p *sqlPackage) inspect(visit func(ast.Node)) {
	for _, file := range p.files {
		ast.Inspect(file, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}
