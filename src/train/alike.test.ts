import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, normal, rootKey, uniform } from "../runtime/random.js";
import { alike, measured, rangesOf, sharedInformation } from "./alike.js";
import { donors } from "./importance.js";

const count = 2000;
const draw = (name: string) => fold(rootKey(31), name);
const givers = donors(draw("givers"), count);
const names = (name: string, number: number) =>
  Uint32Array.from(uniform(draw(name), count), (u) => Math.floor(u * number));
const shared = (a: Uint32Array, b: Uint32Array) => sharedInformation(measured(a, givers), measured(b, givers));

test("ordered values are in ranges of equally many, equal ones in one", () => {
  assert.deepEqual(rangesOf(Float64Array.of(5, 1, 3, 1)), Uint32Array.of(12, 0, 8, 0));
  const ranges = rangesOf(Float64Array.from(normal(draw("x"), 1600)));
  const counts = Array.from({ length: 16 }, (_, range) => ranges.filter((own) => own === range).length);
  assert.deepEqual(counts, Array(16).fill(100));
});

test("shared information is 1 where a column follows from another, and about 0 where they are independent", () => {
  const airports = names("airport", 200);
  const cities = airports.map((airport) => Math.floor(airport / 3));
  assert.ok(Math.abs(shared(airports, cities) - 1) < 1e-12);
  assert.ok(Math.abs(shared(cities, airports) - 1) < 1e-12);
  for (const [what, other] of [
    ["few names", names("few", 3)],
    ["many names", names("many", 300)],
    ["an identifier", Uint32Array.from({ length: count }, (_, i) => i)],
    ["one value", new Uint32Array(count)],
  ] as const)
    assert.ok(Math.abs(shared(airports, other)) < 0.1, what);
  // Of two names, the same in three rows of four: 1 - (-0.75 ln 0.75 - 0.25 ln 0.25) / ln 2 = 0.1887.
  const first = names("first", 2);
  const second = first.map((name, i) => (i % 4 === 0 ? 1 - name : name));
  assert.ok(Math.abs(shared(first, second) - 0.1887) < 0.01);
});

test("columns are alike in chains, and each group is told once", () => {
  const metres = normal(draw("length"), count);
  const noise = normal(draw("noise"), count);
  const columns = [
    names("colour", 5),
    rangesOf(Float64Array.from(metres)),
    names("kind", 3),
    rangesOf(Float64Array.from(metres, (x, i) => 3.3 * x + (noise[i] ?? 0) / 10)),
    Uint32Array.from(metres, (x) => Number(x > 0)),
  ];
  assert.deepEqual(alike(columns, givers), [[1, 3, 4]]);
  assert.deepEqual(alike(columns.slice(0, 3), givers), []);
});
