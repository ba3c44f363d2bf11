// The door of ghostnet/prometheus for require(): the same module, not a second copy of it.
import prometheus = require('./observability/prometheus.js');
export = prometheus;
