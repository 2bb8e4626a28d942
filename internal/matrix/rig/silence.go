package rig

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// quieten keeps to itself what go-redis has to say of connections that fail, which is
// all that happens here. Its logger is one for the whole process.
var quieten = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
