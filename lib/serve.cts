// The door of ghostnet/serve for require(): the same module, not a second copy of it.
import serve = require('./serve/index.js');
export = serve;
