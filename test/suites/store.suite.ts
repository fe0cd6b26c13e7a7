/** What every store must do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkName, isName, type Store } from "../../src/checkpoint/store.js";
import { StoreError } from "../../src/errors.js";

/** A new, empty store for one test, and what clears it away afterwards. */
export type MakeStore = () => Promise<{ store: Store; cleanup?(): Promise<void> }>;

const badNames = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "a/../b",
  "../a",
  ".tmp-1",
  "a/.tmp-1/b",
  "a b",
  "a\\b",
  "a\0",
  "a\n",
  "ä",
  "c:",
  "a".repeat(129),
  "1/2/3/4/5/6/7/8/9",
];

const goodNames = [
  "a",
  ".a",
  "a.b",
  "...",
  "-",
  "_",
  "tmp-1",
  "a".repeat(128),
  "1/2/3/4/5/6/7/8",
  "__proto__/constructor",
];

/** A value of a size, different for each seed. */
export function sampleValue(seed: number, size = 5): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 0xff);
}

/** Run the suite on one kind of store. */
export function storeSuite(name: string, make: MakeStore): void {
  const check = (title: string, body: (store: Store) => Promise<void>) =>
    test(title, async () => {
      const { store, cleanup } = await make();
      try {
        await body(store);
      } finally {
        await cleanup?.();
      }
    });

  describe(name, () => {
    check("gives back as one value what was put in parts", async (store) => {
      const value = sampleValue(1, 100);
      for (const cuts of [[0], [0, 40], [0, 0, 1, 99, 100], [0, 33, 66]]) {
        await store.put(
          "a",
          cuts.map((start, i) => value.subarray(start, cuts[i + 1] ?? value.length)),
        );
        assert.deepEqual(await store.get("a"), value);
      }
      await store.put("a", []);
      assert.deepEqual(await store.get("a"), new Uint8Array());
    });

    check("gives back what was put, as a plain Uint8Array", async (store) => {
      for (const good of goodNames) {
        await store.put(good, sampleValue(good.length));
        assert.deepEqual(await store.get(good), sampleValue(good.length));
      }
      assert.deepEqual(await store.list(""), [...goodNames].sort());
    });

    check("has nothing to begin with", async (store) => {
      assert.equal(await store.get("a/b"), null);
      assert.deepEqual(await store.list(""), []);
      await store.remove("a/b");
    });

    check("replaces a value, longer or shorter", async (store) => {
      for (const size of [5, 50, 0, 1]) {
        await store.put("a/b", sampleValue(size, size));
        assert.deepEqual(await store.get("a/b"), sampleValue(size, size));
      }
      assert.deepEqual(await store.list(""), ["a/b"]);
    });

    check("keeps the value that is replaced, under a name that is told", async (store) => {
      await store.put("a/b", sampleValue(0), undefined, "a/before");
      assert.deepEqual(await store.list(""), ["a/b"]);
      for (const seed of [1, 2, 2]) {
        const older = await store.get("a/b");
        await store.put("a/b", sampleValue(seed), undefined, "a/before");
        assert.deepEqual([await store.get("a/b"), await store.get("a/before")], [sampleValue(seed), older]);
      }
      assert.deepEqual(await store.list(""), ["a/b", "a/before"]);
      await store.put("a/b", sampleValue(9));
      assert.deepEqual(await store.get("a/before"), sampleValue(2));
    });

    check("holds an empty value, which is not the same as none", async (store) => {
      await store.put("a", new Uint8Array());
      assert.deepEqual(await store.get("a"), new Uint8Array());
      assert.equal(await store.create("a", sampleValue(1)), false);
    });

    check("holds a value of 8 MB", async (store) => {
      const value = sampleValue(3, 8_000_000);
      await store.put("a", value);
      assert.equal(Buffer.compare((await store.get("a")) ?? new Uint8Array(), value), 0);
    });

    check("gives no value that is larger than its reader allows, and says so", async (store) => {
      await store.put("a/b", sampleValue(1, 100));
      const refused = (error: unknown) =>
        error instanceof StoreError &&
        /b must hold at most \d+ bytes to be read, it holds 100\. .*remove it/.test(error.message);
      for (const fewer of [99, 1, 0]) await assert.rejects(store.get("a/b", undefined, fewer), refused);
      for (const enough of [100, 101, Number.POSITIVE_INFINITY]) {
        assert.deepEqual(await store.get("a/b", undefined, enough), sampleValue(1, 100));
      }
      assert.equal(await store.get("a/c", undefined, 0), null);
      await store.put("a/b", new Uint8Array());
      assert.deepEqual(await store.get("a/b", undefined, 0), new Uint8Array());
    });

    check("lists sorted names by prefix, of whatever length", async (store) => {
      const names = ["b/c/1", "b/c-d", "b/c/0", "b/cc/1", "a", "B", "b/c/10"];
      for (const each of names) await store.put(each, sampleValue(1));
      assert.deepEqual(await store.list(""), ["B", "a", "b/c-d", "b/c/0", "b/c/1", "b/c/10", "b/cc/1"]);
      assert.deepEqual(await store.list("b/c"), ["b/c-d", "b/c/0", "b/c/1", "b/c/10", "b/cc/1"]);
      assert.deepEqual(await store.list("b/c/"), ["b/c/0", "b/c/1", "b/c/10"]);
      assert.deepEqual(await store.list("b/c/1"), ["b/c/1", "b/c/10"]);
      for (const none of ["b/c/0/", "c", "/", "../", "b//", ".tmp-"]) assert.deepEqual(await store.list(none), []);
    });

    check("removes one value, and lets its name be taken again", async (store) => {
      await store.put("a/b", sampleValue(1));
      await store.put("a/c", sampleValue(2));
      await store.remove("a/b");
      assert.equal(await store.get("a/b"), null);
      assert.deepEqual(await store.list(""), ["a/c"]);
      await store.remove("a/b");
      assert.equal(await store.create("a/b", sampleValue(3)), true);
      assert.deepEqual(await store.get("a/b"), sampleValue(3));
    });

    check("shares no memory with its callers", async (store) => {
      const given = Buffer.from(sampleValue(1)); // a Buffer, whose slice() would be a view
      await store.put("a", given);
      await store.create("b", given);
      given.fill(0);
      for (const each of ["a", "b"]) {
        const got = await store.get(each);
        assert.deepEqual(got, sampleValue(1));
        got?.fill(0);
        assert.deepEqual(await store.get(each), sampleValue(1));
      }
    });

    check("writes only its own part of a larger buffer", async (store) => {
      await store.put("a", sampleValue(7, 100).subarray(10, 20));
      assert.deepEqual(await store.get("a"), sampleValue(7, 100).slice(10, 20));
    });

    check("creates a name once: of many callers one wins, and its value stays", async (store) => {
      for (let round = 0; round < 10; round++) {
        const callers = Array.from({ length: 20 }, (_, caller) => caller);
        const won = await Promise.all(
          callers.map((caller) => store.create(`runs/${round}`, sampleValue(caller, 1000))),
        );
        assert.equal(won.filter(Boolean).length, 1);
        assert.deepEqual(await store.get(`runs/${round}`), sampleValue(won.indexOf(true), 1000));
      }
      assert.equal((await store.list("")).length, 10);
    });

    check("takes the last of many puts whole", async (store) => {
      const values = Array.from({ length: 20 }, (_, seed) => sampleValue(seed, 100_000));
      await Promise.all(values.map((value) => store.put("a", value)));
      const got = Buffer.from((await store.get("a")) ?? []);
      assert.ok(values.some((value) => got.equals(value)));
    });

    check("refuses names that no store could hold", async (store) => {
      for (const bad of badNames) {
        const refused = (error: unknown) => error instanceof StoreError && /a store name must be/.test(error.message);
        assert.equal(isName(bad), false, bad);
        assert.throws(() => checkName(bad), refused, bad);
        await assert.rejects(store.put(bad, sampleValue(1)), refused, bad);
        await assert.rejects(store.create(bad, sampleValue(1)), refused, bad);
        await assert.rejects(store.get(bad), refused, bad);
        await assert.rejects(store.remove(bad), refused, bad);
      }
      assert.deepEqual(await store.list(""), []);
    });

    check("does nothing for a caller that has given up", async (store) => {
      await store.put("a", sampleValue(1));
      const reason = new Error("given up");
      const signal = AbortSignal.abort(reason);
      const same = (error: unknown) => error === reason;
      await assert.rejects(store.put("a", sampleValue(2), signal), same);
      await assert.rejects(store.create("b", sampleValue(2), signal), same);
      await assert.rejects(store.get("a", signal), same);
      await assert.rejects(store.list("", signal), same);
      await assert.rejects(store.remove("a", signal), same);
      assert.deepEqual(await store.get("a"), sampleValue(1));
      assert.deepEqual(await store.list(""), ["a"]);
    });

    check("is whole in both cases when an abort comes in the middle", async (store) => {
      const reason = new Error("given up");
      await store.put("a", sampleValue(0, 1000));
      let before = sampleValue(0, 1000);
      for (let round = 1; round <= 20; round++) {
        const controller = new AbortController();
        const next = sampleValue(round, 1000);
        const outcome = store.put("a", next, controller.signal).then(
          () => "put" as const,
          (error: unknown) => error,
        );
        for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
        controller.abort(reason);
        const result = await outcome;
        if (result === "put") before = next;
        else assert.equal(result, reason);
        assert.deepEqual(await store.get("a"), before);
      }
    });
  });
}
