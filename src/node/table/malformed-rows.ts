/** Malformed lines of CSV and TSV: found, shown, and left out where they are few enough. */
import { DataError } from "../../errors.js";
import { count, counted, shortened } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";

/** The options by which DuckDB records malformed lines in tables. */
export const STORE_REJECTS =
  "store_rejects = true, rejects_scan = 'malformed_scans', rejects_table = 'malformed_lines'";

const SHOWN = 3;
const LONGEST_LINE = 60;

/** Lines that were left out of a table that was made with {@link STORE_REJECTS}. */
export interface Malformed {
  readonly count: number;
  /** The first ones, each with its place, its text and what is wrong with it. */
  readonly examples: readonly string[];
}

/**
 * Take the malformed lines found since the last call, in files that are shown by the paths that the user gave. Throws
 * {@link DataError} for a quote that is never closed: no line after it can be told apart.
 */
export async function takeMalformed(
  db: Database,
  files: readonly { readonly path: string; readonly readable: string }[],
): Promise<Malformed> {
  const paths = new Map(files.map(({ path, readable }) => [readable, path]));
  // A line may be wrong in several ways.
  const lines = `(select file_path, line, any_value(csv_line) as text, any_value(error_message) as why,
      bool_or(error_type = 'UNQUOTED VALUE') as is_open
    from malformed_lines join malformed_scans using (scan_id, file_id) group by file_path, line)`;
  const [[total] = []] = await db.rows(`select count(*) from ${lines}`);
  const first = await db.rows(
    `select file_path, line, text, why, is_open from ${lines} order by file_path, line limit ${SHOWN}`,
  );
  await db.run("drop table malformed_lines");
  await db.run("drop table malformed_scans");
  const examples = first.map(([file, line, text, why, isOpen]) => {
    const path = paths.get(String(file)) ?? file;
    const shown = JSON.stringify(shortened(String(text).trim(), LONGEST_LINE));
    if (isOpen && String(text).trim().includes("\n")) {
      throw new DataError(
        `data: a text in quotes ends with a quote, and in ${path} that of line ${count(Number(line))} does not, so that the lines after it are part of it: ${shown}. Close it there, or double it ("") where it is part of a text.`,
      );
    }
    const where = files.length === 1 ? "" : `${path} `;
    return `${where}line ${count(Number(line))}: ${shown}: ${reasonOf(String(why))}`;
  });
  return { count: Number(total), examples };
}

/** Throws {@link DataError} when there are more malformed lines than may be left out. */
export function checkMalformed({ count: found, examples }: Malformed, numRows: number, most: number, of: string): void {
  if (found <= most) return;
  const are = counted(found, "line is", "lines are");
  throw new DataError(
    [
      `data: of ${count(numRows + found)} lines of ${of} ${are} no row, and ${count(most)} may be left out.`,
      ...examples,
      ...(found > examples.length ? [`and ${count(found - examples.length)} more`] : []),
      `Mend them, or leave them out: --max-bad-rows ${found}, in a configuration data.maxBadRows.`,
    ].join("\n  "),
  );
}

/** DuckDB's reason in our words where it is a usual one, else in DuckDB's. */
function reasonOf(message: string): string {
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message) ?? [];
  if (expected) return `${Number(found) > Number(expected) ? "more" : "fewer"} than ${expected} columns`;
  if (message.includes("quote")) return "a quote within a text, or none at its end";
  return (message.split("\n")[0] ?? "").replace(/\.$/, "");
}
