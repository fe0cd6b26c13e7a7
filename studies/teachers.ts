/**
 * What makes a good teacher: `npm run study:teachers`; `npm run study:teachers -- --help`.
 *
 * The training days of the flights are cut in two halves by a hash. Teachers of chosen quality learn from one half, and students, which are
 * all alike, from the other one, each taught by one finished teacher. How much does a student gain over one without a teacher?
 */
import { join, resolve } from "node:path";
import { loadConfig } from "../src/node/runs/load-config.js";
import type { Arm, Trial } from "./arms.js";
import { doneOf, folderOf, runAll, type StudyOptions, say, studyCommand } from "./runner.js";
import { writeTeachers } from "./teachers-report.js";
import { keepPredictions } from "./trial.js";

const STEPS = 3660;
/** Half of the label loss is against the teacher. */
const WEIGHT = 0.5;

/** A number from 0 to 1 for each row, in SQL: the same for a row whenever it is asked for. */
const draw = (what: string) =>
  `(md5_number_lower(concat_ws('|', origin, destination, date, delay, distance, '${what}')) % 1000000) / 1000000.0`;
/** The half of a row, 0 or 1. */
const half = (seed: number, index: number) => `(${draw(`half ${seed}`)} < 0.5) = ${index === 0}`;
/** The label, turned for a share of the training and validation rows. */
const noisy = (share: number) => `(delay >= 15) <> (date < '2001-06-01' and ${draw("noise")} < ${share})`;

/** Who teaches: a model with options of its own, SQL, or nobody. */
export interface TeacherKind {
  readonly name: string;
  readonly what: string;
  /** The line of the plot that it is on. */
  readonly line?: string;
  readonly steps?: number;
  readonly options?: readonly string[];
  readonly column?: string;
  /** The half of the days that the teacher learns from: the other one than its student's by default. */
  readonly isOfSameHalf?: boolean;
}

/** The first is what the others are compared with, the second the usual teacher. */
export const kinds: readonly TeacherKind[] = [
  { name: "nobody", what: "no teacher" },
  { name: "alike", what: "a finished model like the student, of the other half", steps: STEPS },
  {
    name: "same-half",
    what: "the same, of the student's own half with another seed",
    steps: STEPS,
    isOfSameHalf: true,
  },
  { name: "1220-steps", what: "the same with a third of the steps", line: "fewer steps", steps: 1220 },
  { name: "366-steps", what: "the same with a tenth of the steps", line: "fewer steps", steps: 366 },
  { name: "122-steps", what: "the same with a thirtieth of the steps", line: "fewer steps", steps: 122 },
  {
    name: "16-units",
    what: "with one layer of 16 units and embeddings of 2",
    line: "smaller networks",
    steps: STEPS,
    options: [
      'model={"kind":"mlp","hidden":[16],"embeddings":{"origin":2,"destination":2,"halfHour":2,"weekday":2,"route":2}}',
    ],
  },
  {
    name: "no-units",
    what: "with embeddings of 1 and no hidden layer, nearly a logistic regression",
    line: "smaller networks",
    steps: STEPS,
    options: [
      'model={"kind":"mlp","hidden":[1],"embeddings":{"origin":1,"destination":1,"halfHour":1,"weekday":1,"route":1}}',
    ],
  },
  {
    name: "noise-10%",
    what: "of labels of which a tenth are turned",
    line: "wrong labels",
    steps: STEPS,
    options: [`data.label=${noisy(0.1)}`],
  },
  {
    name: "noise-30%",
    what: "of labels of which three tenths are turned",
    line: "wrong labels",
    steps: STEPS,
    options: [`data.label=${noisy(0.3)}`],
  },
  { name: "base-rate", what: "the share of late flights in the training days, for every row", column: "0.2" },
  { name: "random", what: "a random number from 0 to 1 for each row", column: draw("random") },
];

/** The runs of a kind with a seed: the teacher's where it is a model, and the student's. */
export function trialsOf(kind: TeacherKind, seed: number): { readonly teacher: Trial | null; readonly student: Trial } {
  const { name, what, steps } = kind;
  const arm = (role: string): Arm => ({ name: `${role}-${name}`, what, options: [] });
  return {
    teacher: steps === undefined ? null : { arm: arm("teacher"), seed: seed + 1000, steps },
    student: { arm: arm("student"), seed, steps: STEPS },
  };
}

await studyCommand(
  "teachers",
  { what: "Train teachers of chosen quality and a student of each, and report what students gain.", seeds: [1, 2, 3] },
  study,
);

async function study({ seeds, out, reportOnly }: StudyOptions): Promise<void> {
  const runs = join(out, "teachers");
  const all = seeds.flatMap((seed) => kinds.map((kind) => ({ kind, seed, ...trialsOf(kind, seed) })));
  const trials = all.flatMap(({ teacher, student }) => (teacher ? [teacher, student] : [student]));
  const configOf = (trial: Trial) => {
    const { kind, seed, teacher } = all.find(
      (one) => one.teacher === trial || one.student === trial,
    ) as (typeof all)[0];
    const isStudent = teacher !== trial;
    const index = isStudent || kind.isOfSameHalf ? 0 : 1;
    const taught = kind.column ?? (teacher && { model: resolve(folderOf(runs, teacher), "model.onnx") });
    const ofTeacher = taught === null ? [] : [typeof taught === "string" ? { column: taught } : taught];
    return loadConfig("recipes/flights.config.ts", [
      `seed=${trial.seed}`,
      `numSteps=${trial.steps}`,
      `validationInterval=${Math.round(trial.steps / 10)}`,
      `checkpointInterval=${Math.round(trial.steps / 10)}`,
      "numGroups=1",
      'algorithm={"kind":"plain"}',
      `data.split.train=date < '2001-05-25' and (${half(seed, index)})`,
      ...(isStudent
        ? ofTeacher.flatMap((one) => [`teachers=${JSON.stringify([one])}`, `teacherWeight=${WEIGHT}`])
        : (kind.options ?? [])),
    ]);
  };
  if (!reportOnly && !(await runAll(trials, runs, { configOf, keep: keepPredictions }))) return;
  const done = doneOf(all, ({ teacher, student }) => (teacher ? [teacher, student] : [student]), runs, "students");
  const files = await writeTeachers(
    done.map(({ kind, seed, teacher, student }) => ({
      kind,
      seed,
      teacher: teacher && folderOf(runs, teacher),
      student: folderOf(runs, student),
    })),
    out,
  );
  for (const file of files) say(`wrote ${file}`);
}
