import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NdArray } from "../../runtime/array.js";
import { corpusOf } from "./corpus.js";
import { NO_LABEL, numPredicted, type TextLayout, wholeText } from "./whole.js";

for (const layout of ["lanes", "sequences"] as const) {
  test(`every token but the first is the label of one place of ${layout}, after the token before it`, () =>
    checkLayout(layout));
}

function checkLayout(layout: TextLayout): void {
  const sizes = fc.record({
    lengths: fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }),
    batchSize: fc.integer({ min: 1, max: 5 }),
    sequenceLength: fc.integer({ min: 1, max: 7 }),
  });
  fc.assert(
    fc.property(sizes, ({ lengths, batchSize, sequenceLength }) => {
      const total = lengths.reduce((a, b) => a + b, 0);
      const starts = Float64Array.from([
        0,
        ...lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0)),
      ]);
      // Every token is its own number.
      const corpus = corpusOf(
        starts,
        Uint32Array.from({ length: total }, (_, i) => i),
      );
      const found: number[] = [];
      const last: number[] = [];
      for (const { ids, labels } of wholeText[layout](corpus, batchSize, sequenceLength)) {
        const shape = layout === "lanes" ? [sequenceLength, batchSize] : [batchSize, sequenceLength];
        assert.deepEqual([ids?.shape, labels?.shape], [shape, [sequenceLength * batchSize]]);
        for (const [place, label] of (labels as NdArray).data.entries()) {
          if (label === NO_LABEL) continue;
          const lane = layout === "lanes" ? place % batchSize : Math.floor(place / sequenceLength);
          assert.equal(ids?.data[place], label - 1);
          const goesOn = layout === "lanes" ? last[lane] !== undefined : place % sequenceLength > 0;
          if (goesOn) assert.equal(label, (last[lane] as number) + 1, "a text goes on where it was");
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
}
