/**
 * Consolidation: up to a step groups teach one another, and the newest snapshots of all of them, one's own group included, are kept at some
 * steps before it; from it on those that were kept teach, and change no more. So each group ends as a student of an ensemble that
 * it is part of (as the branches of Lan et al. 2018, "ONE", arXiv 1806.04606, whose teacher has the own branch too).
 *
 * Nothing waits: kept is what has arrived. A group of which less is here than should be is named in a warning. Where nothing was kept, as
 * in a group that began later, groups go on teaching one another.
 */
import type { ExchangeEvent } from "../log/events.js";
import { checkWeights } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import type { SeenTeacher, StoreExchange } from "./exchange.js";
import { teacherQuarantine } from "./quarantine.js";

/** A snapshot that is kept, and the step at which it was chosen. */
export interface KeptTeacher extends SeenTeacher {
  readonly keptAt: number;
}

export interface ConsolidationOptions {
  readonly group: number;
  readonly numGroups: number;
  /** The groups that teach, one's own among them. */
  readonly from: readonly number[];
  /** The steps at which the newest snapshots are kept, rising; from the last one on they teach. */
  readonly keepAt: readonly number[];
  readonly model: Model;
  /** Whether the groups' data are dealt at random; true by default. */
  readonly isAlike?: boolean | undefined;
  /** What was kept before, when a run is resumed. */
  readonly kept?: readonly KeptTeacher[] | undefined;
  readonly onEvent?: ((event: ExchangeEvent) => void) | undefined;
}

/** An exchange that keeps snapshots, and from a step on gives these. */
export interface ConsolidatingExchange extends StoreExchange {
  /** Called before each step: keep the newest snapshots, where this is a step at which they are kept. */
  keep(step: number): void;
  /** What was kept so far. A resumed run needs it. */
  kept(): readonly KeptTeacher[];
}

/**
 * The same exchange, with consolidation. It must fetch this group's own snapshots too.
 *
 * Throws {@link CheckpointError} when what was kept is not of the model.
 */
export function consolidating(exchange: StoreExchange, options: ConsolidationOptions): ConsolidatingExchange {
  const { group, numGroups, from: groups, keepAt, isAlike = true, onEvent = () => {} } = options;
  const start = keepAt.at(-1) ?? Number.POSITIVE_INFINITY;
  // A snapshot is judged by itself, since one of a group may be unhealthy where another one is not.
  const quarantine = teacherQuarantine(group, onEvent, isAlike, ({ digest }) => digest);
  let kept: readonly KeptTeacher[] = options.kept ?? [];
  for (const { params } of kept) checkWeights("the snapshot", params, options.model);
  const isOn = (step: number) => step >= start && kept.length > 0;

  /** Of each group the newest first, whose state goes on with that of the group's snapshots before. */
  function frozen(): SeenTeacher[] {
    return groups.flatMap((from) =>
      kept
        .filter((one) => one.group === from)
        .sort((a, b) => b.step - a.step || b.keptAt - a.keptAt)
        .map(({ keptAt: _, ...teacher }, i) => (i === 0 ? teacher : { ...teacher, reader: from + i * numGroups })),
    );
  }

  function tell(): void {
    const warn = (message: string) => onEvent({ event: "warning", group, step: start, message });
    if (kept.length === 0) {
      warn("consolidation found no snapshots, so this group goes on learning from the newest ones of the others");
      return;
    }
    const few = groups.flatMap((from) => {
      const steps = kept.filter((one) => one.group === from).map(({ step }) => step);
      const which = steps.length === 0 ? "" : ` (of ${steps.length === 1 ? "step" : "steps"} ${steps.join(", ")})`;
      return steps.length < keepAt.length ? [`of group ${from} ${steps.length}${which}`] : [];
    });
    if (few.length > 0) {
      warn(
        `consolidation takes ${keepAt.length} snapshots of each group, and has ${few.join(", ")}; the others had not arrived, or were the same. It learns from the ${kept.length} that are here`,
      );
    }
  }

  return {
    ...exchange,
    keep(step) {
      if (!keepAt.includes(step)) return;
      // A student that was set back passes this step again.
      const others = kept.filter(({ keptAt }) => keptAt !== step);
      const isKnown = ({ digest }: SeenTeacher) => others.some((one) => one.digest === digest);
      const now = exchange.withOwn(step).filter((one) => !isKnown(one));
      kept = [...others, ...now.map((one) => ({ ...one, keptAt: step }))];
      if (step === start) tell();
    },
    kept: () => kept,
    teachers: (step) => (isOn(step) ? frozen().filter((one) => quarantine.admits(one, step)) : exchange.teachers(step)),
    observe(step, ...rest) {
      if (isOn(step)) quarantine.observe(step, ...rest);
      else exchange.observe(step, ...rest);
    },
    validated(loss) {
      quarantine.validated(loss);
      exchange.validated(loss);
    },
    refresh(step) {
      if (!isOn(step)) exchange.refresh(step);
    },
  };
}
