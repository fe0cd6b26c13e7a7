/** The state of a run by the events of its log, and that state as lines of text. */
import type { GradientUse, LoggedEvent, TeacherUse, WorkerUse } from "../log/events.js";
import { bar, count, counted, duration, loss, seconds, times } from "./format.js";
import { workersLine } from "./workers.js";

/** The state of one group. */
export interface GroupProgress {
  readonly group: number;
  readonly step: number;
  readonly numSteps: number;
  readonly stepsPerSecond: number;
  readonly labelLoss: number | null;
  readonly distillLoss: number | null;
  readonly teachers: readonly TeacherUse[];
  readonly workers: readonly WorkerUse[];
  readonly gradients: GradientUse | null;
  readonly validation: { readonly loss: number; readonly bestLoss: number; readonly bestStep: number } | null;
  readonly state: "training" | "finished" | "stopped" | "failed";
}

/** The state of a run. */
export interface RunProgress {
  /** Lines said once, in order: start, data, trouble, failures. */
  readonly notes: readonly string[];
  /** The stage of the work before the groups have started; null after that. */
  readonly stage: string | null;
  /** Steps before groups teach one another; null where none teaches, as with a single group. */
  readonly burnInSteps: number | null;
  readonly groups: readonly GroupProgress[];
}

export const noProgress: RunProgress = { notes: [], stage: null, burnInSteps: 0, groups: [] };

/** The state after one more event. */
export function advance(progress: RunProgress, event: LoggedEvent): RunProgress {
  const note = noteOf(event);
  const { notes } = progress;
  const next = note && !notes.includes(note) ? { ...progress, notes: [...notes, note] } : progress;
  switch (event.event) {
    case "run-start":
      return { ...next, burnInSteps: event.numGroups > 1 ? event.burnInSteps : null };
    case "stage":
      return { ...next, stage: event.stage };
    case "data-ready":
      return { ...next, stage: "starting the groups" };
    case "group-start":
      return {
        ...withGroup(next, {
          ...(next.groups.find(({ group }) => group === event.group) ?? newGroup(event.group)),
          step: event.step,
          numSteps: event.numSteps,
          state: "training",
        }),
        stage: null,
      };
    case "step": {
      const { group, step, stepsPerSecond, labelLoss, distillLoss, teachers, workers = [], gradients = null } = event;
      return update(next, group, (before) => ({
        step,
        // Smoothed, so that the ETA does not jump with every validation.
        stepsPerSecond: before.stepsPerSecond > 0 ? 0.9 * before.stepsPerSecond + 0.1 * stepsPerSecond : stepsPerSecond,
        labelLoss,
        distillLoss,
        teachers,
        workers,
        gradients,
      }));
    }
    case "validation":
      return update(next, event.group, (before) => ({
        validation: {
          loss: event.loss,
          bestLoss: event.best ? event.loss : (before.validation?.bestLoss ?? event.loss),
          bestStep: event.best ? event.step : (before.validation?.bestStep ?? event.step),
        },
      }));
    case "restored":
      return update(next, event.group, { step: event.step });
    case "result":
      return { ...next, stage: null };
    case "group-end":
      return update(next, event.group, { state: event.reason });
    default:
      return next;
  }
}

/** One line for each group, made for the width: bar, steps, ETA, losses apart, speed, age of the teacher. */
export function groupLines(progress: RunProgress, width: number): string[] {
  return progress.groups.map((group) => groupLine(group, progress.burnInSteps, width));
}

/** The same, and below it a line on the workers of a group that has several and trains. */
export function groupLinesWithWorkers(progress: RunProgress, width: number): string[][] {
  return groupLines(progress, width).map((line, i) => {
    const { state, ...group } = progress.groups[i] as GroupProgress;
    const workers = state === "training" ? workersLine(group, width) : null;
    return workers === null ? [line] : [line, workers];
  });
}

function groupLine(group: GroupProgress, burnInSteps: number | null, width: number): string {
  const { step, numSteps, stepsPerSecond, labelLoss, distillLoss, validation } = group;
  const isWide = width >= 110;
  const speed = times(stepsPerSecond);
  // The most wanted parts come first; parts at the end that do not fit are left out.
  const parts = [
    `group ${group.group}`,
    bar(step / numSteps, isWide ? 20 : 8),
    `${count(step).padStart(count(numSteps).length)}/${count(numSteps)}`,
    etaPart(group).padEnd(8),
    `label ${labelLoss === null ? "-".padEnd(6) : loss(labelLoss)}`,
    burnInSteps === null ? "" : `distill ${distillLoss === null ? "-".padEnd(6) : loss(distillLoss)}`,
    isWide ? `${speed.padStart(4)} steps/s` : `${speed}/s`,
    stalenessPart(group, isWide),
    teacherPart(group, burnInSteps, isWide),
    validation
      ? `validation ${loss(validation.loss)} (best ${loss(validation.bestLoss)} at ${count(validation.bestStep)})`
      : "",
  ];
  let line = "";
  for (const part of parts.filter((text) => text !== "")) {
    const longer = line === "" ? part : `${line}${isWide ? "  " : " "}${part}`;
    if (longer.length > width) break;
    line = longer;
  }
  return line;
}

function etaPart({ step, numSteps, stepsPerSecond, state }: GroupProgress): string {
  if (state !== "training") return state;
  return stepsPerSecond > 0 ? `ETA ${duration((numSteps - step) / stepsPerSecond)}` : "ETA -:--";
}

function teacherPart({ step, teachers, state }: GroupProgress, burnInSteps: number | null, isWide: boolean): string {
  if (state !== "training" || burnInSteps === null) return "";
  if (step <= burnInSteps) return "burn-in";
  if (teachers.length === 0) return "no teacher";
  const age = Math.max(...teachers.map((teacher) => teacher.age));
  return isWide ? `teacher age ${age}`.padEnd(15) : `age ${age}`;
}

/** How late gradients are on average, of asynchronous SGD, and at most. */
function stalenessPart({ gradients, state }: GroupProgress, isWide: boolean): string {
  if (state !== "training" || !gradients) return "";
  const { meanStaleness, maxStaleness, workers } = gradients;
  const mean = meanStaleness.toFixed(1);
  return isWide ? `${counted(workers.length, "worker")}, stale by ${mean}, at most ${maxStaleness}` : `late ${mean}`;
}

/** That lines are left out. */
export function leftOutWords(malformed: number): string {
  const [one, several] = ["line of the source is no row and is", "lines of the source are no rows and are"];
  return `${counted(malformed, one, several)} left out`;
}

/**
 * An event without notes on its data that are in `said`; those that it has are added there. What a command says of its
 * data before it trains, and what each fold of a cross-validation finds, is often the same.
 */
export function withoutSaid(event: LoggedEvent, said: Set<string>): LoggedEvent {
  if (event.event !== "data-ready") return event;
  const { notes = [], rows } = event;
  const left = rows.malformed ? leftOutWords(rows.malformed) : "";
  const isSaid = said.has(left);
  const fresh = notes.filter((note) => !said.has(note));
  for (const note of [...notes, left]) said.add(note);
  return { ...event, notes: fresh, ...(isSaid && { rows: { ...rows, malformed: 0 } }) };
}

/** Events that are worth a line of their own. */
function noteOf(event: LoggedEvent): string | null {
  switch (event.event) {
    case "run-start":
      return `${event.name}: ${counted(event.numGroups, "group")}, ${count(event.numSteps)} steps${event.numGroups > 1 && event.burnInSteps !== null ? `, burn-in ${count(event.burnInSteps)}` : ""}\nrun folder ${event.folder}\nships ${event.ships}, decided before the run`;
    case "data-ready": {
      const { train, validation, test, unassigned, malformed } = event.rows;
      const nobodys = unassigned
        ? `\n${counted(unassigned, "more training row matches no filter and trains nobody", "more training rows match no filter and train nobody")}`
        : "";
      const left = malformed ? `\n${leftOutWords(malformed)}` : "";
      const how = event.cached ? "cached" : "ingested";
      const sizes = (of: { train: number; validation: number; test: number }, what: string) =>
        `${count(of.train)} training, ${count(of.validation)} validation, ${count(of.test)} test ${what}`;
      const tokens = event.tokens ? `, of ${sizes(event.tokens, "tokens")}` : "";
      const what = event.tokens ? "documents" : event.areImages ? "images" : "rows";
      const often = `each group reads its part ${times(event.epochs)} times`;
      const notes = (event.notes ?? []).map((note) => `\ndata: ${note}`).join("");
      return `data: ${sizes({ train, validation, test }, what)}${tokens} (${how}, ${seconds(event.seconds)}); ${often}${nobodys}${left}${notes}`;
    }
    case "group-start":
      return event.step > 0 ? `group ${event.group} goes on from step ${count(event.step)}` : null;
    case "began-from-snapshot":
      return event.digest === null
        ? `group ${event.group} was started before, and has neither a checkpoint here nor a snapshot in the store: it begins at step 0`
        : `group ${event.group} has no checkpoint here and begins from its snapshot of step ${count(event.step)} in the store: optimizer state, best params and the place in its data are lost. To keep them, stop and go on in the run folder it was trained in: codistill train --resume <that folder>`;
    case "warning":
      return `warning: ${event.group === undefined ? "" : `group ${event.group}${event.step === undefined ? "" : ` at step ${count(event.step)}`}: `}${event.message}`;
    case "first-step":
      return `group ${event.group} took its first step ${seconds(event.seconds)} after its start, compiling included`;
    case "stop-requested":
      return "saving and stopping (once more to leave at once)";
    case "step-skipped":
      return `group ${event.group} skipped step ${count(event.step)}, which changed nothing: ${event.reason}`;
    case "restored":
      return `group ${event.group} went back from step ${count(event.fromStep)} to ${count(event.step)}, learning rate x ${event.learningRateScale}: ${event.reason}`;
    case "stopped-early":
      return `group ${event.group} stopped early at step ${count(event.step)}, best at ${count(event.bestStep)} (validation ${loss(event.bestLoss)})`;
    case "time-limit":
      return `group ${event.group} ended at step ${count(event.step)}, after the ${seconds(event.seconds)} that it may train`;
    case "exchange-trouble":
      return `group ${event.group} could not ${event.doing}${event.from === undefined ? "" : ` from group ${event.from}`} and goes on: ${event.message}`;
    case "file-damaged":
      return `group ${event.group}: ${event.message}`;
    case "checkpoint-trouble":
      return `group ${event.group} could not save and goes on: ${event.message}`;
    case "log-trouble":
      return `${counted(event.numLost, "event of a log is lost", "events of a log are lost")}: ${event.message}`;
    case "teacher-quarantined":
      return `group ${event.group} leaves out its teacher ${event.from} until step ${count(event.untilStep)}: ${event.reason}`;
    case "teacher-returned":
      return `group ${event.group} has its teacher ${event.from} back at step ${count(event.step)}`;
    case "group-restart":
      return `group ${event.group} is started again from its checkpoint in ${seconds(event.delaySeconds)} (${event.restart} of ${event.maxRestarts})`;
    case "group-end":
      return event.reason === "failed" ? `group ${event.group} failed: ${event.message ?? "no reason given"}` : null;
    default:
      return null;
  }
}

function newGroup(group: number): GroupProgress {
  return {
    group,
    step: 0,
    numSteps: 0,
    stepsPerSecond: 0,
    labelLoss: null,
    distillLoss: null,
    teachers: [],
    workers: [],
    gradients: null,
    validation: null,
    state: "training",
  };
}

function update(
  progress: RunProgress,
  index: number,
  change: Partial<GroupProgress> | ((before: GroupProgress) => Partial<GroupProgress>),
): RunProgress {
  const before = progress.groups.find(({ group }) => group === index) ?? newGroup(index);
  return withGroup(progress, { ...before, ...(typeof change === "function" ? change(before) : change) });
}

function withGroup(progress: RunProgress, changed: GroupProgress): RunProgress {
  const others = progress.groups.filter(({ group }) => group !== changed.group);
  return { ...progress, groups: [...others, changed].sort((a, b) => a.group - b.group) };
}
