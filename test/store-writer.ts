/**
 * A process that writes to a store while the test that started it looks on.
 *
 * `overwrite <root> <name>` puts values without end, each beginning with the SHA-256 of the rest.
 * `create <root> <count>` waits for a message, creates that many names, and reports how many it won.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { directoryStore } from "../src/node/stores/directory-store.js";

const VALUE_BYTES = 1_000_000;

const [mode, root = "", argument = ""] = process.argv.slice(2);
const store = directoryStore(root);

if (mode === "overwrite") {
  for (;;) {
    const rest = randomBytes(VALUE_BYTES);
    await store.put(argument, Buffer.concat([createHash("sha256").update(rest).digest(), rest]));
  }
} else {
  process.send?.("ready");
  await once(process, "message");
  let won = 0;
  for (let index = 0; index < Number(argument); index++) {
    if (await store.create(`race/${index}`, Buffer.from(String(process.pid)))) won++;
  }
  process.send?.(won);
  process.disconnect();
}
