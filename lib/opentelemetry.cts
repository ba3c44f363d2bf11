// The door of ghostnet/opentelemetry for require(): the same module, not a second copy of it.
import opentelemetry = require('./observability/opentelemetry.js');
export = opentelemetry;
