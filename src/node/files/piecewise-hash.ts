/** Node.js's own hash, for all SHA-256 of this process; loaded by what reads and writes large values. */
import { createHash } from "node:crypto";
import { hashPiecewise } from "../../checkpoint/digest.js";

hashPiecewise(() => createHash("sha256"));
