/** What commands that take a while say on standard error: notes, and how far they are. */
import { count, seconds, wrapped } from "../../report/format.js";
import { printable } from "../../report/printable.js";
import { widthOf } from "./output.js";

/** Write a note on standard error. Names in it may come from files and models of others. */
export function tellNote(note: string): void {
  const lines = wrapped(printable(note), widthOf(process.stderr), "note    ", " ".repeat(8));
  process.stderr.write(`${lines.join("\n")}\n`);
}

/** Milliseconds between two updates of the progress line. */
const PAUSE_MS = 200;

/** A progress line on standard error, where that is a terminal; else nothing. */
export function progressLine(what = "rows") {
  const { stderr } = process;
  let shown = 0;
  let first: { readonly at: number; readonly done: number } | undefined;
  return {
    show(done: number, total: number): void {
      const now = performance.now();
      first ??= { at: now, done };
      if (done === first.done || !stderr.isTTY || now - shown < PAUSE_MS) return;
      shown = now;
      const left = ((now - first.at) / 1000) * ((total - done) / (done - first.done));
      stderr.write(`\r${count(done)} of ${count(total)} ${what}, ${seconds(left)} left\u001b[K`);
    },
    end(): void {
      if (shown > 0) stderr.write("\r\u001b[K");
    },
  };
}
