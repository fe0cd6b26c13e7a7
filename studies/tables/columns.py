"""The rows of a run of codistill as matrices: what a data scientist would make of the columns for trees, and for a linear model."""

import json
import warnings

import numpy
import pandas

TRAIN, VALIDATION, TEST = range(3)

# Of so many values names become the mean label of a name as well: scikit-learn's trees take no more as names.
MOST_NAMES = 254
# Whole numbers of so few values are names to a linear model.
FEW_VALUES = 30
# A season is learned from two of it.
DAYS_OF_SEASONS = 730
# The weight of the mean over all rows in the mean of a name, in rows.
SHRINKAGE = 10
FOLDS = 5


class Data:
    """Features as one matrix of float64 with missing values as NaN, in which a name is its number, and labels as numbers."""

    def __init__(self, path):
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
        self.num_names = numpy.where(self.is_name, numpy.nan_to_num(self.matrix).max(axis=0, initial=0) + 1, 0)

    def add_means(self, seed):
        """Columns of many names once more, as the mean label of a name: of training rows by the rows of other folds."""
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
            self.is_name, self.num_names = numpy.append(self.is_name, False), numpy.append(self.num_names, 0)

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
