/** What a search for the limit advises, in sentences that make one paragraph. */
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

/** The sentences of the advice, in their order. */
export function adviceOf(figures: ScaleFigures): string[] {
  const { all, target } = figures;
  const reached = all.filter(({ steps }) => steps !== null);
  if (reached.length === 0) {
    return [
      `No run came to a validation loss of ${shownLoss(target)} within the steps that it was given, so that nothing can be said of a limit: name a higher --target, or more numSteps.`,
    ];
  }
  return [
    ...limitSentences(figures, reached),
    ...noiseSentences(figures),
    ...timeSentences(figures),
    ...secondGroupSentences(figures.secondGroup),
  ];
}

export const shownLoss = (loss: number) => String(Number(loss.toPrecision(5)));

function limitSentences({ limit, target, all }: ScaleFigures, reached: readonly ScaledTo[]): string[] {
  const [first, last] = [reached[0] as ScaledTo, reached.at(-1) as ScaledTo];
  const steps = (at: ScaledTo) => whole(at.steps?.value ?? Number.NaN);
  const goal = `a validation loss of ${shownLoss(target)}`;
  const at = all.find(({ workers }) => workers === limit.workers);
  if (at === undefined) {
    const more = last.workers * 2;
    return [
      first === last
        ? `${workersOf(first.workers)} took ${steps(first)} steps to ${goal}; with one number of workers nothing can be said of a limit.`
        : `Steps to ${goal} fall from ${steps(first)} with ${workersOf(first.workers)} to ${steps(last)} with ${count(last.workers)}: up to there more workers are not wasted, and the limit lies beyond (--workers ${more} looks on). Before it, double the workers of the one group rather than add a second group.`,
    ];
  }
  const from =
    at === first
      ? `${workersOf(at.workers)} (a batch of ${count(at.batch)}) took ${steps(at)} steps to ${goal}`
      : `Steps to ${goal} fall from ${steps(first)} with ${workersOf(first.workers)} to ${steps(at)} with ${count(at.workers)} (a batch of ${count(at.batch)})`;
  const next = limit.next ?? Number.NaN;
  const beyond =
    limit.ratio === null
      ? `${count(next)} did not come to it in ${count(all.find(({ workers }) => workers === next)?.without ?? 0)}`
      : `${count(next)} take ${rangeOf(limit.ratio, (value) => value.toFixed(2))} times as many`;
  return [
    `${from}, and ${beyond}.`,
    `Beyond ${workersOf(at.workers)} more of them are wasted on this problem: ${count(next)} save less than a tenth of the steps for each doubling.`,
  ];
}

function noiseSentences({ noise, critical, limit }: ScaleFigures): string[] {
  const known = noise.filter((one) => noiseNear(one) !== null);
  const near = known.find(({ workers }) => workers === limit.workers) ?? known.at(-1);
  const examples = (interval: Interval | null) => rangeOf(interval, whole);
  const over = near?.late
    ? `${examples(near.late)} examples in the last quarter of the way to the target, and ${examples(near.whole)} over all of it, where the large gradients of the first steps count most`
    : `${examples(near?.whole ?? null)} examples over the way to the target`;
  return [
    ...(near
      ? [
          `The gradient noise scale, measured with ${workersOf(near.workers)}, is ${over}: batches much below it still gain from more workers, batches much above it hardly do.`,
        ]
      : []),
    ...(critical
      ? [
          `The curve of steps over batches has its critical batch, with twice the least steps, at ${whole(critical.batch)} examples.`,
        ]
      : []),
  ];
}

function timeSentences({ times }: ScaleFigures): string[] {
  const [first] = times ?? [];
  const fastest = times && fastestOf(times);
  if (!first || !fastest) return [];
  const cost = (one: ScaledTime) => one.workers * one.seconds.value;
  if (fastest.workers === first.workers)
    return [
      `By the modelled time ${workersOf(first.workers)} of this kind ${first.workers === 1 ? "is" : "are"} the fastest already (${timeShown(first.seconds.value)}): what more of them save in steps they lose in waiting and in adding up gradients.`,
    ];
  return [
    `By the modelled time ${workersOf(fastest.workers)} are the fastest, ${timeShown(fastest.seconds.value)} where ${count(first.workers)} ${first.workers === 1 ? "takes" : "take"} ${timeShown(first.seconds.value)} (${first.isMeasured ? "measured" : "modelled"}), for ${(cost(fastest) / cost(first)).toFixed(1)} times the machine time.`,
  ];
}

/** Whether an interval leaves 0 out. */
const isSure = ({ low, high }: Interval) => low > 0 || high < 0;

function secondGroupSentences(second: SecondGroup | null): string[] {
  if (second === null) return [];
  const { workers, ensembleLessTwice: sign, codistilledLessTwice: pair, codistilledLessSingle: gain } = second;
  const isAhead = sign.value < 0;
  const how = isSure(sign)
    ? ""
    : Number.isNaN(sign.low)
      ? ", of one seed, which says nothing of chance"
      : ", an interval that holds 0, so that this is no more than a guess";
  const machines = workers * 2;
  const expected = isAhead
    ? `two groups of ${count(workers)} that codistil are expected to do better with ${workersOf(machines)} than one group of ${count(machines)}`
    : `a second group that codistils is expected to bring nothing: with ${workersOf(machines)} one group of ${count(machines)} is expected to do better`;
  return [
    `The sign of a second group: the ensemble of two that train alone with ${workersOf(workers)} each is ${isAhead ? "ahead of" : "behind"} one group with twice the batch by ${rangeOf(absolute(sign), (value) => signed(value).replace("+", ""))} in test loss after ${count(second.numSteps)} steps${how}: ${expected}.`,
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
  const alone = gain === null ? "" : `; to training alone the pair is ${rangeOf(gain, signed)}`;
  return [
    `Checked: the codistilled pair is ${rangeOf(pair, signed)} in test loss to twice the batch${alone}. ${verdict}${doubt}.`,
  ];
}
