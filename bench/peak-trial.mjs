import { runJob } from '../dist/native/jobs.js';
import { native } from '../dist/native/load.js';

// A trial of peak.mjs: prints the best measured multiply-adds per second of a number of threads.
const threads = Number(process.argv[2]);
console.log(await runJob({}, (ticket) => native().measurePeak(ticket, threads)));
