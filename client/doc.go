// Package client asks a Mandate server from a Go program: whether somebody may
// do something (Evaluate, EvaluateAll), who may and on what (SearchSubjects,
// SearchResources, SearchActions), and why not (Explain); it asks for the second
// person that a refusal lacks (Request, Await, Cancel); and it carries a payment
// of the program's own through Authorize, Approve, Confirm and Void. It also
// verifies the webhooks that a server sends (Verify).
//
// It fails closed. A Decision is a refusal unless a server said yes, in an
// answer that could be read whole: an error, a time-out, a server that is busy,
// an answer that is cut off or that holds a name twice, an obligation that
// nobody here can carry out, are all refusals, with Err saying which. A program
// that looks at nothing but Allowed is safe.
//
// What can be repeated without harm is repeated, with pauses, on another copy of
// the server where there is one, and never past the deadline of its context.
//
// The package stands on the standard library alone. A Client is safe for use by
// many goroutines; make one and keep it.
package client
