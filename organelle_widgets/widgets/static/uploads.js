// Sends files to Python in chunks over custom messages, one after the other, so that no message is ever too large.

const CHUNK_BYTES = 1 << 20;
const ANSWER_MS = 20_000;
const MOST_TRIES = 6;

class Uploads {
  #model;
  #changed;
  #failed;
  #queue = [];
  #current = null;
  #stop;

  /**
   * @param changed called whenever something moved.
   * @param failed called with a job whose file could not be sent.
   */
  constructor(model, changed, failed) {
    this.#model = model;
    this.#changed = changed;
    this.#failed = failed;
    this.#stop = onMessages(model, {
      received: (content) => this.#onReceived(content),
      refused: (content) => this.#onRefused(content),
    });
  }

  /** Jobs by slot: {name, size, sent, error}. */
  slots = new Map();

  /** Send a file for a slot after those before it; a file on its way there is dropped. */
  add(slot, file) {
    this.cancel(slot);
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    const job = { id, slot, file, name: file.name, size: file.size, sent: 0, tries: 0, error: null };
    this.slots.set(slot, job);
    this.#queue.push(job);
    this.#next();
    this.#changed();
  }

  /** Drop what is on its way to a slot, or the message of what failed there. */
  cancel(slot) {
    const job = this.slots.get(slot);
    if (!job) return;
    this.slots.delete(slot);
    this.#queue = this.#queue.filter((other) => other !== job);
    if (this.#current === job) {
      this.#model.send({ type: "cancel-upload", upload: job.id });
      this.#finish(job);
    }
    this.#changed();
  }

  stop() {
    for (const slot of [...this.slots.keys()]) this.cancel(slot);
    this.#stop();
  }

  #next() {
    if (this.#current || !this.#queue.length) return;
    this.#current = this.#queue.shift();
    this.#send(this.#current);
  }

  async #send(job) {
    clearTimeout(job.timer);
    job.tries += 1;
    if (job.tries > MOST_TRIES) return this.#fail(job, "The connection was lost.", "Reload the page and try again.");
    const offset = job.sent;
    try {
      const chunk = await job.file.slice(offset, offset + CHUNK_BYTES).arrayBuffer();
      if (this.#current !== job || job.sent !== offset) return;
      const { id: upload, slot, name, size } = job;
      this.#model.send({ type: "chunk", upload, slot, name, size, offset }, undefined, [chunk]);
      job.timer = setTimeout(() => this.#send(job), ANSWER_MS);
    } catch {
      this.#fail(job, "The browser could not read this file.", "Was it moved or changed? Choose it again.");
    }
  }

  #onReceived({ upload, received }) {
    const job = this.#current;
    if (job?.id !== upload || typeof received !== "number") return;
    job.tries = received > job.sent ? 0 : job.tries;
    job.sent = received;
    if (received < job.size) this.#send(job);
    else {
      this.slots.delete(job.slot);
      this.#finish(job);
    }
    this.#changed();
  }

  #onRefused({ upload, message, hint }) {
    if (this.#current?.id === upload) this.#fail(this.#current, message, hint);
  }

  #fail(job, message, hint) {
    job.error = { message, hint };
    this.#failed(job);
    this.#finish(job);
    this.#changed();
  }

  #finish(job) {
    clearTimeout(job.timer);
    if (this.#current === job) this.#current = null;
    this.#next();
  }
}

/** The channel that a file name ends with, such as "red" of "a_RED.png"; null where there is none. */
function channelOfName(name, keys) {
  const stem = name.replace(/\.gz$/i, "").replace(/\.[^.]*$/, "");
  const word = /[_\-. ]([a-z]+)$/i.exec(stem)?.[1].toLowerCase();
  return keys.includes(word) ? word : null;
}

/**
 * Which file goes to which slot.
 * @returns {{jobs: [string, File][], problem: string}} `problem` is a sentence, empty if every file found its place.
 */
function assignFiles(files, keys, dropped = null) {
  const endings = keys.map((key) => `_${key}`).join(", ");
  if (files.length === 1 && dropped) return { jobs: [[dropped, files[0]]], problem: "" };
  const jobs = new Map();
  const lost = [];
  for (const file of files) {
    const key = channelOfName(file.name, keys);
    if (key && !jobs.has(key)) jobs.set(key, file);
    else lost.push(file);
  }
  if (files.length === 1 && lost.length) return { jobs: [["all", lost[0]]], problem: "" };
  if (!lost.length) return { jobs: [...jobs], problem: "" };
  const names = lost.map((file) => `“${file.name}”`).slice(0, 3).join(", ");
  const twice = lost.every((file) => channelOfName(file.name, keys));
  const problem = twice
    ? `There is more than one file for a channel: ${names} was left out.`
    : `Expected names that end in ${endings} before the dot; found ${names}. Drop such a file on its channel.`;
  return { jobs: [...jobs], problem };
}
