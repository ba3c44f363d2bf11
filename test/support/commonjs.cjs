// Uses the package from CommonJS.
const { GhostNet, Tensor } = require('ghostnet');

async function main() {
  const model = await GhostNet.load();
  const logits = await model.forward(Tensor.empty('uint8', [1, 32, 32, 3]));
  console.log(JSON.stringify(logits.shape));
}
void main();
