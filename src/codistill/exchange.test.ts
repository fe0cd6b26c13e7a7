import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchangeOn, filledWith, paramsOf, publishAs, shortly } from "../../test/fixtures/exchange-fixture.js";
import { gate, storeWith } from "../../test/fixtures/tiny-run.js";
import { claimIncarnation } from "../checkpoint/claims.js";
import { memoryStore } from "../checkpoint/store.js";
import type { SeenTeacher } from "./exchange.js";

const stepsOf = (teachers: readonly SeenTeacher[]) => teachers.map(({ group, step }) => `${group}@${step}`);

describe("an exchange never makes its caller wait", () => {
  test("for a store that does not answer", async () => {
    const { opened, open } = gate();
    const asked = gate();
    const calls: string[] = [];
    const slow = storeWith((inner) => ({
      async get(name, signal) {
        if (calls.push(`get ${name}`) === 2) asked.open();
        await opened;
        return inner.get(name, signal);
      },
      async put(name, bytes, signal) {
        await opened;
        return inner.put(name, bytes, signal);
      },
    }));
    const { exchange, events } = exchangeOn(slow);
    for (let step = 0; step < 20; step++) {
      assert.equal(exchange.publish(step, paramsOf(step)), undefined);
      assert.equal(exchange.refresh(step), undefined);
      assert.deepEqual(exchange.teachers(step), []);
    }
    await asked.opened;
    assert.deepEqual(calls.sort(), ["get groups/0/incarnations/000002.json", "get groups/1/latest.json"]);
    assert.deepEqual(events, []);
    open();
    await exchange.idle();
    assert.deepEqual(shortly(events), ["published 0@0", "published 0@19"]);
  });

  test("and has nothing under way to begin with", async () => {
    const { exchange, events } = exchangeOn(memoryStore());
    await exchange.idle();
    assert.deepEqual(exchange.teachers(0), []);
    assert.deepEqual(events, []);
  });
});

describe("publishing", () => {
  test("of what is offered while one is being written only the newest is written", async () => {
    const { opened, open } = gate();
    const inner = memoryStore();
    const store = storeWith(
      () => ({
        async put(name, bytes, signal) {
          await opened;
          return inner.put(name, bytes, signal);
        },
      }),
      inner,
    );
    const { exchange, events } = exchangeOn(store);
    for (const step of [10, 20, 30, 40]) exchange.publish(step, paramsOf(step));
    open();
    await exchange.idle();
    assert.deepEqual(shortly(events), ["published 0@10", "published 0@40"]);
    const names = await inner.list("groups/0/snapshots/");
    assert.deepEqual(
      names.map((name) => /(\d+)-/.exec(name)?.[1]),
      ["000000010", "000000040"],
    );
  });

  test("reaches another group's exchange whole", async () => {
    const store = memoryStore();
    const publisher = exchangeOn(store, { group: 1, teachers: [], incarnation: 3 });
    publisher.exchange.publish(7, paramsOf(1.25));
    await publisher.exchange.idle();
    const { refreshed, events } = exchangeOn(store);
    const [teacher, ...others] = await refreshed(2);
    assert.deepEqual(others, []);
    const [published] = publisher.events;
    assert.ok(published?.event === "published" && teacher);
    const { digest } = published;
    assert.deepEqual(teacher, { group: 1, step: 7, digest, params: paramsOf(1.25), seenAtStep: 2 });
    const [fetched] = events;
    assert.ok(fetched?.event === "fetched");
    assert.deepEqual([fetched.bytes, fetched.digest], [published.bytes, digest]);
  });

  test("leaves the newest snapshots of its own, and never touches those of others", async () => {
    const store = memoryStore();
    for (const step of [1, 2, 3, 4]) await publishAs(store, 1, step);
    const { exchange } = exchangeOn(store, { keepSnapshots: 2 });
    for (const step of [5, 20, 100, 1000]) {
      exchange.publish(step, paramsOf(step));
      await exchange.idle();
    }
    const steps = async (group: number) =>
      (await store.list(`groups/${group}/snapshots/`)).map((name) => Number(/(\d{9})-/.exec(name)?.[1]));
    assert.deepEqual(await steps(0), [100, 1000]);
    assert.deepEqual(await steps(1), [1, 2, 3, 4]);
  });

  test("waits while the store is another one, as where its disk is not mounted, and says so once", async () => {
    const [first, other] = [memoryStore(), memoryStore()];
    let current = first;
    const { exchange, events } = exchangeOn(
      storeWith(() => ({
        get: (...asked) => current.get(...asked),
        put: (...asked) => current.put(...asked),
        list: (...asked) => current.list(...asked),
        remove: (...asked) => current.remove(...asked),
      })),
    );
    await claimIncarnation(first, 0);
    for (const [step, store] of [
      [1, first],
      [2, other],
      [3, other],
      [4, first],
    ] as const) {
      current = store;
      exchange.publish(step, paramsOf(step));
      await exchange.idle();
    }
    assert.deepEqual(shortly(events), ["published 0@1", "trouble publish", "published 0@4"]);
    const [, trouble] = events;
    assert.match(
      (trouble?.event === "exchange-trouble" && trouble.message) || "",
      /knew start number 1 of group 0.*not mounted/,
    );
    assert.deepEqual(await other.list(""), []);
  });

  test("goes on after a store that fails now and then, and says so", async () => {
    let calls = 0;
    const store = storeWith((inner) => ({
      async put(name, bytes, signal) {
        if (calls++ % 3 === 0) throw new Error(`the disk is full (call ${calls})`);
        return inner.put(name, bytes, signal);
      },
    }));
    const { exchange, events } = exchangeOn(store);
    for (const step of [1, 2, 3, 4]) {
      exchange.publish(step, paramsOf(step));
      await exchange.idle();
    }
    assert.deepEqual(shortly(events), ["trouble publish", "published 0@2", "trouble publish", "published 0@4"]);
    const messages = events.flatMap((event) => (event.event === "exchange-trouble" ? [event.message] : []));
    assert.deepEqual(messages, ["the disk is full (call 1)", "the disk is full (call 4)"]);
  });

  test("after a restart from an earlier step, what others are pointed to stays", async () => {
    const store = memoryStore();
    const before = exchangeOn(store, { group: 1, teachers: [], keepSnapshots: 2 });
    for (const step of [900, 950, 1000]) {
      before.exchange.publish(step, paramsOf(step));
      await before.exchange.idle();
    }
    const after = exchangeOn(store, { group: 1, teachers: [], keepSnapshots: 2, incarnation: 2 });
    const reader = exchangeOn(store);
    for (const step of [550, 600, 650]) {
      after.exchange.publish(step, paramsOf(step));
      await after.exchange.idle();
      assert.deepEqual(stepsOf(await reader.refreshed(step)), [`1@${step}`]);
    }
    assert.deepEqual(shortly(reader.events), ["fetched 1@550", "fetched 1@600", "fetched 1@650"]);
    assert.equal((await store.list("groups/1/snapshots/")).length, 2);
  });
});

describe("fetching", () => {
  test("the newest snapshot wins, and none is fetched twice", async () => {
    const gets: string[] = [];
    const store = storeWith((inner) => ({
      get(name, signal) {
        gets.push(name);
        return inner.get(name, signal);
      },
    }));
    const { refreshed, events } = exchangeOn(store);
    assert.deepEqual(await refreshed(1), []);
    for (const step of [10, 20, 30]) await publishAs(store, 1, step);
    assert.deepEqual(stepsOf(await refreshed(2)), ["1@30"]);
    assert.deepEqual(stepsOf(await refreshed(3)), ["1@30"]);
    assert.deepEqual(stepsOf(await refreshed(4)), ["1@30"]);
    const newest = await publishAs(store, 1, 40);
    const [teacher] = await refreshed(5);
    assert.equal(filledWith(teacher?.params ?? {}), 40);
    assert.deepEqual(shortly(events), ["fetched 1@30", "fetched 1@40"]);
    const snapshots = gets.filter((name) => !name.endsWith("latest.json"));
    assert.equal(snapshots.length, 2);
    assert.equal(snapshots[1], newest.name);
    assert.equal(gets.length - snapshots.length, 5);
  });

  test("of many looks while one is under way only one follows", async () => {
    const { opened, open } = gate();
    let looks = 0;
    const store = storeWith((inner) => ({
      async get(name, signal) {
        looks++;
        await opened;
        return inner.get(name, signal);
      },
    }));
    const { exchange } = exchangeOn(store);
    for (let step = 0; step < 10; step++) exchange.refresh(step);
    open();
    await exchange.idle();
    assert.equal(looks, 2);
  });

  test("a store that fails now and then delays a teacher and does no more", async () => {
    let calls = 0;
    const inner = memoryStore();
    const store = storeWith(
      () => ({
        async get(name, signal) {
          if (calls++ % 3 === 0) throw new Error("unreachable");
          return inner.get(name, signal);
        },
      }),
      inner,
    );
    const { refreshed, events } = exchangeOn(store);
    await publishAs(inner, 1, 10);
    assert.deepEqual(await refreshed(1), []);
    assert.deepEqual(stepsOf(await refreshed(2)), ["1@10"]);
    await publishAs(inner, 1, 20);
    assert.deepEqual(stepsOf(await refreshed(3)), ["1@10"]);
    assert.deepEqual(stepsOf(await refreshed(4)), ["1@20"]);
    assert.deepEqual(shortly(events), ["trouble fetch 1", "fetched 1@10", "trouble fetch 1", "fetched 1@20"]);
  });

  test("one teacher's trouble does not keep the others away", async () => {
    const inner = memoryStore();
    for (const group of [1, 2, 3]) await publishAs(inner, group, group * 10);
    const store = storeWith(
      () => ({
        async get(name, signal) {
          if (name.startsWith("groups/2/")) throw "not even an error";
          return inner.get(name, signal);
        },
      }),
      inner,
    );
    const { refreshed, events } = exchangeOn(store, { teachers: [1, 2, 3] });
    assert.deepEqual(stepsOf(await refreshed(1)), ["1@10", "3@30"]);
    const trouble = events.find((event) => event.event === "exchange-trouble");
    assert.deepEqual(trouble, {
      event: "exchange-trouble",
      group: 0,
      doing: "fetch",
      from: 2,
      message: "not even an error",
    });
  });

  test("a store that never answers, nor heeds the signal, is given up in time and asked again", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const inner = memoryStore();
    await publishAs(inner, 1, 10);
    let isHung = true;
    const hung = () => new Promise<never>(() => {});
    const store = storeWith(
      () => ({
        get: (name, signal) => (isHung ? hung() : inner.get(name, signal)),
        put: (name, bytes, signal) => (isHung ? hung() : inner.put(name, bytes, signal)),
      }),
      inner,
    );
    const { exchange, refreshed, events } = exchangeOn(store, { timeoutSeconds: 5 });
    exchange.refresh(1);
    exchange.publish(1, paramsOf(1));
    t.mock.timers.tick(4999);
    assert.deepEqual(events, []);
    t.mock.timers.tick(1);
    await exchange.idle();
    assert.deepEqual(shortly(events).sort(), ["trouble fetch 1", "trouble publish"]);
    assert.match(JSON.stringify(events), /not answered for 5 s/);
    isHung = false;
    assert.deepEqual(stepsOf(await refreshed(2)), ["1@10"]);
  });
});

test("a file that no start made stops no publication, and is told of once", async () => {
  const store = memoryStore();
  const { exchange, events } = exchangeOn(store);
  const isLate = "groups/0/incarnations/20261129.json";
  for (const step of [1, 2, 3]) {
    if (step > 1) await store.put(isLate, new Uint8Array());
    exchange.publish(step, paramsOf(step));
    await exchange.idle();
  }
  assert.deepEqual(shortly(events), ["published 0@1", "warning", "published 0@2", "published 0@3"]);
  assert.match(
    JSON.stringify(events[1]),
    /no start of group 0 made groups\/0\/incarnations\/20261129\.json, and it is ignored/,
  );
  assert.equal(exchange.supersededBy(), null);
});
