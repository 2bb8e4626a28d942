// A client of OpenFeature as an application has it, for the driver to question:
// it reports what the SDK answers and which events it raised, and judges nothing.

const ask = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  number: 'getNumberDetails',
  object: 'getObjectDetails',
};

const patience = 30_000; // ms until an event that did not come is a failure

export class Client {
  #log = []; // events since the mark
  #waiting = new Set();

  /**
   * sdk: the OpenFeature API object; events: its names of events; provider: makes
   * the provider from the addresses of the router; shared: the context belongs to
   * the whole SDK, as in browsers, and not to each question.
   */
  constructor({ name, sdk, events, provider, shared = false }) {
    Object.assign(this, { name, sdk, events, provider, shared });
  }

  async connect(at) {
    this.client = this.sdk.getClient(this.name);
    for (const type of Object.values(this.events)) {
      this.client.addHandler(type, (e) => this.#raised({ type, flags: e?.flagsChanged, message: e?.message }));
    }
    await this.sdk.setProviderAndWait(this.name, this.provider(at));
  }

  /** Answers all questions in one context, in their order. */
  async ask({ context, questions }) {
    if (this.shared) {
      await this.sdk.setContext(context);
    }
    return Promise.all(
      questions.map(async (q) => {
        const d = await this.client[ask[q.type]](q.flag, q.default, this.shared ? undefined : context);
        return { value: d.value, variant: d.variant, reason: d.reason, error: d.errorCode, message: d.errorMessage, metadata: d.flagMetadata };
      }),
    );
  }

  /** Forgets the events so far. */
  mark() {
    this.#log = [];
  }

  log() {
    return this.#log;
  }

  /** Waits for an event since the mark: of a type, about a flag if one is named. */
  await({ type, flag }) {
    const fits = (e) => e.type === type && (!flag || e.flags?.includes(flag));
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.#log.some(fits)) return;
        this.#waiting.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`no ${type}${flag ? ' for ' + flag : ''}, but ${JSON.stringify(this.#log)}`));
      }, patience);
      this.#waiting.add(look);
      look();
    });
  }

  #raised(event) {
    this.#log.push(event);
    for (const look of this.#waiting) look();
  }
}

/** Performs a command of the driver with one of the clients; the reply always comes. */
export async function perform(clients, { id, client, op, args }) {
  try {
    const result = await clients[client][op](args);
    return JSON.stringify({ id, result: result ?? null });
  } catch (e) {
    return JSON.stringify({ id, error: String(e) });
  }
}
