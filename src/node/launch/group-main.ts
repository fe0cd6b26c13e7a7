/** The process of one group: `group-main.js <run folder> <group index> <threads>`. */
import { listen } from "./group-orders.js";

// Before everything else is loaded: a signal soon finds its listener.
listen();
const { trainGroup } = await import("./group.js");
await trainGroup(process.argv.slice(2));
