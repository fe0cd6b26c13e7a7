/** Every schedule that a configuration can name, over a run of 1,000 steps. */
import type { Schedule } from "../../src/optim/schedules.js";
import { configuredSchedule } from "../../src/run/optimizer.js";
import { type OptimizerConfig, optimizerInSteps, optimizerSchema } from "../../src/run/optimizer-schema.js";
import type { Chart, Point } from "./chart.js";

export const NUM_STEPS = 1000;
export const WARM_UP = "10%";

type Kind = Exclude<OptimizerConfig["schedule"], string>["kind"];

/** The options of each kind, as in docs/optimizers.md where they are short enough for 1,000 steps. */
const options: { readonly [K in Kind]: object } = {
  constant: {},
  linear: {},
  cosine: {},
  step: { at: ["50%", "75%"], factor: 0.1 },
  exponential: { factor: 0.5, every: "10%" },
  inverseSquareRoot: { steps: 100 },
  oneCycle: { peakAt: "30%" },
};

/** The schedule of a kind for a learning rate of 1, with what else a configuration says. */
function scheduleOf(kind: Kind, more: object): Schedule {
  const config = optimizerSchema.parse({
    kind: "sgd",
    learningRate: 1,
    schedule: { kind, ...options[kind] },
    ...more,
  });
  return configuredSchedule(optimizerInSteps(config, NUM_STEPS), NUM_STEPS);
}

export function schedulesChart(): Chart {
  const pointsOf = (schedule: Schedule) =>
    thinned(Array.from({ length: NUM_STEPS + 1 }, (_, step) => ({ x: step, y: schedule(step) })));
  return {
    title: "Learning rates over a run of 1,000 steps",
    x: { title: "optimizer step" },
    y: { title: "learning rate / eta" },
    columns: 4,
    width: 210,
    height: 130,
    panels: (Object.entries(options) as [Kind, object][]).map(([kind, given]) => ({
      title: kind,
      subtitle: Object.entries(given)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join(", "),
      series: [
        { name: "without a warm-up", points: pointsOf(scheduleOf(kind, {})) },
        { name: `with warmUp: "${WARM_UP}"`, points: pointsOf(scheduleOf(kind, { warmUp: WARM_UP })) },
      ],
    })),
  };
}

/** As far as a line may be from a point that it leaves out: less than a tenth of a pixel here. */
const TOLERANCE = 5e-4;

/** The points that a line needs to pass within the tolerance of all (Douglas and Peucker 1973, with vertical distances). */
export function thinned(points: readonly Point[]): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 3) return [...points];
  const slope = (last.y - first.y) / (last.x - first.x);
  const distances = points.map(({ x, y }) => Math.abs(y - first.y - slope * (x - first.x)));
  const farthest = distances.reduce((most, distance, i) => (distance > (distances[most] ?? 0) ? i : most), 0);
  if ((distances[farthest] ?? 0) <= TOLERANCE) return [first, last];
  return [...thinned(points.slice(0, farthest + 1)).slice(0, -1), ...thinned(points.slice(farthest))];
}
