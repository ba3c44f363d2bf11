import { runJob } from '../dist/jobs.js';
import { native } from '../dist/native.js';

// A trial of peak.mjs: prints the best measured multiply-adds per second of a number of threads.
const threads = Number(process.argv[2]);
console.log(await runJob(undefined, (ticket) => native().measurePeak(ticket, threads)));
