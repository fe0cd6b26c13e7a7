import type { ImageNetworkOptions } from "../nn/image-input.js";
import { mobileNet } from "../nn/mobilenet.js";
import type { Model } from "../nn/model.js";
import { resnet } from "../nn/resnet.js";
import { smallCnn } from "../nn/small-cnn.js";
import type { ImageModelConfig } from "./model-schema.js";

/**
 * The network of images that a configuration names.
 *
 * Throws {@link ShapeError} when the images are too small for it.
 */
export function imageNetwork(config: ImageModelConfig, options: ImageNetworkOptions): Model {
  switch (config.kind) {
    case "cnn":
      return smallCnn({ ...options, ...config });
    case "resnet":
      return resnet({ ...options, ...config });
    case "mobilenet":
      return mobileNet({ ...options, ...config });
  }
}
