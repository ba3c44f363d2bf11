// PyTorch and timm for the suite: node test/family/environment.mjs installs them into build/family/python.
import { PythonPackages } from '../support/python-packages.mjs';

export const packages = new PythonPackages('family');

export const environment = {
  ...packages.environment,
  HF_HUB_OFFLINE: '1',
  // Most networks here are so small that threads cost more than they gain, several times that on a machine with other work.
  OMP_NUM_THREADS: '1',
};

if (process.argv[1] === import.meta.filename) packages.installAlone();
