/** Writes a page as files that may be shown to others. */
import { homedir } from "node:os";
import { sep } from "node:path";
import type { Page } from "../../report/page/blocks.js";
import { htmlOf } from "../../report/page/html.js";
import { markdownOf } from "../../report/page/markdown.js";
import { printable } from "../../report/printable.js";
import { withoutSecrets } from "../../report/secrets.js";
import { writeOwn } from "../files/plain-files.js";

/**
 * Write a page as HTML and Markdown, without secrets of addresses, without characters that control a terminal, and with the paths of
 * files in the working folder as they are from there, those in the user's own folder from `~`.
 */
export function writePage(page: Page, { html, markdown }: { readonly html: string; readonly markdown: string }) {
  const shorten = pathShortener([process.cwd(), ""], [homedir(), `~${sep}`]);
  const shown = withTexts(page, (text) => printable(withoutSecrets(shorten(text))));
  writeOwn(html, "replace", htmlOf(shown));
  writeOwn(markdown, "replace", markdownOf(shown));
  return { html, markdown };
}

/** Replaces the paths of folders, where files in them are named, each by what is said in its place. */
export function pathShortener(...folders: readonly (readonly [folder: string, shown: string])[]) {
  const rules = folders
    .filter(([folder]) => !folder.endsWith(sep))
    .map(([folder, shown]) => [new RegExp(`(?<![\\w./\\\\-])${escaped(folder + sep)}`, "g"), shown] as const);
  return (text: string) => rules.reduce((so, [path, shown]) => so.replace(path, () => shown), text);
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** A record with all its texts changed. */
function withTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((part) => withTexts(part, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withTexts(part, change)])) as T;
}
