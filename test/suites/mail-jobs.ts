/** What the leader and each worker do in a test of the mail suite. A job runs on a thread or in a process of its own, so it comes by name. */
import type { Letter, Mail } from "../../src/comm/mail.js";
import { codeOf, messageOf } from "../../src/errors.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";

/** Lengths of the arrays that are sent, the longest more than a message of any library holds at once. */
export const LENGTHS = [0, 1, 5, 70_000, 1_000_003];

/** An array that tells who sent it. */
export function arrayOf(rank: number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => rank + (i % 1000) / 7);
}

const letter = (kind: string, numbers: Letter["numbers"] = {}, arrays: NamedArrays = {}): Letter => ({
  kind,
  numbers,
  arrays,
});

const end = letter("end");

type Job = (mail: Mail) => Promise<unknown>;

async function errorOf(work: () => Promise<unknown>): Promise<readonly [code: string | null, message: string] | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return [codeOf(error), messageOf(error)];
  }
}

/** What a worker does that answers each letter, until it is told that this is the end. */
async function answering(mail: Mail, answer: (letter: Letter) => Letter): Promise<number> {
  let answers = 0;
  for (;;) {
    const { from, letter: one } = await mail.next();
    if (one.kind === "end") return answers;
    mail.send(from, answer(one));
    answers++;
  }
}

function sendToAll(mail: Mail, one: Letter): void {
  for (let worker = 1; worker < mail.size; worker++) mail.send(worker, one);
}

/** The next letters of as many as there are workers, by sender. */
async function fromEach(mail: Mail): Promise<readonly Letter[]> {
  const found: Letter[] = [];
  for (let i = 1; i < mail.size; i++) {
    const { from, letter: one } = await mail.next();
    found[from - 1] = one;
  }
  return found;
}

export const jobs = {
  place: async ({ rank, size }) => ({ rank, size }),
  "numbers and arrays": async (mail) => {
    if (mail.rank > 0) {
      return answering(mail, ({ kind, numbers, arrays }) => {
        const own = Object.entries(arrays).map(([name, { shape, data }]) => {
          const doubled = Float32Array.from(data as Float32Array<ArrayBuffer>, (x) => x + mail.rank);
          return [name, float32(doubled, shape)] as const;
        });
        return letter(`${kind}!`, { ...numbers, rank: mail.rank }, Object.fromEntries(own));
      });
    }
    const found: unknown[] = [];
    for (const length of LENGTHS) {
      const arrays = { "a.b": float32(arrayOf(0, length), [length]), scalar: float32([length], []) };
      sendToAll(mail, letter("x", { length, half: 0.5, big: 2 ** 53 - 1, "not.finite": Number.NaN }, arrays));
      const answers = await fromEach(mail);
      found.push(
        answers.map(({ kind, numbers, arrays }, i) => {
          const expected = arrayOf(0, length).map((x) => Math.fround(x + i + 1));
          const data = arrays["a.b"]?.data as Float32Array;
          return [
            kind,
            String(numbers["not.finite"]),
            numbers.rank,
            numbers.half,
            numbers.big,
            arrays["a.b"]?.shape,
            arrays.scalar?.shape,
            arrays.scalar?.data[0],
            data.length === length && data.every((x, at) => x === expected[at]),
          ];
        }),
      );
    }
    sendToAll(mail, end);
    return found;
  },
  "many in order": async (mail) => {
    if (mail.rank > 0) {
      for (let i = 0; i < 300; i++) mail.send(0, letter("one", { i }, { a: float32([i], [1]) }));
      return (await mail.next()).letter.kind;
    }
    const next = new Map<number, number>();
    let isInOrder = true;
    for (let i = 0; i < 300 * (mail.size - 1); i++) {
      const { from, letter: one } = await mail.next();
      isInOrder &&= one.numbers.i === (next.get(from) ?? 0) && one.arrays.a?.data[0] === one.numbers.i;
      next.set(from, (next.get(from) ?? 0) + 1);
    }
    sendToAll(mail, end);
    return isInOrder;
  },
  "a wait that is called off": async (mail) => {
    if (mail.rank > 0) {
      const { letter: go } = await mail.next();
      mail.send(0, letter("late"));
      await mail.next();
      return go.kind;
    }
    const reason = await errorOf(() => mail.next(AbortSignal.abort(new Error("stopped before"))));
    const stop = new AbortController();
    const waiting = errorOf(() => mail.next(stop.signal));
    stop.abort(new Error("stopped while it waited"));
    const other = await waiting;
    sendToAll(mail, letter("go"));
    const late = await fromEach(mail);
    sendToAll(mail, end);
    return [reason?.[1], other?.[1], ...late.map(({ kind }) => kind)];
  },
  "a worker that gives up": async (mail) => {
    if (mail.rank === 1) mail.abort("the disk of this worker is full");
    // The others wait for letters that nobody sends; the leader then ends them.
    const first = await errorOf(() => mail.next());
    if (mail.rank === 0) mail.abort("the leader ends all");
    return [first, await errorOf(async () => mail.send(mail.rank === 0 ? 1 : 0, end))];
  },
  closed: async (mail) => {
    if (mail.rank > 0) {
      await mail.next();
      await mail.close();
      await mail.close();
      return errorOf(() => mail.next());
    }
    sendToAll(mail, end);
    await mail.close();
    return errorOf(async () => mail.send(1, end));
  },
} satisfies Readonly<Record<string, Job>>;

export type MailJob = keyof typeof jobs;

/** Run a job by its name. */
export function runMailJob(name: string, mail: Mail): Promise<unknown> {
  return (jobs as Readonly<Record<string, Job>>)[name]?.(mail) ?? Promise.reject(new Error(`no job ${name}`));
}
