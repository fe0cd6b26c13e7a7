/**
 * Makes this process compute every SHA-256 by Node.js's own hash; imported by modules that read and write large values.
 */
import { createHash } from "node:crypto";
import { hashPiecewise } from "../../checkpoint/digest.js";

hashPiecewise(() => createHash("sha256"));
