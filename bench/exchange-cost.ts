/**
 * What publishing and fetching cost the training loop: `npm run bench:exchange`, about ten minutes.
 *
 * The loop of `codistill()` on a threaded engine that has every core, so that work in the background counts too. In turn,
 * 50 steps that publish and fetch at the first of them, and 25 with the teacher that they then have. The second group is
 * another process, and the clock stands still while it publishes: it would do so on cores of its own.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { withHugePages } from "../src/node/launch/huge-pages.js";
import { sizeNamed, sizes } from "./exchange-sizes.js";
import { thisMachine } from "./machine.js";

type Figures = Readonly<Record<string, unknown>>;

/** The figures of one size, from a fresh process. */
async function measure(name: string): Promise<Figures> {
  const group = fork(fileURLToPath(new URL("./exchange-group.js", import.meta.url)), [name], {
    env: withHugePages(process.env),
  });
  const ended = once(group, "exit");
  const [figures] = await Promise.race([once(group, "message"), ended.then(([code]) => [code])]);
  await ended;
  if (typeof figures !== "object") throw new Error(`the group of ${name} params ended with ${figures}`);
  return figures;
}

function show({ pairs: _, ...figures }: Figures): void {
  for (const [what, value] of Object.entries(figures)) {
    const text = typeof value === "number" ? String(Math.round(value * 1e3) / 1e3) : String(value);
    process.stdout.write(`${what.padEnd(24)} ${text}\n`);
  }
  process.stdout.write("\n");
}

const machine = { ...thisMachine(), node: process.version, threads: availableParallelism() };
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(sizes);
const wanted = names.map((name) => ({ name, minutes: sizeNamed(name).minutes }));
const results: Figures[] = [];
for (const { name, minutes } of wanted) {
  process.stdout.write(`${name} params: about ${minutes} minutes on two cores\n`);
  const figures = await measure(name);
  results.push(figures);
  show(figures);
}

const rounded = (_: string, value: unknown) => (typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value);
const json = JSON.stringify({ bench: "exchange", date: new Date().toISOString(), machine, results }, rounded);
await mkdir("bench/results", { recursive: true });
await writeFile("bench/results/exchange.json", `${json}\n`);
