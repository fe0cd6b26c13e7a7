/**
 * The events of a run: each is one line of JSON in a run log. Everything that shows progress reads the log and
 * nothing else. Losses are in nats per example (of regression in the units of the standardised labels), times in seconds,
 * sizes in bytes, staleness in student steps.
 */

import type { Metrics } from "./metrics.js";
import type { RunResult } from "./result.js";
import type { GradientUse, WorkerUse } from "./workers.js";

export type * from "./metrics.js";
export type * from "./result.js";
export type * from "./workers.js";

/** A teacher as it was used: who published it, at which of its steps, and how long it has been known here. */
export interface TeacherUse {
  readonly group: number;
  readonly step: number;
  /** Student steps since this snapshot was first seen here. */
  readonly age: number;
}

/** Something that the user should know about the run or one group, which goes on. */
export interface WarningEvent {
  readonly event: "warning";
  readonly group?: number;
  readonly step?: number;
  readonly message: string;
}

/** A process: its id, and what distinguishes it from others of that id. Logs of earlier versions have the id alone. */
export interface LoggedProcess {
  readonly pid: number;
  readonly host?: string;
  readonly startTime?: string | null;
  readonly bootId?: string | null;
  readonly pidNamespace?: string | null;
}

export type TrainEvent =
  /** With the process that starts the groups. */
  | ({
      readonly event: "run-start";
      readonly name: string;
      readonly folder: string;
      readonly numGroups: number;
      readonly numSteps: number;
      readonly burnInSteps: number | null;
      /** Which model will be shipped, fixed before any result is known. */
      readonly ships: string;
    } & Partial<LoggedProcess>)
  /** What the run as a whole is doing, when that is not training. */
  | { readonly event: "stage"; readonly stage: string }
  | WarningEvent
  /** Somebody asked the run to save and stop. */
  | { readonly event: "stop-requested" }
  | {
      readonly event: "data-ready";
      readonly rows: {
        readonly train: number;
        readonly validation: number;
        readonly test: number;
        /** Training rows that no group's filter wants; absent without filters. */
        readonly unassigned?: number;
        /** Lines of the source that were no rows and were left out; absent where there were none. */
        readonly malformed?: number;
      };
      /** That rows are images; left out where they are not. */
      readonly areImages?: true;
      /** Of text, whose rows are documents: how many tokens they have. */
      readonly tokens?: { readonly train: number; readonly validation: number; readonly test: number };
      /** How often a group reads its part in all of its steps, where the parts are equally large. */
      readonly epochs: number;
      readonly cached: boolean;
      readonly seconds: number;
      /** What the user should know about the data, in sentences; absent where there is nothing. */
      readonly notes?: readonly string[];
    }
  | ({
      readonly event: "group-start";
      readonly group: number;
      readonly incarnation: number;
      readonly step: number;
      readonly numSteps: number;
      readonly trainRows: number;
      readonly numParams: number;
      readonly threads: number;
      /** Workers that take each step together; left out of a group of one. */
      readonly workers?: number;
    } & LoggedProcess)
  /**
   * A group that was started elsewhere before, and whose checkpoint is not here, begins from its newest snapshot in the
   * store; what a snapshot does not hold is lost. Without one, `digest` is null and it begins at step 0.
   */
  | {
      readonly event: "began-from-snapshot";
      readonly group: number;
      readonly step: number;
      readonly digest: string | null;
    }
  /** The first step of a start is done: its graphs are compiled. */
  | { readonly event: "first-step"; readonly group: number; readonly step: number; readonly seconds: number }
  | {
      readonly event: "step";
      readonly group: number;
      /** Steps taken so far; losses are means over the steps since the last such event. */
      readonly step: number;
      readonly labelLoss: number;
      /** The loss against the predictions of fixed teachers; left out where there are none. */
      readonly targetLoss?: number;
      readonly distillLoss: number | null;
      readonly divergence: number | null;
      /** How far the last hidden layers of the student and its teachers are apart, 0 to 1; left out without a `gramWeight`. */
      readonly gramLoss?: number;
      /** Mean absolute difference between the predictions of student and teachers: falls as the groups grow alike. */
      readonly teacherDistance: number | null;
      readonly distillWeight: number;
      readonly gradNorm: number;
      readonly learningRate: number;
      readonly stepsPerSecond: number;
      readonly teachers: readonly TeacherUse[];
      /** Squared norms of gradients, of the parts of a step and of the step, as means over so many steps; left out without `noiseScale`. */
      readonly squaredNorms?: { readonly part: number; readonly step: number; readonly numSteps: number };
      /** Mean seconds of a step of each worker, by rank; left out of a group of one. */
      readonly workers?: readonly WorkerUse[];
      /** Of asynchronous SGD: the gradients since the last such event. */
      readonly gradients?: GradientUse;
    }
  /** Of asynchronous SGD, at the end of a start: how many gradients of the run had each staleness, 0, 1 and so on. */
  | { readonly event: "staleness"; readonly group: number; readonly step: number; readonly counts: readonly number[] }
  /** Workers with params of their own have shared them: bytes that went between them, and how long it took. */
  | {
      readonly event: "averaged";
      readonly group: number;
      readonly step: number;
      readonly bytes: number;
      readonly seconds: number;
    }
  | ({
      readonly event: "validation";
      readonly group: number;
      readonly step: number;
      /** After temperature scaling, where there is a temperature. */
      readonly loss: number;
      readonly temperature?: number;
      /** Whether this is the lowest loss so far. */
      readonly best: boolean;
    } & Metrics)
  | TeachersEvent
  /** A step in which a number was not finite; params and optimizer state are as they were before it. */
  | {
      readonly event: "step-skipped";
      readonly group: number;
      readonly step: number;
      /** These are null in the log when they are not finite. */
      readonly labelLoss: number;
      readonly distillLoss: number | null;
      readonly gradNorm: number;
      readonly reason: string;
    }
  /** The group went back to its checkpoint, or to its initial params, at a lower learning rate. */
  | {
      readonly event: "restored";
      readonly group: number;
      readonly step: number;
      readonly fromStep: number;
      readonly learningRateScale: number;
      readonly reason: string;
    }
  /** Validations had not improved for long enough, or one was as good as it had to be; the group ends here, as finished. */
  | {
      /** The group has trained for as long as `timeLimit` allows; it ends as finished. */
      readonly event: "time-limit";
      readonly group: number;
      readonly step: number;
      readonly seconds: number;
    }
  | {
      readonly event: "stopped-early";
      readonly group: number;
      readonly step: number;
      readonly bestStep: number;
      readonly bestLoss: number;
    }
  | ExchangeEvent
  | {
      readonly event: "checkpoint";
      readonly group: number;
      readonly step: number;
      readonly bytes: number;
      readonly seconds: number;
    }
  /** A file of the group's own is damaged; the generation before it takes its place. */
  | { readonly event: "file-damaged"; readonly group: number; readonly message: string }
  /** A file of the group's own could not be written; training goes on and the next interval tries again. */
  | {
      readonly event: "checkpoint-trouble";
      readonly group: number;
      readonly step: number;
      readonly message: string;
    }
  /** The log itself could not be written for a time: the events before this one came late, and this many are lost. */
  | { readonly event: "log-trouble"; readonly numLost: number; readonly message: string }
  | {
      readonly event: "group-end";
      readonly group: number;
      readonly step: number;
      readonly reason: "finished" | "stopped" | "failed";
      /** Of a group that failed by an error: the error's `ErrorCode`, or null for a defect. */
      readonly code?: string | null;
      readonly message?: string;
      readonly seconds: number;
    }
  /** A group that died is started again from its checkpoint. */
  | {
      readonly event: "group-restart";
      readonly group: number;
      readonly restart: number;
      readonly maxRestarts: number;
      readonly delaySeconds: number;
    }
  | { readonly event: "result"; readonly result: RunResult };

/** From this step on a group learns from these teachers: an entry of the exchange trace. */
export interface TeachersEvent {
  readonly event: "teachers";
  readonly group: number;
  readonly step: number;
  readonly teachers: readonly {
    readonly group: number;
    readonly step: number;
    readonly digest: string;
    readonly seenAtStep: number;
    /** Of an older snapshot of a group, as whose state its own is kept, where a model carries one. */
    readonly reader?: number;
  }[];
}

/** A teacher that is unhealthy is left out for some student steps, and comes back. */
export type QuarantineEvent =
  | {
      readonly event: "teacher-quarantined";
      readonly group: number;
      readonly from: number;
      readonly step: number;
      readonly untilStep: number;
      readonly reason: string;
    }
  | { readonly event: "teacher-returned"; readonly group: number; readonly from: number; readonly step: number };

/** What happened between a group and the others. */
export type ExchangeEvent =
  | WarningEvent
  | QuarantineEvent
  | {
      readonly event: "published";
      readonly group: number;
      readonly step: number;
      readonly bytes: number;
      readonly digest: string;
      readonly seconds: number;
    }
  | {
      readonly event: "fetched";
      readonly group: number;
      readonly from: number;
      readonly step: number;
      readonly bytes: number;
      readonly digest: string;
      readonly seconds: number;
    }
  | {
      readonly event: "exchange-trouble";
      readonly group: number;
      readonly doing: "publish" | "fetch";
      readonly from?: number;
      readonly message: string;
    };

/** An event as the log holds it; the first event that a process writes has the version of the log. */
export type LoggedEvent = TrainEvent & { readonly time: string; readonly version?: number };
