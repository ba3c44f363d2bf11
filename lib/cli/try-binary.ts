// Opens the native addon in a separate process, for `ghostnet doctor`: a crash ends only this process.
import { GhostNetError } from '../errors.js';
import type { NativeGpu } from '../native/addon.js';
import { listGpus } from '../native/device.js';
import { nativeParts } from '../native/load.js';

try {
  const { addon, libtorch } = nativeParts();
  process.stdout.write(JSON.stringify({ libtorch, runtime: addon.runtime(), gpus: gpus() }));
} catch (error) {
  if (!(error instanceof GhostNetError)) throw error;
  process.stdout.write(JSON.stringify({ error: { code: error.code, message: error.message } }));
}

function gpus(): readonly NativeGpu[] | string {
  try {
    return listGpus();
  } catch (error) {
    if (!(error instanceof GhostNetError)) throw error;
    return `none [${error.code}]: ${error.what}${error.found === undefined ? '' : `, ${error.found}`}`;
  }
}
