// Writes docs/errors.md from the catalogue in lib/errors.ts.
import { writeFileSync } from 'node:fs';

import { errorCatalogue } from '../dist/errors.js';

const entries = Object.entries(errorCatalogue).map(
  ([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n**What to do:** ${remedy}\n`,
);
const page = `# Errors

\`\`\`ts
import { GhostNet, GhostNetError } from 'ghostnet';

try {
  await GhostNet.load('weights.safetensors');
} catch (error) {
  if (error instanceof GhostNetError && error.code === 'GHOSTNET_FILE_NOT_FOUND') {
    console.error(error.remedy);
  }
}
\`\`\`

Every failure is a \`GhostNetError\` with a stable \`code\`. Messages may change between releases; codes do not. Where they apply, an
error also has \`found\` (the wrong value), \`expected\` (the right value), \`remedy\` (what to do) and \`cause\` (the underlying error).

\`npm run docs\` generates this page from \`lib/errors.ts\`.

${entries.join('\n')}`;
writeFileSync(new URL('errors.md', import.meta.url), page);
