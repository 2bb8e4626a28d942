// The providers for browsers. The page itself only passes commands on: each
// client lives in a frame of its own, as the SDK has one context for all of a page.
import { OpenFeature, ClientProviderEvents } from '@openfeature/web-sdk';
import { FlagdWebProvider } from '@openfeature/flagd-web-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { Client, perform } from './client.mjs';
import { GrpcWeb } from './grpcweb.mjs';

const flagd = (at, options) => new FlagdWebProvider({ host: '127.0.0.1', port: Number(at.eval.split(':')[1]), tls: false, maxDelay: 1000, ...options });
const ofrep = (at, options) => new OFREPWebProvider({ baseUrl: `http://${at.http}`, ...options });
const select = (set) => (next) => (req) => {
  req.header.set('Flagd-Selector', `flagSetId=${set}`);
  return next(req);
};

// What the polling client was told without a body.
let notModified = 0;
async function counting(request, init) {
  const response = await fetch(request, init);
  notModified += response.status === 304;
  return response;
}

const providers = {
  'flagd-web': (at) => flagd(at),
  'flagd-web, selector': (at) => flagd(at, { interceptors: [select('other')] }),
  'ofrep-web, events': (at) => ofrep(at, { cacheMode: 'network-first' }),
  'ofrep-web, polling': (at) => ofrep(at, { cacheMode: 'disabled', changeDetection: 'polling', pollInterval: 250, fetchImplementation: counting }),
  'ofrep-web, selector': (at) => ofrep(at, { cacheMode: 'network-first', headers: [['Flagd-Selector', 'flagSetId=other']] }),
  'ofrep-web, key': (at) => ofrep(at, { cacheMode: 'network-first', headers: [['Authorization', `Bearer ${at.key}`]] }),
  'ofrep-web, key, selector': (at) =>
    ofrep(at, { cacheMode: 'network-first', headersFactory: () => [['X-Api-Key', at.key], ['Flagd-Selector', 'flagSetId=other']] }),
};

function inFrame() {
  const clients = { 'gRPC-Web by fetch': new GrpcWeb() };
  for (const [name, provider] of Object.entries(providers)) {
    clients[name] = new Client({ name, provider, sdk: OpenFeature, events: ClientProviderEvents, shared: true });
    clients[name].notModified = () => notModified;
  }
  window.perform = (command) => perform(clients, command);
}

function inPage() {
  const frames = {};
  const frame = (client) =>
    (frames[client] ??= new Promise((resolve) => {
      const element = document.createElement('iframe');
      element.addEventListener('load', () => resolve(element.contentWindow));
      element.src = '/';
      document.body.append(element);
    }));
  new EventSource('/commands').onmessage = async (message) => {
    const command = JSON.parse(message.data);
    const reply = await (await frame(command.client)).perform(command);
    await fetch('/replies', { method: 'POST', body: reply });
  };
}

window === window.parent ? inPage() : inFrame();
