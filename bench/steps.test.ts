import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { isAlive } from "../src/node/runs/process-identity.js";
import { end, eventually, start } from "../test/process/processes.js";
import type { SideFigures, StepsReport } from "./steps-report.js";

const stepsFile = fileURLToPath(new URL("steps.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "bench-steps-"));
after(() => rmSync(root, { recursive: true }));

const bench = (...args: string[]) => start(process.execPath, [stepsFile, ...args], { cwd: process.cwd() });

/** The JSON and the Markdown that a run wrote to a folder. */
function written(folder: string): { readonly json: string; readonly markdown: string } {
  const names = readdirSync(folder).sort();
  assert.deepEqual(
    names.map((name) => name.split(".").at(-1)),
    ["json", "md"],
  );
  const [json = "", markdown = ""] = names.map((name) => readFileSync(join(folder, name), "utf8"));
  return { json, markdown };
}

function checkSide(side: SideFigures | null, rounds: number, steps: number): asserts side {
  assert.ok(side);
  assert.deepEqual(
    side.rounds.map(({ length }) => length),
    Array(rounds).fill(steps),
  );
  const all = side.rounds.flat();
  assert.ok(all.every((ms) => ms > 0) && all.includes(side.medianMs), JSON.stringify(side));
  assert.ok(side.peakRssBytes > 1e7 && side.peakRssBytes < 1e10, `${side.peakRssBytes} bytes`);
}

describe("npm run bench", () => {
  it("measures steps of ours in processes and writes what it found", async () => {
    const out = join(root, "quick");
    const { code, shown } = await bench("flights", "--quick", "--threads", "1", "--no-torch", "--out", out).ended;
    assert.equal(code, 0, shown);
    const { json, markdown } = written(out);
    const report: StepsReport = JSON.parse(json);
    assert.equal(report.isComplete, true);
    assert.equal(report.versions.node, process.version);
    assert.match(report.versions["onnxruntime-node"] ?? "", /^\d+\.\d+\.\d+$/);
    assert.ok(report.machine.cores > 0 && report.machine.memoryBytes > 0);
    const [row, ...others] = report.results;
    assert.ok(row && others.length === 0);
    assert.deepEqual(
      [row.workload, row.threads, row.torch, row.ratio, row.roundRatios],
      ["flights", 1, null, null, []],
    );
    checkSide(row.ours, 1, 3);
    checkSide(row.products, 1, 3);
    const [first = 0, last = 1] = row.ours.losses ?? [];
    assert.ok(last < first, `the loss must fall, it went from ${first} to ${last}`);
    const ratio = row.ours.medianMs / row.products.medianMs;
    assert.ok(Math.abs((row.oursOverProducts ?? 0) / ratio - 1) < 1e-4, `${row.oursOverProducts} and ${ratio}`);
    assert.deepEqual(
      row.growth.map(({ step }) => step),
      [2, 6],
    );
    assert.ok(markdown.includes("| flights | 1 | ") && markdown.includes("without PyTorch"), markdown);
  });

  it("ends its process on Ctrl-C, and writes nothing when nothing was measured", async () => {
    const out = join(root, "stopped");
    const running = bench("flights", "--no-torch", "--steps", "1000000", "--out", out);
    try {
      const pid = await eventually(
        "its first process",
        () => Number(running.output().match(/\(process (\d+)\)/)?.[1]) || null,
        running.output,
      );
      running.child.kill("SIGINT");
      const { code, stderr, shown } = await running.ended;
      assert.equal(code, 130, shown);
      assert.match(stderr, /nothing was measured/);
      assert.equal(isAlive(pid), false, shown);
      assert.throws(() => readdirSync(out), /ENOENT/);
    } finally {
      await end(running);
    }
  });

  it("says in its report that it was stopped", async () => {
    const out = join(root, "stopped-later");
    const running = bench(
      "flights",
      "--no-torch",
      "--threads",
      "1",
      "--steps",
      "20",
      "--rounds",
      "100000",
      "--out",
      out,
    );
    try {
      await eventually("a figure", () => / ms a step/.test(running.output()) || null, running.output);
      running.child.kill("SIGTERM");
      const { code, shown } = await running.ended;
      assert.equal(code, 143, shown);
      const { json, markdown } = written(out);
      const { isComplete, results }: StepsReport = JSON.parse(json);
      assert.equal(isComplete, false);
      assert.ok((results[0]?.ours?.rounds.length ?? 0) > 0, json);
      assert.match(markdown, /^\d{4}-\S+Z, stopped before the end$/m);
    } finally {
      await end(running);
    }
  });

  it("refuses what it does not know, and says what there is", async () => {
    const { code, stderr, shown } = await bench("clicks").ended;
    assert.equal(code, 1, shown);
    assert.match(stderr, /one of click, flights, lstm/);
    const none = await bench("--threads", "0").ended;
    assert.equal(none.code, 1, none.shown);
    assert.match(none.stderr, /1 or more, got "0"/);
  });
});
