/** How often the sign of a second group was right. */
import { wasRight } from "../src/study/scale/advice.js";
import { noiseNear, type ScaleFigures } from "../src/study/scale/figures.js";
import { rangeOf, signed } from "../src/study/verdicts.js";
import { mdTable } from "./report.js";

/** What is kept of a problem. An end of an interval that there is not is null in a file. */
export interface Kept {
  readonly name: string;
  readonly what: string;
  readonly date: string;
  readonly advice: readonly string[];
  readonly figures: ScaleFigures;
}

interface Ends {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");
const interval = ({ value, low, high }: Ends) => ({ value, low: low ?? Number.NaN, high: high ?? Number.NaN });
/** Whether seeds tell it from 0. */
const isSure = ({ low, high }: { readonly low: number; readonly high: number }) => low > 0 || high < 0;

/** A table of all problems, and below it how often the sign was right, of all and of those that seeds tell apart. */
export function signLines(all: readonly Kept[]): string[] {
  const checked = all.flatMap((one) => {
    const { secondGroup } = one.figures;
    if (!secondGroup?.codistilledLessTwice) return [];
    const [sign, pair] = [interval(secondGroup.ensembleLessTwice), interval(secondGroup.codistilledLessTwice)];
    return [{ sign, pair, isRight: wasRight(sign, pair), isSure: isSure(sign) && isSure(pair) }];
  });
  const numRight = (some: readonly { readonly isRight: boolean }[]) => some.filter(({ isRight }) => isRight).length;
  const sure = checked.filter((one) => one.isSure);
  return [
    "# The sign of a second group",
    "",
    "    npm run study:scale -- <names>",
    "",
    "The limit is the number of workers beyond which twice as many take more than 0.9 of the steps. There the ensemble of two groups that train",
    "alone is held against one group with twice the batch, in test loss: its sign foretells that of two groups that codistil against twice the",
    "batch. Intervals are Student's of 95 %, paired by seed.",
    "",
    ...mdTable(
      [
        "problem",
        "limit (batch)",
        "noise scale",
        "ensemble less twice the batch",
        "codistilled less twice the batch",
        "less alone",
        "the sign",
      ],
      all.map(({ name, figures }) => {
        const { limit, all: scaled, noise, secondGroup: second } = figures;
        const at = scaled.find(({ workers }) => workers === limit.workers);
        const own = noise.find(({ workers }) => workers === limit.workers) ?? noise.at(-1);
        const over = own && noiseNear(own);
        const shown = (ends: Ends | null | undefined) => (ends ? rangeOf(interval(ends), signed) : "");
        const pair = second?.codistilledLessTwice;
        return [
          name,
          at ? `${whole(at.workers)} (${whole(at.batch)})` : "beyond what was tried",
          over ? whole(over.value) : "",
          shown(second?.ensembleLessTwice),
          shown(pair),
          shown(second?.codistilledLessSingle),
          second && pair ? verdict(interval(second.ensembleLessTwice), interval(pair)) : "",
        ];
      }),
    ),
    "",
    `The sign was right on ${numRight(checked)} of ${checked.length} problems; where both intervals leave 0 out, on ${numRight(sure)} of ${sure.length}.`,
  ];
}

function verdict(sign: Ends & { low: number; high: number }, pair: Ends & { low: number; high: number }): string {
  const word = wasRight(sign, pair) ? "right" : "wrong";
  return isSure(sign) && isSure(pair) ? word : `${word}, not told apart`;
}
