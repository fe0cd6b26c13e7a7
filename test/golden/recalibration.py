"""The expected values of recalibration.test.ts, by SciPy and scikit-learn: `python3 test/golden/recalibration.py`."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

PROBS = np.array([0.7, 0.02, 0.1, 0.45, 0.3, 0.97, 0.1, 0.25, 0.5, 0.3, 0.6, 0.8, 0.7, 0.9])
LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1])


def losses(line: np.ndarray) -> np.ndarray:
    logits = line[0] * logit(PROBS) + line[1]
    return np.logaddexp(0, logits) - LABELS * logits


def gradient(line: np.ndarray) -> np.ndarray:
    errors = expit(line[0] * logit(PROBS) + line[1]) - LABELS
    return np.array([(errors * logit(PROBS)).mean(), errors.mean()])


found = minimize(lambda line: losses(line).mean(), [1, 0], jac=gradient, method="BFGS", options={"gtol": 1e-12})
slope, bias = found.x
print("temperature", 1 / slope, "bias", bias, "loss", found.fun)
print("isotonic", [round(float(value), 9) for value in IsotonicRegression().fit_transform(PROBS, LABELS)])
