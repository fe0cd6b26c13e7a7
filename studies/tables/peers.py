"""A model that a data scientist would have chosen, trained on the rows of a run of codistill.

    peers.py <model> <rows.json> <seed>

`rows.json` and the CSV that it names are those of studies/tables/rows.ts. Every setting of a small grid is trained on the
training rows and stops early on the validation rows; the best of them by validation loss is scored once on the test rows.
Prints one JSON line. Without arguments it prints the versions.
"""

import json
import os
import resource
import sys
import warnings
from itertools import islice

import numpy
import pandas

from columns import MOST_NAMES, TEST, TRAIN, VALIDATION, Data, one_hot, standardised

MOST_ROUNDS = 2000
# Rounds without a better validation loss that end the training of a setting.
PATIENCE = 50
# Of many classes a round is as many trees: fewer rounds, each of which learns more.
MANY_CLASSES = 10
# A linear model of so few columns is faster on a matrix that is not sparse.
FEW_COLUMNS = 1000
# Probabilities of float32 may be 0.
LEAST_PROBABILITY = 1e-7
THREADS = int(os.environ.get("OMP_NUM_THREADS", 2))


# Each model gives for each setting: the setting, the rounds it took, and what it predicts of the validation and the test rows,
# as probabilities of the second class, of all classes, or as numbers.


def xgboost(data, seed):
    import xgboost

    data.add_means(seed)
    objectives = {
        "binary": {"objective": "binary:logistic", "eval_metric": "logloss"},
        "multiclass": {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": data.num_classes},
        "regression": {"objective": "reg:squarederror", "eval_metric": "rmse", "base_score": data.y(TRAIN).mean()},
    }
    kinds = ["c" if is_name else "q" for is_name in data.is_name]
    parts = [
        xgboost.DMatrix(data.x(part), data.y(part), feature_types=kinds, enable_categorical=True, nthread=THREADS)
        for part in (TRAIN, VALIDATION, TEST)
    ]
    sampled = {"subsample": 0.8, "colsample_bytree": 0.8}
    grid = [
        {"eta": 0.1, "max_depth": 6, "min_child_weight": 1},
        {"eta": 0.1, "max_depth": 3, "min_child_weight": 1},
        {"eta": 0.05, "max_depth": 6, "min_child_weight": 5, **sampled},
        {"eta": 0.05, "max_depth": 9, "min_child_weight": 5, **sampled, "colsample_bytree": 0.5},
        {"eta": 0.05, "max_depth": 4, "min_child_weight": 20, **sampled, "lambda": 10},
    ]
    common = {**objectives[data.task], "tree_method": "hist", "nthread": THREADS, "seed": seed}
    for setting in scaled(grid, "eta", data):
        booster = xgboost.train(
            {**common, **setting},
            parts[TRAIN],
            MOST_ROUNDS,
            evals=[(parts[VALIDATION], "validation")],
            early_stopping_rounds=patience(data),
            verbose_eval=False,
        )
        rounds = booster.best_iteration + 1
        yield setting, rounds, *(booster.predict(parts[part], iteration_range=(0, rounds)) for part in (VALIDATION, TEST))


def hist_gradient_boosting(data, seed):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.ensemble._hist_gradient_boosting import gradient_boosting

    data.add_means(seed)
    x = data.matrix.copy()
    for at in numpy.flatnonzero(data.num_names > MOST_NAMES):
        # Names are numbered by their frequency: the rarest count as missing.
        x[x[:, at] >= MOST_NAMES, at] = numpy.nan
    train, validation, test = data.rows
    both = numpy.concatenate([train, validation])
    # Version 1.2 stops early by rows that it draws from those it is given: here it draws the validation rows.
    gradient_boosting.train_test_split = lambda x, y, **_: (x[: len(train)], x[len(train) :], y[: len(train)], y[len(train) :])
    model = HistGradientBoostingRegressor if data.task == "regression" else HistGradientBoostingClassifier
    grid = [
        {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 20},
        {"learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 20},
        {"learning_rate": 0.05, "max_leaf_nodes": 63, "min_samples_leaf": 20, "l2_regularization": 1},
        {"learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 10},
        {"learning_rate": 0.05, "max_leaf_nodes": 127, "min_samples_leaf": 50, "l2_regularization": 10},
    ]
    for setting in scaled(grid, "learning_rate", data):
        fitted = model(
            **setting,
            max_iter=MOST_ROUNDS,
            categorical_features=data.is_name,
            early_stopping=True,
            scoring="loss",
            n_iter_no_change=patience(data),
            tol=0,
            random_state=seed,
        ).fit(x[both], data.labels[both])
        # The first score is that before the first round.
        rounds = max(1, int(numpy.argmax(fitted.validation_score_)))
        staged = fitted.staged_predict if data.task == "regression" else fitted.staged_predict_proba
        yield setting, rounds, *(answers(next(islice(staged(x[part]), rounds - 1, None)), data) for part in (validation, test))


def linear(data, seed):
    from scipy import sparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    warnings.simplefilter("ignore", ConvergenceWarning)
    x = sparse.csr_matrix(sparse.hstack([one_hot(data), standardised(data)]))
    parts = [x[rows] for rows in data.rows]
    if x.shape[1] < FEW_COLUMNS:
        parts = [part.toarray() for part in parts]
    if data.task == "regression":
        centre = data.y(TRAIN).mean()
        for strength in (0.1, 1, 10, 100, 1000):
            fitted = Ridge(alpha=strength).fit(parts[TRAIN], data.y(TRAIN) - centre)
            yield {"alpha": strength}, None, *(fitted.predict(parts[part]) + centre for part in (VALIDATION, TEST))
        return
    fitted = LogisticRegression(max_iter=300, warm_start=True, random_state=seed)
    for strength in (0.01, 0.1, 1, 10, 100):
        fitted.set_params(C=strength).fit(parts[TRAIN], data.y(TRAIN))
        yield {"C": strength}, None, *(answers(fitted.predict_proba(parts[part]), data) for part in (VALIDATION, TEST))


MODELS = {"XGBoost": xgboost, "HistGradientBoosting": hist_gradient_boosting, "linear": linear}


def scaled(grid, rate, data):
    """Of many classes the settings with twice the learning rate."""
    factor = 2 if data.num_classes > MANY_CLASSES else 1
    return [{**setting, rate: factor * setting[rate]} for setting in grid]


def patience(data):
    return PATIENCE if data.num_classes <= MANY_CLASSES else PATIENCE // 2


def answers(probabilities, data):
    return probabilities[:, 1] if data.task == "binary" else probabilities


def loss_of(predicted, labels, task):
    """The mean squared error, or the mean log loss in nats."""
    predicted = numpy.asarray(predicted, dtype="float64")
    if task == "regression":
        return float(numpy.mean((predicted - labels) ** 2))
    if task == "binary":
        likely = numpy.where(labels == 1, predicted, 1 - predicted)
    else:
        likely = predicted[numpy.arange(len(labels)), labels.astype("int64")]
    return float(-numpy.mean(numpy.log(numpy.clip(likely, LEAST_PROBABILITY, 1))))


def scores_of(predicted, labels, task):
    if task == "binary":
        from sklearn.metrics import roc_auc_score

        return {"auc": float(roc_auc_score(labels, predicted))}
    if task == "multiclass":
        return {"accuracy": float(numpy.mean(predicted.argmax(axis=1) == labels))}
    return {"r2": float(1 - numpy.mean((predicted - labels) ** 2) / labels.var())}


def measure(model, path, seed):
    data = Data(path)
    tried = []
    for setting, rounds, validated, tested in MODELS[model](data, seed):
        tried.append(
            {
                "setting": setting,
                "rounds": rounds,
                "validationLoss": loss_of(validated, data.y(VALIDATION), data.task),
                "testLoss": loss_of(tested, data.y(TEST), data.task),
                **scores_of(tested, data.y(TEST), data.task),
            }
        )
    best = min(tried, key=lambda one: one["validationLoss"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {**best, "tried": tried, "cpuSeconds": used.ru_utime + used.ru_stime, "peakBytes": 1024 * used.ru_maxrss}


def versions():
    import sklearn
    import xgboost

    return {
        "python": sys.version.split()[0],
        "pandas": pandas.__version__,
        "sklearn": sklearn.__version__,
        "xgboost": xgboost.__version__,
    }


if __name__ == "__main__":
    print(json.dumps(versions() if len(sys.argv) == 1 else measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
