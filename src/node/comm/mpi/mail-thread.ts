/**
 * The mail of a process on the thread of MPI, which has nothing else to do as long as it is open: it sends what the owner gives, and
 * gives the owner what comes. Nobody waits inside the library: what is under way is looked at from time to time.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Letter } from "../../../comm/mail.js";
import { WorkerError } from "../../../errors.js";
import {
  decodeHeader,
  decodeLetter,
  decodeReason,
  encodeHeader,
  encodeLetter,
  encodeReason,
  FRAME_BYTES,
  type FrameHeader,
} from "./letter-bytes.js";
import type { Mpi, UnderWay } from "./library.js";

/** What the owner wants: a letter sent, all told that it has failed or that it is there, or the mail closed. */
export type MailOrder =
  | { readonly order: "send"; readonly to: number; readonly letter: Letter }
  | { readonly order: "fail"; readonly reason: string }
  | { readonly order: "showLife" }
  | { readonly order: "close" };

/** What the owner is told of another process: a letter, why it has failed, that it is there, and that it sends no more. */
export type MailNews =
  | { readonly from: number; readonly news: "letter"; readonly letter: Letter }
  | { readonly from: number; readonly news: "failure"; readonly reason: string }
  | { readonly from: number; readonly news: "alive" | "left" };

export interface MailThreadOptions {
  readonly port: MessagePort;
  /** Of a letter. */
  readonly mostBytes: number;
  /** Word 0: other than 0 when the owner gives up the others; word 1 changes, and is notified, after each order. */
  readonly control: Int32Array;
}

/** Bytes that travel at a time, each piece a sign of life. */
const PIECE_BYTES = 1 << 21;
const TAGS = { header: 1, body: 2 } as const;

/**
 * The longest nap between two looks, in milliseconds: by a tenth of the time in which nothing came, so that a letter is seen a tenth
 * later than it could be, and a process to which nothing comes hardly computes. What is under way moves on by looks alone.
 */
export function napOf(idleMs: number, isMoving: boolean): number {
  return Math.min(idleMs / 10, isMoving ? 0.1 : 1);
}

/** Serve the owner until it has closed the mail and all others have left it. Throws {@link WorkerError} when it gives them up. */
export function serveMail(mpi: Mpi, { port, mostBytes, control }: MailThreadOptions): void {
  const others = mpi.rank === 0 ? Array.from({ length: mpi.size - 1 }, (_, i) => i + 1) : [0];
  const lines = new Map(others.map((other) => [other, line(mpi, other, mostBytes)] as const));
  const all = [...lines.values()];
  let isClosing = false;

  function close(): void {
    if (!isClosing) for (const { add } of all) add({ kind: "left" });
    isClosing = true;
  }

  function take(order: MailOrder): void {
    if (order.order === "close") close();
    if (isClosing) return;
    if (order.order === "send") lines.get(order.to)?.add({ kind: "letter", letter: order.letter });
    if (order.order === "fail") for (const one of all) one.addInstead({ kind: "failure", reason: order.reason });
    // What is being sent shows life as well.
    if (order.order === "showLife") for (const one of all) if (!one.isSending()) one.add({ kind: "alive" });
  }

  function tell(from: number, { kind, body }: Arrived): void {
    const post = (news: MailNews, memory: ArrayBuffer[] = []) => port.postMessage(news, memory);
    if (kind === "failure") post({ from, news: "failure", reason: decodeReason(body) });
    else if (kind === "left") post({ from, news: "left" });
    else if (kind === "alive" || isClosing) post({ from, news: "alive" });
    else post({ from, news: "letter", letter: decodeLetter(body) }, [body.buffer]);
    // A leader that has failed ends all.
    if (kind === "failure" && from === 0) close();
  }

  let last = performance.now();
  while (!isClosing || all.some(({ isOver }) => !isOver())) {
    if (Atomics.load(control, 0) !== 0) throw new WorkerError("this worker has given the others up");
    const seen = Atomics.load(control, 1);
    let isBusy = false;
    for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
      take(got.message as MailOrder);
      isBusy = true;
    }
    for (const [from, { send, receive }] of lines) {
      const hasSent = send();
      const { arrived, hasReceived } = receive();
      if (hasReceived) tell(from, arrived ?? aPiece);
      isBusy ||= hasSent || hasReceived;
    }
    const now = performance.now();
    if (isBusy) last = now;
    else
      Atomics.wait(
        control,
        1,
        seen,
        napOf(
          now - last,
          all.some(({ isMoving }) => isMoving()),
        ),
      );
  }
}

/** What is to be sent. A letter becomes bytes when its turn has come: so one at a time takes memory of its own. */
type Outgoing =
  | { readonly kind: "letter"; readonly letter: Letter }
  | { readonly kind: "failure"; readonly reason: string }
  | { readonly kind: "alive" | "left" };

/** What has come. */
interface Arrived {
  readonly kind: FrameHeader["kind"];
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Of something that is still on its way. */
const aPiece: Arrived = { kind: "alive", body: new Uint8Array(0) };

type Transfer = UnderWay<Uint8Array<ArrayBuffer>>;

/** What goes between this process and another one. */
function line(mpi: Mpi, other: number, mostBytes: number) {
  let waiting: readonly Outgoing[] = [];
  let sending: readonly Transfer[] = [];
  let header: Transfer | null = receiveHeader();
  let coming: (Arrived & { readonly pieces: readonly Transfer[] }) | null = null;

  function receiveHeader(): Transfer {
    return mpi.receiveLater(new Uint8Array(new ArrayBuffer(FRAME_BYTES)), other, TAGS.header);
  }

  /** Let go what has been sent, and send what is next; whether anything of it moved. */
  function send(): boolean {
    const rest = sending.filter((piece) => !piece.isDone());
    const hasSent = rest.length < sending.length;
    sending = rest;
    const [next, ...later] = waiting;
    if (sending.length > 0 || !next) return hasSent;
    waiting = later;
    const body = bodyOf(next);
    sending = [
      mpi.sendLater(encodeHeader({ kind: next.kind, bytes: body.length }), other, TAGS.header),
      ...piecesOf(body).map((piece) => mpi.sendLater(piece, other, TAGS.body)),
    ];
    return true;
  }

  const isSending = () => sending.length > 0 || waiting.length > 0;

  function bodyOf(one: Outgoing): Uint8Array<ArrayBuffer> {
    if (one.kind === "letter") return encodeLetter(one.letter, mostBytes);
    return one.kind === "failure" ? encodeReason(one.reason) : new Uint8Array(0);
  }

  /** Take what has come: first the header, then as many bytes as it says. */
  function receive(): { readonly arrived?: Arrived; readonly hasReceived: boolean } {
    if (!coming) {
      if (!header?.isDone()) return { hasReceived: false };
      const { kind, bytes } = decodeHeader(header.memory, mostBytes);
      const body = new Uint8Array(new ArrayBuffer(bytes));
      coming = { kind, body, pieces: piecesOf(body).map((piece) => mpi.receiveLater(piece, other, TAGS.body)) };
      header = null;
    }
    const { kind, body, pieces } = coming;
    const rest = pieces.filter((piece) => !piece.isDone());
    coming = { kind, body, pieces: rest };
    if (rest.length > 0) return { hasReceived: rest.length < pieces.length };
    coming = null;
    // Nothing comes after the last word, and a receipt that stays open would outlive MPI.
    if (kind !== "left") header = receiveHeader();
    return { arrived: { kind, body }, hasReceived: true };
  }

  return {
    add(one: Outgoing) {
      waiting = [...waiting, one];
    },
    /** In place of all that has not begun to be sent. */
    addInstead(one: Outgoing) {
      waiting = [one];
    },
    send,
    receive,
    isSending,
    isMoving: () => coming !== null || isSending(),
    /** Whether the other one has said its last word, and has been told ours. */
    isOver: () => header === null && coming === null && !isSending(),
  };
}

function piecesOf(bytes: Uint8Array<ArrayBuffer>): readonly Uint8Array<ArrayBuffer>[] {
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
}
