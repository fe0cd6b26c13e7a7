/** The machines that a run is given. */
import { existsSync, statSync } from "node:fs";
import { ConfigError } from "../../errors.js";
import { beginningOf } from "../files/read-bounded.js";

/** A name or an address, after a user where one is given. What begins with a dash would be an option of ssh. */
const HOST = /^(?:[\w.-]+@)?[A-Za-z0-9][\w.-]*$/;
/** Bytes that are read of a file with hosts. */
const MAX_BYTES = 1 << 20;

/**
 * The hosts of a list parted by commas, or of a file with one a line, whose first word counts; `#` begins a comment.
 *
 * Throws {@link ConfigError} when there is none, or one is no name.
 */
export function hostsOf(given: string): string[] {
  const isFile = existsSync(given) && statSync(given).isFile();
  const words = isFile
    ? beginningOf(given, MAX_BYTES)
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim().split(/\s+/)[0] ?? "")
    : given.split(",").map((word) => word.trim());
  const hosts = words.filter((word) => word !== "");
  const where = isFile ? `in ${given}` : "";
  if (hosts.length === 0)
    throw new ConfigError(
      `--hosts must name hosts, as a,b,c or as a file with one a line, and there is none ${where || `in "${given}"`}`,
    );
  for (const host of hosts) {
    if (HOST.test(host)) continue;
    throw new ConfigError(
      `--hosts: a host is a name, as node1 or me@10.0.0.7, got ${JSON.stringify(host)} ${where}`.trim(),
    );
  }
  return hosts;
}
