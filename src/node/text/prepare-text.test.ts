import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { numSlots, slotsOf } from "../../data/shard.js";
import type { Corpus } from "../../data/text/corpus.js";
import { laneStream } from "../../data/text/streams.js";
import type { TextSpec } from "../../data/text/text.js";
import { ConfigError, DataError } from "../../errors.js";
import { textMetrics } from "../../run/text-spec.js";
import { rootKey } from "../../runtime/random.js";
import { writeDigests } from "../files/checked-folder.js";
import { type PreparedText, pieces, prepareText } from "./prepare-text.js";
import { openText } from "./text-cache.js";
import { openTokenizer } from "./tokenizer.js";
import { trainTokenizer } from "./train-tokenizer.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-text-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const cacheFolder = path("cache");

const NUM_DOCUMENTS = 400;
const texts = Array.from({ length: NUM_DOCUMENTS }, (_, i) => `Document ${i}\n${"words and wörds ".repeat(i % 7)}`);
const spec: TextSpec = { source: path("pages.jsonl"), tokenizer: "bytes", validation: 0.1, test: 0.1 };
before(() => writeFileSync(path("pages.jsonl"), texts.map((text) => JSON.stringify({ text })).join("\n")));

/** Knows one letter. */
const wordPiece = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  decoder: { type: "WordPiece", prefix: "##", cleanup: false },
  model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab: { "[UNK]": 0, x: 1 } },
};

const prepare = (changes: Partial<TextSpec> = {}): Promise<PreparedText> =>
  prepareText({ ...spec, ...changes }, { cacheFolder });

/** Whether no character is cut in two. */
const isWhole = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text)) === text;

/** The tokens of each document. */
function documentsOf(corpus: Corpus | null): number[][] {
  assert.ok(corpus);
  const { numDocuments, starts, read } = corpus;
  return Array.from({ length: numDocuments }, (_, d) => {
    const [start, end] = [starts[d] as number, starts[d + 1] as number];
    const tokens = new Int32Array(end - start);
    read(start, tokens.length, tokens, 0);
    return [...tokens];
  });
}

const decoded = (tokens: readonly number[]) => {
  assert.equal(tokens.at(-1), 256, "a document ends with the end of a text");
  return new TextDecoder().decode(Uint8Array.from(tokens.slice(0, -1)));
};

describe("documents", () => {
  test("are tokens that end with the end of a text, each in one split", async () => {
    const prepared = await prepare();
    const splits = [prepared.train, prepared.validation, prepared.test].map(documentsOf);
    assert.deepEqual(splits.flat().map(decoded).toSorted(), texts.toSorted());
    assert.deepEqual(
      splits.map(({ length }) => length),
      [320, 40, 40],
      "shares to the document",
    );
    for (const [i, split] of (["train", "validation", "test"] as const).entries()) {
      const own = splits[i] as number[][];
      const tokens = own.reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual(prepared.sizes[split], { documents: own.length, tokens, bytes: tokens - own.length });
    }
    assert.ok(prepared.train.slots.every((slot) => slot < numSlots));
    assert.ok(new Set(prepared.train.slots).size > 200);
  });

  test("are tokenised once for the same text, wherever it is", async () => {
    const [first, second] = [await prepare(), await prepare()];
    assert.ok(second.cached);
    writeFileSync(path("moved.jsonl"), texts.map((text) => JSON.stringify({ text })).join("\n"));
    const moved = await prepare({ source: path("moved.jsonl") });
    assert.deepEqual([moved.cached, moved.digest], [true, first.digest]);
    await trainTokenizer(path("pages.jsonl"), { cacheFolder, size: 300, out: path("own.json") });
    const others = await Promise.all([
      prepare({ tokenizer: path("own.json") }),
      prepare({ validation: 0.2 }),
      prepare({ longest: 50 }),
    ]);
    assert.equal(new Set([first.digest, ...others.map(({ digest }) => digest)]).size, 4);
    const [withOwn] = others;
    const own = openTokenizer(path("own.json"));
    assert.equal(withOwn?.tokenizer.digest, own.digest);
    const back = documentsOf(withOwn?.train ?? null).map((tokens) => own.decode(tokens.slice(0, -1)));
    assert.deepEqual(back.toSorted(), documentsOf(first.train).map(decoded).toSorted());
  });

  test("of groups are disjoint and complete, in memory and in their file", async () => {
    const { folder: cache, train } = await prepare();
    const all = documentsOf(train).map(String).toSorted();
    const counted = new Float64Array(257);
    for (const token of documentsOf(train).flat()) counted[token]! += 1;
    for (const memoryBytes of [Number.POSITIVE_INFINITY, 0]) {
      const own = [];
      for (const group of [0, 1, 2]) {
        const opened = await openText(cache, { slots: slotsOf(group, 3), leaveOut: ["test"], memoryBytes });
        assert.equal(opened.test, null);
        assert.deepEqual(opened.tokenCounts, counted, "of all groups, whichever is read");
        assert.ok(opened.train.slots.every((slot) => slot % 3 === group));
        own.push(...documentsOf(opened.train).map(String));
      }
      assert.deepEqual(own.toSorted(), all);
    }
  });

  test("of validation and test may be of their own, less those that are in training too", async () => {
    writeFileSync(path("unseen.txt"), "something else");
    writeFileSync(path("seen.txt"), texts[3] ?? "");
    const own = {
      validation: { source: [path("unseen.txt"), path("seen.txt")] },
      test: { source: path("unseen.txt") },
    };
    const dropped = await prepare(own);
    assert.deepEqual(documentsOf(dropped.validation).map(decoded), ["something else"]);
    assert.deepEqual([dropped.repeated, dropped.sizes.train.documents], [1, NUM_DOCUMENTS]);
    const kept = await prepare({ ...own, dropRepeated: false });
    assert.deepEqual([kept.repeated, kept.sizes.validation.documents], [0, 2]);
    const both = `1 document is in validation and in test (${path("unseen.txt")})`;
    const inTraining = (how: string) =>
      `1 document of validation is in training too and ${how}, as data.dropRepeated says (${path("seen.txt")})`;
    assert.deepEqual(dropped.notes, [inTraining("left out"), both]);
    assert.deepEqual(kept.notes, [inTraining("counted"), both]);
  });

  test("that come twice, or differ by spaces alone, are told of", async () => {
    writeFileSync(path("twice.jsonl"), ["a b", "c", "a b", "a b"].map((text) => JSON.stringify({ text })).join("\n"));
    writeFileSync(path("spaced.txt"), "a \r\nb\n");
    const own = { validation: { source: path("spaced.txt") }, test: { source: path("unseen.txt") } };
    const { notes, sizes } = await prepare({ source: path("twice.jsonl"), ...own });
    assert.deepEqual(notes, [
      `1 document of validation is in training too but for spaces and line ends, and counted (${path("spaced.txt")})`,
      `2 training documents are copies of another, and kept (${path("twice.jsonl")}, line 3; ${path("twice.jsonl")}, line 4)`,
    ]);
    assert.deepEqual([sizes.train.documents, sizes.validation.documents], [4, 1]);
  });

  test("that have no text, or were damaged before, are told of", async () => {
    writeFileSync(path("gaps.jsonl"), '{"text": "a"}\n{"text": ""}\n{"text": null}\n{}\n{"text": "b\uFFFD"}');
    writeFileSync(path("empty.txt"), "\uFEFF");
    const own = { validation: { source: path("unseen.txt") }, test: { source: path("unseen.txt") } };
    const { notes } = await prepare({ source: [path("gaps.jsonl"), path("empty.txt")], ...own });
    const at = (line: number) => `${path("gaps.jsonl")}, line ${line}`;
    assert.match(notes.join("\n"), /^4 rows or files without text are left out \(/m);
    assert.ok(notes.some((note) => note.includes(`${at(2)}; ${at(3)}; ${at(4)}; ...`)));
    assert.ok(notes.some((note) => note.startsWith("1 document has characters U+FFFD") && note.includes(at(5))));
  });

  test("that are long are cut at the ends of lines into pieces, of which the last ends the text", async () => {
    const text = Array.from({ length: 500 }, (_, i) => `line ${i}`).join("\n");
    writeFileSync(path("long.txt"), text);
    const cut = await prepare({ source: path("long.txt"), longest: 100, validation: 0.2, test: 0.2 });
    const all = [cut.train, cut.validation, cut.test].flatMap(documentsOf);
    assert.ok(all.length > 40 && all.every(({ length }) => length <= 101));
    assert.equal(all.filter((tokens) => tokens.includes(256)).length, 1);
    const string = fc.string({ unit: fc.constantFrom("a", "\n", "😀", "é"), maxLength: 60 });
    fc.assert(
      fc.property(string, fc.integer({ min: 2, max: 20 }), (one, longest) => {
        const parts = [...pieces(one, longest)];
        assert.equal(parts.map((part) => part.text).join(""), one);
        assert.deepEqual(
          parts.map(({ isLast }) => isLast),
          parts.map((_, i) => i === parts.length - 1),
        );
        assert.ok(
          parts.every((part) => part.text.length <= longest && isWhole(part.text)),
          JSON.stringify(parts),
        );
      }),
    );
  });
});

test("a stream over the cache is that over the same documents in memory", async () => {
  const { folder: cache } = await prepare();
  const streams = await Promise.all(
    [Number.POSITIVE_INFINITY, 0].map(async (memoryBytes) => {
      const { train } = await openText(cache, { slots: slotsOf(0, 2), memoryBytes });
      const documents = Uint32Array.from({ length: train.numDocuments }, (_, d) => d);
      return laneStream({ corpus: train, documents, batchSize: 4, sequenceLength: 16, key: rootKey(5) });
    }),
  );
  for (let i = 0; i < 200; i++) {
    const [one, other] = streams.map((stream) => stream.next());
    assert.deepEqual(one, other);
  }
});

function flipFirst(path: string): void {
  const bytes = readFileSync(path);
  bytes[0]! ^= 1;
  writeFileSync(path, bytes);
}

describe("refused is", () => {
  const refused = (attempt: Promise<unknown>, kind: typeof DataError | typeof ConfigError, pattern: RegExp) =>
    assert.rejects(attempt, (error) => error instanceof kind && pattern.test(error.message));

  test("a share that is none, a split without documents, and leaves nothing", async () => {
    await refused(prepare({ validation: 0.6, test: 0.5 }), ConfigError, /below 1 together, got 0\.6 and 0\.5/);
    await refused(prepare({ validation: -0.1 }), ConfigError, /got -0\.1 and 0\.1/);
    await refused(
      prepare({ test: 0 }),
      DataError,
      /every split needs a document, and test has none\. Raise the share of test/,
    );
    assert.deepEqual(
      readdirSync(cacheFolder).filter((name) => name.startsWith(".making")),
      [],
    );
  });

  test("too little text, and validation that is all in training", async () => {
    writeFileSync(path("mark.txt"), "\uFEFF");
    writeFileSync(path("letter.txt"), "x");
    writeFileSync(path("letters.txt"), "x x x");
    writeFileSync(path("third.txt"), texts[3] ?? "");
    const own = (name: string) => ({ validation: { source: path(name) } });
    await refused(prepare(own("mark.txt")), DataError, /every split needs a document, and validation has none/);
    writeFileSync(path("wordpiece.json"), JSON.stringify(wordPiece));
    await refused(
      prepare({
        ...own("letter.txt"),
        test: { source: path("letters.txt") },
        source: path("letters.txt"),
        tokenizer: path("wordpiece.json"),
      }),
      DataError,
      /every split needs 2, and validation has 1\. Raise the share/,
    );
    await refused(
      prepare(own("third.txt")),
      DataError,
      /validation has none: 1 document of it is in training too, and left out, as data\.dropRepeated says \(.*third\.txt\)/,
    );
    writeFileSync(path("pair.jsonl"), '{"text": "one"}\n{"text": "two"}\n{"text": "one"}');
    await refused(
      prepare({ source: path("pair.jsonl") }),
      DataError,
      /of 2 different documents 1 would validate and 1 test, and none train/,
    );
    writeFileSync(path("three.jsonl"), '{"text": "one"}\n{"text": "two"}\n{"text": "three"}');
    const { sizes } = await prepare({ source: path("three.jsonl"), validation: 0.02, test: 0.02 });
    assert.deepEqual([sizes.train.documents, sizes.validation.documents, sizes.test.documents], [1, 1, 1]);
  });

  test("text that a tokenizer does not know, and figures without bits per byte where it does not give the text back", async () => {
    writeFileSync(path("x.txt"), "x x x x x x");
    writeFileSync(path("y.txt"), "x x x x x y");
    writeFileSync(path("z.txt"), "y z x");
    const own = { source: path("x.txt"), tokenizer: path("wordpiece.json"), test: { source: path("y.txt") } };
    await refused(prepare({ ...own, validation: { source: path("z.txt") } }), DataError, /of validation 66\.7 % are/);
    const { sizes, notes } = await prepare({ ...own, validation: { source: path("y.txt") } });
    assert.deepEqual([sizes.train.isLossy, sizes.validation.isLossy], [undefined, true]);
    assert.match(notes.join("\n"), /16\.7 % of the tokens of validation stand for what the tokenizer does not know/);
    assert.deepEqual(Object.keys(textMetrics({ loss: 1, accuracy: 0 }, sizes.train)), [
      "loss",
      "perplexity",
      "bitsPerByte",
      "accuracy",
    ]);
    assert.equal(textMetrics({ loss: 1, accuracy: 0 }, sizes.validation).bitsPerByte, undefined);
  });

  test("a cache that is damaged, which is made again when it is prepared", async () => {
    const { folder: cache } = await prepare({ validation: 0.15 });
    const damages: readonly [RegExp, () => void][] = [
      [
        /train\.tokens\.bin should have \d+ bytes and has \d+/,
        () => appendFileSync(join(cache, "train.tokens.bin"), "x"),
      ],
      [/text\.json should have \d+ bytes and has 2/, () => writeFileSync(join(cache, "text.json"), "{}")],
      [
        /the block of train\.tokens\.bin at byte 0 has another SHA-256/,
        () => flipFirst(join(cache, "train.tokens.bin")),
      ],
    ];
    for (const [message, damage] of damages) {
      damage();
      await refused(openText(cache), DataError, message);
      assert.equal((await prepare({ validation: 0.15 })).cached, false);
      assert.equal((await prepare({ validation: 0.15 })).cached, true);
    }
  });
});

test("a cache of another version, whole as it was written, is told of and made again", async () => {
  const { folder: cache } = await prepare({ validation: 0.15 });
  for (const name of readdirSync(cache).filter((one) => !/^text\.json$|\.bin$/.test(one))) rmSync(join(cache, name));
  writeFileSync(join(cache, "text.json"), '{"format":1}');
  await writeDigests(cache);
  await assert.rejects(openText(cache), /of another version: text\.json cannot be read: .*must be \d+, got 1/);
  assert.equal((await prepare({ validation: 0.15 })).cached, false);
  assert.equal((await prepare({ validation: 0.15 })).cached, true);
});

test("shares by position are the end of the text", async () => {
  const lines = Array.from({ length: 100 }, (_, i) => `line ${String(i).padStart(3, "0")}\n`);
  writeFileSync(path("one.txt"), lines.join(""));
  const prepared = await prepare({
    source: path("one.txt"),
    splitBy: "position",
    longest: 9,
    validation: 0.02,
    test: 0.03,
  });
  const textOf = (corpus: Corpus | null) =>
    documentsOf(corpus).map((tokens) => Buffer.from(tokens.filter((u) => u < 256)).toString());
  assert.deepEqual(textOf(prepared.validation), lines.slice(98));
  assert.deepEqual(textOf(prepared.test), lines.slice(95, 98));
  assert.deepEqual(textOf(prepared.train), lines.slice(0, 95));
});
