/** The process of one group: `group-main.js <run folder> <group index> <threads>`. */
import { listen } from "./group-orders.js";

listen();
await import("./group.js");
