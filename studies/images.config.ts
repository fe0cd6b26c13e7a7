/**
 * What the study of images trains (`npm run study:images`, which writes the files that are named here): the small CNN of the
 * recipe of Fashion-MNIST, on fewer images. All of it was written before the first run, and no arm is tuned for itself.
 */
import { defineRun } from "codistill";

/** Of 60,000 training images: groups of 5,000 learn what others know of the rest, and all runs fit into 40 minutes of CPU time. */
const file = (name: string) => `../.codistill/images-study/${name}-images-idx3-ubyte`;

export default defineRun({
  name: "images",
  data: {
    kind: "images",
    source: file("train"),
    validation: { source: file("validation") },
    test: { source: file("test") },
    classes: ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
    augment: { padCrop: 2, flip: true },
  },
  model: { kind: "cnn", widths: [32, 64, 128] },
  optimizer: { kind: "adam", learningRate: 3e-3, schedule: "cosine", warmUp: "5%" },
  numGroups: 2,
  // 20 epochs of a group's 5,000 images.
  numSteps: 800,
  globalBatchSize: 128,
  algorithm: { kind: "codistill", burnInSteps: "25%", publishInterval: 25, exchangeInterval: 25 },
  validationInterval: 80,
  checkpointInterval: 200,
});
