import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyInput } from "../../../test/fixtures/tiny-run.js";
import { tokenizerFile } from "../../data/text/byte-level.js";
import { CheckpointError, ConfigError, DataError } from "../../errors.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import { textReader } from "../text/text-reader.js";
import { loadConfig } from "./load-config.js";
import { checkOwnFiles, takeOwnFiles, withOwnFiles, withOwnNames } from "./own-files.js";
import { encodeRunFile } from "./run-file.js";
import { type RunFolder, runFolder } from "./run-folder.js";

const root = mkdtempSync(join(tmpdir(), "codistill-own-files-"));
after(() => rmSync(root, { recursive: true }));
const path = (...names: string[]) => join(root, ...names);

const first = JSON.stringify(tokenizerFile([[104, 105]]));
writeFileSync(path("t.json"), first);
writeFileSync(path("weights.safetensors"), "weights");
const text = {
  name: "books",
  data: { kind: "text", source: "books/*.txt", tokenizer: "t.json" },
  model: { kind: "lstm" },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  algorithm: { burnInSteps: 10 },
  numSteps: 100,
  globalBatchSize: 8,
  init: "weights.safetensors",
};
writeFileSync(path("text.json"), JSON.stringify(text));
writeFileSync(path("table.json"), JSON.stringify(tinyInput()));

/** Tokenizers are looked at, and nothing is told. */
const quiet = { check: textReader.checkOwnFile, tell: assert.fail };
const begun = async (name: string): Promise<{ folder: RunFolder; config: RunConfig }> => {
  const folder = runFolder(path(name));
  mkdirSync(folder.path);
  const config = await takeOwnFiles(await loadConfig(path("text.json")), folder, quiet);
  writeFileSync(folder.config, encodeRunFile(withOwnNames(config, folder)));
  return { folder, config };
};
const tokenizerOf = (config: RunConfig) => configOfKind(config, "text", "this").data.tokenizer;
const initOf = ({ init }: RunConfig) => (typeof init === "object" ? init.path : assert.fail());
const refused = (work: Promise<unknown>, pattern: RegExp) =>
  assert.rejects(work, (error) => error instanceof ConfigError && pattern.test(error.message));

test("a run reads its own copies, wherever its folder is and whatever becomes of the files", async () => {
  const { folder, config } = await begun("run");
  assert.deepEqual(
    [tokenizerOf(config), initOf(config)],
    [path("run", "tokenizer.json"), path("run", "init.safetensors")],
  );
  renameSync(folder.path, path("moved"));
  const moved = runFolder(path("moved"));
  const saved = await loadConfig(moved.config);
  writeFileSync(path("t.json"), "another");
  const told: string[] = [];
  const again = await takeOwnFiles(saved, moved, { ...quiet, tell: (message) => told.push(message) });
  assert.equal(readFileSync(tokenizerOf(again), "utf8"), first);
  assert.equal(readFileSync(initOf(again), "utf8"), "weights");
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? "",
    /^the tokenizer .*t\.json has changed since the run began \(SHA-256 \w{8} then, \w{8} now\): the run goes on with its own copy/,
  );
  // What lies there may be of any kind.
  rmSync(path("t.json"));
  mkdirSync(path("t.json"));
  assert.deepEqual(await takeOwnFiles(saved, moved, quiet), again);
  rmSync(path("t.json"), { recursive: true });
  writeFileSync(path("t.json"), first);
});

test("a run goes on with a configuration that names equal files, and with no other", async () => {
  const { folder, config } = await begun("equal");
  cpSync(path("t.json"), path("copy.json"));
  const other = { ...text, data: { ...text.data, tokenizer: "copy.json" } };
  writeFileSync(path("other.json"), JSON.stringify(other));
  assert.deepEqual(await withOwnFiles(await loadConfig(path("other.json")), folder), config);
  writeFileSync(path("copy.json"), "another");
  await refused(
    withOwnFiles(await loadConfig(path("other.json")), folder),
    /^data\.tokenizer: a run goes on with the tokenizer it began with .*copy\.json is another one/,
  );
});

test("a copy that has changed is refused", async () => {
  for (const [name, says] of [
    [
      "tokenizer.json",
      /^data\.tokenizer: a run goes on with its own tokenizer, and .* has changed .*it was a copy of .*t\.json/,
    ],
    ["init.safetensors", /^init: a run goes on with its own init, and .* has changed/],
  ] as const) {
    const { folder, config } = await begun(`changed-${name}`);
    await checkOwnFiles(config, folder);
    writeFileSync(join(folder.path, name), "spoilt");
    await refused(takeOwnFiles(config, folder, quiet), says);
    await refused(checkOwnFiles(config, folder), says);
    rmSync(join(folder.path, name));
    await refused(checkOwnFiles(config, folder), / is gone\. Put it back/);
  }
});

test("a tokenizer that is none is refused by the name that was given, and no copy is kept", async () => {
  writeFileSync(path("none.json"), "{}");
  writeFileSync(path("text-none.json"), JSON.stringify({ ...text, data: { ...text.data, tokenizer: "none.json" } }));
  const folder = runFolder(path("none"));
  mkdirSync(folder.path);
  await assert.rejects(
    takeOwnFiles(await loadConfig(path("text-none.json")), folder, quiet),
    (error) => error instanceof DataError && error.message.includes(path("none.json")),
  );
  assert.deepEqual(readdirSync(folder.path), []);
});

test("a damaged record of where copies came from is refused", async () => {
  for (const [i, damaged] of ["rubbish", "[]", '{"tokenizer":{"from":3}}'].entries()) {
    const { folder, config } = await begun(`damaged-${i}`);
    writeFileSync(folder.ownFiles, damaged);
    await assert.rejects(
      checkOwnFiles(config, folder),
      (error) => error instanceof CheckpointError && /own-files\.json is damaged: /.test(error.message),
    );
  }
});

test("weights that have changed since they were noted are refused before the run begins", async () => {
  const config = await loadConfig(path("text.json"));
  const folder = runFolder(path("late"));
  mkdirSync(folder.path);
  writeFileSync(path("weights.safetensors"), "others");
  await refused(
    takeOwnFiles(config, folder, quiet),
    /^init: a run begins from the weights it was given, and .* has changed/,
  );
  writeFileSync(path("weights.safetensors"), "weights");
});

test("a run that takes nothing from outside, or began in an earlier version, has no copies", async () => {
  const table = await loadConfig(path("table.json"));
  const folder = runFolder(path("without"));
  mkdirSync(folder.path);
  assert.deepEqual(await takeOwnFiles(table, folder, quiet), table);
  writeFileSync(folder.data, encodeRunFile({ cache: "cache", digest: "digest" }));
  const config = await loadConfig(path("text.json"));
  assert.deepEqual(await takeOwnFiles(config, folder, quiet), config);
});
