"""Opinions of people, real and simulated, and how far scores agree with them."""

from giqa_lib.applications.opinion.domain_agreement import (
    agreement,
    agreement_gap,
    check_opinions,
    mean_on_same_images,
    mean_over_domains,
    opinion_rows,
    rank_agreement,
)
from giqa_lib.applications.opinion.opinion_agreement import opinion_agreement, order_agreement
from giqa_lib.applications.opinion.outside_scores import outside_scores
from giqa_lib.applications.opinion.real_opinions import (
    LEAST_RATERS,
    OpinionSet,
    rated_opinions,
    real_opinions,
)
from giqa_lib.applications.opinion.simulated_panel import PanelSettings, simulate_panel
from giqa_lib.applications.opinion.vote_damage import damaged_votes

__all__ = [
    "LEAST_RATERS",
    "OpinionSet",
    "PanelSettings",
    "agreement",
    "agreement_gap",
    "check_opinions",
    "damaged_votes",
    "mean_on_same_images",
    "mean_over_domains",
    "opinion_agreement",
    "opinion_rows",
    "order_agreement",
    "outside_scores",
    "rank_agreement",
    "rated_opinions",
    "real_opinions",
    "simulate_panel",
]
