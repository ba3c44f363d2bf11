// A clone is not packed as it lies: the published manifest names the packages of LibTorch, which `npm ci` in a clone can not
// install from a registry that does not have them yet.
console.error('Pack with `npm run pack:ghostnet`, after `npm run prebuild`.');
process.exit(1);
