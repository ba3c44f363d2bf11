// The clients of Triton and KServe for the suite: node test/serve/environment.mjs installs them into build/serve/python.
import { PythonPackages } from '../support/python-packages.mjs';

export const packages = new PythonPackages('serve');

if (process.argv[1] === import.meta.filename) packages.installAlone();
