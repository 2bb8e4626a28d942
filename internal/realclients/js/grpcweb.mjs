// gRPC-Web as its specification has it, by fetch, without any library: the
// messages are so small that their fields can be put together by hand.

const utf8 = new TextEncoder();
const text = new TextDecoder();
const codes = { 2: 'GENERAL', 3: 'TYPE_MISMATCH', 5: 'FLAG_NOT_FOUND', 15: 'PARSE_ERROR' };
const methods = { boolean: 'ResolveBoolean', string: 'ResolveString', number: 'ResolveFloat', object: 'ResolveObject' };

const varint = (n) => (n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))]);
const bytes = (field, content) => [field * 8 + 2, ...varint(content.length), ...content];
const string = (field, s) => bytes(field, utf8.encode(s));
// struct encodes a google.protobuf.Struct of strings.
const struct = (o) => Object.entries(o).flatMap(([k, v]) => bytes(1, [...string(1, k), ...bytes(2, string(3, v))]));

/** Reads a message into [field, content] pairs; content is a number or bytes. */
function* fields(message) {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const number = () => {
    let n = 0, scale = 1, b;
    do {
      b = message[at++];
      n += (b % 128) * scale;
      scale *= 128;
    } while (b >= 128);
    return n;
  };
  while (at < message.length) {
    const key = number();
    const field = Math.floor(key / 8);
    if (key % 8 === 0) {
      yield [field, number()];
    } else if (key % 8 === 1) {
      yield [field, view.getFloat64(at, true)];
      at += 8;
    } else if (key % 8 === 2) {
      const length = number();
      yield [field, message.subarray(at, (at += length))];
    } else {
      throw new Error(`wire type ${key % 8}`);
    }
  }
}

const entry = (message) => Object.fromEntries(fields(message));
const object = (message) => Object.fromEntries([...fields(message)].map(([, e]) => ((e = entry(e)), [text.decode(e[1]), value(e[2])])));

/** Reads a google.protobuf.Value. */
function value(message) {
  const [[field, content]] = [...fields(message)];
  switch (field) {
    case 1: return null;
    case 2: return content;
    case 3: return text.decode(content);
    case 4: return content === 1;
    case 5: return object(content);
    case 6: return [...fields(content)].map(([, v]) => value(v));
  }
}

const read = { boolean: (v) => v === 1, string: (v) => text.decode(v), number: (v) => v, object };

/** Splits a body into its message and its trailers. */
function unframe(body) {
  let message, trailers = '';
  for (let at = 0; at < body.length; ) {
    const length = new DataView(body.buffer, body.byteOffset + at + 1).getUint32(0);
    const content = body.subarray(at + 5, at + 5 + length);
    if (body[at] & 0x80) trailers += text.decode(content);
    else message = content;
    at += 5 + length;
  }
  return { message, trailers: new Headers(trailers.trim().split('\r\n').filter(Boolean).map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()])) };
}

export class GrpcWeb {
  connect(at) {
    this.base = `http://${at.eval}/flagd.evaluation.v2.Service/`;
  }

  ask({ context, questions }) {
    const failed = (q) => (e) => ({ value: q.default, reason: 'ERROR', error: 'GENERAL', message: String(e) });
    return Promise.all(questions.map((q) => this.#resolve(context, q).catch(failed(q))));
  }

  mark() {} // it hears of nothing

  async #resolve(context, q) {
    const request = [...string(1, q.flag), ...bytes(2, struct(context))];
    const frame = new Uint8Array(5 + request.length);
    new DataView(frame.buffer).setUint32(1, request.length);
    frame.set(request, 5);
    const headers = { 'Content-Type': 'application/grpc-web+proto', 'X-Grpc-Web': '1' };
    const response = await fetch(this.base + methods[q.type], { method: 'POST', headers, body: frame });
    const { message, trailers } = unframe(new Uint8Array(await response.arrayBuffer()));
    const status = Number(trailers.get('grpc-status') ?? response.headers.get('grpc-status') ?? -1);
    if (status !== 0) {
      const said = trailers.get('grpc-message') ?? response.headers.get('grpc-message');
      return { value: q.default, reason: 'ERROR', error: codes[status] ?? `HTTP ${response.status}, gRPC status ${status}`, message: said };
    }
    const f = entry(message);
    return {
      value: 1 in f ? read[q.type](f[1]) : q.default,
      reason: text.decode(f[2]),
      variant: f[3] && text.decode(f[3]),
      metadata: f[4] && object(f[4]),
    };
  }
}
