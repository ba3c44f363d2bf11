export { percent, short } from './numbers.js';
export { reportPage } from './page.js';
export { thumbnailOf } from './thumbnail.js';
export type { Chart, ClassRow, MistakeFigure, Report, Series } from './types.js';
