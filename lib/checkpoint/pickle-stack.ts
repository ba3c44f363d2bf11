import type { GhostNetError } from '../errors.js';
import type { PickleMemory } from './pickle-memory.js';
import type { PickleValue } from './pickle-values.js';

const limits = { stack: 100_000, marks: 1_000, memo: 500_000 } as const;

/** The bounded memory of the pickle interpreter: the stack, its marks, and the memo. */
export class PickleStack {
  private readonly stack: PickleValue[] = [];
  /** The height of the stack at each open mark. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();

  /** @param fail - creates the error for a fault at the current opcode */
  constructor(
    private readonly fail: (what: string) => GhostNetError,
    private readonly memory: PickleMemory,
  ) {}

  push(value: PickleValue): void {
    if (this.stack.length === limits.stack) {
      throw this.fail(`the pickle holds more than ${limits.stack} values at once`);
    }
    this.stack.push(value);
  }

  /** The value on top, which stays on the stack. */
  top(): PickleValue {
    if (this.stack.length <= this.floor) throw this.fail('the pickle uses a value that it never pushed');
    return this.stack.at(-1) ?? null;
  }

  pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  popMany(count: number): PickleValue[] {
    if (this.stack.length - count < this.floor)
      throw this.fail('the pickle pops a value that it never pushed');
    return this.stack.splice(-count);
  }

  mark(): void {
    if (this.marks.length === limits.marks)
      throw this.fail(`the pickle nests deeper than ${limits.marks} levels`);
    this.marks.push(this.stack.length);
  }

  popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail('the pickle closes a mark that it never opened');
    return this.stack.splice(mark);
  }

  /** The last value: the stack must hold no other. */
  finish(): PickleValue {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0)
      throw this.fail('the pickle stops with unused values');
    return value;
  }

  /** @param index - default: the next free index */
  memorise(index = this.memo.size): void {
    if (!this.memo.has(index)) {
      if (this.memo.size === limits.memo) {
        throw this.fail(`the pickle memorises more than ${limits.memo} values`);
      }
      this.memory.takeMemo(this.fail);
    }
    this.memo.set(index, this.top());
  }

  recall(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fail(`the pickle recalls value ${index}, which it never memorised`);
    return value;
  }

  /** The height below which no value may be popped: the innermost open mark. */
  private get floor(): number {
    return this.marks.at(-1) ?? 0;
  }
}
