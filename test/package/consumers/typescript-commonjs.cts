import { GhostNet, GhostNetError, type ClassScore } from 'ghostnet';

async function main(): Promise<void> {
  const model: GhostNet = await GhostNet.load();
  const [best]: ClassScore[] = await model.classify(process.argv[2] ?? '');
  console.log(best?.label);
}
main().catch((error: unknown) => {
  console.error(error instanceof GhostNetError ? error.code : error);
  process.exitCode = 1;
});
