// The door of ghostnet/queue for require(): the same module, not a second copy of it.
import queue = require('./queue/index.js');
export = queue;
