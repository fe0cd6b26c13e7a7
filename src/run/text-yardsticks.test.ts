import assert from "node:assert/strict";
import { test } from "node:test";
import { corpusOf } from "../data/text/corpus.js";
import { rootKey, uniform } from "../runtime/random.js";
import { frequencyLoss, remarksOn, remarksOnTeachers, yardsticks } from "./text-yardsticks.js";

const corpus = (tokens: readonly number[]) => corpusOf(Float64Array.of(0, tokens.length), Uint16Array.from(tokens));

test("frequencies of training say so much of the test, with one more of each token", () => {
  const nats = frequencyLoss(Float64Array.of(6, 1, 0), corpus([0, 0, 1, 2]));
  assert.ok(Math.abs(nats - -(2 * Math.log(0.7) + Math.log(0.2) + Math.log(0.1)) / 4) < 1e-12);
});

test("yardsticks come from the least on: text that repeats itself is next to nothing for an n-gram", async () => {
  // A pattern of 4 tokens that are equally frequent.
  const repeated = Array.from({ length: 4000 }, (_, i) => [0, 1, 2, 3][i % 4] as number);
  const train = corpus(repeated);
  const size = { documents: 1, tokens: 4000, bytes: 4000 };
  const found = await yardsticks({ vocabulary: 257, train, tokenCounts: countsOf(repeated), test: train, size });
  const losses = found.map(({ testLoss }) => testLoss);
  assert.equal(losses[0], Math.log(257));
  assert.ok(Math.abs((losses[1] ?? 0) - Math.log(4)) < 0.1, `${losses[1]}`);
  assert.ok((losses[2] ?? 1) < 0.05, `${losses[2]}`);
  assert.match(found[2]?.name ?? "", /^n-gram, [1-5] before$/);
  assert.ok(Math.abs((found[0]?.testBitsPerByte ?? 0) - Math.log2(257)) < 0.01);
  const random = Array.from(uniform(rootKey(1), 4000), (u) => Math.floor(4 * u));
  const ofRandom = await yardsticks({
    vocabulary: 257,
    train,
    tokenCounts: countsOf(repeated),
    test: corpus(random),
    size,
  });
  assert.ok((ofRandom[2]?.testLoss ?? 0) > 1.3, "an n-gram of another text knows nothing of this one");
});

test("a model that is no better than a yardstick is told so, with what may help", () => {
  const beside = [
    { name: "guessing among 257", testLoss: 5.549 },
    { name: "frequencies of tokens", testLoss: 3 },
    { name: "n-gram, 3 before", testLoss: 1.5 },
  ];
  const remark = (testLoss: number) => remarksOn({ testLoss }, beside).join("\n");
  assert.match(
    remark(5.5491),
    /^the model is no better than guessing: 5\.5491 where guessing among 257 comes to 5\.5490 nats per token\. .*optimizer\.learningRate/,
  );
  assert.match(remark(8), /no better than guessing/);
  assert.match(remark(Number.NaN), /no better than guessing/);
  assert.match(remark(2.999), /^the model is no better than the frequencies of tokens alone/);
  assert.match(remark(2), /^an n-gram is better than the model: 2\.0000 where n-gram, 3 before comes to 1\.5000/);
  assert.equal(remark(1.4), "");
  const [ofTeachers] = remarksOnTeachers({ testLoss: 3 }, beside);
  assert.match(
    ofTeachers ?? "",
    /^the teachers are no better than the frequencies of tokens: 3\.0000 where .* \(teacherWeight\)\.$/,
  );
  assert.deepEqual(remarksOnTeachers({ testLoss: 2.9 }, beside), []);
});

function countsOf(tokens: readonly number[]): Float64Array {
  const counts = new Float64Array(257);
  for (const token of tokens) counts[token]! += 1;
  return counts;
}
