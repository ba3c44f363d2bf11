// Writes docs/errors.md from the catalogue in lib/errors.ts.
import { writeFileSync } from 'node:fs';

import { errorCatalogue } from '../dist/errors.js';

const entries = Object.entries(errorCatalogue).map(
  ([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n**What to do:** ${remedy}\n`,
);
const page = `# Errors

Every failure is a \`GhostNetError\` with a stable \`code\`; messages may change between releases, codes do not. Beside the
message an error has \`found\` (the value that was wrong), \`expected\` (what would have been right), \`remedy\` (what to do) and
\`cause\` (the error behind it), where they apply.

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

This page is generated from \`lib/errors.ts\` by \`npm run docs\`.

${entries.join('\n')}`;
writeFileSync(new URL('errors.md', import.meta.url), page);
