import { runJob } from '../dist/native/jobs.js';
import { native } from '../dist/native/load.js';

// The trial of peak.mjs: prints the multiply-adds a second that a number of threads does at best.
const threads = Number(process.argv[2]);
console.log(await runJob({}, (ticket) => native().measurePeak(ticket, threads)));
