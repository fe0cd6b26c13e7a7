/** A model, snapshots of it by one value, and an exchange that keeps its events. */
import { sha256 } from "../src/checkpoint/digest.js";
import { type Pointer, publishSnapshot } from "../src/checkpoint/snapshot.js";
import type { Store } from "../src/checkpoint/store.js";
import {
  type ExchangeOptions,
  type SeenTeacher,
  type StoreExchange,
  storeExchange,
} from "../src/codistill/exchange.js";
import type { ExchangeEvent } from "../src/log/events.js";
import { forwardOnnx } from "../src/nn/forward-onnx.js";
import { filled, type NamedArrays } from "../src/runtime/array.js";
import { mapValues } from "../src/runtime/named.js";
import { tinyLearner } from "./tiny-run.js";

export const { model } = tinyLearner();
export const modelDigest = await sha256(forwardOnnx(model));

/** Params of the model, every one of which is `value`. */
export function paramsOf(value: number): NamedArrays {
  return mapValues(model.params, ({ shape }) => filled(shape, value));
}

/** The one value of such params. */
export function filledWith(params: NamedArrays): number {
  const [first] = Object.values(params);
  return Number(first?.data[0] ?? Number.NaN);
}

/** Publish as another group; the value of the params is the step unless told otherwise. */
export function publishAs(
  store: Store,
  group: number,
  step: number,
  { params = paramsOf(step), model = modelDigest }: { params?: NamedArrays; model?: string } = {},
): Promise<Pointer> {
  return publishSnapshot(store, { group, step, incarnation: 1, model, params });
}

/** Group 0's exchange with group 1 as its teacher, unless told otherwise. */
export function exchangeOn(
  store: Store,
  changes: Partial<ExchangeOptions> = {},
): { exchange: StoreExchange; events: ExchangeEvent[]; refreshed(step: number): Promise<readonly SeenTeacher[]> } {
  const events: ExchangeEvent[] = [];
  const exchange = storeExchange({
    store,
    group: 0,
    teachers: [1],
    model,
    onEvent: (event) => events.push(event),
    ...changes,
  });
  return {
    exchange,
    events,
    async refreshed(step) {
      exchange.refresh(step);
      await exchange.idle();
      return exchange.teachers(step);
    },
  };
}

/** Events as short lines: `fetched 1@20`, `published 0@5`, `trouble publish`, `trouble fetch 1`. */
export function shortly(events: readonly ExchangeEvent[]): string[] {
  return events.map((event) => {
    if (event.event === "fetched") return `fetched ${event.from}@${event.step}`;
    if (event.event === "published") return `published ${event.group}@${event.step}`;
    if (event.event === "teacher-quarantined") return `out ${event.from} until ${event.untilStep}`;
    if (event.event === "teacher-returned") return `back ${event.from}@${event.step}`;
    if (event.event === "warning") return "warning";
    return ["trouble", event.doing, event.from].filter((part) => part !== undefined).join(" ");
  });
}
