import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../errors.js";
import { resolveConfig } from "./config.js";
import { plainCopy } from "./plain-data.js";

const refused = (
  value: unknown,
  message: RegExp,
  readers: readonly ((value: unknown) => unknown)[] = [plainCopy, resolveConfig],
) => {
  for (const read of readers) {
    assert.throws(
      () => read(value),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.length < 8000, "a message for people");
        return true;
      },
    );
  }
};

test("records, lists and values come back as they are, getters as what they give", () => {
  const value = { a: [1, "x", null, true, undefined, Number.NaN], b: { c: {} }, ["__proto__"]: 5 };
  assert.deepEqual(plainCopy(value), value);
  class Config {
    name = "x";
    get inner() {
      return { steps: 5 };
    }
  }
  let reads = 0;
  const counting = {
    get steps() {
      return ++reads;
    },
  };
  assert.deepEqual([plainCopy(new Config()), plainCopy(counting), reads], [{ name: "x" }, { steps: 1 }, 1]);
  const shared = { x: 1 };
  assert.deepEqual(plainCopy({ a: shared, b: shared }), { a: { x: 1 }, b: { x: 1 } });
});

test("what is no plain data is refused with its path", () => {
  refused({ data: { split: () => 1 } }, /must be plain data, and data\.split is a function/);
  refused({ a: [1, Symbol("x")] }, /a\.1 is a symbol/);
  refused({ since: new Date() }, /since is a Date/);
  refused({ a: new Map() }, /a is a Map/);
  refused(Promise.resolve(1), /it is a Promise/);
  const throwing = Object.defineProperty({}, "x", {
    enumerable: true,
    get() {
      throw new Error("y".repeat(10_000_000));
    },
  });
  refused({ data: throwing }, /data has x, which cannot be read: yyy/);
});

test("a configuration that contains itself or nests without end is refused, not walked", () => {
  const circular: Record<string, unknown> = { name: "x" };
  circular.data = { inner: [circular] };
  refused(circular, /data\.inner\.0 contains itself/);
  const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
  refused(nested(40), /nests more than 32 deep/);
  refused(nested(100_000), /nests more than 32 deep/);
  refused(JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), /nests more than 32 deep/);
  let endless: object;
  endless = new Proxy(
    {},
    {
      ownKeys: () => ["a"],
      get: () => endless,
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
    },
  );
  refused(endless, /contains itself/);
  refused({ a: new Array(2_000_000).fill(0) }, /is more than its value number 1000000/);
});

test("problems are told in a message that people can read, however long the names and values", () => {
  const refusedBySchema = (value: unknown, message: RegExp) => refused(value, message, [resolveConfig]);
  refusedBySchema({ ["x".repeat(10_000_000)]: 1 }, /unknown name/);
  refusedBySchema({ name: 5, data: "y".repeat(10_000_000) }, /data: /);
  refusedBySchema({ name: { a: 5n } }, /name: must be a string, got \{"a":"5n"\}/);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`option${i}`, i]));
  refusedBySchema(many, /the configuration has 50\d\d problems:[\s\S]*and \d+ more$/);
});
