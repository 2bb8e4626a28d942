package wire

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that Codec builds on
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// Shared is a message in its encoded form, to be sent to any number of streams.
type Shared struct{ buffers mem.BufferSlice }

// NewShared encodes m, which may be changed afterwards.
func NewShared(m proto.Message) (*Shared, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &Shared{mem.BufferSlice{mem.SliceBuffer(b)}}, nil
}

// Len returns the size of the message, in bytes.
func (s *Shared) Len() int { return s.buffers.Len() }

// Decode returns the message into m.
func (s *Shared) Decode(m proto.Message) error {
	return proto.Unmarshal(s.buffers.Materialize(), m)
}

// Codec is gRPC's usual codec, except that a *Shared is sent as it is. A server
// that sends any must be made with it.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2("proto")} }

type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if s, ok := v.(*Shared); ok {
		return s.buffers, nil // plain slices: nobody frees or changes them
	}
	return c.CodecV2.Marshal(v)
}
