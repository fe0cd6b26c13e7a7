/**
 * Checks which graphs a model file may have. ONNX Runtime would run loops, call functions that the file defines, and
 * read tensors from other files. An exported model needs none of that: the operations that it does need are listed
 * here, and all others are refused.
 */
import { MICROSOFT } from "../graph/onnx/builder.js";
import type { ModelProto, NodeProto, TensorProto } from "../graph/onnx-proto.js";
import { LABELS } from "./nodes.js";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** The operations of exported models, by domain. None of them runs a graph of its own. */
const OPERATIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  "": words(`
    Abs Add And ArgMax AveragePool BatchNormalization BitShift BitwiseXor Cast Ceil Clip Concat ConstantOfShape Conv
    ConvTranspose Cos CumSum Div Equal Erf Exp Expand Floor Gather GatherElements Gelu Gemm GlobalAveragePool GlobalMaxPool
    Greater GreaterOrEqual HardSwish Identity IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul
    Max MaxPool Min Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize
    ScatterElements ScatterND Shape Sigmoid Sign Sin Size Slice Softmax Softplus Split Sqrt Squeeze StringConcat Sub Tanh
    TopK Transpose Unsqueeze Where`),
  [LABELS]: words("LabelEncoder"),
  [MICROSOFT]: words("FusedMatMul QuickGelu"),
};

/** What models of other programs may have beside them, which run no graph of their own either. */
const FOREIGN: Readonly<Record<string, ReadonlySet<string>>> = {
  "": words(`
    Acos Asin Atan BitwiseAnd BitwiseNot BitwiseOr Constant Cosh DequantizeLinear Dropout DynamicQuantizeLinear Elu Flatten
    GRU GatherND HardSigmoid Hardmax InstanceNormalization LSTM LpNormalization MatMulInteger MeanVarianceNormalization Mean
    Mish NonZero PRelu QuantizeLinear RNN ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceProd ReduceSumSquare Round
    Selu Shrink Sinh Softsign Sum Swish Tan ThresholdedRelu Trilu Unique Xor`),
  [LABELS]: words(`
    ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier
    SVMRegressor Scaler TreeEnsembleClassifier TreeEnsembleRegressor`),
};

/** The most elements of a tensor whose shape is a constant: far more than a batch needs. */
const MOST_ELEMENTS = 2 ** 31;

/** The first part of a model file that no exported model has, in words; null when there is none. */
export function graphProblem(model: Pick<ModelProto, "graph">): string | null {
  return problemOf(model, [OPERATIONS]);
}

/** The same for a model of another program, which may have more operations. */
export function foreignProblem(model: Pick<ModelProto, "graph">): string | null {
  return problemOf(model, [OPERATIONS, FOREIGN]);
}

function problemOf({ graph }: Pick<ModelProto, "graph">, lists: readonly (typeof OPERATIONS)[]): string | null {
  for (const node of graph.node) {
    const { domain: written, opType } = node;
    const domain = written === "ai.onnx" ? "" : written;
    if (!lists.some((known) => Object.hasOwn(known, domain) && known[domain]?.has(opType)))
      return `the operation ${domain === "" ? "" : `${domain}.`}${opType}`;
    if (opType === "Resize" && node.input[2]) return "the operation Resize with scales";
    if (node.attribute.some(({ g }) => g)) return `a graph within the operation ${opType}`;
  }
  const constants = graph.node.flatMap(({ opType, output, attribute }) =>
    opType === "Constant" ? attribute.flatMap(({ t }) => (t ? [{ ...t, name: output[0] ?? "" }] : [])) : [],
  );
  return tooLarge([...graph.initializer, ...constants], graph.node);
}

/** A tensor that is too large although its shape takes only a few bytes of the file. */
function tooLarge(constants: readonly TensorProto[], nodes: readonly NodeProto[]): string | null {
  const shapes = new Set(
    nodes.flatMap(({ opType, input }) =>
      opType === "Expand"
        ? input.slice(1, 2)
        : opType === "Resize"
          ? input.slice(3, 4)
          : opType === "ConstantOfShape"
            ? input
            : [],
    ),
  );
  for (const tensor of constants) {
    const elements = shapes.has(tensor.name) ? numbersOf(tensor).reduce((product, size) => product * size, 1) : 0;
    if (elements > MOST_ELEMENTS) return `a tensor of ${elements} elements`;
  }
  return null;
}

/** The elements of a tensor of int64. */
function numbersOf({ rawData, int64Data = [] }: TensorProto): readonly number[] {
  if (!rawData || rawData.length === 0) return int64Data;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: Math.floor(rawData.length / 8) }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}
