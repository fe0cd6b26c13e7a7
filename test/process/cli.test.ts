/** The command line as users meet it: help, mistakes, and whole runs in a pipe. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { sha256 } from "../../src/checkpoint/digest.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { assertDisjoint, rowsOfSlots, slotsOf } from "../../src/data/shard.js";
import * as ort from "../../src/node/ort/library.js";
import { readLog } from "../../src/node/runs/read-log.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { openTable } from "../../src/node/table/ingest.js";
import { groupFiles } from "../../src/run/saved-group.js";
import { eventsOf, logsOf, mainFile, ofKind, workplace } from "./fixture.js";
import type { Ended } from "./processes.js";
import { bestOf, checkpointOf, resultOf } from "./results.js";
import { csvHeader, tinyConfig, tinyCsv } from "./tiny.js";

const place = workplace();
const short = ["--set", "numSteps=60"];

/** A user's mistake: exit code 2 and a message, no stack, nothing else. */
function checkRefused({ code, stderr, shown }: Ended, ...patterns: readonly RegExp[]): void {
  assert.equal(code, 2, shown);
  assert.match(stderr, /^codistill: /, shown);
  assert.equal(stderr.match(/codistill: /g)?.length, 1, shown);
  assert.doesNotMatch(stderr, /\n\s+at /, shown);
  for (const pattern of patterns) assert.match(stderr, pattern, shown);
}

test("a command that shares a process with others ends as in one of its own", async () => {
  for (const args of [
    ["train", "--help"],
    ["trian", "config.json"],
    ["train", "none.json"],
    ["runs", "nothing"],
  ]) {
    const { shown: _, ...alone } = await place.codistill(args).ended;
    const { shown, ...shared } = await place.command(args);
    assert.deepEqual(shared, alone, shown);
  }
});

test("help and version", async () => {
  const help = await place.command(["--help"]);
  assert.equal(help.code, 0, help.shown);
  assert.match(help.stdout, /^Usage: codistill .*train/s, help.shown);
  const trainHelp = await place.command(["train", "--help"]);
  assert.equal(trainHelp.code, 0, trainHelp.shown);
  assert.deepEqual(
    trainHelp.stdout.match(/--[a-z-]+(?= <|$| {2})/gm),
    [
      ...["--data", "--label", "--field", "--separator", "--numeric", "--categorical", "--ignore", "--time"],
      ...["--group-by", "--weight", "--teacher", "--anchor", "--teacher-weight", "--positive", "--task"],
      ...["--target-scale", "--columns", "--time-budget", "--preset"],
      ...["--encoding", "--delimiter", "--null-values", "--decimal", "--date-format", "--max-bad-rows"],
      ...["--images", "--classes"],
      ...[
        "--set",
        "--runs",
        "--folder",
        "--init",
        "--resume",
        "--store",
        "--group",
        "--stop-after",
        "--write",
        "--json",
      ],
      ...["--cache", "--help"],
    ],
    `a flag is new or gone: ${trainHelp.shown}`,
  );
  const version = await place.command(["--version"]);
  assert.equal(version.code, 0, version.shown);
  const { version: own } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  assert.equal(version.stdout, `${own}\n`, version.shown);
});

test("output that cannot be written is told of, and fails a command that leaves no log", async (t) => {
  if (!existsSync("/dev/full")) return t.skip("needs a device that is always full");
  const args = ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, mainFile, "runs", place.path()];
  const { code, stderr, shown } = await place.start("sh", args).ended;
  assert.equal(code, 1, shown);
  assert.match(stderr, /^codistill: standard output cannot be written: ENOSPC/, shown);
});

test("a run begins from given weights, and from no others when it is gone on with", async () => {
  const weights = (await place.finishedCopy()).model.safetensors;
  // A learning rate that rounds to nothing: what is best is what the groups began from.
  const still = ["--set", 'optimizer={"kind":"sgd","learningRate":1e-30}'];
  const run = place.train([await place.config("config.json"), ...short, ...still, "--init", weights]);
  assert.equal((await run.ended).code, 0, run.output());
  const folder = await run.folder();
  const { tensors } = decodeSafetensors(readFileSync(weights));
  for (const group of [0, 1]) assert.deepEqual((await bestOf(folder, group))?.params, tensors, run.output());
  const { init } = JSON.parse(readFileSync(folder.config, "utf8"));
  const own = readFileSync(weights);
  assert.deepEqual(init, { path: "init.safetensors", sha256: await sha256(own) });

  // The run has a copy, which another file at the path that was given is nothing to.
  for (const group of [0, 1]) rmSync(join(folder.group(group).path, groupFiles.checkpoint));
  writeFileSync(weights, encodeSafetensors(tensors, { name: "another" }));
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
  assert.match(resumed.stdout, /^warning: the init .* has changed since the run began .* goes on with its own copy/m);
  writeFileSync(join(folder.path, "init.safetensors"), readFileSync(weights));
  checkRefused(
    await place.command(["train", "--resume", folder.path]),
    /init: a run goes on with its own init, and .* has changed/,
  );
  // Of other rows the same ids are of other names.
  await place.write("other.csv", readFileSync(place.path("rows.csv"), "utf8").replaceAll("Kyiv", "Oulu"));
  const { model } = (await place.finished()).folder;
  const moved = await place.train([
    ...[place.path("config.json"), ...short, "--set", "data.source=other.csv", "--init", model.safetensors],
  ]).ended;
  assert.notEqual(moved.code, 0, moved.shown);
  const refusal = /init: weights begin a run whose names or tokens have the ids that they had.*--anchor model\.onnx/;
  assert.match(`${moved.stdout}${moved.stderr}`, refusal, moved.shown);
  // The same columns and rows, with another order of the numbers, or another positive class.
  const { data } = JSON.parse(readFileSync(place.path("config.json"), "utf8"));
  const { label } = data;
  const turned = { label: `case when ${label} then 'no' else 'yes' end`, positive: "yes" };
  const changes = [
    [`data=${JSON.stringify({ ...data, numeric: { longer: Object.values(data.numeric)[0] } })}`, /numbers: SHA-256/],
    [`data=${JSON.stringify({ ...data, ...turned })}`, /the same classes of the label.*labelClasses: SHA-256/],
  ] as const;
  for (const [change, pattern] of changes) {
    const other = await place.train([
      ...[place.path("config.json"), ...short, "--set", change, "--init", model.safetensors],
    ]).ended;
    assert.notEqual(other.code, 0, other.shown);
    assert.match(`${other.stdout}${other.stderr}`, pattern, other.shown);
  }

  const missing = await place.command(["train", place.path("config.json"), "--init", "none.safetensors"]);
  checkRefused(missing, /init: must be a safetensors file that can be read: ENOENT/);
});

test("runs are listed and inspected", async () => {
  const { folder } = await place.finished();
  const runs = dirname(folder.path);
  const listed = await place.command(["runs", runs]);
  assert.match(listed.stdout, /^run .*\n.*tiny-.* finished +60\/60 +2 +0\.\d{4}\n$/, listed.shown);
  const asJson = await place.command(["runs", runs, "--json"]);
  assert.deepEqual(
    JSON.parse(asJson.stdout).map(({ state }: { state: string }) => state),
    ["finished"],
    asJson.shown,
  );
  const none = await place.command(["runs", place.path("nothing")]);
  assert.match(none.stdout, /^no runs in .*nothing; start one with codistill train\n$/, none.shown);
  for (const [path, pattern] of [
    [folder.path, /finished[\s\S]*group 1 [\s\S]*configuration in .*\.json;/],
    [join(folder.group(0).path, "checkpoint.safetensors"), /^codistill\.checkpoint, [\s\S]*params\.layers\.0\.weight/],
    [folder.model.onnx, /^ONNX model by codistill, [\s\S]*probability +float32\[batch\]/],
  ] as const) {
    const { code, stdout, shown } = await place.command(["inspect", path]);
    assert.equal(code, 0, shown);
    assert.match(stdout, pattern, shown);
    const json = await place.command(["inspect", path, "--json"]);
    assert.match(JSON.parse(json.stdout).kind, /^(run|safetensors|onnx)$/, json.shown);
  }
  checkRefused(await place.command(["inspect", folder.data]), /data\.json is none/);
  for (const args of [
    ["train", "--data", runs, "--label", "late"],
    ["describe", "--data", runs],
    ["evaluate", folder.model.onnx, runs],
  ])
    checkRefused(
      await place.command(args),
      /runs-0 is a folder of runs \(.*--resume .*tiny-.*codistill runs .*runs-0\n/,
    );
  checkRefused(await place.command(["train", "--data", folder.path]), /tiny-.* is the folder of a run\. Go on/);
});

test("what a finished run leaves is told, and removed when that is asked for", async () => {
  const folder = await place.finishedCopy();
  const clean = (...args: string[]) => place.command(["clean", dirname(folder.path), ...args]);
  const said = await clean("--checkpoints");
  assert.equal(said.code, 0, said.shown);
  assert.match(said.stdout, /^what .*\ncheckpoints of .*\ntotal .*\nnothing is removed yet; add --yes/, said.shown);
  const planned = JSON.parse((await clean("--checkpoints", "--json")).stdout);
  assert.deepEqual([planned.removals.length, planned.freedBytes], [1, 0], said.shown);
  assert.ok((await checkpointOf(folder, 0)) && (await checkpointOf(folder, 1)), said.shown);
  const done = await clean("--checkpoints", "--yes");
  assert.match(done.stdout, /\nfreed \d+\.\d k?B\n$/, done.shown);
  for (const group of [0, 1]) {
    assert.equal(await checkpointOf(folder, group), null, done.shown);
    assert.ok(await bestOf(folder, group), done.shown);
  }
  for (const file of [folder.result, folder.model.onnx, folder.log]) assert.ok(existsSync(file), file);
  assert.equal((await clean("--checkpoints")).stdout, "nothing to remove\n");
  checkRefused(await place.command(["clean", place.path("nothing")]), /nothing holds no run/);
  const help = await place.command(["clean", "--help"]);
  assert.match(help.stdout, /Examples:\n {2}codistill clean/, help.shown);
});

test("shards are shown before anything is trained, and are those that a run trains on", async () => {
  const config = await place.config("config.json");
  const help = await place.command(["shards", "--help"]);
  assert.match(help.stdout, /Examples:\n {2}codistill shards/, help.shown);
  const shown = await place.command(["shards", config]);
  assert.equal(shown.code, 0, shown.shown);
  assert.match(
    shown.stdout,
    /^regime "disjoint"[\s\S]*\ngroup 1 [\s\S]*\ngroups 0 and 1 +0 +0\n\ndisjoint: /,
    shown.shown,
  );
  const { folder } = await place.finished();
  const { cache } = JSON.parse(readFileSync(folder.data, "utf8"));
  const { train } = await openTable(place.path(cache));
  const trained = [0, 1].map((group) => ofKind(eventsOf(folder, group), "group-start")[0]?.trainRows);
  const dealt = [0, 1, 2].map((group) => rowsOfSlots(train.slotOffsets, slotsOf(group, 3)).length);
  for (const rows of [trained, dealt]) {
    const asJson = await place.command(["shards", config, "--json", "--set", `numGroups=${rows.length}`]);
    assert.equal(asJson.code, 0, asJson.shown);
    const { groups } = JSON.parse(asJson.stdout) as { groups: { rows: number }[] };
    assert.deepEqual(
      groups.map((group) => group.rows),
      rows,
    );
  }
  checkRefused(await place.command(["shards", config, "--set", "data.label=lat"]), /"lat" not found/);
});

test("an unknown command or flag is refused with a hint", async () => {
  for (const [args, pattern] of [
    [["trian", "config.json"], /unknown command 'trian'\n\(Did you mean train\?\)/],
    [["train", "config.json", "--sett", "numSteps=3"], /unknown option '--sett'\n\(Did you mean --set\?\)/],
    [["train", "one.json", "two.json"], /too many arguments/],
    [["train", "--runs"], /argument missing/],
  ] as const) {
    const { code, stdout, stderr, shown } = await place.command(args);
    assert.equal(code, 2, shown);
    assert.match(stderr, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
    assert.equal(stdout, "", shown);
  }
});

test("a wrong configuration is refused before anything is written", async () => {
  const config = await place.config("config.json");
  const runs = place.path("runs-wrong");
  const cases: readonly [args: readonly string[], ...patterns: RegExp[]][] = [
    [[], /train needs a configuration/],
    [[place.path("none.json")], /no configuration at .*none\.json/],
    [[await place.write("torn.json", "{")], /torn\.json does not load/],
    [[await place.write("five.json", "5"), ...short], /configuration/],
    [[await place.write("throws.ts", 'throw new Error("boom")')], /throws\.ts does not load: boom/],
    [[await place.write("function.ts", "export default () => 1")], /must be plain data/],
    [[config, "--set", "numStep=3"], /numStep: unknown name; did you mean "numSteps"\?/],
    [[config, "--set", "optimizer.kind=adm", "--set", "numSteps=0"], /2 problems/, /optimizer/, /numSteps/],
    [[config, "--set", "numSteps"], /--set needs path=value/],
    [[config, "--set", "algorithm.burnInSteps=300"], /burnInSteps: .*numSteps \(200\), got 300/],
  ];
  for (const [args, ...patterns] of cases) {
    const ended = await place.command(["train", ...args, "--runs", runs]);
    checkRefused(ended, ...patterns);
    assert.equal(ended.stdout, "", ended.shown);
    assert.ok(!existsSync(runs), ended.shown);
  }
});

test("data that does not do is refused with one message, before any group starts", async () => {
  const config = await place.config("config.json");
  const runs = place.path("refused");
  for (const [override, ...patterns] of [
    ["data.label=lat", /label/, /Referenced column "lat" not found/, /late/],
    ["data.label=city", /label/],
    ["data.source=none.csv", /no file matches .*none\.csv/],
    ["data.split.train=1 = 0", /train/],
    ["data.split.validation=1 = 0", /validation/],
    ["data.split.test=1 = 0", /test/],
    ["globalBatchSize=4000", /4000 rows.* group \d of 2 has \d+\. Lower globalBatchSize/],
    ['optimizer.multipliers={"*.biass":2}', /optimizer\.multipliers: "\*\.biass" must match a param/],
  ] as const) {
    const ended = await place.command(["train", config, "--set", override, "--runs", runs]);
    checkRefused(ended, ...patterns);
    const [name = "", ...others] = readdirSync(runs);
    const folder = runFolder(join(runs, name));
    assert.ok(existsSync(folder.log) && !existsSync(folder.group(0).path) && !existsSync(folder.result), ended.shown);
    assert.deepEqual(others, []);
    rmSync(runs, { recursive: true });
  }
});

test("a run goes on once its missing data is there, and not when it has changed: then what it has is left alone", async () => {
  const data = { ...tinyConfig.data, source: "later.csv" };
  const run = place.train([await place.config("config.json", { data, numGroups: 1 }), ...short]);
  checkRefused(await run.ended, /later\.csv/);
  const folder = await run.folder();
  const source = await place.write("later.csv", tinyCsv());
  checkTable(await place.resume(folder).ended, 1);
  const model = readFileSync(folder.model.onnx);
  await place.write("later.csv", tinyCsv().replaceAll("Lima", "Oslo"));
  checkRefused(await place.command(["train", "--resume", folder.path]), /data it began with/);
  assert.deepEqual(readFileSync(folder.model.onnx), model);
  writeFileSync(source, tinyCsv());
  const resumed = await place.resume(folder).ended;
  assert.equal(resumed.code, 0, resumed.shown);
});

test("what goes wrong in a group's process reaches the user, who has to mend it: it is not started again", async () => {
  const optimizer = { kind: "sgd", learningRate: 1e30, schedule: "constant" } as const;
  const run = place.train([await place.config("config.json", { optimizer, restarts: 3 })]);
  const { code, stdout, stderr, shown } = await run.ended;
  assert.equal(code, 1, shown);
  for (const group of [0, 1]) {
    assert.match(stdout, new RegExp(`group ${group} failed: losses and gradients must stay finite`), shown);
    const events = eventsOf(await run.folder(), group);
    assert.equal(ofKind(events, "group-start").length, 1, shown);
    assert.equal(ofKind(events, "group-end").at(-1)?.code, "TRAINING", shown);
  }
  assert.match(stderr, /^codistill: train: group 0 .*must stay finite.*Lower optimizer\.learningRate/, shown);
  assert.doesNotMatch(stderr, /\n\s+at /, shown);
});

test("a run in a pipe: plain lines, a table, and everything in its folder", async () => {
  const { pid, folder, ended } = await place.finished();
  const { code, stdout, stderr, shown } = ended;
  assert.equal(code, 0, shown);
  assert.equal(stderr, "", shown);
  assert.ok(!stdout.includes("\u001b") && !stdout.includes("\r"), shown);
  assert.match(stdout, /^tiny: 2 groups, 60 steps, burn-in 50$/m, shown);
  assert.match(stdout, /^group 1 +60\/60 +finished/m, shown);
  checkTable(ended, 2);

  const files = [folder.config, folder.log, folder.data, folder.result, folder.model.onnx, folder.model.safetensors];
  for (const file of [...files, `${folder.store}/run.json`])
    assert.ok(existsSync(file), `${file} is missing. ${shown}`);
  for (const group of [0, 1]) {
    assert.equal((await checkpointOf(folder, group))?.info.step, 60, shown);
    assert.equal((await bestOf(folder, group))?.step, resultOf(folder).groups[group]?.step, shown);
    assert.equal(existsSync(`${folder.store}/groups/${group}/latest.json`), true, shown);
  }
  for (const file of files.slice(4, 6)) assert.ok(stdout.includes(file), shown);
  assert.equal(JSON.parse(readFileSync(folder.config, "utf8")).numSteps, 60, shown);

  for (const log of logsOf(folder)) {
    const lines = readFileSync(log, "utf8").split("\n");
    assert.equal(lines.pop(), "", `${log} ends with a whole line. ${shown}`);
    for (const line of lines) {
      const { event, time } = JSON.parse(line);
      assert.equal(typeof event, "string", line);
      assert.equal(new Date(time).toISOString(), time, line);
    }
  }
  const pids = [0, 1].flatMap((group) => ofKind(eventsOf(folder, group), "group-start").map(({ pid }) => pid));
  assert.equal(new Set([pid, process.pid, ...pids]).size, 4, shown);
  await checkShards(folder, 2, shown);
  await checkServes(folder, shown);
});

test("a run tells its events as JSON when that is asked for, and nothing else on standard output", async () => {
  const run = place.train([await place.config("json.json", { numGroups: 1 }), "--json", "--set", "numSteps=60"]);
  const { code, stdout, stderr, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const folder = await run.folder();
  const logged = [readLog(folder.log), readLog(folder.group(0).log)].flat();
  const keys = (list: readonly { time: string; event: string }[]) =>
    list.map(({ time, event }) => `${time} ${event}`).sort();
  assert.deepEqual(keys(events), keys(logged), shown);
  const { result } = events.find(({ event }) => event === "result");
  assert.deepEqual(result.groups, JSON.parse(JSON.stringify(resultOf(folder).groups)), shown);
  assert.match(stderr, /^model +.*model\.onnx/m, shown);
});

test("a TypeScript configuration is loaded with its types", async () => {
  const config = await place.write(
    "typed.config.ts",
    `interface Named { readonly name: string }
     const groups: number = 3;
     export default { ...(${JSON.stringify(tinyConfig)} as const satisfies Named), numGroups: groups };`,
  );
  const { code, stdout, shown } = await place.command(["shards", config]);
  assert.equal(code, 0, shown);
  assert.match(stdout, /\ngroup 2 /, shown);
});

/** The final table says of each group what the result says, and so of the ensemble. */
function checkTable({ code, stdout, shown }: Ended, numGroups: number): void {
  assert.equal(code, 0, shown);
  const measured = ["log loss", "AUC", "accuracy", "ECE"].map((title) => `test ${title}`);
  const head = [...measured, "validation", "at step", "steps/s", "published", "fetched"].join(" +");
  assert.match(stdout, new RegExp(`^ +${head}`, "m"), shown);
  const figures = measured.map(() => "0\\.\\d{4}");
  const speed = String.raw`[\d,]+(?:\.\d+)?`;
  const bytes = String.raw`[\d.]+ k?B`;
  for (let group = 0; group < numGroups; group++) {
    const cells = [`group ${group}`, ...figures, "0\\.\\d{4}", "\\d+", speed, bytes, bytes];
    const row = new RegExp(`^${cells.join(" +")}${group === 0 ? " +shipped" : ""}$`, "m");
    assert.match(stdout, row, shown);
  }
  assert.equal(new RegExp(`^ensemble +${figures.join(" +")}$`, "m").test(stdout), numGroups > 1, shown);
  assert.equal(/^disagreement between the groups .*: 0\.\d{4}$/m.test(stdout), numGroups > 1, shown);
}

test("groups train on all data, or on the same shard, when the regime says so; with a weight of 0 none teaches", async () => {
  const config = await place.config("config.json");
  for (const [regime, weight] of [
    ["all", 0],
    ["same", 1],
  ] as const) {
    const run = place.train([
      config,
      ...short,
      "--set",
      `data.regime=${regime}`,
      "--set",
      `algorithm.distillWeight=${weight}`,
    ]);
    const ended = await run.ended;
    checkTable(ended, 2);
    const { shown } = ended;
    const folder = await run.folder();
    const { cache } = JSON.parse(readFileSync(folder.data, "utf8"));
    const { train } = await openTable(place.path(cache));
    const numRows = regime === "all" ? train.numRows : rowsOfSlots(train.slotOffsets, slotsOf(0, 2)).length;
    for (const group of [0, 1]) {
      const events = eventsOf(folder, group);
      assert.equal(ofKind(events, "group-start")[0]?.trainRows, numRows, shown);
      const steps = ofKind(events, "step");
      assert.ok(steps.length > 0 && (weight > 0 || steps.every(({ distillLoss }) => distillLoss === null)), shown);
    }
  }
});

/** The groups' rows, by the log and as each group reads them, are parts of the training rows without overlap. */
async function checkShards(folder: RunFolder, numGroups: number, shown: string): Promise<void> {
  const { cache } = JSON.parse(readFileSync(folder.data, "utf8"));
  const table = await openTable(place.path(cache));
  const shards = Array.from({ length: numGroups }, (_, group) =>
    rowsOfSlots(table.train.slotOffsets, slotsOf(group, numGroups)),
  );
  assertDisjoint(shards);
  const seen = new Set<string>();
  for (const [group, shard] of shards.entries()) {
    const logged = ofKind(eventsOf(folder, group), "group-start")[0]?.trainRows;
    assert.equal(logged, shard.length, shown);
    const { train } = await openTable(place.path(cache), { slots: slotsOf(group, numGroups) });
    for (const row of rowsOfSlots(train.slotOffsets, slotsOf(group, numGroups))) {
      const record = train.read([row]).join();
      assert.ok(!seen.has(record), `group ${group} has a row of another: ${record}. ${shown}`);
      seen.add(record);
    }
  }
  assert.equal(seen.size, table.train.numRows, shown);
}

/** The shipped model gives, in plain ONNX Runtime and on the words of the file, the loss that was reported. */
async function checkServes(folder: RunFolder, shown: string): Promise<void> {
  const session = await ort.InferenceSession.create(folder.model.onnx);
  assert.deepEqual([...session.inputNames].sort(), ["city", "hour", "kind", "size"], shown);
  const names = csvHeader.split(",");
  const rows = tinyCsv().trim().split("\n").slice(1);
  const all = rows.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i], cell])));
  const test = all.filter(({ date }) => date !== undefined && date >= "2001-05-11");
  const texts = (name: string) =>
    new ort.Tensor(
      "string",
      test.map((row) => row[name] ?? ""),
      [test.length],
    );
  const size = new ort.Tensor(
    "float64",
    test.map((row) => Number(row.size)),
    [test.length],
  );
  const feeds = { city: texts("city"), kind: texts("kind"), hour: texts("hour"), size };
  const { probability } = await session.run(feeds);
  const probs = probability?.data as Float32Array;
  const ofTruth = test.map(({ late }, i) => (late === "true" ? (probs[i] ?? 0) : 1 - (probs[i] ?? 0)));
  const loss = ofTruth.reduce((sum, p) => sum - Math.log(p), 0) / test.length;
  const { groups, testRows } = resultOf(folder);
  assert.equal(test.length, testRows, shown);
  assert.ok(Math.abs(loss - (groups[0]?.testLoss ?? 0)) < 1e-5, `a loss of ${loss} from the model file. ${shown}`);
  assert.ok(loss < 0.65, `a loss of ${loss}: nothing was learned. ${shown}`);

  const one = (value: string) => new ort.Tensor("string", [value], [1]);
  const unknown = {
    city: one("Atlantis"),
    kind: one(""),
    hour: one("h3"),
    size: new ort.Tensor("float64", [Number.NaN], [1]),
  };
  const guess = (await session.run(unknown)).probability?.data[0];
  assert.ok(typeof guess === "number" && guess > 0 && guess < 1, shown);
  await session.release();
  const { tensors } = decodeSafetensors(readFileSync(folder.model.safetensors));
  const numParams = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  assert.equal(numParams, ofKind(eventsOf(folder, 0), "group-start")[0]?.numParams, shown);
}

test("groups train on what their filters want, and what none wants is counted", async () => {
  const filters = ["kind = 'bus'", "kind = 'train'"];
  const config = await place.config("config.json", { data: { ...tinyConfig.data, filters } });
  const run = place.train([config, ...short]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  const folder = await run.folder();
  const [names = [], ...rows] = tinyCsv()
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const cell = (row: readonly string[], name: string) => row[names.indexOf(name)] ?? "";
  const numOf = (kind: string) =>
    rows.filter((row) => cell(row, "date") < "2001-04-21" && cell(row, "kind") === kind).length;
  for (const [group, kind] of ["bus", "train"].entries())
    assert.equal(ofKind(eventsOf(folder, group), "group-start")[0]?.trainRows, numOf(kind), shown);
  assert.ok(stdout.includes(`${numOf("plane").toLocaleString("en")} more training rows match no filter`), shown);
  const shards = await place.command(["shards", config]);
  assert.ok(shards.stdout.includes(`${numOf("plane").toLocaleString("en")} more match no filter`), shards.shown);
  for (const [override, pattern] of [
    ["data.regime=all", /data\.filters: must be left out unless data\.regime is "disjoint", and it is "all"/],
    ["numGroups=3", /data\.filters: must list one predicate for each of 3 groups, got 2/],
  ] as const) {
    checkRefused(await place.command(["shards", config, "--set", override]), pattern);
  }
});
