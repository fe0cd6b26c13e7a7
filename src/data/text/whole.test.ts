import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NdArray } from "../../runtime/array.js";
import { corpusOf } from "./corpus.js";
import { NO_LABEL, numPredicted, wholeText } from "./whole.js";

test("every unit but the first is the label of one place, after the unit before it, and lanes go on from batch to batch", () => {
  const sizes = fc.record({
    lengths: fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }),
    batchSize: fc.integer({ min: 1, max: 5 }),
    times: fc.integer({ min: 1, max: 7 }),
  });
  fc.assert(
    fc.property(sizes, ({ lengths, batchSize, times }) => {
      const total = lengths.reduce((a, b) => a + b, 0);
      const starts = Float64Array.from([
        0,
        ...lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0)),
      ]);
      // Every unit is its own number.
      const corpus = corpusOf(
        starts,
        Uint32Array.from({ length: total }, (_, i) => i),
      );
      const found: number[] = [];
      const last: number[] = [];
      for (const { ids, labels } of wholeText(corpus, batchSize, times)) {
        assert.deepEqual([ids?.shape, labels?.shape], [[times, batchSize], [times * batchSize]]);
        for (const [place, label] of ((labels as NdArray).data as Int32Array).entries()) {
          if (label === NO_LABEL) continue;
          const lane = place % batchSize;
          assert.equal(ids?.data[place], label - 1);
          if (last[lane] !== undefined) assert.equal(label, last[lane] + 1, "a lane goes on where it was");
          last[lane] = label;
          found.push(label);
        }
      }
      assert.equal(found.length, numPredicted(corpus));
      assert.deepEqual(
        found.sort((a, b) => a - b),
        Array.from({ length: numPredicted(corpus) }, (_, i) => i + 1),
      );
    }),
  );
});
