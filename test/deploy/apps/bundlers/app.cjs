const { GhostNet } = require('ghostnet');

GhostNet.load()
  .then((model) => model.classify(process.argv[2], { topK: 1 }))
  .then(([best]) => console.log(best.label));
