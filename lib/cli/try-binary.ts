// Opens the native part in a process of its own, for `ghostnet doctor`: one that crashes takes only this process along.
import { listGpus } from '../device.js';
import { GhostNetError } from '../errors.js';
import { nativeParts, type NativeGpu } from '../native.js';

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
