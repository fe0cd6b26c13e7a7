/** A whole run from the command line on WebGPU, of two groups and of burn-in only: when teachers come is not determined. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import { workplace } from "../process/fixture.js";
import { resultOf } from "../process/results.js";

const place = workplace();

/** Losses of the steps in the log of group 0, and the loss on the test split of the model that is shipped. */
async function runOn(device: "cpu" | "webgpu") {
  const changes = {
    device,
    numSteps: 20,
    algorithm: { burnInSteps: 20 },
    validationInterval: 10,
    checkpointInterval: 10,
  };
  const run = place.train([await place.config(`${device}.json`, { ...changes, logInterval: 5 })]);
  const ended = await run.ended;
  assert.equal(ended.code, 0, ended.shown);
  const folder = await run.folder();
  const losses = readLog(folder.group(0).log).flatMap((event) => (event.event === "step" ? [event.labelLoss] : []));
  return { losses, groups: resultOf(folder).groups };
}

test("a run on WebGPU ends with the losses of the run on the CPU to 1e-4", async () => {
  const [cpu, webgpu] = [await runOn("cpu"), await runOn("webgpu")];
  assert.equal(webgpu.losses.length, 4);
  for (const [i, loss] of webgpu.losses.entries()) assert.ok(Math.abs(loss - (cpu.losses[i] ?? 0)) < 1e-4, `${loss}`);
  assert.equal(webgpu.groups.length, 2);
});
