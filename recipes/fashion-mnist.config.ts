/**
 * Which garment is it? Fashion-MNIST, 70,000 grey images of 28 x 28 pixels in ten classes, from Debian's package
 * dataset-fashion-mnist (apt-get install dataset-fashion-mnist; FASHION_MNIST is another folder with its files). Two
 * groups train on disjoint halves of 54,000 images; 6,000 are validation, and the 10,000 test images are scored once.
 */
import { defineRun } from "codistill";

const file = (name: string) => `${process.env.FASHION_MNIST ?? "/usr/share/datasets/fashion-mnist"}/${name}`;

export default defineRun({
  name: "fashion-mnist",
  data: {
    kind: "images",
    source: file("train-images-idx3-ubyte.gz"),
    test: { source: file("t10k-images-idx3-ubyte.gz") },
    classes: ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"],
    augment: { padCrop: 2, flip: true },
  },
  model: { kind: "cnn", widths: [32, 64, 128] },
  optimizer: { kind: "adam", learningRate: 3e-3, schedule: "cosine", warmUp: "5%" },
  numGroups: 2,
  numSteps: 3000,
  globalBatchSize: 128,
  algorithm: { kind: "codistill", burnInSteps: "25%", publishInterval: 50, exchangeInterval: 50 },
  validationInterval: 250,
  checkpointInterval: 250,
});
