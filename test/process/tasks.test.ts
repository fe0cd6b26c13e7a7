/** A run of several classes from the command line: its report, its model, its shards, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, ofKind, workplace } from "./fixture.js";
import { resultOf } from "./results.js";
import { tinyConfig } from "./tiny.js";

const place = workplace();

test("a run of classes is trained, reported, inspected and its shards described; a weight of no class is refused", async () => {
  const data = { ...tinyConfig.data, label: "case when late then city else kind end" };
  const config = await place.config("classes.json", { task: { kind: "multiclass", labelSmoothing: 0.1 }, data });
  const run = place.train([config, "--set", "numSteps=60"]);
  const { code, stdout, shown } = await run.ended;
  assert.equal(code, 0, shown);
  assert.match(stdout, /test log loss +test AUC +test accuracy +test top 5 +test ECE/, shown);
  assert.match(stdout, /^churn between the groups \(share of rows that they decide differently\): 0\.\d{4}$/m, shown);
  assert.match(stdout, /columns in, probabilities out\)/, shown);
  const folder = await run.folder();
  const { task, groups } = resultOf(folder);
  assert.equal(task, "multiclass");
  const validated = ofKind(eventsOf(folder, 1), "validation").at(-1);
  assert.ok((validated?.top5Accuracy ?? 0) > (validated?.accuracy ?? 1) && (groups[1]?.testAccuracy ?? 0) > 0.2, shown);

  const inspected = await place.command(["inspect", folder.model.onnx]);
  assert.match(inspected.stdout, /classes: \["Bern","Bonn",.*"train"\]/, inspected.shown);
  assert.match(inspected.stdout, /probabilities +float32\[batch, 11\]/, inspected.shown);
  const shards = await place.command(["shards", config]);
  assert.match(shards.stdout, /share of each class.*\n.*Bern 0\.\d{4}, Bonn 0\.\d{4}, .*, \.\.\./, shards.shown);

  const weights = 'task={"kind":"multiclass","classWeights":{"Paris":2}}';
  const refused = await place.command(["train", config, "--set", weights]);
  assert.equal(refused.code, 2, refused.shown);
  assert.match(
    refused.stderr,
    /task\.classWeights: "Paris" must be a class of the label; the classes are Bern, Bonn, /,
  );
});
