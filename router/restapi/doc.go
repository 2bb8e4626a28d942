// Package restapi serves flag sets over plain HTTP: for people with curl and for scripts
// in JSON, for drivers in the bytes that stores keep, for followers as server-sent events.
//
//	GET /api/v1/sets                        which sets there are
//	GET PUT DELETE /api/v1/sets/{set}       where a set is, in a few bytes; create; delete
//	GET /api/v1/sets/{set}/snapshot         the set; ?after=TOKEN or N: what leads on from there
//	GET /api/v1/sets/{set}/watch            server-sent events, from ?after or Last-Event-ID on
//	GET /api/v1/sets/{set}/history          commits, by revision, key, entity, actor and time
//	GET /api/v1/sets/{set}/export           the set as a flagd file
//	POST /api/v1/sets/{set}/import          a flagd file into the set
//	POST /api/v1/sets/{set}/rollback        the set, or some flags, as at a revision
//	GET /api/v1/sets/{set}/flags            flags, by search, tag, owner, kind and state
//	GET PUT PATCH DELETE .../flags/{key}    one flag
//	GET PUT DELETE .../evaluators/{name}    one shared rule
//	GET PUT DELETE .../overrides/{entity}/{key}   what one entity gets
//	GET /api/v1/clients                     who is connected
//
// The whole is in openapi.json, which the service serves.
//
// A request may carry a token in Holdfast-Revision. The answer is then of that
// revision or a newer one, or is 412: the header is a precondition. Every answer
// about a set carries the token it was given from in the same header.
//
// A write is conditional on If-Match, safe to repeat with an Idempotency-Key, and tells
// what it would do with ?dry-run. It is one commit or none.
package restapi
