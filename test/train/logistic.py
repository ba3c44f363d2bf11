"""scikit-learn's logistic regression on embeddings: python3 logistic.py <folder>

The folder has train.f32 and validation.f32, rows of 1,280 numbers, and labels.json. Prints a line of JSON: the share of the validation
that is right, and the mean loss, for each penalty C.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

folder = Path(sys.argv[1])
labels = json.loads((folder / "labels.json").read_text())
rows = {part: np.fromfile(folder / f"{part}.f32", np.float32).reshape(-1, 1280) for part in labels}
warnings.simplefilter("error", ConvergenceWarning)
results = {}
for c in [float(text) for text in sys.argv[2].split(",")]:
    fit = LogisticRegression(C=c, max_iter=5000).fit(rows["train"], labels["train"])
    scores = fit.predict_proba(rows["validation"])
    right = float((scores.argmax(1) == np.array(labels["validation"])).mean())
    results[c] = {"right": right, "loss": float(log_loss(labels["validation"], scores))}
print(json.dumps(results))
