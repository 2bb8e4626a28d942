// Package ofrep serves the OpenFeature Remote Evaluation Protocol, version 0.3.0,
// to providers of any language.
//
//	POST /ofrep/v1/evaluate/flags/{key}   one flag
//	POST /ofrep/v1/evaluate/flags         all flags of the set, with an ETag
//	GET  /ofrep/v1/sse?channels=SET       server-sent events: when to ask for all flags again
//
// A bulk answer names the URL of its events. To who asked with a checked API key it has a
// ticket, &ticket=..., since browsers open event streams without headers.
//
// The set is chosen by the Flagd-Selector header, else it is that of the API key,
// else "default". A request may carry a token in Holdfast-Revision: the answer is of
// that revision or a newer one, or says in its metadata that it is not fresh. Every
// answer carries the token that it was given from in the same header.
//
// It is as lenient as flagd: a trailing slash, an empty body, a missing targeting key
// and members that nobody knows are no errors. It is stricter in what would be
// guessed: a context that is no object, a repeated key, text after the document.
package ofrep
