"""A model that a data scientist would have chosen, trained on the rows of a run of codistill.

    peers.py <model> <rows.json> <seed>

`rows.json` and the CSV that it names are those of studies/tables/rows.ts. Every setting of a small grid is trained on the
training rows and stops early on the validation rows; the best of them by validation loss is scored once on the test rows.
Prints one JSON line. Without arguments it prints the versions.
"""

import json
import resource
import sys
import warnings
from itertools import islice

import numpy
import pandas

THREADS = 2
MOST_ROUNDS = 2000
# Rounds without a better validation loss that end the training of a setting.
PATIENCE = 50
# Of many classes a round is as many trees: fewer rounds, each of which learns more.
MANY_CLASSES = 10
# What scikit-learn's trees take as names; columns of more become means of the label as well.
MOST_NAMES = 254
# Whole numbers of so few values are names to a linear model.
FEW_VALUES = 30
# A season is learned from two of it.
DAYS_OF_SEASONS = 730
# The weight of the mean over all rows in the mean of a name, in rows.
SHRINKAGE = 10
FOLDS = 5
# Probabilities of float32 may be 0.
LEAST_PROBABILITY = 1e-7

TRAIN, VALIDATION, TEST = range(3)


class Data:
    """Features as one matrix of float64 with missing values as NaN, in which a name is its number, and labels as numbers."""

    def __init__(self, path, seed):
        about = json.load(open(path, encoding="utf8"))
        kinds = [column["kind"] for column in about["columns"]]
        types = {2 + i: "float64" if kind == "number" else "str" for i, kind in enumerate(kinds)}
        label = "str" if about["task"] == "multiclass" else "float64"
        frame = pandas.read_csv(
            about["file"],
            header=None,
            skiprows=1,
            dtype={0: "int8", 1: label, **types},
            keep_default_na=False,
            na_values={at: [""] for at in types},
        )
        self.task = about["task"]
        split = frame[0].to_numpy()
        self.rows = [numpy.flatnonzero(split == part) for part in (TRAIN, VALIDATION, TEST)]
        self.classes = []
        labels = frame[1].to_numpy()
        if self.task != "regression":
            self.classes, labels = numpy.unique(labels, return_inverse=True)
        self.labels = labels.astype("float64")
        made = [features_of(frame[at], kind, self.rows[TRAIN], about["isByTime"]) for at, kind in zip(types, kinds)]
        features = [feature for some in made for feature in some]
        self.is_name = numpy.array([is_name for is_name, _ in features])
        self.matrix = numpy.column_stack([values for _, values in features])
        self.num_classes = len(self.classes)
        self.add_means(seed)

    def add_means(self, seed):
        """Columns of many names once more, as the mean label of a name: of training rows by the rows of other folds."""
        self.num_names = numpy.where(self.is_name, numpy.nan_to_num(self.matrix).max(axis=0, initial=0) + 1, 0)
        if self.task == "multiclass":
            return
        train = self.rows[TRAIN]
        fold = numpy.random.default_rng(seed).integers(FOLDS, size=len(train))
        for at in numpy.flatnonzero(self.num_names > MOST_NAMES):
            names = self.matrix[:, at]
            means = label_means(names[train], self.labels[train], names)
            for held in range(FOLDS):
                others, own = train[fold != held], train[fold == held]
                means[own] = label_means(names[others], self.labels[others], names[own])
            self.matrix = numpy.column_stack([self.matrix, means])
            self.is_name = numpy.append(self.is_name, False)
            self.num_names = numpy.append(self.num_names, 0)

    def x(self, part):
        return self.matrix[self.rows[part]]

    def y(self, part):
        return self.labels[self.rows[part]]


def features_of(values, kind, train, is_by_time):
    """A column as pairs of whether it is of names, and its values; none of a column that tells nothing."""
    if kind == "number":
        return [(False, values.to_numpy())]
    if kind == "time":
        return [(False, one) for one in parts_of_time(pandas.to_datetime(values), train, is_by_time)]
    names = values.iloc[train].value_counts()
    # Names that hardly repeat, as titles and identifiers, are not learned from.
    if len(names) > len(train) / 2:
        return []
    codes = pandas.Categorical(values, categories=names.index).codes.astype("float64")
    return [(True, numpy.where(codes < 0, numpy.nan, codes))]


def parts_of_time(times, train, is_by_time):
    """What comes again; and the day itself, unless later days are to be predicted."""
    seconds = times.dt.hour * 3600 + times.dt.minute * 60 + times.dt.second
    parts = [seconds, times.dt.hour, times.dt.dayofweek]
    days = (times - pandas.Timestamp("1970-01-01")) / pandas.Timedelta(days=1)
    if not is_by_time or numpy.ptp(days.iloc[train]) > DAYS_OF_SEASONS:
        parts += [times.dt.month, times.dt.dayofyear]
    if not is_by_time:
        parts.append(days)
    return [part.to_numpy(dtype="float64") for part in parts]


def label_means(names, labels, wanted):
    """The mean label of each wanted name, drawn towards the mean of all; the latter for a name that is missing or new."""
    size = int(max(numpy.nan_to_num(names).max(), numpy.nan_to_num(wanted).max())) + 1
    known = ~numpy.isnan(names)
    at = names[known].astype("int64")
    counts = numpy.bincount(at, minlength=size)
    sums = numpy.bincount(at, weights=labels[known], minlength=size)
    means = (sums + SHRINKAGE * labels.mean()) / (counts + SHRINKAGE)
    return numpy.where(numpy.isnan(wanted), labels.mean(), means[numpy.nan_to_num(wanted).astype("int64")])


# Each model gives for each setting: the setting, the rounds it took, and what it predicts of the validation and the test rows,
# as probabilities of the second class, of all classes, or as numbers.


def xgboost(data, seed):
    import xgboost

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


def one_hot(data):
    """Names, and whole numbers of few values, with a column for each value that training rows have and one for none."""
    from scipy import sparse
    from sklearn.preprocessing import OneHotEncoder

    train = data.rows[TRAIN]
    columns = [values for values, is_name in zip(data.matrix.T, data.is_name) if is_name or has_few(values[train])]
    if not columns:
        return sparse.csr_matrix((len(data.matrix), 0))
    values = numpy.nan_to_num(numpy.column_stack(columns), nan=-1e9)
    return OneHotEncoder(handle_unknown="ignore").fit(values[train]).transform(values)


def has_few(values):
    known = values[~numpy.isnan(values)]
    return len(numpy.unique(known[:100_000])) <= FEW_VALUES and bool(numpy.all(known == numpy.round(known)))


def standardised(data):
    """Numbers less their mean over their standard deviation; 0 where missing, and a column of where that is."""
    numbers = data.matrix[:, ~data.is_name]
    train = numbers[data.rows[TRAIN]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        centre, scale = numpy.nanmean(train, axis=0), numpy.nanstd(train, axis=0)
    is_missing = numpy.isnan(numbers)
    values = (numbers - numpy.nan_to_num(centre)) / numpy.where(scale > 0, scale, 1)
    some = is_missing[data.rows[TRAIN]].any(axis=0)
    return numpy.column_stack([numpy.where(is_missing, 0, values), is_missing[:, some]])


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
    data = Data(path, seed)
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
    return {**best, "tried": tried, "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


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
