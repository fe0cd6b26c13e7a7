/**
 * Two hosts on this machine, joined by a link that can be cut: network namespaces with a name each, and a pair of virtual network devices
 * between them. Only root on Linux can have them.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { eventually } from "./processes.js";

const ip = (...args: string[]) => execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Why no such hosts can be had here; false when they can. To be given to a test as `skip`. */
export const cannotJoinHosts: string | false = (() => {
  const trial = `codistill-trial-${process.pid}`;
  try {
    ip("netns", "add", trial);
    ip("netns", "del", trial);
    return false;
  } catch (error) {
    return `network namespaces are not permitted here: ${error instanceof Error ? error.message.trim() : error}`;
  }
})();

export interface TwoHosts {
  /** What stands before a command on the first host. */
  readonly onFirst: readonly string[];
  readonly addresses: readonly [string, string];
  /** The name of the link's end at each host. */
  readonly link: string;
  /** A program like ssh: `<program> <address> <command>` runs a command on the host of that address. */
  readonly ssh: string;
  cut(): void;
  join(): Promise<void>;
}

/** Make two hosts and their link, until the end of the test. The program like ssh is written to a path. */
export async function twoHosts(t: TestContext, ssh: string): Promise<TwoHosts> {
  const names = ["a", "b"].map((end) => `codistill-${process.pid}-${end}`) as [string, string];
  const addresses = ["10.99.0.1", "10.99.0.2"] as const;
  const link = "link0";
  for (const name of names) {
    ip("netns", "add", name);
    t.after(() => ip("netns", "del", name));
  }
  ip("link", "add", link, "netns", names[0], "type", "veth", "peer", "name", link, "netns", names[1]);
  for (const [i, name] of names.entries()) {
    ip("-n", name, "address", "add", `${addresses[i]}/24`, "dev", link);
    ip("-n", name, "link", "set", "lo", "up");
  }
  const set = (state: string) => names.map((name) => ip("-n", name, "link", "set", link, state));
  const on = (name: string) => [
    "ip",
    "netns",
    "exec",
    name,
    "unshare",
    "--uts",
    "sh",
    "-c",
    `hostname ${name}; exec "$@"`,
    "sh",
  ];
  const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");
  const cases = names.map((name, i) => `${addresses[i]}) exec ${quoted(on(name))} sh -c "$command" ;;`);
  writeFileSync(
    ssh,
    `#!/bin/sh\n[ "$1" != -x ] || shift\nhost=$1\nshift\ncommand="$*"\ncase $host in\n${cases.join("\n")}\n*) exit 1 ;;\nesac\n`,
  );
  chmodSync(ssh, 0o755);
  const hosts: TwoHosts = {
    onFirst: on(names[0]),
    ...{ addresses, link, ssh },
    cut: () => void set("down"),
    async join() {
      set("up");
      const isUp = (name: string) => /state UP/.test(ip("-n", name, "link", "show", link));
      await eventually(
        "the link",
        () => names.every(isUp) || null,
        () => "",
      );
    },
  };
  await hosts.join();
  return hosts;
}
