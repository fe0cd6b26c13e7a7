/** What a search for the limit advises: the verdict, and the figures behind it, in short sentences. */
import { count, counted, duration } from "../../report/format.js";
import type { Interval } from "../intervals.js";
import { rangeOf, signed } from "../verdicts.js";
import { fastestOf, noiseNear, type ScaledTime, type ScaleFigures, type SecondGroup } from "./figures.js";
import type { ScaledTo } from "./limit.js";

const whole = (value: number) => count(Math.round(value));
const workersOf = (n: number) => counted(n, "worker");

/** Seconds with as many digits as tell short times apart. */
export function timeShown(seconds: number): string {
  return seconds < 60 ? `${Number(seconds.toPrecision(2))} s` : duration(seconds);
}

/** What to do, and why: short sentences, each of which can be read by itself. */
export interface Advice {
  /** The limit, and whether a second group is worth asking for beyond it. */
  readonly verdict: readonly string[];
  /** The figures behind it. */
  readonly reasons: readonly string[];
}

/** The advice of what a search came to. */
export function adviceOf(figures: ScaleFigures): Advice {
  const { all, target, secondGroup } = figures;
  const reached = all.filter(({ steps }) => steps !== null);
  if (reached.length === 0) {
    return {
      verdict: [
        `Nothing can be said of a limit: no run came to a validation loss of ${shownLoss(target)} within its steps.`,
        "Name a higher --target, or more numSteps.",
      ],
      reasons: [],
    };
  }
  return {
    verdict: [...limitVerdict(figures, reached), ...(secondGroup ? secondGroupVerdict(secondGroup) : [])],
    reasons: [
      ...stepsReasons(figures, reached),
      ...timeReasons(figures),
      ...noiseReasons(figures),
      ...(secondGroup ? secondGroupReasons(secondGroup) : []),
    ],
  };
}

/** All of its sentences, the verdict first. */
export const adviceSentences = ({ verdict, reasons }: Advice): string[] => [...verdict, ...reasons];

export const shownLoss = (loss: number) => String(Number(loss.toPrecision(5)));

const limitAt = ({ all, limit }: ScaleFigures) => all.find(({ workers }) => workers === limit.workers) ?? null;

function limitVerdict(figures: ScaleFigures, reached: readonly ScaledTo[]): string[] {
  const [first, last] = [reached[0] as ScaledTo, reached.at(-1) as ScaledTo];
  const at = limitAt(figures);
  if (at === null && first === last) {
    return [`Nothing can be said of a limit: only runs with ${workersOf(first.workers)} came to the target.`];
  }
  if (at === null) {
    return [
      `Double the workers of the one group before you add a second group: up to ${count(last.workers)} of them none are wasted.`,
      `The limit lies beyond; --workers ${last.workers * 2} looks on.`,
    ];
  }
  const fastest = figures.times && fastestOf(figures.times);
  return [
    `The limit is ${workersOf(at.workers)}, a batch of ${count(at.batch)}: more of them are wasted on this problem.`,
    ...(fastest && fastest.workers < at.workers
      ? [`By the modelled time ${count(fastest.workers)} ${isOrAre(fastest.workers)} faster still.`]
      : []),
  ];
}

const isOrAre = (n: number) => (n === 1 ? "is" : "are");
const takes = (n: number) => (n === 1 ? "takes" : "take");

function stepsReasons(figures: ScaleFigures, reached: readonly ScaledTo[]): string[] {
  const { limit, target, all } = figures;
  const [first, last] = [reached[0] as ScaledTo, reached.at(-1) as ScaledTo];
  const steps = (one: ScaledTo) => whole(one.steps?.value ?? Number.NaN);
  const goal = `a validation loss of ${shownLoss(target)}`;
  const at = limitAt(figures);
  const end = at ?? last;
  const fall =
    end === first
      ? `${workersOf(first.workers)} took ${steps(first)} steps to ${goal}.`
      : `Steps to ${goal} fall from ${steps(first)} with ${workersOf(first.workers)} to ${steps(end)} with ${count(end.workers)}.`;
  if (at === null) return [fall];
  const next = limit.next ?? Number.NaN;
  const beyond =
    limit.ratio === null
      ? `${workersOf(next)} did not come to it in ${count(all.find(({ workers }) => workers === next)?.without ?? 0)}.`
      : `${workersOf(next)} ${takes(next)} ${rangeOf(limit.ratio, (value) => value.toFixed(2))} times as many as ${count(at.workers)}: less than a tenth is saved for each doubling.`;
  return [fall, beyond];
}

function noiseReasons({ noise, critical, limit }: ScaleFigures): string[] {
  const known = noise.filter((one) => noiseNear(one) !== null);
  const near = known.find(({ workers }) => workers === limit.workers) ?? known.at(-1);
  const examples = (interval: Interval | null) => rangeOf(interval, whole);
  const way = "the way to the target";
  return [
    ...(near
      ? [
          `The gradient noise scale, measured with ${workersOf(near.workers)}, is ${examples(noiseNear(near))} examples over ${near.late ? "the last quarter of " : ""}${way}: batches much below it still gain from more workers, batches much above it hardly do.`,
        ]
      : []),
    ...(near?.late
      ? [
          `Over all of ${way} the noise scale is ${examples(near.whole)}: the large gradients of the first steps count most.`,
        ]
      : []),
    ...(critical
      ? [
          `The critical batch is ${whole(critical.batch)} examples: there steps are twice the fewest that any batch takes.`,
        ]
      : []),
  ];
}

function timeReasons({ times }: ScaleFigures): string[] {
  const [first] = times ?? [];
  const fastest = times && fastestOf(times);
  if (!first || !fastest) return [];
  const cost = (one: ScaledTime) => one.workers * one.seconds.value;
  const seconds = timeShown(first.seconds.value);
  if (fastest.workers === first.workers) {
    return [
      `By the modelled time ${workersOf(first.workers)} ${isOrAre(first.workers)} the fastest already (${seconds}): what more of them save in steps they lose in waiting and in adding up gradients.`,
    ];
  }
  return [
    `By the modelled time ${workersOf(fastest.workers)} are the fastest: ${timeShown(fastest.seconds.value)}, where ${count(first.workers)} ${takes(first.workers)} ${seconds} (${first.isMeasured ? "measured" : "modelled"}).`,
    `Of machine time they take ${(cost(fastest) / cost(first)).toFixed(1)} times that of ${count(first.workers)}.`,
  ];
}

/** Whether an interval leaves 0 out. */
const isSure = ({ low, high }: Interval) => low > 0 || high < 0;

function secondGroupVerdict({ workers, ensembleLessTwice: sign }: SecondGroup): string[] {
  const machines = workers * 2;
  const expected =
    sign.value < 0
      ? `A second group is expected to be worth it there: with ${workersOf(machines)}, two groups of ${count(workers)} that codistil should do better than one of ${count(machines)}.`
      : `A second group is expected to bring nothing there: with ${workersOf(machines)}, one group of ${count(machines)} should do better than two of ${count(workers)} that codistil.`;
  const doubt = Number.isNaN(sign.low)
    ? "This is of one seed, which says nothing of chance."
    : "This is no more than a guess: its interval holds 0.";
  return isSure(sign) ? [expected] : [expected, doubt];
}

function secondGroupReasons(second: SecondGroup): string[] {
  const { workers, ensembleLessTwice: sign, codistilledLessTwice: pair, codistilledLessSingle: gain } = second;
  const ahead = sign.value < 0 ? "ahead of" : "behind";
  return [
    `The sign of a second group: the ensemble of two that train alone, with ${workersOf(workers)} each, is ${ahead} one group with twice the batch by ${rangeOf(absolute(sign), (value) => signed(value).replace("+", ""))} in test loss after ${count(second.numSteps)} steps.`,
    ...(pair === null ? [] : checkSentences(sign, pair, gain)),
    ...second.notes,
  ];
}

/** A difference as how far one is ahead or behind. */
function absolute({ value, low, high }: Interval): Interval {
  return value < 0 ? { value: -value, low: -high, high: -low } : { value, low, high };
}

/** Whether the sign was right, where the pair was trained. */
export function wasRight(sign: Interval, pair: Interval): boolean {
  return sign.value < 0 === pair.value < 0;
}

function checkSentences(sign: Interval, pair: Interval, gain: Interval | null): string[] {
  const verdict = wasRight(sign, pair) ? "The sign was right" : "The sign was wrong";
  const doubt = isSure(pair) ? "" : ", though seeds cannot tell the two apart";
  return [
    `Checked: the codistilled pair is ${rangeOf(pair, signed)} in test loss to twice the batch. ${verdict}${doubt}.`,
    ...(gain === null ? [] : [`To training alone the codistilled pair is ${rangeOf(gain, signed)} in test loss.`]),
  ];
}
