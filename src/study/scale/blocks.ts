/** Parts of the report of a search for the limit: steps and time against workers, learning rates, and the noise scale. */
import { bytes, count } from "../../report/format.js";
import { type Block, type Cell, type LinePoint, text } from "../../report/page/blocks.js";
import type { Interval } from "../intervals.js";
import { std } from "../statistics.js";
import { rangeOf } from "../verdicts.js";
import { shownLoss, timeShown } from "./advice.js";
import type { ScaledTime, ScaleFigures } from "./figures.js";
import type { ScaledTo } from "./limit.js";
import { rateOf, type ScaleOutcome, type ScaleQuestion, stepsOf } from "./question.js";
import type { TimeModel } from "./time-model.js";

const whole = (value: number) => count(Math.round(value));
const numberCell = (value: number): Cell => ({ text: count(value), value });
const rangeCell = (interval: Interval | null, show = whole): Cell =>
  interval === null ? "" : { text: rangeOf(interval, show), value: interval.value };

/** A point with a standard deviation over seeds to either side. */
function pointOf({ workers, steps, bySeed }: ScaledTo, perStep: number): LinePoint {
  const y = (steps?.value ?? Number.NaN) * perStep;
  const spread = bySeed.length > 1 ? std(bySeed) * perStep : 0;
  return spread > 0 ? { x: workers, y, low: y - spread, high: y + spread } : { x: workers, y };
}

export const MEASURED = "measured";
export const PERFECT = "as many times fewer as there are workers";
export const MODELLED = "modelled";
export const WITHOUT_OVERHEAD = "modelled, compute alone";

/** Steps to the target against workers: Fig. 1a of the paper. */
export function stepsBlocks({ all, target }: ScaleFigures, question: ScaleQuestion): Block[] {
  const reached = all.filter(({ steps }) => steps !== null);
  const [first] = reached;
  if (!first) return [];
  const points = reached.map((at) => pointOf(at, 1));
  const perfect = reached.map(({ workers }) => ({
    x: workers,
    y: ((first.steps?.value ?? Number.NaN) * first.workers) / workers,
  }));
  return [
    {
      kind: "lines",
      title: "Steps to the target against workers",
      note: "Each point is at its best learning rate, as a mean over seeds; whiskers are a standard deviation to either side. Both axes go by factors: where the line leaves the dashed one, workers begin to be wasted.",
      alt: `${reached.map(({ workers, steps }) => `${workers} workers: ${whole(steps?.value ?? 0)} steps`).join("; ")}.`,
      x: `workers, each with ${count(question.workerBatch)} examples of a step`,
      y: `steps to a validation loss of ${shownLoss(target)}`,
      isLog: true,
      series: [{ name: MEASURED, points }, ...(reached.length > 1 ? [{ name: PERFECT, points: perfect }] : [])],
    },
    {
      kind: "table",
      caption: `Steps to a validation loss of ${shownLoss(target)}: measured`,
      head: [
        "workers",
        "batch",
        "steps",
        "of those of half the workers",
        "examples",
        "seeds",
        "best learning rate",
        "learning rates tried",
      ],
      rows: all.map((at, i): Cell[] => {
        const before = all[i - 1];
        const ratio = before?.steps && at.steps ? at.steps.value / before.steps.value : null;
        return [
          count(at.workers),
          numberCell(at.batch),
          at.steps === null ? `not within ${count(at.without)}` : stepsCell(at),
          ratio === null ? "" : { text: ratio.toFixed(2), value: ratio },
          at.steps === null ? "" : numberCell(Math.round(at.steps.value * at.batch)),
          at.numShort === 0 ? String(at.bySeed.length) : `${at.bySeed.length}, ${at.numShort} of them without it`,
          { text: String(Number(at.rate.toPrecision(3))), value: at.rate },
          numberCell(at.numRates),
        ];
      }),
    },
    ...(all.some(({ numShort }) => numShort > 0)
      ? [
          text(
            "A seed that did not come to the target counts with the steps that it was given, so that its mean is too low.",
          ),
        ]
      : []),
  ];
}

function stepsCell({ steps, bySeed }: ScaledTo): Cell {
  const spread = bySeed.length > 1 ? ` ± ${whole(std(bySeed))}` : "";
  return { text: `${whole(steps?.value ?? Number.NaN)}${spread}`, value: steps?.value ?? Number.NaN };
}

/** Time to the target against workers: Fig. 1b of the paper. */
export function timeBlocks({ times, all, target }: ScaleFigures, model: TimeModel | null): Block[] {
  if (times === null || model === null || times.length === 0) return [];
  const { link, spread, gradientBytes } = model;
  const at = (time: ScaledTime) => all.find(({ workers }) => workers === time.workers) as ScaledTo;
  const series = [
    { name: MODELLED, points: times.map((time) => pointOf(at(time), time.step.total)) },
    {
      name: WITHOUT_OVERHEAD,
      points: times.map((time) => ({ x: time.workers, y: pointOf(at(time), time.step.compute).y })),
    },
    {
      name: MEASURED,
      points: times.filter(({ isMeasured }) => isMeasured).map((time) => pointOf(at(time), time.step.total)),
    },
  ].filter(({ points }) => points.length > 0);
  const how = `${bytes(Math.round(link.bytesPerSecond))} a second and ${Number((1e6 * link.latencySeconds).toPrecision(3))} microseconds a message (${link.isMeasured ? "measured between the threads of this machine" : "declared"})`;
  return [
    text(
      `What one worker takes over a step is measured, here, without validations. Times of more workers are modelled: each computes as long as one does; gradients of ${bytes(gradientBytes)} are added up by halving and doubling over links of ${how}; and each is late by an exponential delay of ${Math.round(100 * spread)} % of its compute on average (declared), of which all wait for the largest.`,
    ),
    {
      kind: "lines",
      title: "Time to the target against workers",
      note: "Steps, which are measured, times the seconds of a step, which are measured for one worker and modelled for more. Whiskers are a standard deviation of the steps to either side.",
      alt: `${times.map(({ workers, seconds }) => `${workers} workers: ${timeShown(seconds.value)}`).join("; ")}.`,
      x: "workers",
      y: `seconds to a validation loss of ${shownLoss(target)}`,
      isLog: true,
      series,
    },
    {
      kind: "table",
      caption: "Seconds of a step and to the target",
      head: [
        "workers",
        "compute",
        "waiting",
        "adding up",
        "a step",
        "to the target",
        "machine time",
        "how it is known",
      ],
      rows: times.map(({ workers, step, seconds, isMeasured }): Cell[] => {
        const cell = (value: number): Cell => ({ text: secondsShown(value), value });
        return [
          count(workers),
          cell(step.compute),
          cell(step.waiting),
          cell(step.reduce),
          cell(step.total),
          { text: timeShown(seconds.value), value: seconds.value },
          { text: timeShown(workers * seconds.value), value: workers * seconds.value },
          isMeasured ? "measured" : "steps measured, seconds of a step modelled",
        ];
      }),
    },
  ];
}

/** Of a step, in milliseconds where it is short. */
function secondsShown(seconds: number): string {
  return seconds === 0
    ? "0"
    : seconds < 1
      ? `${Number((1000 * seconds).toPrecision(3))} ms`
      : `${seconds.toFixed(2)} s`;
}

/** The noise scale by the number of workers. */
export function noiseBlocks({ noise, critical }: ScaleFigures): Block[] {
  if (noise.length === 0)
    return [text("The gradient noise scale needs steps of several parts, of which there was none.")];
  return [
    text(
      "B = tr(Sigma) / |G|^2 (McCandlish et al. 2018): what the gradient of one example varies by, over the squared length of its mean. It follows without bias from the squared lengths of the gradients of steps and of their parts; intervals of 95 % are by the jackknife over stretches of steps. It is of the learning rate, the optimizer and the place in training that the steps had, and foretells the batch from which more examples hardly help to an order of magnitude.",
    ),
    {
      kind: "table",
      caption: "Gradient noise scale up to the target, in examples: measured",
      head: ["workers", "over the whole course", "in its last quarter"],
      rows: noise.map(({ workers, whole: over, late }) => [count(workers), rangeCell(over), rangeCell(late)]),
    },
    ...(critical
      ? [
          text(
            `Through the steps at each batch goes S(B) = ${whole(critical.leastSteps)} (1 + ${whole(critical.batch)} / B): ${whole(critical.batch)} examples is the batch with twice the least steps.`,
          ),
        ]
      : []),
  ];
}

/** Every run. */
export function runsTable(
  question: ScaleQuestion & { readonly target: number },
  outcomes: readonly ScaleOutcome[],
): Block {
  return {
    kind: "table",
    caption: "Each run: one group that trains alone on all data, at a constant learning rate",
    head: ["run", "learning rate", "seed", "steps to the target", "steps given", "lowest validation loss", "time"],
    rows: outcomes.map((one): Cell[] => {
      const steps = stepsOf(one, question.target);
      const lowest = Math.min(...one.curve.map(({ loss }) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss)));
      const rate = rateOf(question, one.doublings);
      return [
        `${one.workers} ${one.workers === 1 ? "worker" : "workers"}`,
        { text: String(Number(rate.toPrecision(4))), value: rate },
        { text: String(one.seed), value: one.seed },
        steps === null ? (one.isDiverged ? "diverged" : "not reached") : { text: whole(steps), value: steps },
        numberCell(one.numSteps),
        Number.isFinite(lowest) ? { text: lowest.toFixed(4), value: lowest } : "",
        { text: timeShown(one.seconds), value: one.seconds },
      ];
    }),
  };
}
