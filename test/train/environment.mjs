// scikit-learn for the suite: node test/train/environment.mjs installs it into build/train/python.
import { PythonPackages } from '../support/python-packages.mjs';

export const packages = new PythonPackages('train');

if (process.argv[1] === import.meta.filename) packages.installAlone();
