"""Outcomes of rule tests as JUnit XML, which build servers show."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from fitcard.reports import format_problem, format_trace
from fitcard.testing.rule_tests import Outcome


def junit_xml(outcomes: Sequence[Outcome]) -> str:
    """One suite with one case for each test, named by its file and line; a failure holds problems and trace."""
    failed = sum(not outcome.passed for outcome in outcomes)
    suite = ElementTree.Element("testsuite", name="fitcard test", tests=str(len(outcomes)), failures=str(failed))
    for outcome in outcomes:
        place = outcome.test.document.position(outcome.test.path)
        case = ElementTree.SubElement(
            suite, "testcase", name=outcome.test.name, classname=place.file, file=place.file, line=str(place.line)
        )
        if not outcome.passed:
            failure = ElementTree.SubElement(case, "failure", message=outcome.problems[0].message)
            lines = [format_problem(problem) for problem in outcome.problems] + format_trace(outcome.trace)
            failure.text = "\n".join(lines)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
