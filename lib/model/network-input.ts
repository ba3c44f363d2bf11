import type { DType, Shape, Tensor } from '../tensor.js';

type FitsLength<Actual extends number, Wanted extends number> = number extends Actual
  ? true
  : Actual extends Wanted
    ? true
    : false;
type Fits<S extends Shape, P extends Shape> = number extends S['length']
  ? true
  : S extends readonly [infer A extends number, ...infer SRest extends Shape]
    ? P extends readonly [infer B extends number, ...infer PRest extends Shape]
      ? FitsLength<A, B> extends true
        ? Fits<SRest, PRest>
        : false
      : false
    : P extends readonly []
      ? true
      : false;

/**
 * The input of a network, checked by the compiler as far as the shape is known: float32 [N,3,H,W], already normalised, or
 * uint8 [N,H,W,3], RGB.
 */
export type NetworkInput<D extends DType, S extends Shape> = Tensor<D, S> &
  (D extends 'float32'
    ? Fits<S, readonly [number, 3, number, number]> extends true
      ? unknown
      : 'expected float32 of shape [N,3,H,W]'
    : D extends 'uint8'
      ? Fits<S, readonly [number, number, number, 3]> extends true
        ? unknown
        : 'expected uint8 of shape [N,H,W,3]'
      : 'expected a tensor of dtype float32 or uint8');

/** The number of images in an input of shape S. */
export type BatchOf<S extends Shape> = S extends readonly [infer N extends number, ...Shape] ? N : number;
