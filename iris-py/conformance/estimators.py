"""Every scikit-learn estimator that skl2onnx converts, and the data set that suits it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from skl2onnx._supported_operators import sklearn_operator_name_map
from sklearn import (
    base,
    calibration,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.utils import all_estimators

from . import datasets


class Case(NamedTuple):
    """An estimator, its data, and the methods whose answers its graph gives, in order."""

    name: str
    estimator: Any
    data: Callable[[], datasets.DataSet]
    methods: tuple[str, ...]


# What an estimator needs beyond its name.
ESTIMATORS: dict[str, list[base.BaseEstimator]] = {
    "BaggingClassifier": [ensemble.BaggingClassifier(random_state=0)],
    "BaggingRegressor": [ensemble.BaggingRegressor(random_state=0)],
    "CalibratedClassifierCV": [
        calibration.CalibratedClassifierCV(),
        calibration.CalibratedClassifierCV(svm.SVC(), ensemble=False),
        calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic"),
    ],
    "ColumnTransformer": [
        compose.ColumnTransformer([("scale", preprocessing.StandardScaler(), [0, 1]), ("keep", "passthrough", [2, 3])])
    ],
    "FeatureUnion": [pipeline.FeatureUnion([("scale", preprocessing.StandardScaler()), ("pca", decomposition.PCA(2))])],
    "FunctionTransformer": [preprocessing.FunctionTransformer()],
    "GaussianMixture": [
        mixture.GaussianMixture(3, covariance_type=kind, random_state=0)
        for kind in ("full", "tied", "diag", "spherical")
    ],
    "GaussianProcessClassifier": [gaussian_process.GaussianProcessClassifier()],
    "GaussianProcessRegressor": [
        gaussian_process.GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None)
        for kernel in (
            None,
            gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel(),
            gaussian_process.kernels.Matern(nu=1.5),
            gaussian_process.kernels.RationalQuadratic(),
            gaussian_process.kernels.DotProduct(),
        )
    ],
    "GridSearchCV": [model_selection.GridSearchCV(tree.DecisionTreeClassifier(random_state=0), {"max_depth": [2, 3]})],
    "HistGradientBoostingClassifier": [ensemble.HistGradientBoostingClassifier(max_iter=20)],
    "HistGradientBoostingRegressor": [ensemble.HistGradientBoostingRegressor(max_iter=20)],
    "KBinsDiscretizer": [
        preprocessing.KBinsDiscretizer(encode=encode, quantile_method="averaged_inverted_cdf")
        for encode in ("onehot-dense", "ordinal")
    ],
    "KernelPCA": [
        decomposition.KernelPCA(3, kernel=kernel) for kernel in ("linear", "poly", "rbf", "sigmoid", "cosine")
    ],
    "KMeans": [cluster.KMeans(3, n_init=3, random_state=0)],
    "KNeighborsClassifier": [neighbors.KNeighborsClassifier(), neighbors.KNeighborsClassifier(weights="distance")],
    "KNeighborsRegressor": [neighbors.KNeighborsRegressor(), neighbors.KNeighborsRegressor(weights="distance")],
    "KNeighborsTransformer": [neighbors.KNeighborsTransformer(n_neighbors=3)],
    "LocalOutlierFactor": [neighbors.LocalOutlierFactor(novelty=True)],
    "LogisticRegressionCV": [
        linear_model.LogisticRegressionCV(Cs=3, max_iter=1000, l1_ratios=(0,), use_legacy_attributes=False)
    ],
    "MiniBatchKMeans": [cluster.MiniBatchKMeans(3, n_init=3, random_state=0)],
    "MLPClassifier": [
        neural_network.MLPClassifier(hidden_layer_sizes=(20,), activation=name, max_iter=300, random_state=0)
        for name in ("relu", "tanh", "logistic", "identity")
    ],
    "MLPRegressor": [neural_network.MLPRegressor(hidden_layer_sizes=(20,), max_iter=300, random_state=0)],
    "LinearDiscriminantAnalysis": [discriminant_analysis.LinearDiscriminantAnalysis()],
    "MultiOutputClassifier": [multioutput.MultiOutputClassifier(linear_model.LogisticRegression(max_iter=1000))],
    "MultiOutputRegressor": [multioutput.MultiOutputRegressor(linear_model.Ridge())],
    "Normalizer": [preprocessing.Normalizer(norm) for norm in ("l1", "l2", "max")],
    "NuSVC": [svm.NuSVC(), svm.NuSVC(kernel="linear")],
    "OneHotEncoder": [
        preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        preprocessing.OneHotEncoder(drop="first", sparse_output=False),
    ],
    "OneVsOneClassifier": [multiclass.OneVsOneClassifier(linear_model.LogisticRegression(max_iter=1000))],
    "OneVsRestClassifier": [
        multiclass.OneVsRestClassifier(linear_model.LogisticRegression(max_iter=1000)),
        multiclass.OneVsRestClassifier(tree.DecisionTreeClassifier(max_depth=2, random_state=0)),
    ],
    "NearestNeighbors": [neighbors.NearestNeighbors(n_neighbors=3, radius=None)],
    "OrdinalEncoder": [preprocessing.OrdinalEncoder()],
    "OrthogonalMatchingPursuitCV": [linear_model.OrthogonalMatchingPursuitCV()],
    "Pipeline": [pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())],
    "QuantileTransformer": [preprocessing.QuantileTransformer(n_quantiles=20)],
    "RadiusNeighborsClassifier": [neighbors.RadiusNeighborsClassifier(12.0)],
    "RadiusNeighborsRegressor": [neighbors.RadiusNeighborsRegressor(5.0)],
    "RandomTreesEmbedding": [ensemble.RandomTreesEmbedding(10, sparse_output=False, random_state=0)],
    "RFE": [feature_selection.RFE(tree.DecisionTreeClassifier(random_state=0))],
    "RFECV": [feature_selection.RFECV(tree.DecisionTreeClassifier(random_state=0))],
    "SelectFromModel": [feature_selection.SelectFromModel(tree.DecisionTreeClassifier(random_state=0))],
    "SelectKBest": [feature_selection.SelectKBest(k=2)],
    "GenericUnivariateSelect": [feature_selection.GenericUnivariateSelect(mode="k_best", param=2)],
    "SelectPercentile": [feature_selection.SelectPercentile(percentile=50)],
    "SGDClassifier": [
        linear_model.SGDClassifier(random_state=0),
        linear_model.SGDClassifier("log_loss", random_state=0),
    ],
    "SimpleImputer": [impute.SimpleImputer(), impute.SimpleImputer(strategy="most_frequent")],
    "KNNImputer": [impute.KNNImputer()],
    "StackingClassifier": [
        ensemble.StackingClassifier(
            [("tree", tree.DecisionTreeClassifier(max_depth=3, random_state=0)), ("bayes", naive_bayes.GaussianNB())]
        )
    ],
    "StackingRegressor": [
        ensemble.StackingRegressor(
            [("tree", tree.DecisionTreeRegressor(max_depth=3, random_state=0)), ("ridge", linear_model.Ridge())]
        )
    ],
    "SVC": [
        svm.SVC(probability=True, random_state=0),
        *(svm.SVC(kernel=kernel) for kernel in ("linear", "poly", "sigmoid")),
    ],
    "SVR": [svm.SVR(kernel=kernel) for kernel in ("rbf", "linear", "poly", "sigmoid")],
    "NuSVR": [svm.NuSVR()],
    "TargetEncoder": [preprocessing.TargetEncoder(random_state=0)],
    "TunedThresholdClassifierCV": [model_selection.TunedThresholdClassifierCV(linear_model.LogisticRegression())],
    "VotingClassifier": [
        ensemble.VotingClassifier(
            [("tree", tree.DecisionTreeClassifier(max_depth=3, random_state=0)), ("bayes", naive_bayes.GaussianNB())],
            voting=voting,
            flatten_transform=False,
        )
        for voting in ("hard", "soft")
    ],
    "VotingRegressor": [
        ensemble.VotingRegressor(
            [("tree", tree.DecisionTreeRegressor(max_depth=3, random_state=0)), ("ridge", linear_model.Ridge())]
        )
    ],
    "TfidfVectorizer": [
        feature_extraction.text.TfidfVectorizer(),
        feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), norm=None),
        feature_extraction.text.TfidfVectorizer(analyzer="char", ngram_range=(2, 3)),
    ],
    "FeatureHasher": [feature_extraction.FeatureHasher(8, input_type="string", alternate_sign=True)],
    "DictVectorizer": [feature_extraction.DictVectorizer(sparse=False)],
}

# Where an estimator's kind does not say what data it takes.
DATA = {
    "BernoulliNB": [datasets.counts],
    "CategoricalNB": [datasets.counts],
    "ComplementNB": [datasets.counts],
    "MultinomialNB": [datasets.counts],
    "TunedThresholdClassifierCV": [datasets.two_classes],
    "MultiOutputClassifier": [datasets.two_labels_a_row],
    "MultiOutputRegressor": [datasets.three_numbers_a_row],
    "GammaRegressor": [datasets.positive_numbers],
    "PoissonRegressor": [datasets.positive_numbers],
    "TweedieRegressor": [datasets.positive_numbers],
    "MultiTaskElasticNet": [datasets.three_numbers_a_row],
    "MultiTaskElasticNetCV": [datasets.three_numbers_a_row],
    "MultiTaskLasso": [datasets.three_numbers_a_row],
    "MultiTaskLassoCV": [datasets.three_numbers_a_row],
    "KBinsDiscretizer": [datasets.numbers],
    "NearestNeighbors": [datasets.numbers],
    "RFE": [datasets.three_classes],
    "RFECV": [datasets.three_classes],
    "SimpleImputer": [datasets.incomplete],
    "KNNImputer": [datasets.incomplete],
    "OneHotEncoder": [datasets.words, datasets.counts],
    "OrdinalEncoder": [datasets.words, datasets.counts],
    "TargetEncoder": [datasets.words],
    "LabelEncoder": [datasets.word_labels],
    "LabelBinarizer": [datasets.word_labels],
    "CountVectorizer": [datasets.texts],
    "TfidfVectorizer": [datasets.texts],
    "FeatureHasher": [datasets.words],
    "TfidfTransformer": [datasets.counts],
    "DictVectorizer": [datasets.records],
    "KernelCenterer": [datasets.kernel],
    "GaussianProcessClassifier": [datasets.two_classes],
}

METHODS = {
    "KMeans": ("predict", "transform"),
    "MiniBatchKMeans": ("predict", "transform"),
    "GaussianMixture": ("predict", "predict_proba"),
    "BayesianGaussianMixture": ("predict", "predict_proba"),
    "IsolationForest": ("predict", "decision_function"),
    "LocalOutlierFactor": ("predict", "decision_function"),
    "OneClassSVM": ("predict", "decision_function"),
    "SGDOneClassSVM": ("predict", "decision_function"),
    "NearestNeighbors": ("kneighbors",),
    "PLSRegression": ("predict",),
    "RFE": ("transform",),
    "RFECV": ("transform",),
}


def cases() -> Iterator[Case]:
    """The cases of all estimators; one whose conversion or fit fails is a case still."""
    known = dict(all_estimators())
    for name in sorted({type_.__name__ for type_ in sklearn_operator_name_map} & set(known)):
        estimators = ESTIMATORS.get(name) or [default(known[name])]
        for data in DATA.get(name) or default_data(estimators[0]):
            for estimator in estimators:
                yield Case(title(name, estimator, data), estimator, data, methods(name, estimator))


def default(type_: type) -> base.BaseEstimator:
    estimator = type_()
    small = {"random_state": 0, "n_estimators": 10, "max_iter": 1000, "n_components": 3}
    known = estimator.get_params()
    return estimator.set_params(**{name: value for name, value in small.items() if name in known})


def default_data(estimator) -> list[Callable[[], datasets.DataSet]]:
    if base.is_classifier(estimator):
        return [datasets.three_classes, datasets.two_classes, datasets.named_classes]
    if base.is_regressor(estimator):
        return [datasets.numbers]
    return [datasets.three_classes]


def methods(name: str, estimator) -> tuple[str, ...]:
    if name in METHODS:
        return METHODS[name]
    if base.is_classifier(estimator):
        return ("predict", "predict_proba", "decision_function")
    if base.is_regressor(estimator):
        return ("predict",)
    return ("transform",)


def title(name: str, estimator, data) -> str:
    """The estimator as its repr has it, shortened, and the data."""
    parameters = " ".join(repr(estimator).split())
    parameters = parameters if len(parameters) < 160 else parameters[:159] + "…"
    return f"{parameters} on {data.__name__}"
