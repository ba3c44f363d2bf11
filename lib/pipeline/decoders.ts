/** How many images native code decodes at a time. Some wait in native code, so that no thread waits for JavaScript between two images; none if that would use more threads. */
export function decodersFor(threads: number, processors: number): number {
  return threads < processors ? threads : processors + Math.min(processors, 4);
}
