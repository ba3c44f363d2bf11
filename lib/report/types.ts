/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** One for each place of the chart; NaN where there is none. */
  readonly values: readonly number[];
}

/** Lines over the same places. */
export interface Chart {
  readonly title: string;
  /** What the places are. */
  readonly places: string;
  readonly at: readonly string[];
  readonly series: readonly Series[];
  /** Whether the values are shares, from 0 to 1. */
  readonly isShare?: boolean;
  /** The place that was taken, by its index. */
  readonly chosen?: number | undefined;
}

/** How well a class is found; NaN where no image says. */
export interface ClassRow {
  readonly label: string;
  readonly images: number;
  readonly precision: number;
  readonly recall: number;
}

/** An image with a wrong class. */
export interface MistakeFigure {
  /** A `data:` URL of a small picture; undefined if there is none. */
  readonly thumbnail: string | undefined;
  readonly name: string;
  readonly label: string;
  readonly predicted: string;
  readonly score: number;
  readonly ownScore: number;
}

/** What a page reports of a classifier. */
export interface Report {
  readonly title: string;
  /** A sentence or two. */
  readonly summary: string;
  /** The numbers that matter most. */
  readonly figures: readonly (readonly [name: string, value: string])[];
  /** Everything else that is known, by name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly charts: readonly Chart[];
  /** No classes: nothing was judged. */
  readonly classes: readonly ClassRow[];
  /** Images of each class (row) that were given each class (column), in the order of the classes. */
  readonly confusion: readonly (readonly number[])[];
  readonly mistakes: readonly MistakeFigure[];
  /** What the data lack, in sentences. */
  readonly warnings: readonly string[];
}
