/** A report as Markdown: the same words and numbers as its page, without the charts. */
import { type Block, type Cell, type Page, textOf } from "./blocks.js";

/** The report as Markdown, with a line break at the end. */
export function markdownOf({ title, made, blocks }: Page): string {
  const parts = [`# ${escaped(title)}`, escaped(made), ...blocks.map(blockOf)];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${escaped(block.text)}`;
    case "text":
      return escaped(block.text);
    case "list":
      return block.items.map((item) => `- ${escaped(item)}`).join("\n");
    case "code":
      return block.text
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n");
    case "more":
      return [`**${escaped(block.summary)}**`, ...block.blocks.map(blockOf)].join("\n\n");
    case "table":
      return tableOf(block.head, block.rows);
    case "dots":
    case "lines":
      return `*${escaped(`${block.title}.`)}* ${escaped(`${block.note} ${block.alt}`)}`;
  }
}

function tableOf(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map((row) => line(row.map(textOf)))].join(
    "\n",
  );
}

/** Text in which nothing is Markdown or HTML, on one line. */
export function escaped(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\\`*_[\]|#!]/g, (mark) => (mark === "_" || mark === "#" || mark === "!" ? mark : `\\${mark}`))
    .replace(/^([#+-])/, "\\$1");
}
