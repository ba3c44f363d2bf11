// The door for require(): the same module, not a second copy of it.
import ghostnet = require('./index.js');
export = ghostnet;
