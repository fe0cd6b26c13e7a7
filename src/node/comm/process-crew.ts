/** The workers of a group in processes of their own: each has copies of the params and teachers that the leader sends. */
import { type Communicator, withMemory } from "../../comm/communicator.js";
import type { Mail } from "../../comm/mail.js";
import type { Cursor } from "../../data/stream.js";
import type { Engine } from "../../engine/engine.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { memoryFor } from "../../runtime/flat.js";
import { mapValues } from "../../runtime/named.js";
import { type Crew, type Lead, leadOf } from "../../train/crew.js";
import { type FollowerOptions, follow } from "../../train/follower.js";
import type { Learner } from "../../train/graphs.js";
import { numSums } from "../../train/stepper.js";
import type { MpiCommunicator } from "./mpi/communicator.js";

/** The leader of workers in other processes: while it has nothing to tell them, it lets them know that it is there. */
export interface Leader extends Closable {
  readonly comm: Communicator;
  readonly lead: Lead;
  /** The crew for the steps of a student on this engine, which computes the updates too. */
  crew(options: {
    readonly engine: Engine;
    readonly learner: Learner;
    /** Where the batches of the leader's next step begin. */
    readonly cursor: () => Cursor;
  }): Crew;
  /** Let all work by letters of at most so many bytes, until the mail is closed. */
  openMail(mostBytes: number): Promise<Mail>;
}

/**
 * Lead these workers. Workers wait for a word of the leader as long as their communicator waits for anything, so the leader has to
 * speak every `pulseSeconds`. Closed, it tells the workers to end.
 */
export function leaderOf(comm: MpiCommunicator, pulseSeconds: number): Leader {
  let numUnderWay = 0;
  const serial = leadOf(comm);
  const lead: Lead = async (order, part) => {
    numUnderWay++;
    return serial(order, part).finally(() => numUnderWay--);
  };
  const pulse = setInterval(() => {
    if (numUnderWay === 0) lead({ kind: "wait" }, async () => {}).catch(() => clearInterval(pulse));
  }, 1000 * pulseSeconds);
  const leader: Omit<Leader, keyof Closable> = {
    comm,
    lead,
    crew({ engine, learner, cursor }) {
      /** Memory of tensors that travel together, by their names. */
      const rooms = new Map<string, { readonly gift: number; readonly memory: Uint8Array }>();
      return {
        ...{ comm: withMemory(comm, numSums(learner)), updater: engine, cursor, lead },
        async give(names) {
          const key = names.join("\n");
          const known = rooms.get(key);
          if (known) return lead({ kind: "take", gift: known.gift }, () => comm.broadcast(known.memory, 0));
          const now = await engine.read(names);
          const layouts = mapValues(now, ({ shape, dtype }) => ({ shape, ...(dtype === "int8" && { isInt8: true }) }));
          const { memory, arrays } = memoryFor(layouts, now);
          await engine.adopt(arrays);
          const room = { gift: rooms.size, memory };
          rooms.set(key, room);
          await lead({ kind: "take", gift: room.gift, layouts }, () => comm.broadcast(room.memory, 0));
        },
      };
    },
    openMail: (mostBytes) =>
      new Promise((resolve, reject) => {
        lead({ kind: "mail" }, () => {
          const mail = comm.openMail(mostBytes);
          resolve(mail);
          return mail.ended;
        }).catch(reject);
      }),
  };
  return closable(leader, async () => {
    clearInterval(pulse);
    // Where the communicator is broken, the workers know it and end by themselves.
    await lead({ kind: "end" }, async () => {}).catch(() => undefined);
  });
}

/** Follow the leader of workers in other processes: take each step together, unless `work` says otherwise. */
export function followInProcess(
  { comm, ...options }: Omit<FollowerOptions, "take">,
  work: typeof follow = follow,
): Promise<void> {
  const { engine, learner } = options;
  /** Memory of tensors that travel together, by the number of the gift. */
  const rooms: Uint8Array[] = [];
  return work({
    ...options,
    comm: withMemory(comm, numSums(learner)),
    async take({ gift, layouts }) {
      if (layouts) {
        const { memory, arrays } = memoryFor(layouts);
        await engine.adopt(arrays);
        rooms[gift] = memory;
      }
      const memory = rooms[gift];
      if (!memory) throw new Error(`internal: the layouts of gift ${gift} did not come with it the first time`);
      await comm.broadcast(memory, 0);
    },
  });
}
