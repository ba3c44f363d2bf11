// A clone cannot be packed directly: the published manifest names the LibTorch packages, which `npm ci` in a clone cannot install
// before the registry has them.
console.error('To pack this package, run `npm run prebuild`, then `npm run pack:ghostnet`.');
process.exit(1);
