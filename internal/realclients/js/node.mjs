// The providers for servers, driven by JSON lines on standard input and output.
import { createInterface } from 'node:readline';
import { OpenFeature, ServerProviderEvents } from '@openfeature/server-sdk';
import { FlagdProvider } from '@openfeature/flagd-provider';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { Client, perform } from './client.mjs';

// Patient where the machine may be slow, brisk where a test would wait: a second
// until STALE becomes ERROR, and a second until a lost stream is opened again.
const flagd = (options) => new FlagdProvider({ host: '127.0.0.1', deadlineMs: 20_000, retryBackoffMaxMs: 1000, retryGracePeriod: 1, ...options });
const port = (addr) => Number(addr.split(':')[1]);

const providers = {
  'flagd rpc, cache': (at) => flagd({ port: port(at.eval), cache: 'lru' }),
  'flagd rpc, no cache': (at) => flagd({ port: port(at.eval), cache: 'disabled' }),
  'flagd rpc, selector': (at) => flagd({ port: port(at.eval), cache: 'lru', selector: 'flagSetId=other' }),
  'flagd in-process': (at) => flagd({ port: port(at.sync), resolverType: 'in-process' }),
  'flagd in-process, selector': (at) => flagd({ port: port(at.sync), resolverType: 'in-process', selector: 'flagSetId=other' }),
  'ofrep': (at) => new OFREPProvider({ baseUrl: `http://${at.http}` }),
  'ofrep, selector': (at) => new OFREPProvider({ baseUrl: `http://${at.http}`, headers: [['Flagd-Selector', 'flagSetId=other']] }),
};

const clients = Object.fromEntries(
  Object.entries(providers).map(([name, provider]) => [name, new Client({ name, provider, sdk: OpenFeature, events: ServerProviderEvents })]),
);

for await (const line of createInterface({ input: process.stdin })) {
  perform(clients, JSON.parse(line)).then((reply) => process.stdout.write(reply + '\n'));
}
process.exit(0); // the driver is done, or gone
