/** Kubernetes: a Job for each group, whose pod has the volume that groups share; workers are threads of the pod's process. */
import { isAbsolute, relative } from "node:path";
import { ConfigError } from "../../../errors.js";
import { REFUSED, stoppedBy } from "../../launch/exit-codes.js";
import { groupCommand, type Launch, type Plan } from "../plan.js";
import { type YamlValue, yamlFile } from "../yaml.js";

/** Seconds between the word to end and the end. */
const GRACE_SECONDS = 60;
/** The longest name of a Job, so that the pods that Kubernetes names after it can have it as a label. */
const LONGEST_NAME = 63;

/**
 * What a container does with the words of a command. A group that has saved on SIGTERM ends with 0, which Kubernetes would take
 * for trained; then the container ends as one that was stopped, and the pod that takes its place goes on.
 */
const SCRIPT =
  `"$@" & command=$!; trap 'told=yes; kill -TERM "$command"' TERM; wait "$command"; code=$?; ` +
  `[ -z "\${told-}" ] || { while kill -0 "$command" 2>/dev/null; do wait "$command"; done; exit ${stoppedBy("SIGTERM")}; }; exit "$code"`;

export function k8s(plan: Plan): Launch {
  for (const [flag, path] of [
    ["the configuration", plan.config],
    ["--store", plan.store],
    ["--runs", plan.runs],
  ] as const) {
    const inside = relative(plan.mount, path);
    if (inside.startsWith("..") || isAbsolute(inside))
      throw new ConfigError(
        `--mount: pods see the volume at ${plan.mount} and nothing else of this machine, and ${flag} is ${path}. Name a folder above all of them by --mount, or move it there.`,
      );
  }
  const longest = `${plan.name}-${plan.numGroups - 1}`;
  if (longest.length > LONGEST_NAME || plan.name.endsWith("-"))
    throw new ConfigError(
      `name: Kubernetes allows names of ${LONGEST_NAME} characters that end in a letter or a digit, got "${plan.name}", and "${longest}" with ${longest.length} for a group. Give the run another name.`,
    );
  const claim = plan.claim ?? `${plan.name}-shared`;
  const groups = Array.from({ length: plan.numGroups }, (_, group) => job(plan, group, claim));
  const file = `${plan.name}.k8s.yaml`;
  const comment = `Made by codistill launch: trains ${plan.name}, one Job for each group.`;
  return {
    files: [{ name: file, text: yamlFile(comment, [...(plan.claim === null ? [volume(claim)] : []), ...groups]) }],
    lines: [
      { does: "start all groups", words: ["kubectl", "apply", "-f", file] },
      { does: "see how they are", words: ["kubectl", "get", "jobs,pods", "-l", `codistill-run=${plan.name}`] },
    ],
    jobs: [],
    notes: [
      `the volume ${claim} must hold the configuration and its data, at the same paths as here`,
      `${plan.image} must have codistill: it is called as "${plan.program.join(" ")}"`,
      "no cluster has been tried yet",
    ],
  };
}

function volume(claim: string): YamlValue {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: claim },
    spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "10Gi" } } },
  };
}

function job(plan: Plan, group: number, claim: string): YamlValue {
  const { name, image, mount, restarts, threads, workers } = plan;
  const labels = { "codistill-run": name, "codistill-group": String(group) };
  const command = groupCommand(plan, group, { threads: threads ?? workers, workers });
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${name}-${group}`, labels },
    spec: {
      backoffLimit: restarts,
      // A drained node is no failure of the group; what was refused would be refused again.
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
          { action: "FailJob", onExitCodes: { containerName: "train", operator: "In", values: [REFUSED] } },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: GRACE_SECONDS,
          containers: [
            {
              name: "train",
              image,
              workingDir: mount,
              command: ["sh", "-c", SCRIPT, "codistill", ...command].map(literal),
              resources: { requests: { cpu: String(threads ?? workers) } },
              volumeMounts: [{ name: "shared", mountPath: mount }],
            },
          ],
          volumes: [{ name: "shared", persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
}

/** A text in which Kubernetes puts no variable's value: it reads `$(NAME)` in commands, and `$$` as `$`. */
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}
