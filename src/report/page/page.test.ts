/** Reports as HTML and Markdown: what is in them, and that no text becomes markup. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Block, Page } from "./blocks.js";
import { htmlOf } from "./html.js";
import { escaped, markdownOf } from "./markdown.js";
import { SCRIPT, SCRIPT_DIGEST } from "./style.js";
import { logScaleOf, lookOf, NUM_COLOURS, scaleOf } from "./svg.js";

/** A page that shows one text wherever a text can stand. */
function pageOf(words: string): Page {
  const blocks: Block[] = [
    { kind: "heading", level: 2, text: words },
    { kind: "heading", level: 3, text: words },
    { kind: "text", text: words },
    { kind: "list", items: [words, "second"] },
    { kind: "code", text: words },
    { kind: "more", summary: words, blocks: [{ kind: "text", text: words }] },
    {
      kind: "table",
      caption: words,
      head: [words, words],
      rows: [
        [words, { text: words, value: 1 }],
        [words, words],
      ],
    },
    {
      kind: "lines",
      title: words,
      note: words,
      alt: words,
      x: words,
      y: words,
      series: [
        {
          name: words,
          points: [
            { x: 1, y: 2 },
            { x: 2, y: 1, low: 0.5, high: 1.5 },
          ],
        },
        { name: `${words} too`, points: [{ x: 1, y: 3 }] },
      ],
    },
    {
      kind: "dots",
      title: words,
      note: words,
      alt: words,
      x: words,
      reference: 0,
      rows: [{ name: words, value: 1, low: -1, high: 3, values: [0.5, 1.5], shown: words }],
    },
  ];
  return { title: words, made: words, blocks, coloured: [words] };
}

const ELEMENT = /<\/?([a-zA-Z!][^\s>/]*)((?:\s+[a-zA-Z][\w-]*="[^"]*")*)\s*>/g;
/** The names of elements and attributes, in order, as a browser would see them: all else must be free of "<". */
function markupOf(html: string): string[] {
  const names: string[] = [];
  const rest = html.replace(ELEMENT, (_, name: string, attributes: string) => {
    names.push(name, ...[...attributes.matchAll(/\s([a-zA-Z][\w-]*)="/g)].map(([, attribute]) => attribute ?? ""));
    return "";
  });
  assert.ok(!rest.replace(SCRIPT, "").replace("<!doctype html>", "").includes("<"), rest);
  return names;
}

const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'onmouseover='alert(1)",
  "</style></title></svg><svg/onload=alert(1)>",
  "--></textarea>&lt;b&gt;",
  "a|b\n# c\n<b>",
  "]]><!--",
];

test("no text becomes an element or an attribute, wherever it stands", () => {
  const plain = markupOf(htmlOf(pageOf("plain")));
  for (const words of HOSTILE) assert.deepEqual(markupOf(htmlOf(pageOf(words))), plain, words);
  const any = fc.oneof(fc.string(), fc.stringMatching(/^[<>"'&/=a-z!-]{0,20}$/));
  fc.assert(
    // Not empty: a column without a name has no button to sort by.
    fc.property(any, (words) => assert.deepEqual(markupOf(htmlOf(pageOf(`${words}.`))), plain)),
    { numRuns: 200 },
  );
});

test("in Markdown no text becomes HTML, a cell of a table, a heading or a link", () => {
  for (const words of HOSTILE) {
    const text = markdownOf(pageOf(words));
    const code = `    ${words.replaceAll("\n", "\n    ")}`;
    assert.ok(!text.replace(code, "").includes("<"), text);
    const cells = text.split("\n").filter((line) => line.startsWith("| "));
    assert.equal(cells.length, 4, text);
    for (const line of cells) assert.equal(line.replace(/\\\|/g, "").split("|").length, 4, line);
  }
  assert.equal(escaped("[a](javascript:b) *c* `d`\n# e"), "\\[a\\](javascript:b) \\*c\\* \\`d\\` # e");
  assert.equal(escaped("# e"), "\\# e");
});

test("a page asks nothing of a network and runs its own script alone", () => {
  const html = htmlOf(pageOf("plain"));
  assert.equal(createHash("sha256").update(SCRIPT).digest("base64"), SCRIPT_DIGEST);
  assert.match(
    html,
    /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-/,
  );
  assert.doesNotMatch(html, /https?:|src=|url\((?!#)|@import/);
  assert.match(html, /<html lang="en">/);
});

test("what a chart shows is drawn inside of it, and can be read as a table", () => {
  const html = htmlOf(pageOf("plain"));
  assert.equal(html.match(/role="img"/g)?.length, 2);
  for (const [, ids = ""] of html.matchAll(/aria-labelledby="([^"]+)"/g))
    for (const id of ids.split(" ")) assert.equal(html.split(` id="${id}"`).length, 2, `${id} is there once`);
  assert.match(html, /The numbers of this chart/);
  const circles = [...html.matchAll(/<circle [^>]*cx="([-\d.]+)" cy="([-\d.]+)"/g)];
  assert.equal(circles.length, 2);
  const [, height] = /viewBox="0 0 720 (\d+)"[^>]*>(?!.*clip)/.exec(html.slice(html.lastIndexOf("<svg"))) ?? [];
  for (const [, x, y] of circles) {
    assert.ok(Number(x) > 0 && Number(x) < 720, x);
    assert.ok(Number(y) > 0 && Number(y) < Number(height), y);
  }
});

test("axes have ticks that are easy to read", () => {
  const scale = scaleOf([0.4512, 0.4688], [0, 100], { about: 5, around: true });
  assert.deepEqual(scale.ticks.map(scale.show), ["0.450", "0.455", "0.460", "0.465", "0.470"]);
  assert.deepEqual([scale.at(0.45), scale.at(0.47)].map(Math.round), [0, 100]);
  assert.deepEqual(scaleOf([0, 3660], [0, 1], { about: 6 }).ticks, [0, 1000, 2000, 3000]);
  const constant = scaleOf([2, 2], [0, 1], { about: 4 });
  assert.ok(constant.ticks.length > 1 && constant.at(2) > 0 && constant.at(2) < 1);
  assert.ok(scaleOf([0, 0], [0, 1], { about: 4 }).ticks.every(Number.isFinite));
});

test("names differ in more than colour", () => {
  const looks = Array.from({ length: 2 * NUM_COLOURS }, (_, i) => lookOf(i));
  const seen = looks.map(({ colour, dash, marker }) => `${colour} ${dash} ${marker(0, 0)}`);
  assert.equal(new Set(seen).size, looks.length);
  assert.equal(new Set(looks.slice(0, NUM_COLOURS).map(({ colour }) => colour)).size, NUM_COLOURS);
});

test("axes that go by factors have their ticks at doublings and round numbers, and a mark at every point", () => {
  const x = logScaleOf([1, 16], [0, 400], { base: 2 });
  assert.deepEqual(x.ticks, [1, 2, 4, 8, 16]);
  assert.deepEqual(
    x.ticks.map((tick) => Math.round(x.at(tick))),
    [0, 100, 200, 300, 400],
  );
  const y = logScaleOf([30, 2500], [300, 0], { base: 10 });
  assert.deepEqual(y.ticks, [50, 100, 200, 500, 1000, 2000]);
  assert.equal(y.show(2000), "2,000");
  // What reaches to 0 is drawn to below the edge, and not to infinity.
  assert.ok(Number.isFinite(y.at(0)) && y.at(0) > 300);
  const points = [1, 2, 4, 8, 16].map((n) => ({ x: n, y: 800 / n, low: 0, high: 900 / n }));
  const chart: Block = {
    ...{ kind: "lines", title: "Steps", note: "Means.", alt: "They fall.", x: "workers", y: "steps", isLog: true },
    series: [{ name: "measured", points }],
  };
  const html = htmlOf({ title: "Scale", made: "now", coloured: ["measured"], blocks: [chart] });
  const drawing = /<figure>.*?<\/svg>/s.exec(html)?.[0] ?? "";
  assert.equal((drawing.match(/class="c0 point"/g) ?? []).length, 5);
  assert.equal((drawing.match(/class="c0 whisker"/g) ?? []).length, 5);
  assert.doesNotMatch(drawing, /NaN|Infinity/);
});
