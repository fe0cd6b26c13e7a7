/** Reports in a real browser: axe-core finds nothing to mend, in light and in dark, and tables sort by the keyboard. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Block, code, heading, list, text } from "../../src/report/page/blocks.js";
import { htmlOf } from "../../src/report/page/html.js";
import { studyPages } from "./study-pages.js";

const chromium = ["chromium", "chromium-browser", "google-chrome"].find(
  (program) => spawnSync(program, ["--version"]).status === 0,
);
const folder = mkdtempSync(join(tmpdir(), "codistill-page-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const names = ["single", "twice-the-batch", "codistilled", "ensemble", "own", "smoothed", "penalty", "slow"];
const blocks: Block[] = [
  heading("What was asked"),
  text("Which is better?"),
  list(["single: one", "codistilled: two"]),
  heading("Result"),
  {
    kind: "dots",
    title: "Difference",
    note: "Left is better.",
    alt: "codistilled is better.",
    x: "difference (nats)",
    reference: 0,
    rows: names.map((name, i) => ({
      name,
      value: i - 2,
      low: i - 3,
      high: i - 1,
      values: [i - 2.5, i - 1.5],
      shown: String(i - 2),
    })),
  },
  {
    kind: "table",
    caption: "Losses",
    head: ["arm", "test loss", "how"],
    rows: names.map((name, i) => [name, { text: `${(7 * i) % 5}.0000`, value: (7 * i) % 5 }, "finished"]),
  },
  heading("Course"),
  heading("In steps", 3),
  {
    kind: "lines",
    title: "Validation loss",
    note: "Means.",
    alt: "All fall.",
    x: "optimizer step",
    y: "validation loss (nats)",
    series: names.map((name, i) => ({
      name,
      points: [
        { x: 10, y: 3 + i },
        { x: 20, y: 2 + i, low: 1 + i, high: 3 + i },
      ],
    })),
  },
  { kind: "more", summary: "Every run", blocks: [text("None.")] },
  code("codistill compare config.json"),
];
const page = htmlOf({ title: "A comparison", made: "Today", blocks, coloured: names });

/** What a script in the page says, once it has run in a browser; the page's own policy would not let it. */
function inBrowser(html: string, script: string): unknown {
  const file = join(folder, "page.html");
  const open = html.replace(/<meta http-equiv[^>]*>/, "");
  const said = `const say = (value) => { document.body.innerHTML = ""; const pre = document.createElement("pre"); pre.id = "said"; pre.textContent = JSON.stringify(value); document.body.append(pre); };`;
  writeFileSync(
    file,
    open.replace("</body>", () => `<script>${said}${script}</script></body>`),
  );
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`];
  const { stdout, stderr } = spawnSync(
    chromium ?? "",
    [...flags, "--virtual-time-budget=60000", "--dump-dom", `file://${file}`],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  const [, json] = /<pre id="said">(.*?)<\/pre>/s.exec(stdout) ?? [];
  assert.ok(json, `the page said nothing: ${stderr}`);
  return JSON.parse(json.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));
}

function mapped<K extends string, A, B>(of: Readonly<Record<K, A>>, change: (value: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(of).map(([name, value]) => [name, change(value)])) as Record<K, B>;
}

const skip = chromium === undefined && "needs a Chromium, as Debian's chromium";

const { churn, sweep, scale } = studyPages();
const shownPages = { "every kind of block": page, ...mapped({ churn, sweep, scale }, htmlOf) };

for (const [name, html] of Object.entries(shownPages)) {
  test(`nothing to mend in light and in dark: ${name}`, { skip }, () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const found = inBrowser(
      html,
      `${axe};for (const one of document.querySelectorAll("details")) one.open = true;
      const run = () => axe.run(document).then(({ violations, passes }) => ({
        back: getComputedStyle(document.body).backgroundColor,
        passes: passes.length,
        violations: violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html, failureSummary }) => html + failureSummary).join("; ")),
      }));
      const isDark = (rule) => rule.media && rule.media.mediaText.includes("prefers-color-scheme: dark");
      const rules = [...document.styleSheets].flatMap(({ cssRules }) => [...cssRules]).filter(isDark);
      (async () => {
        const light = await run();
        for (const rule of rules) rule.media.mediaText = "screen";
        say({ light, dark: await run() });
      })();`,
    ) as Readonly<Record<"light" | "dark", { back: string; passes: number; violations: string[] }>>;
    assert.notEqual(found.light.back, found.dark.back, "both are one");
    for (const { passes, violations } of Object.values(found)) {
      assert.deepEqual(violations, []);
      assert.ok(passes > 15, `only ${passes} rules had something to look at`);
    }
  });
}

test("a table sorts by a column, and back, by its button", { skip }, () => {
  const order = inBrowser(
    page,
    `const button = [...document.querySelectorAll("th button")].find((one) => one.textContent === "test loss");
    const table = button.closest("table");
    const rows = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[1].dataset.value));
    button.focus();
    const isFocused = document.activeElement === button;
    button.click();
    const up = rows(), sort = button.closest("th").getAttribute("aria-sort");
    button.click();
    say({ isFocused, up, sort, down: rows(), last: button.closest("th").getAttribute("aria-sort") });`,
  ) as { isFocused: boolean; up: number[]; sort: string; down: number[]; last: string };
  const sorted = names.map((_, i) => (7 * i) % 5).sort((a, b) => a - b);
  assert.deepEqual(order, {
    isFocused: true,
    up: sorted,
    sort: "ascending",
    down: sorted.toReversed(),
    last: "descending",
  });
});
