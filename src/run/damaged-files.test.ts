/** A group whose own files are damaged goes on from the generation before, or is refused with the cure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTiny, type TinyOutcome } from "../../test/fixtures/group-run.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import { groupFiles } from "./saved-group.js";
import { readBest } from "./score.js";

const { checkpoint: CHECKPOINT, best: BEST } = groupFiles;

/** One bit of the last number in a file. */
async function flipBit(files: Store, name: string): Promise<void> {
  const bytes = ((await files.get(name)) ?? new Uint8Array()).slice();
  bytes[bytes.length - 1]! ^= 1;
  await files.put(name, bytes);
}

const damagesIn = ({ events }: TinyOutcome) =>
  events.flatMap((event) => (event.event === "file-damaged" ? [event.message] : []));
const startOf = ({ events }: TinyOutcome) =>
  events.flatMap((event) => (event.event === "group-start" ? [event.step] : []))[0];

test("a bit that flips in a checkpoint costs one interval and changes no result", async () => {
  const whole = await runTiny();
  const { files } = await runTiny();
  await flipBit(files, CHECKPOINT);
  const again = await runTiny({ files });
  assert.equal(again.reason, "finished");
  assert.equal(startOf(again), 40);
  const [message = "", ...more] = damagesIn(again);
  assert.match(
    message,
    /^checkpoint checkpoint\.safetensors is damaged: its SHA-256 .* kept as checkpoint\.damaged\.saf/,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(again.checkpoint?.state, whole.checkpoint?.state);
  assert.deepEqual(await files.get(BEST), await whole.files.get(BEST));
});

test("a group with no checkpoint that is whole does not begin anew by itself", async () => {
  const { files } = await runTiny();
  await flipBit(files, CHECKPOINT);
  await flipBit(files, "checkpoint.before.safetensors");
  await assert.rejects(runTiny({ files }), CheckpointError);
  await files.remove(CHECKPOINT);
  const half = await runTiny({ files });
  assert.match(String(half.reason), /checkpoint\.safetensors is missing, and so is the one before it .*to begin anew/);
  await files.remove("checkpoint.before.safetensors");
  const again = await runTiny({ files });
  assert.deepEqual([again.reason, startOf(again)], ["finished", 0]);
});

test("best params that are damaged are never shipped: the ones before count, or new ones are found when told", async () => {
  const { files } = await runTiny({ changes: { numSteps: 40 } });
  const best = await readBest(files);
  const before = await readBest(files, "best.before.safetensors");
  assert.ok(best && before && before.step < best.step, "the fixture improves at least twice");
  await flipBit(files, BEST);
  await assert.rejects(readBest(files), /best\.safetensors is damaged/);
  const again = await runTiny({ files, changes: { numSteps: 40 } });
  assert.match(damagesIn(again)[0] ?? "", /^best\.safetensors is damaged: .* The one before it takes its place/);
  assert.deepEqual(await readBest(files), before);
  await flipBit(files, BEST);
  await files.remove("best.before.safetensors");
  const refused = await runTiny({ files, changes: { numSteps: 40 } });
  assert.match(String(refused.reason), /best\.safetensors is damaged: .* remove best\.safetensors to begin anew/);
  await files.remove(BEST);
  const renewed = await runTiny({ files, changes: { numSteps: 40 } });
  assert.equal(renewed.reason, "finished");
  assert.deepEqual(await readBest(files), best, "the last step was the best one");
});

test("the checkpoint of another group is refused, whole as it is", async () => {
  const { files } = await runTiny({ groupIndex: 1, changes: { numSteps: 2 } });
  const { reason } = await runTiny({ files, groupIndex: 0, changes: { numSteps: 4 } });
  assert.match(
    String(reason),
    /checkpoint\.safetensors must be of group 0, whose folder it lies in, and is of group 1/,
  );
});
