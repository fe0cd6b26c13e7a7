import assert from "node:assert/strict";
import { ChildProcess } from "node:child_process";
import { afterEach, test } from "node:test";
import { startProcess } from "./group-process.js";

const { execPath } = process;
const options = process.env.NODE_OPTIONS;
afterEach(() => {
  process.execPath = execPath;
  if (options === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = options;
});

const patient = { startSeconds: 3600, silentSeconds: 3600, stopSeconds: 3600, saveSeconds: 3600 };

/** The environment of a process that does this before its own program. */
function before(script: string): void {
  process.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
}
const forEver = "setInterval(() => {}, 1000); await new Promise(() => {});";

test("a process that cannot be started has died, and asking it to stop does nothing", async () => {
  process.execPath = "/no/such/program";
  const child = startProcess([], "ignore", patient);
  child.stop();
  const { hasDied, how } = await child.ended;
  assert.equal(hasDied, true);
  assert.match(how, /^could not be started \(spawn \/no\/such\/program ENOENT\)/);
  child.kill();
});

test("a process that does not begin to train in its time is ended", async () => {
  before(forEver);
  const { hasDied, how } = await startProcess([], "ignore", { ...patient, startSeconds: 0.1 }).ended;
  assert.deepEqual([hasDied, how], [true, "did not begin to train within 0.1 s, and was ended"]);
});

test("a process that has begun is waited for; one that does not answer when it is asked to stop is ended", async () => {
  before(`process.send("started"); process.on("message", () => {}); ${forEver}`);
  const child = startProcess([], "ignore", { ...patient, stopSeconds: 0.1 });
  child.stop();
  const { hasDied, how } = await child.ended;
  assert.deepEqual([hasDied, how], [true, "did not answer, asked to stop, within 0.1 s, and was ended"]);
});

test("a process that has begun and falls silent is ended, though it lives", async () => {
  before(`process.send("started"); ${forEver}`);
  const { hasDied, how } = await startProcess([], "ignore", { ...patient, silentSeconds: 0.2 }).ended;
  assert.deepEqual([hasDied, how], [true, "gave no sign of life for more than 0.2 s, and was ended"]);
});

test("a process that shows life is not ended, however long it trains", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { emit } = ChildProcess.prototype;
  let numWords = 0;
  t.mock.method(ChildProcess.prototype, "emit", function (this: ChildProcess, event: string, ...rest: unknown[]) {
    const hasListener = Reflect.apply(emit, this, [event, ...rest]);
    // From one word to the next one most of the time passes for which silence is borne.
    if (event === "message" && ++numWords) t.mock.timers.tick(3000);
    return hasListener;
  });
  const tell = `process.send("alive", () => (++told === 60 ? process.exit(7) : tell()))`;
  before(`process.send("started"); let told = 0; const tell = () => ${tell}; tell(); ${forEver}`);
  const { how } = await startProcess([], "ignore", { ...patient, silentSeconds: 4 }).ended;
  assert.equal(how, "exited with code 7");
  assert.equal(numWords, 61);
});

test("a process that saves has its time for it, and then is ended", async () => {
  before(`process.on("message", () => process.send("saving")); ${forEver}`);
  const child = startProcess([], "ignore", { ...patient, saveSeconds: 0.1 });
  child.stop();
  const { hasDied, how } = await child.ended;
  assert.deepEqual([hasDied, how], [true, "did not save what it had within 0.1 s, and was ended"]);
});

test("how a process ends by itself is told", async () => {
  before("process.exit(7)");
  assert.deepEqual(await startProcess([], "ignore", patient).ended, {
    hasDied: true,
    isDone: false,
    how: "exited with code 7",
  });
  before("process.exit(2)");
  assert.deepEqual(await startProcess([], "ignore", patient).ended, {
    hasDied: false,
    isDone: false,
    how: "exited with code 2",
  });
  before("process.exit(0)");
  assert.deepEqual(await startProcess([], "ignore", patient).ended, {
    hasDied: false,
    isDone: true,
    how: "exited with code 0",
  });
});
