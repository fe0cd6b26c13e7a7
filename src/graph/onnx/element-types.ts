/** The element types of ONNX that graphs, engines and served models have, by our names for them. */

/** `TensorProto.DataType` of each; ONNX Runtime's `ONNXTensorElementDataType` has the same numbers. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float64: 11,
  uint32: 12,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

const names = new Map<number, ElementType>(
  Object.entries(ELEMENT_TYPES).map(([name, type]) => [type, name as ElementType]),
);

/** Our name for an element type of ONNX; undefined for those that we do not have. */
export function elementTypeName(type: number): ElementType | undefined {
  return names.get(type);
}
