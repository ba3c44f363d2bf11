// Requests the precision that the argument names, and prints the code of the error, or 'none'.
import { GhostNet } from 'ghostnet';

const [precision] = process.argv.slice(2);
const options = { precision };
const codes = [];
for (const make of [
  () => GhostNet.load(undefined, options),
  () => GhostNet.create({ variant: 'ghostnet_050', ...options }),
]) {
  try {
    (await make()).dispose();
    codes.push('none');
  } catch ({ code, message }) {
    codes.push(code);
    process.stderr.write(`${message}\n`);
  }
}
process.stdout.write(JSON.stringify(codes));
