package evalsvc

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// protoCodec is protobuf, and takes events as they were encoded for the first of
// their streams.
type protoCodec struct{}

// Name is connect.Codec's.
func (protoCodec) Name() string { return "proto" }

// Marshal is connect.Codec's.
func (c protoCodec) Marshal(msg any) ([]byte, error) { return c.MarshalAppend(nil, msg) }

// MarshalAppend spares a copy into the buffer of the connection.
func (protoCodec) MarshalAppend(dst []byte, msg any) ([]byte, error) {
	switch m := msg.(type) {
	case *event:
		text, err := m.proto()
		return append(dst, text...), err
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(dst, m)
	default:
		return nil, notMessage(msg)
	}
}

// Unmarshal is connect.Codec's.
func (protoCodec) Unmarshal(data []byte, msg any) error {
	m, ok := msg.(proto.Message)
	if !ok {
		return notMessage(msg)
	}
	return proto.Unmarshal(data, m)
}

// IsBinary is for connect.
func (protoCodec) IsBinary() bool { return true }

// jsonCodec is JSON as flagd has it: fields that are not set are said, and fields that
// are not known are ignored.
type jsonCodec struct{ name string }

var (
	jsonOut = protojson.MarshalOptions{EmitUnpopulated: true}
	jsonIn  = protojson.UnmarshalOptions{DiscardUnknown: true}
)

// Name is connect.Codec's.
func (c jsonCodec) Name() string { return c.name }

// Marshal is connect.Codec's.
func (c jsonCodec) Marshal(msg any) ([]byte, error) { return c.MarshalAppend(nil, msg) }

// MarshalAppend spares a copy into the buffer of the connection.
func (jsonCodec) MarshalAppend(dst []byte, msg any) ([]byte, error) {
	switch m := msg.(type) {
	case *event:
		text, err := m.json()
		return append(dst, text...), err
	case proto.Message:
		return jsonOut.MarshalAppend(dst, m)
	default:
		return nil, notMessage(msg)
	}
}

// Unmarshal is connect.Codec's.
func (jsonCodec) Unmarshal(data []byte, msg any) error {
	m, ok := msg.(proto.Message)
	if !ok {
		return notMessage(msg)
	}
	return jsonIn.Unmarshal(data, m)
}

func notMessage(msg any) error { return fmt.Errorf("%T is no protobuf message", msg) }
