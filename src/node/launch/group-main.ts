/** The process of one group: `group-main.js <run folder> <group index> <threads>`. */
import { listen } from "./group-orders.js";

// Listens before everything else is loaded, so that early signals are handled.
listen();
const { trainGroup } = await import("./group.js");
await trainGroup(process.argv.slice(2));
