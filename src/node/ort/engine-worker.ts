/** The training thread. */
import { parentPort } from "node:worker_threads";
import { answerRequests } from "./engine-answers.js";

if (parentPort) answerRequests(parentPort);
