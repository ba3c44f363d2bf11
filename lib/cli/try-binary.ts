// Opens the native part in a process of its own, for `ghostnet doctor`: one that crashes takes only this process along.
import { GhostNetError } from '../errors.js';
import { nativeParts } from '../native.js';

try {
  const { addon, libtorch } = nativeParts();
  process.stdout.write(JSON.stringify({ libtorch, runtime: addon.runtime() }));
} catch (error) {
  if (!(error instanceof GhostNetError)) throw error;
  process.stdout.write(JSON.stringify({ error: { code: error.code, message: error.message } }));
}
