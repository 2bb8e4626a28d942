// Package restapi serves flag sets over plain HTTP: for people with curl in JSON,
// for drivers in the bytes that stores keep, for followers as server-sent events.
//
//	GET /api/v1/sets                        which sets there are
//	GET /api/v1/sets/{set}/head             where a set is, in a few bytes
//	GET /api/v1/sets/{set}/snapshot         the set; ?after=TOKEN or N: what leads on from there
//	GET /api/v1/sets/{set}/watch            server-sent events, from ?after or Last-Event-ID on
//	GET /api/v1/sets/{set}/history          commits, ?from= ?to= ?limit=
//	GET /api/v1/sets/{set}/export           the set as a flagd file, ?format=json or yaml
//	POST /api/v1/sets/{set}/watch/{id}/applied   what the client of a watch answers from
//
// A request may carry a token in Holdfast-Revision. The answer is then of that
// revision or a newer one, or is 412: the header is a precondition. Every answer
// about a set carries the token it was given from in the same header.
package restapi
