/** A report as one file of HTML: no network, no other file, and no script but the page's own. */
import { type Block, type Cell, type ChartBlock, type Page, type TableBlock, textOf } from "./blocks.js";
import { dotChart } from "./dot-chart.js";
import { lineChart } from "./line-chart.js";
import { SCRIPT, SCRIPT_DIGEST, STYLE } from "./style.js";
import { element, escapeMarkup, type Look, line, lookOf } from "./svg.js";

/** What a page is drawn with: the look of names, and the next id. */
interface Drawing {
  readonly lookOf: (name: string) => Look;
  readonly nextId: () => string;
}

/** The page as HTML. Nothing in its texts can become an element, an attribute or a script. */
export function htmlOf(page: Page): string {
  let count = 0;
  // Of a name without a colour of its own the look is that of the names that come after.
  const others: string[] = [];
  const placeOf = (name: string): number => {
    const own = page.coloured.indexOf(name);
    if (own >= 0) return own;
    if (!others.includes(name)) others.push(name);
    return page.coloured.length + others.indexOf(name);
  };
  const drawing: Drawing = { lookOf: (name) => lookOf(placeOf(name)), nextId: () => `b${++count}` };
  const headings: { id: string; text: string }[] = [];
  const body = page.blocks.map((block) => {
    if (block.kind !== "heading" || block.level !== 2) return blockOf(block, drawing);
    const id = drawing.nextId();
    headings.push({ id, text: block.text });
    return element("h2", { id }, escapeMarkup(block.text));
  });
  const contents = headings.map(({ id, text }) =>
    element("li", {}, element("a", { href: `#${id}` }, escapeMarkup(text))),
  );
  const nav =
    contents.length < 3 ? "" : element("nav", { "aria-label": "Contents" }, element("ul", {}, contents.join("")));
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_DIGEST}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeMarkup(page.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeMarkup(page.title)}</h1>
<p class="made">${escapeMarkup(page.made)}</p>
${nav}
${body.join("\n")}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function blockOf(block: Block, drawing: Drawing): string {
  switch (block.kind) {
    case "heading":
      return element(`h${block.level}`, {}, escapeMarkup(block.text));
    case "text":
      return element("p", {}, escapeMarkup(block.text));
    case "list":
      return element("ul", {}, block.items.map((item) => element("li", {}, escapeMarkup(item))).join(""));
    case "code":
      return element("pre", { tabindex: 0 }, escapeMarkup(block.text));
    case "more": {
      const inside = block.blocks.map((one) => blockOf(one, drawing)).join("\n");
      return element("details", {}, element("summary", {}, escapeMarkup(block.summary)) + inside);
    }
    case "table":
      return tableOf(block);
    case "lines":
    case "dots":
      return figureOf(block, drawing);
  }
}

/** Wide tables scroll by themselves, which the keyboard can do as well. */
function tableOf({ caption, head, rows }: TableBlock): string {
  const isNumeric = head.map((_, i) => rows.some((row) => typeof row[i] === "object"));
  const heads = head.map((name, i) =>
    name === ""
      ? element("td", {})
      : element(
          "th",
          { scope: "col", "aria-sort": "none", class: isNumeric[i] ? undefined : "words" },
          element("button", { type: "button" }, escapeMarkup(name)),
        ),
  );
  const lines = rows.map((row) =>
    element("tr", {}, row.map((cell, i) => cellOf(cell, i, isNumeric[i] ?? false)).join("")),
  );
  const inside =
    element("caption", {}, escapeMarkup(caption)) +
    element("thead", {}, element("tr", {}, heads.join(""))) +
    element("tbody", {}, lines.join("\n"));
  return element(
    "div",
    { class: "wide", tabindex: 0, role: "group", "aria-label": `Table: ${caption}` },
    element("table", {}, inside),
  );
}

function cellOf(cell: Cell, column: number, isNumeric: boolean): string {
  const words = escapeMarkup(textOf(cell));
  if (column === 0) return element("th", { scope: "row" }, words);
  if (typeof cell === "object") return element("td", { "data-value": String(cell.value) }, keptTogether(words));
  return element("td", { class: isNumeric ? undefined : "words" }, words);
}

const NO_BREAK = "\u00a0";

/** With an interval, and a value and its standard deviation, each on one line. */
function keptTogether(words: string): string {
  return words
    .replace(/ ± /g, `${NO_BREAK}±${NO_BREAK}`)
    .replace(/\([^()]* to [^()]*\)/g, (interval) => interval.replaceAll(" ", NO_BREAK));
}

function figureOf(chart: ChartBlock, drawing: Drawing): string {
  const id = drawing.nextId();
  const caption = element(
    "figcaption",
    {},
    escapeMarkup(chart.title) + element("span", { class: "sub" }, escapeMarkup(chart.note)),
  );
  const drawn = chart.kind === "lines" ? lineChart(chart, id, drawing.lookOf) : dotChart(chart, id, drawing.lookOf);
  const legend =
    chart.kind === "lines" && chart.series.length > 1
      ? legendOf(
          chart.series.map(({ name }) => name),
          drawing,
        )
      : "";
  const scroll = { class: "wide", tabindex: 0, role: "group", "aria-label": `Chart: ${chart.title}` };
  const numbers = element(
    "details",
    {},
    element("summary", {}, "The numbers of this chart") + tableOf(numbersOf(chart)),
  );
  return element("figure", {}, caption + legend + element("div", scroll, drawn) + numbers);
}

function legendOf(names: readonly string[], { lookOf }: Drawing): string {
  const entries = names.map((name) => {
    const look = lookOf(name);
    const stroke = line(2, 8, 42, 8, { class: `${look.colour} line`, "stroke-dasharray": look.dash });
    const swatch = element("svg", { viewBox: "0 0 44 16", "aria-hidden": "true" }, stroke + look.marker(22, 8, 3.5));
    return element("li", {}, swatch + escapeMarkup(name));
  });
  return element("ul", { class: "legend" }, entries.join(""));
}

/** What a chart shows, as a table. */
function numbersOf(chart: ChartBlock): TableBlock {
  if (chart.kind === "dots") {
    const head = ["", chart.x, "single values"];
    const rows = chart.rows.map((row) => [
      row.name,
      { text: row.shown, value: row.value },
      row.values.map(digits).join(", "),
    ]);
    return { kind: "table", caption: chart.title, head, rows };
  }
  const xs = [...new Set(chart.series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const rows = xs.map((x) => [
    { text: chart.places?.[x] ?? digits(x), value: x },
    ...chart.series.map(({ points }) => {
      const point = points.find((one) => one.x === x);
      return point ? { text: digits(point.y), value: point.y } : "";
    }),
  ]);
  return { kind: "table", caption: chart.y, head: [chart.x, ...chart.series.map(({ name }) => name)], rows };
}

const digits = (value: number) => String(Number(value.toPrecision(5)));
