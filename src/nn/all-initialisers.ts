/** Initial values of params by their shapes: `init` of a `ParamSpec`. */
export {
  constantInit,
  glorotNormal,
  glorotUniform,
  heNormal,
  heNormalBackward,
  heUniform,
  type Init,
  lecunNormal,
  normalInit,
  onesInit,
  orthogonal,
  truncatedNormal,
  uniformInit,
  zerosInit,
} from "./initialisers.js";
