package docstore

import (
	"errors"
	"fmt"
)

// Error is a refusal with MongoDB's own code, as the driver reports it.
type Error struct {
	Code    int32
	Name    string
	Message string

	keyPattern, keyValue raw // for a duplicate key
}

// Error gives the sentence followed by the code's name.
func (e *Error) Error() string { return fmt.Sprintf("(%s) %s", e.Name, e.Message) }

// ErrClosed is returned for anything asked of a closed store.
var ErrClosed = errors.New("docstore: the store is closed")

var codeNames = map[int32]string{
	2: "BadValue", 8: "UnknownError", 9: "FailedToParse", 14: "TypeMismatch", 20: "IllegalOperation", 22: "InvalidBSON",
	26: "NamespaceNotFound", 27: "IndexNotFound", 28: "PathNotViable", 40: "ConflictingUpdateOperators",
	43: "CursorNotFound", 48: "NamespaceExists", 50: "MaxTimeMSExpired", 52: "DollarPrefixedFieldName", 53: "InvalidIdField",
	56: "EmptyFieldName", 59: "CommandNotFound", 66: "ImmutableField", 67: "CannotCreateIndex", 72: "InvalidOptions", 73: "InvalidNamespace",
	85: "IndexOptionsConflict", 86: "IndexKeySpecsConflict", 91: "ShutdownInProgress", 115: "CommandNotSupported",
	168: "InvalidPipelineOperator", 171: "CannotIndexParallelArrays", 197: "InvalidIndexSpecificationOption", 238: "NotImplemented", 291: "NoQueryExecutionPlans",
	10334: "BSONObjectTooLarge", 11000: "DuplicateKey", 14031: "OutOfDiskSpace",
}

func fail(code int32, format string, a ...any) *Error {
	name := codeNames[code]
	if name == "" {
		name = fmt.Sprintf("Location%d", code)
	}
	return &Error{Code: code, Name: name, Message: fmt.Sprintf(format, a...)}
}

// asError turns any error into one with a code.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, ErrClosed) {
		return fail(91, "%v", err)
	}
	return fail(8, "%v", err)
}

// Parsing of filters, updates and pipelines, and the evaluation of expressions, are deeply
// recursive; they report an error by panicking with an *Error, which catch turns into an
// ordinary error at the border (as encoding/json and text/template do inside).

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

func check(ok bool, code int32, format string, a ...any) {
	if !ok {
		panic(fail(code, format, a...))
	}
}
