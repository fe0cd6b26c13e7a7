import assert from "node:assert/strict";
import { test } from "node:test";
import { corpusOf } from "../../data/text/corpus.js";
import { describeTextShards, textShardLines } from "./text-shards.js";

/** Documents 1 2, 3, 1 2, 4 5 of the slots 0, 1, 1, 2: the first and the third are equal, which equal hashes would not allow. */
const corpus = corpusOf(Float64Array.of(0, 2, 3, 5, 7), Uint16Array.of(1, 2, 3, 1, 2, 4, 5));
const size = { documents: 1, tokens: 1, bytes: 1 };
const text = {
  train: { ...corpus, slots: Uint16Array.of(0, 1, 1, 2) },
  sizes: { train: { documents: 4, tokens: 7, bytes: 7 }, validation: size, test: size },
};

test("shards are told with what they have, and equal documents of two of them are found", () => {
  const disjoint = describeTextShards(text, "disjoint", [[0, 1], [2]]);
  assert.deepEqual(
    disjoint.groups.map(({ digest: _, ...group }) => group),
    [
      { group: 0, slots: 2, documents: 3, tokens: 5 },
      { group: 1, slots: 1, documents: 1, tokens: 2 },
    ],
  );
  assert.deepEqual([disjoint.pairs, disjoint.problem], [[{ groups: [0, 1], sharedDocuments: 0 }], null]);
  assert.match(textShardLines(disjoint).join("\n"), /^disjoint: no training document is in two shards$/m);

  const shared = describeTextShards(text, "disjoint", [[0], [1], [2]]);
  assert.equal(shared.problem, "groups 0 and 1 have 1 documents both");
  assert.match(textShardLines(shared).join("\n"), /^not disjoint: groups 0 and 1 have 1 documents both$/m);
  assert.notEqual(shared.groups[0]?.digest, shared.groups[2]?.digest);
  const same = describeTextShards(text, "same", [[0], [0]]);
  assert.equal(same.problem, null);
  assert.equal(same.groups[0]?.digest, same.groups[1]?.digest);
  assert.match(
    textShardLines(same).join("\n"),
    /^not disjoint, as asked: every group trains on the shard of group 0$/m,
  );
});
