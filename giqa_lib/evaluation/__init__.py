"""Metrics: arrays in, a number out, with its uncertainty."""

from giqa_lib.evaluation.agreement import (
    PairAccuracy,
    krcc,
    mcnemar,
    pair_accuracy,
    plcc,
    rmse,
    srcc,
)
from giqa_lib.evaluation.estimate import Estimate, bootstrap, proportion
from giqa_lib.evaluation.logistic import Logistic, fit_logistic

__all__ = [
    "Estimate",
    "Logistic",
    "PairAccuracy",
    "bootstrap",
    "fit_logistic",
    "krcc",
    "mcnemar",
    "pair_accuracy",
    "plcc",
    "proportion",
    "rmse",
    "srcc",
]
