/** Lines of CSV and TSV that are no rows: found, shown, and left out where they are few enough. */
import { DataError } from "../../errors.js";
import { count, counted, shortened } from "../../report/format.js";
import type { Database } from "../duckdb.js";

/** What DuckDB writes its finds to. */
export const STORE_REJECTS =
  "store_rejects = true, rejects_scan = 'malformed_scans', rejects_table = 'malformed_lines'";

const SHOWN = 3;
const LONGEST_LINE = 60;

/** Lines that were left out of a table that was made with {@link STORE_REJECTS}. */
export interface Malformed {
  readonly count: number;
  /** Whether nothing is wrong with them but their bytes, which are no UTF-8. */
  readonly isEncoding: boolean;
  /** The first ones: where each is, what it is, and what is wrong with it. */
  readonly examples: readonly string[];
}

/** What was found since the last time. */
export async function takeMalformed(db: Database, numFiles: number): Promise<Malformed> {
  // A line may be wrong in several ways.
  const lines = `(select file_path, line, any_value(csv_line) as text,
      arg_min(error_message, error_type = 'CAST') as why,
      bool_and(error_type = 'INVALID ENCODING') as is_encoding
    from malformed_lines join malformed_scans using (scan_id, file_id) group by file_path, line)`;
  const [[total, isEncoding] = []] = await db.rows(`select count(*), bool_and(is_encoding) from ${lines}`);
  const first = await db.rows(
    `select file_path, line, text, why from ${lines} order by file_path, line limit ${SHOWN}`,
  );
  await db.run("drop table malformed_lines");
  await db.run("drop table malformed_scans");
  const examples = first.map(([path, line, text, why]) => {
    const where = numFiles === 1 ? "" : `${path} `;
    return `${where}line ${count(Number(line))}: ${JSON.stringify(shortened(String(text).trim(), LONGEST_LINE))}: ${reasonOf(String(why))}`;
  });
  return { count: Number(total), isEncoding: isEncoding === true, examples };
}

/** Throws {@link DataError} when there are more than may be left out. */
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

/** DuckDB's reason in our words, where it is one of those that are met. */
function reasonOf(message: string): string {
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message) ?? [];
  if (expected) return `${Number(found) > Number(expected) ? "more" : "fewer"} than ${expected} columns`;
  const value = /Could not convert string "(.*)" to '(\w+)'/s.exec(message);
  if (value) return `${JSON.stringify(shortened(value[1] ?? "", 30))} is no ${value[2]}`;
  return (message.split("\n")[0] ?? "").replace(/\.$/, "");
}
