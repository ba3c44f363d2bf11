// The files of LibTorch. Tools that trace files (Next.js, Nitro, Vercel) evaluate these calls of join(), and take the files along.
const { join } = require('node:path');

exports.root = __dirname;
exports.libraries = join(__dirname, 'lib');
exports.version = join(__dirname, 'version.py');
