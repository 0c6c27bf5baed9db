// One Python process for the whole gateway: an MCP server, spoken to in lines of JSON-RPC over its standard streams.
//
// It is started by whoever needs it first, and again after it has died: at once the first time, then ever later, and
// whoever asks in between is told so instead of being made to wait. What was waiting for its answer when it died gets an
// error that a model can read. It ends with its standard input, so that it never outlives the gateway, however that ends.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const PROTOCOL = "2025-06-18";
const HANDSHAKE_MS = 30_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const SETTLED_MS = 60_000; // a process that lived this long starts a new count of deaths
const TERMINATE_AFTER_MS = 3_000;
const KILL_AFTER_MS = 4_500; // the gateway gives up on a plugin after 5 s

/** Something that the memory could not do for a reason of the host's; `hint` says what helps. */
export class MemoryUnavailable extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

export class PythonServer {
  #command;
  #logger;
  #ready; // of the process that runs: a promise of its handshake
  #child;
  #ended = Promise.resolve();
  #waiting = new Map();
  #lastId = 0;
  #deaths = 0;
  #notBefore = 0;
  #stopped = false;

  constructor(command, logger) {
    this.#command = command;
    this.#logger = logger;
  }

  /** Start the process if it does not run, also after `stop`; resolves once it can be asked. */
  start() {
    this.#stopped = false;
    return this.#started();
  }

  /** Ask, and resolve to the result; rejects with MemoryUnavailable, or when `signal` is aborted. */
  async request(method, params, { timeoutMs, signal } = {}) {
    signal?.throwIfAborted();
    const begun = Date.now();
    await within(timeoutMs, this.#started());
    signal?.throwIfAborted();
    return this.#exchange(method, params, Math.max(0, begun + timeoutMs - Date.now()), signal);
  }

  /** End the process, gently at first; resolves when it has gone. What is asked from now on is refused. */
  async stop() {
    this.#stopped = true;
    const child = this.#child;
    if (!child) return;
    this.#child = this.#ready = undefined;
    child.stdin.end();
    const later = [
      setTimeout(() => child.kill("SIGTERM"), TERMINATE_AFTER_MS),
      setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS),
    ];
    await this.#ended;
    later.forEach(clearTimeout);
  }

  #started() {
    if (this.#stopped) return Promise.reject(new MemoryUnavailable("the gateway is stopping", "Ask again once it is back."));
    this.#ready ??= this.#launch().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #launch() {
    const wait = this.#notBefore - Date.now();
    if (wait > 0) {
      const again = `the memory's process keeps ending; it is started again in ${Math.ceil(wait / 1000)} s`;
      throw new MemoryUnavailable(again, "The gateway's log says why it ends. Run: ntm-memory doctor");
    }
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
    const born = Date.now();
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      const end = (reason) => {
        this.#buried(child, born, reason);
        resolve();
      };
      child.once("error", (error) => end(`could not be started: ${error.message}`));
      child.once("exit", (code, killer) => end(`ended (${killer ?? `exit status ${code}`})`));
    });
    child.stdin.on("error", () => {}); // it died while it was being asked: "exit" tells everybody
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line));
    createInterface({ input: child.stderr }).on("line", (line) => this.#logger.warn(line));
    for (const each of [child, child.stdin, child.stdout, child.stderr]) each.unref?.(); // a one-shot command must be able to exit
    const clientInfo = { name: "ntm-memory-openclaw", version: "1" };
    await this.#exchange("initialize", { protocolVersion: PROTOCOL, capabilities: {}, clientInfo }, HANDSHAKE_MS);
    this.#send({ method: "notifications/initialized" });
  }

  #exchange(method, params, timeoutMs, signal) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = (finish) => (value) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abandon);
        this.#waiting.delete(id);
        finish(value);
      };
      const give = (reason) => {
        this.#send({ method: "notifications/cancelled", params: { requestId: id } });
        settle(reject)(reason);
      };
      const timer = setTimeout(() => give(tooLate()), timeoutMs);
      const abandon = () => give(signal.reason);
      signal?.addEventListener("abort", abandon, { once: true });
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#send({ id, method, params });
    });
  }

  #send(message) {
    this.#child?.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #heard(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      this.#logger.warn(`not JSON: ${line.slice(0, 200)}`);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (message.error) waiting?.reject(new MemoryUnavailable(message.error.message, "The gateway's log says more."));
    else waiting?.resolve(message.result);
  }

  #buried(child, born, reason) {
    const expected = this.#child !== child;
    if (!expected) {
      this.#child = this.#ready = undefined;
      this.#deaths = Date.now() - born > SETTLED_MS ? 1 : this.#deaths + 1;
      const pause = this.#deaths === 1 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 2));
      this.#notBefore = Date.now() + pause;
      this.#logger.warn(`the memory's process ${reason}; the next call starts it again`);
    }
    const error = new MemoryUnavailable(
      `the memory's process ${reason} before it had answered`,
      "Nothing that was acknowledged is lost. Call again; if it goes on failing, run: ntm-memory doctor",
    );
    for (const each of [...this.#waiting.values()]) each.reject(error);
  }
}

/** Wait for a promise, but not for ever. */
function within(timeoutMs, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function tooLate() {
  return new MemoryUnavailable("the memory has not answered in time", "Go on without it, or ask again later.");
}
