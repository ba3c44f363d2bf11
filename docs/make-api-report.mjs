// Writes the public API of each entry to docs/api-report/, so that a change of it shows in a diff: node docs/make-api-report.mjs
// [--check]. Reads the types in dist/. --check writes nothing and fails if a report is out of date, as `npm test` does.
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

import { root } from '../packaging/project.mjs';

const reports = join(root, 'docs', 'api-report');

/** The entries of the package, which are those of the API reference. */
export const { entryPoints } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8'));
const [rootEntry] = entryPoints;

/** The name of an entry: of its file, or of its folder. */
function nameOf(entry) {
  if (entry === rootEntry) return 'ghostnet';
  return basename(entry, '.ts').replace(/^index$/, basename(dirname(entry)));
}

/** For what api-extractor says of the form of comments, typedoc and tsc are the judges. */
const silent = { default: { logLevel: ExtractorLogLevel.None } };

function configurationOf(entry, folder) {
  const types = join(root, 'dist', 'types', relative('lib', entry).replace(/\.ts$/, '.d.ts'));
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: types,
      compiler: { tsconfigFilePath: join(root, 'tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: nameOf(entry),
        reportFolder: folder,
        reportTempFolder: join(root, 'build', 'api-report'),
        // Types behind those that are exported, such as the list of precisions. The other entries see them from here.
        includeForgottenExports: entry === rootEntry,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: silent,
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
      },
    },
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
  });
}

/**
 * Writes the reports, or compares them.
 *
 * @param {{ write: boolean, folder?: string, entries?: readonly string[] }} options - `folder` has the reports
 * @returns {string[]} the reports that were out of date
 */
export function reportApi({ write, folder = reports, entries = entryPoints }) {
  mkdirSync(folder, { recursive: true });
  return entries.flatMap((entry) => {
    const configuration = configurationOf(entry, folder);
    const { apiReportChanged } = Extractor.invoke(configuration, {
      localBuild: write,
      messageCallback: (message) => {
        message.handled = true;
      },
    });
    return apiReportChanged ? [relative(root, configuration.reportFilePath)] : [];
  });
}

if (process.argv[1] === import.meta.filename) {
  const isCheck = process.argv.includes('--check');
  const changed = reportApi({ write: !isCheck });
  for (const report of changed) console.log(`${report} ${isCheck ? 'is out of date' : 'was written'}`);
  if (isCheck && changed.length > 0) {
    console.error(
      'The public API changed: look at it with `npm run docs:api-report`, and commit the reports.',
    );
    process.exit(1);
  }
}
