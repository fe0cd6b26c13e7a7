/**
 * The worst inputs. As a program it reads the one that another process has made, and prints by how many bytes the peak
 * of this process has grown: run by memory.test.
 */
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { readPointer, readSnapshot } from "../../src/checkpoint/snapshot.js";
import { memoryStore, type Store } from "../../src/checkpoint/store.js";
import { savedTeachers } from "../../src/codistill/saved-teachers.js";
import { CheckpointError, StoreError } from "../../src/errors.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { readSavedGroup } from "../../src/run/saved-group.js";
import { fileOf } from "./damage.js";

const MB = 1_000_000;
const NAME = "groups/1/snapshots/a";
const none = new Uint8Array();
const tensor = (size: number, begin: number) =>
  `{"dtype":"BOOL","shape":[${size}],"data_offsets":[${begin},${begin + size}]}`;
const list = (count: number, member: (at: number) => string) => Array.from({ length: count }, (_, at) => member(at));
const described = (description: string) =>
  fileOf(
    `{"__metadata__":{"format":"codistill.checkpoint","checkpoint":${JSON.stringify(description)}},${tensors(2000, 0)}}`,
    none,
  );
const tensors = (count: number, size: number) =>
  list(count, (at) => `"student.${at}":${tensor(size, at * size)}`).join();

/** Files that might be taken for more than they are. */
export const files: Readonly<Record<string, () => Uint8Array>> = {
  "60,000 tensors": () => fileOf(`{${tensors(60_000, 100)}}`, new Uint8Array(6 * MB)),
  "a shape of 990,000 axes": () =>
    fileOf(`{"a":{"dtype":"F32","shape":[${list(990_000, () => "0").join()}],"data_offsets":[0,0]}}`, none),
  "330,000 empty lists": () => fileOf(`{"a":[${list(330_000, () => "[]").join()}]}`, none),
  "2,000 tensors on the same 16 MB": () =>
    fileOf(`{${list(2000, (at) => `"${at}":${tensor(16 * MB, 0)}`).join()}}`, new Uint8Array(16 * MB)),
  "a header of 2^64 - 1 bytes": () => new Uint8Array(16).fill(255, 0, 8).fill(0x7b, 8),
  "a shape of 2^52 elements": () => fileOf(`{"a":${tensor(2 ** 52, 0)}}`, none),
  "a name of 32 MB that needs two bytes a letter": () =>
    fileOf(`{"\u0416${"x".repeat(32 * MB)}":${tensor(0, 0)}}`, none),
  "a shape that is a text of 32 MB": () =>
    fileOf(`{"a":{"dtype":"F32","shape":["\u0416${"x".repeat(32 * MB)}"],"data_offsets":[0,0]}}`, none),
  "32 MB that are no JSON": () => fileOf(`{${"\u0001".repeat(32 * MB)}`, none),
  "32 million brackets": () => fileOf(`{"a":${"[".repeat(32 * MB)}`, none),
  "100 MB of data": () => fileOf(`{"a":${tensor(100 * MB, 0)}}`, new Uint8Array(100 * MB)),
  "a checkpoint that names 4,000 teachers": () =>
    described(
      JSON.stringify({
        ...{ version: 2, group: 0, step: 1, incarnation: 1, model: "m" },
        sections: {
          ...{ student: { learningRateScale: 1 }, stream: { cursor: { epoch: 0, position: 0 } } },
          validation: { best: null, waiting: { loss: null, validations: 0 } },
          algorithm: {
            teachers: list(4000, () => "").map((_, group) => ({ group, step: 1, digest: "", seenAtStep: 1 })),
          },
        },
      }),
    ),
  "a checkpoint with 20,000 sections": () =>
    described(`{"version":2,"sections":{${list(20_000, (at) => `"s${at}":5`).join()}}}`),
  "a checkpoint with a description of 32 MB": () => described(`[${"[],".repeat(11 * MB)}[]]`),
};

/** Values of 64 GB in a folder; no disk holds them, but their sizes are true. */
async function hugeFiles(read: (store: Store) => Promise<unknown>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "codistill-"));
  try {
    const store = directoryStore(root);
    for (const name of [NAME, "groups/1/latest.json"]) {
      await store.put(name, none);
      const handle = await open(join(root, name), "r+");
      await handle.truncate(64_000 * MB);
      await handle.close();
    }
    await read(store);
  } finally {
    await rm(root, { recursive: true });
  }
}

const pointer = { version: 1, name: NAME, group: 1, step: 1, incarnation: 1, sha256: "0".repeat(64) } as const;
const reads: Readonly<Record<string, () => Promise<void>>> = {
  "a pointer of 64 GB": () => hugeFiles((store) => readPointer(store, 1)),
  "a snapshot of 64 GB": () => hugeFiles((store) => readSnapshot(store, { ...pointer, bytes: 1000 }, "m")),
  "a snapshot whose pointer says 64 GB": () =>
    hugeFiles((store) => readSnapshot(store, { ...pointer, bytes: 64_000 * MB }, "m", undefined, 1000)),
};

export const cases = [...Object.keys(files), ...Object.keys(reads)];

/** Read a file that another process made, so that the peak of making it does not hide that of reading it. */
async function grow(name: string, path: string): Promise<{ outcome: string; fileBytes: number; grownBytes: number }> {
  const file = files[name] ? new Uint8Array(await readFile(path)) : none;
  const isCheckpoint = name.startsWith("a checkpoint");
  const store = memoryStore();
  if (isCheckpoint) await store.put(NAME, file);
  globalThis.gc?.();
  const peak = () => process.resourceUsage().maxRSS * 1024;
  const before = peak();
  let outcome = "read";
  try {
    if (reads[name]) await reads[name]?.();
    else if (isCheckpoint) savedTeachers((await readSavedGroup(store, NAME))?.algorithm ?? { info: {}, arrays: {} });
    else decodeSafetensors(file);
  } catch (error) {
    if (!(error instanceof CheckpointError || error instanceof StoreError)) throw error;
    outcome = "refused";
  }
  return { outcome, fileBytes: file.length, grownBytes: peak() - before };
}

const [verb, name = "", path = ""] = process.argv.slice(2);
if (verb === "read") process.stdout.write(JSON.stringify(await grow(name, path)));
