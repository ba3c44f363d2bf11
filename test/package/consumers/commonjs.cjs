const { GhostNet } = require('ghostnet');

GhostNet.load()
  .then((model) => model.classify(process.argv[2]))
  .then(([best]) => console.log(best.label));
