package importer

import (
	"bytes"
	"errors"
)

var (
	errQuoteOpen   = errors.New(`a quoted field does not end on its line`)
	errQuoteInside = errors.New(`a quotation mark stands inside a field that is not quoted`)
	errQuoteAfter  = errors.New(`something follows the closing quotation mark of a field`)
)

// splitCSV splits one line into its fields, which it appends to fields. They
// point into line, which it changes where a quoted field holds doubled quotation
// marks. A field does not continue on the next line.
func splitCSV(line []byte, fields [][]byte) ([][]byte, error) {
	for {
		if len(line) == 0 || line[0] != '"' {
			field, rest, more := bytes.Cut(line, []byte(","))
			if bytes.IndexByte(field, '"') >= 0 {
				return fields, errQuoteInside
			}
			fields = append(fields, field)
			if !more {
				return fields, nil
			}
			line = rest
			continue
		}
		field, rest, err := unquote(line[1:])
		if err != nil {
			return fields, err
		}
		fields = append(fields, field)
		if len(rest) == 0 {
			return fields, nil
		}
		if rest[0] != ',' {
			return fields, errQuoteAfter
		}
		line = rest[1:]
	}
}

// unquote reads up to the closing quotation mark and returns what follows it.
func unquote(s []byte) (field, rest []byte, err error) {
	end := 0 // of the field, which is moved together over doubled marks
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			if i+1 == len(s) || s[i+1] != '"' {
				return s[:end], s[i+1:], nil
			}
			i++
		}
		s[end] = s[i]
		end++
	}
	return nil, nil, errQuoteOpen
}
