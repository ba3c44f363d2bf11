import {
  GhostNet,
  ghostModule,
  Tensor,
  type BatchOf,
  type ClassScore,
  type ModelInfo,
  type Pipeline,
  type PipelineOptions,
  type Shape,
} from 'ghostnet';
import { describe, expectTypeOf, it } from 'vitest';

declare const model: GhostNet;
declare const batch: number;
declare const pixels: Tensor<'uint8', readonly [number, number, number, 3]>;

describe('GhostNet.forward and embed', () => {
  it('take float32 [N,3,H,W]', () => {
    const input = Tensor.empty('float32', [8, 3, 224, 224]);
    expectTypeOf(model.forward(input)).resolves.toEqualTypeOf<Tensor<'float32', readonly [8, number]>>();
    expectTypeOf(model.embed(input)).resolves.toEqualTypeOf<Tensor<'float32', readonly [8, 1280]>>();
  });

  it('take uint8 [N,H,W,3]', () => {
    const input = Tensor.empty('uint8', [2, 64, 48, 3]);
    expectTypeOf(model.forward(input)).resolves.toEqualTypeOf<Tensor<'float32', readonly [2, number]>>();
    expectTypeOf(model.embed(input)).resolves.toEqualTypeOf<Tensor<'float32', readonly [2, 1280]>>();
  });

  it('take shapes with unknown dimensions', () => {
    const partly = Tensor.empty('float32', [batch, 3, 224, 224]);
    expectTypeOf(model.forward(partly)).resolves.toEqualTypeOf<
      Tensor<'float32', readonly [number, number]>
    >();
    const nothing = Tensor.empty('uint8', [1, 32, 32, 3] as Shape);
    expectTypeOf(model.embed(nothing)).resolves.toEqualTypeOf<Tensor<'float32', readonly [number, 1280]>>();
    const fixedRank = Tensor.empty('float32', [1, 3, 32, 32] as readonly [number, number, number, number]);
    expectTypeOf(model.forward(fixedRank)).resolves.toExtend<Tensor<'float32'>>();
  });

  it('take the result of preprocess', () => {
    expectTypeOf(model.preprocess(['photo.jpg'])).resolves.toEqualTypeOf<
      Tensor<'uint8', readonly [number, number, number, 3]>
    >();
    expectTypeOf(model.forward(pixels)).resolves.toExtend<Tensor<'float32'>>();
  });

  it('take one image from preprocess', async () => {
    expectTypeOf(model.preprocess('photo.jpg')).resolves.toEqualTypeOf<
      Tensor<'uint8', readonly [1, number, number, 3]>
    >();
    expectTypeOf(
      model.embed(await model.preprocess(Tensor.empty('uint8', [1, 1, 3]))),
    ).resolves.toEqualTypeOf<Tensor<'float32', readonly [1, 1280]>>();
    // @ts-expect-error -- a number
    void model.preprocess(1);
  });

  it('refuse other channel counts, ranks, layouts and dtypes', () => {
    // @ts-expect-error -- four channels
    void model.forward(Tensor.empty('float32', [8, 4, 224, 224]));
    // @ts-expect-error -- no batch
    void model.forward(Tensor.empty('float32', [3, 224, 224]));
    // @ts-expect-error -- five dimensions
    void model.forward(Tensor.empty('float32', [1, 1, 3, 224, 224]));
    // @ts-expect-error -- floats with the channels last
    void model.forward(Tensor.empty('float32', [8, 224, 224, 3]));
    // @ts-expect-error -- bytes with the channels first
    void model.forward(Tensor.empty('uint8', [8, 3, 224, 224]));
    // @ts-expect-error -- whole numbers
    void model.forward(Tensor.empty('int64', [8, 3, 224, 224]));
    // @ts-expect-error -- doubles of 64 bits
    void model.embed(Tensor.empty('float64', [8, 3, 224, 224]));
    // @ts-expect-error -- four channels
    void model.embed(Tensor.empty('float32', [8, 4, 224, 224]));
    const values: unknown = new Float32Array(3 * 224 * 224);
    // @ts-expect-error -- not a tensor
    void model.forward(values);
  });

  it('say how many images a shape holds', () => {
    expectTypeOf<BatchOf<readonly [8, 3, 224, 224]>>().toEqualTypeOf<8>();
    expectTypeOf<BatchOf<Shape>>().toEqualTypeOf<number>();
  });
});

describe('GhostNet.classify', () => {
  it('gives a list for each of several images', () => {
    expectTypeOf(model.classify(['a.jpg', 'b.jpg'])).resolves.toEqualTypeOf<ClassScore[][]>();
    expectTypeOf(model.classify([new Uint8Array(1), new URL('file:///a')])).resolves.toEqualTypeOf<
      ClassScore[][]
    >();
  });

  it('gives one list for one image', () => {
    expectTypeOf(model.classify('a.jpg')).resolves.toEqualTypeOf<ClassScore[]>();
    expectTypeOf(model.classify(new Uint8Array(1))).resolves.toEqualTypeOf<ClassScore[]>();
    expectTypeOf(model.classify(new URL('file:///a'))).resolves.toEqualTypeOf<ClassScore[]>();
    expectTypeOf(model.classify({ data: new Uint8Array(3), width: 1, height: 1 })).resolves.toEqualTypeOf<
      ClassScore[]
    >();
    expectTypeOf(model.classify(Tensor.empty('uint8', [1, 1, 3]))).resolves.toEqualTypeOf<ClassScore[]>();
  });

  it('rejects values that are not images', () => {
    // @ts-expect-error -- a number
    void model.classify(1);
    // @ts-expect-error -- a tensor of floats
    void model.classify(Tensor.empty('float32', [1, 1, 3]));
  });
});

describe('GhostNet', () => {
  it('is made with load or create only', () => {
    expectTypeOf(GhostNet.load()).resolves.toEqualTypeOf<GhostNet>();
    expectTypeOf(GhostNet.load({ threads: 1 })).resolves.toEqualTypeOf<GhostNet>();
    expectTypeOf(GhostNet.load(undefined, { threads: 1 })).resolves.toEqualTypeOf<GhostNet>();
    expectTypeOf(GhostNet.create()).resolves.toEqualTypeOf<GhostNet>();
    // @ts-expect-error -- private
    new GhostNet();
  });

  it('has read-only information', () => {
    expectTypeOf(model.info).toEqualTypeOf<ModelInfo>();
    // @ts-expect-error -- read only
    model.info.numClasses = 3;
  });

  it('refuses options that do not exist', () => {
    // @ts-expect-error -- misspelt
    void GhostNet.create({ num_classes: 10 });
    // @ts-expect-error -- a stage row has five numbers
    void GhostNet.create({ stages: [[[3, 16, 16, 0]]] });
    // @ts-expect-error -- no such interpolation
    void GhostNet.load('model.safetensors', { interpolation: 'nearest' });
    // @ts-expect-error -- no such interpolation
    void GhostNet.load({ interpolation: 'nearest' });
    // @ts-expect-error -- options twice
    void GhostNet.load({ threads: 1 }, { threads: 1 });
    // @ts-expect-error -- neither weights nor options
    void GhostNet.load(new Float32Array(1));
  });

  it('gives its state as tensors by name', () => {
    expectTypeOf(model.stateDict()).resolves.toEqualTypeOf<Map<string, Tensor<'float32' | 'int64'>>>();
  });
});

describe('GhostNet.pipeline', () => {
  it('gives what its output says', () => {
    expectTypeOf(model.pipeline()).toEqualTypeOf<Pipeline<ClassScore[]>>();
    expectTypeOf(model.pipeline({ output: 'embed' })).toEqualTypeOf<Pipeline<Float32Array>>();
    const options = {} as PipelineOptions;
    expectTypeOf(model.pipeline(options)).toEqualTypeOf<Pipeline<Float32Array> | Pipeline<ClassScore[]>>();
  });
});

describe('ghostModule', () => {
  it('takes floats and gives floats', () => {
    const x = Tensor.empty('float32', [1, 16, 14, 14]);
    const weights = {} as Record<string, Tensor>;
    expectTypeOf(ghostModule(x, weights)).resolves.toEqualTypeOf<
      Tensor<'float32', readonly [number, number, number, number]>
    >();
    // @ts-expect-error -- bytes, not floats
    void ghostModule(Tensor.empty('uint8', [1, 16, 14, 14]), weights);
  });
});
