"""The report of a comparison as types, from which `schemas/diff.schema.json` is generated.

Relative changes and errors are in percent; figures of rules are in the unit of their rule.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from fitcard.source.schemas import Schema
from fitcard.typed_schema import Minimum, schema_document
from fitcard.values import Scalar

DIFF = "diff"  # name of the schema


class ItemKind(StrEnum):
    """Kinds of items, in the order in which a report lists them."""

    SETTING = "setting"
    PROFILE = "profile"
    CONSTANT = "constant"
    TABLE = "table"
    FORMULA = "formula"
    COUNT = "count"
    ENTRY = "entry"
    LAYOUT = "layout"
    INVARIANT = "invariant"
    TEST = "test"
    TEXT = "text"
    FILE = "file"


class Action(StrEnum):
    """What happened to an item."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Effect(StrEnum):
    """The most that a change can affect, the strongest first."""

    ANSWERS = "answers"
    CHECKS = "checks"
    WORDING = "wording"


Count = Annotated[int, Minimum(0)]
Line = Annotated[int, Minimum(1), "Line in the file."]
Percent = Annotated[float, "In percent."]
RelativeChange = Annotated[float, "Change of a number in percent of its old value; absent if that is 0."]
MedianError = Annotated[float, "Median of the absolute errors, in percent."]


class SideData(TypedDict):
    """One side of the comparison."""

    label: Annotated[str, "Label: a revision, directory or profile."]
    sha256: Annotated[str, "Digest of all rules and catalogs."]
    version: NotRequired[Annotated[str, "Version of the rules; absent if they have errors."]]
    profile: Annotated[str, "Profile that answers by default."]
    errors: Annotated[int, Minimum(0), "Number of errors in the files."]


class CountsData(TypedDict):
    """Number of changes that affect answers, checks only, and wording only."""

    answers: Count
    checks: Count
    wording: Count


class MarksData(TypedDict):
    """The differing parts of a formula, as [start, end] in characters of its text on one line."""

    old: list[tuple[Count, Count]]
    new: list[tuple[Count, Count]]


class DetailData(TypedDict):
    """A changed field; old or new is null where the field is absent."""

    field: Annotated[str, "Dotted name of the field; empty if the item is a single value."]
    old: Any
    new: Any
    effect: Effect
    percent: NotRequired[RelativeChange]
    marks: NotRequired[MarksData]


class ChangeData(TypedDict):
    """A changed item."""

    what: ItemKind
    name: str
    within: NotRequired[Annotated[str, "Profile or catalog that contains it."]]
    action: Action
    effect: Effect
    file: str
    line: Line
    details: list[DetailData]
    read_by: NotRequired[Annotated[list[str], "Rules that depend on it directly."]]
    reaches: NotRequired[Annotated[list[str], "Outputs of an answer that depend on it."]]
    renames: NotRequired[Annotated[Literal[True], "Other names lead to the entry."]]
    still_read_by: NotRequired[Annotated[list[str], "Rules that still use the removed item."]]


class AxisEntriesData(TypedDict):
    """The entries of an axis."""

    both: Annotated[int, Minimum(0), "Number of entries in both versions."]
    added: list[str]
    removed: list[str]


class QuantilesData(TypedDict):
    """Quantiles over changed answers, in percent of the old value, accurate to half a percent of their value."""

    least: Percent
    tenth: Percent
    median: Percent
    nine_tenths: Percent
    most: Percent


Bound = Annotated[float | None, "Relative change in percent; null at the ends."]
BinData = TypedDict("BinData", {"from": Bound, "to": Bound, "answers": Count})
BinData.__doc__ = "A bin of the histogram."


class TransitionData(TypedDict):
    """A transition between words."""

    old: str
    new: str
    answers: Count


class MoverData(TypedDict):
    """A question with a large change."""

    question: Annotated[dict[str, str], "Entries by axis, without axes that make no difference."]
    old: Annotated[Scalar, "Null where the answer shows no value."]
    new: Annotated[Scalar, "Null where the answer shows no value."]
    percent: NotRequired[RelativeChange]
    first: Annotated[str, "First differing name that the output depends on, in dependency order."]


class OutputData(TypedDict):
    """A changed output."""

    name: str
    about: str
    unit: str
    moved: Annotated[int, Minimum(0), "Answers with a different value."]
    rose: NotRequired[Count]
    fell: NotRequired[Count]
    from_zero: NotRequired[Annotated[int, Minimum(0), "Answers whose old value is 0, without a relative change."]]
    appeared: NotRequired[Annotated[int, Minimum(0), "Answers that did not show the number and now do."]]
    vanished: NotRequired[Annotated[int, Minimum(0), "Answers that showed the number and no longer do."]]
    percent: NotRequired[QuantilesData]
    histogram: NotRequired[Annotated[list[BinData], "Number of changed answers by relative change."]]
    words: NotRequired[Annotated[list[str], "Words of the matrix, in the order of their table."]]
    matrix: NotRequired[Annotated[list[TransitionData], "Number of answers by old and new word."]]
    movers: list[MoverData]


class FamilyData(TypedDict):
    """A family."""

    group: str
    percent: Annotated[float, "Mean change over all answers, in percent of the old value."]


class FamiliesData(TypedDict):
    """The mean change of an output by family, the largest decrease first."""

    output: str
    axis: str
    field: str
    rows: list[FamilyData]


class ImpactData(TypedDict):
    """The effect on one profile."""

    profile: str
    base_profile: str
    opened: NotRequired[
        Annotated[
            str,
            "Axis whose entries are varied while other axes keep their defaults; absent if all answers are compared.",
        ]
    ]
    answers: Annotated[int, Minimum(0), "Questions that both versions can answer."]
    moved: Annotated[int, Minimum(0), "Questions with a different value in any output."]
    pages: Annotated[int, Minimum(0), "Pairs of entries of the axes in `about`."]
    pages_moved: Count
    about: list[str]
    entries: Annotated[dict[str, AxisEntriesData], "By axis."]
    outputs: list[OutputData]
    groups: list[FamiliesData]


class TestCountsData(TypedDict):
    """Counts of tests."""

    passed: Count
    failed: Count


class FailureData(TypedDict):
    """A failing test."""

    name: str
    file: str
    line: Line
    wrong: Annotated[list[str], "Message of each failed expectation."]


class TestsData(TypedDict):
    """Rule tests with different results."""

    before: TestCountsData
    after: TestCountsData
    broken: list[FailureData]
    mended: list[str]
    new_failures: list[FailureData]


class RunErrorsData(TypedDict):
    """Weighted relative errors of runs."""

    runs: Annotated[int, Minimum(0), "Number of runs."]
    median_percent: MedianError
    ninetieth_percent: Annotated[float, "90th percentile of the absolute errors, in percent."]
    bias_percent: Annotated[float, "Median of the signed errors, in percent."]


class MeasuredData(TypedDict):
    """Changed errors against measured runs."""

    profile: str
    name: str
    title: str
    before: NotRequired[RunErrorsData]
    after: NotRequired[RunErrorsData]
    points: Annotated[list[tuple[float, float, float]], "[measured, before, after]"]


class StatedErrorsData(TypedDict):
    """Relative errors."""

    median_percent: MedianError
    worst_percent: Annotated[float, "Largest absolute error, in percent."]


class AccuracyData(TypedDict):
    """Errors against figures stated in tests."""

    name: str
    unit: str
    figures: Annotated[int, Minimum(0), "Number of figures."]
    before: StatedErrorsData
    after: StatedErrorsData
    points: Annotated[list[tuple[float, float, float]], "[stated, before, after]"]


class FigureChangeData(TypedDict):
    """A figure as printed."""

    old: str
    new: str


class CaseData(TypedDict):
    """A changed contract case."""

    case: str
    file: str
    line: Line
    figures: Annotated[dict[str, FigureChangeData], "By name."]
    withdrawn: NotRequired[Literal[True]]
    why: NotRequired[Annotated[str, "The stated reason."]]


class ContractData(TypedDict):
    """Contract cases."""

    cases: Annotated[int, Minimum(0), "Number of contract cases in the old version."]
    moved: list[CaseData]


class LeadData(TypedDict):
    """Typed words that find another entry."""

    catalog: Annotated[str, "Catalog of the entries."]
    typed: str
    old: Annotated[str | None, "Id of the entry; null where none or more than one is found."]
    new: Annotated[str | None, "Id of the entry; null where none or more than one is found."]


class RelatedData(TypedDict):
    """A second position of a problem."""

    at: Annotated[str, "file:line:column"]
    message: str


class ProblemData(TypedDict):
    """An error or warning."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    file: NotRequired[str]
    line: NotRequired[Line]
    column: NotRequired[Annotated[int, Minimum(1), "Column in the line."]]
    field: NotRequired[str]
    hint: NotRequired[str]
    closest: NotRequired[Annotated[list[str], "Similar names, the most similar first."]]
    related: NotRequired[list[RelatedData]]
    link: NotRequired[Annotated[str, "Link to the page of the problem code."]]


class ReportData(TypedDict):
    """Output of `fitcard diff --format json`: the changes between two versions of the rules, and their effect on every
    answer.
    """

    base: SideData
    head: SideData
    counts: CountsData
    changes: list[ChangeData]
    impact: Annotated[list[ImpactData], "Effect per compared profile; empty if the new files have errors."]
    leads: NotRequired[Annotated[list[LeadData], "Typed words that find another entry than before."]]
    tests: NotRequired[TestsData]
    measured: NotRequired[list[MeasuredData]]
    accuracy: NotRequired[list[AccuracyData]]
    contract: NotRequired[ContractData]
    problems: list[ProblemData]


def diff_schema() -> Schema:
    """The content of `schemas/diff.schema.json`."""
    return schema_document(DIFF, "a comparison", ReportData)
