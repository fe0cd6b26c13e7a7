/** Draws every schedule of the learning rate into docs/schedules.svg. Run by `npm run plot:schedules`. */
import { writeFileSync } from "node:fs";
import { renderChart } from "./render.js";
import { schedulesChart } from "./schedules.js";

const file = "docs/schedules.svg";
writeFileSync(file, await renderChart(schedulesChart()));
process.stdout.write(`wrote ${file}\n`);
