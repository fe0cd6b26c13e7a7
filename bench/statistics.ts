/** What the measurements make of many times. */
export { mean, median } from "../src/study/statistics.js";
