/** What to do about a native part that is missing, where a reinstallation on this machine is not the remedy. */
export function remedyForMissing(): string | undefined {
  if (isNextStandalone()) {
    return (
      'Next.js left it out of .next/standalone. Keep `serverExternalPackages: ["ghostnet"]` in next.config, and build on the ' +
      'system that runs the output; or add `outputFileTracingIncludes: { "/**": ["./node_modules/ghostnet/**", ' +
      '"./node_modules/@ghostnet/**"] }` and build again.'
    );
  }
  if (process.env.AWS_LAMBDA_FUNCTION_NAME !== undefined) {
    const arch = process.arch;
    return (
      'Install for the system of Lambda, in the image or for the layer: remove node_modules and package-lock.json, then ' +
      `\`npm install --os=linux --cpu=${arch} --libc=glibc --include=optional\`.`
    );
  }
  return undefined;
}

/** Set by the server of `output: 'standalone'`. */
function isNextStandalone(): boolean {
  return process.env.__NEXT_PRIVATE_STANDALONE_CONFIG !== undefined;
}
