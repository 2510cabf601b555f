"""How near a candidate chart comes to its reference: picture, table, text."""

from inward_rewards.charts.measures.agreement import encoding_agreement, mark_agreement
from inward_rewards.charts.measures.features import Reference
from inward_rewards.charts.measures.rms import rms_f1
from inward_rewards.charts.measures.similarity import Similarity, chart_similarity
from inward_rewards.charts.measures.table import Match, TableScore, table_f1, table_matches
from inward_rewards.charts.measures.text import text_f1

__all__ = [
    "Match",
    "Reference",
    "Similarity",
    "TableScore",
    "chart_similarity",
    "encoding_agreement",
    "mark_agreement",
    "rms_f1",
    "table_f1",
    "table_matches",
    "text_f1",
]
